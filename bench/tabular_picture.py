"""The picture of docs/performance.md: for each model and batch how many times faster than ONNX Runtime every contender is."""
import math
from html import escape

WIDTH, LEFT, RIGHT, LINE, TOP = 900, 150, 30, 15, 60
SMALLEST, LARGEST = 0.05, 64
OURS, EXACT, OTHER, AIM = "#1565c0", "#90caf9", "#8d6e63", "#c62828"


def picture(measured, ratio, target):
    """An SVG. ratio(batch, engine) and target(measured, batch) as tabular_document.py has them."""
    body, y = [], TOP
    for m in measured:
        body.append(text(8, y + 11, m["name"], "font-weight='bold'"))
        for batch in m["batches"]:
            body.append(text(LEFT - 8, y + 11, f"{batch['rows']:,} row{'s' * (batch['rows'] > 1)}", "text-anchor='end'"))
            body += marks(batch, y, ratio, target(m, batch))
            y += LINE
        y += LINE // 2
    head = [text(8, 20, "Times as fast as ONNX Runtime, one core (logarithmic; right is faster)", "font-size='14'"), *legend(), *scale(y)]
    return (f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {y + 10}' font-family='sans-serif' font-size='11'>"
            f"<rect width='{WIDTH}' height='{y + 10}' fill='white'/>" + "\n".join(head + body) + "</svg>\n")


def marks(batch, y, ratio, aimed):
    one = across(1)
    found = []
    for engine, colour, height, down in (("onward", OURS, 6, 1), ("onward exact", EXACT, 4, 8)):
        if reached := ratio(batch, engine):
            end = across(reached)
            found.append(f"<rect x='{min(one, end):.1f}' y='{y + down}' width='{abs(end - one):.1f}' height='{height}' fill='{colour}'/>")
    beside = batch["python"].get("ONNX Runtime")
    for name, times in batch["python"].items():
        if beside and name not in ("onward", "onward exact", "ONNX Runtime"):
            found.append(f"<circle cx='{across(beside['median'] / times['median']):.1f}' cy='{y + 6}' r='3' fill='{OTHER}'><title>{escape(name)}</title></circle>")
    if aimed:
        found.append(f"<rect x='{across(aimed) - 1:.1f}' y='{y}' width='2' height='{LINE - 2}' fill='{AIM}'/>")
    return found


def legend():
    entries = ((OURS, "onward, the exporter's float32 file"), (EXACT, "onward, exact"), (OTHER, "others, from Python"), (AIM, "aimed at"))
    return [part for k, (colour, words) in enumerate(entries)
            for part in (f"<rect x='{8 + k * 220}' y='28' width='10' height='10' fill='{colour}'/>", text(23 + k * 220, 37, words))]


def scale(bottom):
    found = []
    for n in (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64):
        found.append(f"<line x1='{across(n):.1f}' x2='{across(n):.1f}' y1='{TOP - 4}' y2='{bottom}' stroke='{'#555' if n == 1 else '#ddd'}'/>")
        found.append(text(across(n), TOP - 7, f"{n:g}", "text-anchor='middle'"))
    return found


def across(ratio):
    share = math.log(min(max(ratio, SMALLEST), LARGEST) / SMALLEST) / math.log(LARGEST / SMALLEST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def text(x, y, words, more=""):
    return f"<text x='{x:.1f}' y='{y:.1f}' {more}>{escape(words)}</text>"
