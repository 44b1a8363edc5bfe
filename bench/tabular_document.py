"""What tabular.py measured, as text: lines for the terminal, and the section of docs/performance.md with its picture."""
from pathlib import Path

import measuring
import tabular_models
import tabular_picture

DOCUMENT = Path(__file__).resolve().parents[1] / "docs/performance.md"
PICTURE = "performance-tabular.svg"
HEADING = "## Tabular models"
RIVAL, OURS, EXACT = "ONNX Runtime", "onward", "onward exact"


def pair_of(batch):
    """What the targets are of: from C for one row where that was measured, from Python for the others."""
    return batch.get("c") or batch["python"]


def ratio(batch, ours=OURS, rival=RIVAL):
    times = pair_of(batch) if rival == RIVAL else batch["python"]
    return times[rival]["median"] / times[ours]["median"] if {ours, rival} <= times.keys() else None


def target(measured, batch):
    return tabular_models.WORKLOADS[measured["name"]].targets.get(batch["rows"])


def time(times, name):
    if name not in times:
        return ""
    t = times[name]
    return f"{t['median']:,.1f} ±{(t['high'] - t['low']) / 2:,.1f}"


def shown(measured):
    lines = [f"{measured['name']}: {measured['title']}"]
    for batch in measured["batches"]:
        for where in ("python", "c"):
            for name, times in batch.get(where, {}).items():
                beside = batch[where].get(RIVAL)
                times_faster = f"{beside['median'] / times['median']:8.2f}x" if beside else ""
                lines.append(f"  {batch['rows']:>6} rows, {'from C' if where == 'c' else 'Python'}  {name:16} {time(batch[where], name):>22} µs {times_faster}")
        if (reached := ratio(batch)) and (aimed := target(measured, batch)):
            lines.append(f"  {batch['rows']:>6} rows: {reached:.2f} times ONNX Runtime, {aimed:g} aimed at{'' if reached >= aimed else ': missed'}")
        if batch.get("differing"):
            lines.append(f"  {batch['rows']:>6} rows: from C {batch['differing']} answers of the engines differ")
    for name, greeting in measured["contenders"].items():
        if "refusal" in greeting and not greeting.get("unsuited"):
            lines.append(f"  {name}: {greeting['refusal']}")
    lines.append("  largest difference: " + ", ".join(f"{name} {d:.2g}" for name, d in measured["differences"].items()))
    lines.append("  loading: " + ", ".join(f"{name} {l['seconds'] * 1e3:,.1f} ms, {l['bytes'] / 1e6:,.1f} MB" for name, l in loadings(measured)))
    return "\n".join(lines)


def loadings(measured):
    return [(name, greeting["loading"]) for name, greeting in measured["contenders"].items() if greeting.get("loading")]


def write(measured, path):
    measuring.put(path, HEADING, section(measured))
    path.with_name(PICTURE).write_text(tabular_picture.picture(measured, ratio, target))


def section(measured):
    lines = [HEADING, "", f"Written by `bench/tabular.py --write` on {measuring.processor()}, one core and one thread for each contender, in one run{measuring.load()}.",
             "Microseconds a call, median ± half the span between quartiles. One row is measured through both C interfaces, batches through the Python ones;",
             "every call takes the next rows. Both engines run the float32 file of the model's exporter (\\* ours, where that refuses); *exact* is our own",
             "conversion in the library's precision. The last columns: how many times faster than ONNX Runtime onward is, what is aimed at, and the exact file's.", "",
             f"![onward beside ONNX Runtime and others]({PICTURE})", "",
             "| model | rows | ONNX Runtime | onward | exact | × ONNX Runtime | aimed at | × exact |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    lines += measuring.table_rows([cells(m, b) for m in measured for b in m["batches"]])
    lines += ["", "### Others", "", "Through their Python interfaces; how many times faster onward is, on the float32 file through its own.", "",
              "| model | contender | rows | microseconds | × contender | aimed at |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    lines += measuring.table_rows([c for m in measured for c in others(m)])
    lines += ["", "### Loading, and how far the answers are from the library's own", "",
              "Memory is what the process holds more of its own once the session is made; in brackets, how many times less than ONNX Runtime.", "",
              "| model | engine | ms | MB | largest difference |", "| --- | --- | ---: | ---: | ---: |"]
    lines += measuring.table_rows([c for m in measured for c in loading_cells(m)])
    return "\n".join([*lines, "", versions(measured), *missing(measured)]) + "\n"


def loading_cells(measured):
    aims, found = tabular_models.WORKLOADS[measured["name"]].loading, dict(loadings(measured))
    for name, loading in found.items():
        shown = [f"{loading['seconds'] * 1e3:,.1f}", f"{loading['bytes'] / 1e6:,.1f}"]
        if name != RIVAL and RIVAL in found:
            shown = [s + times_less(found[RIVAL][what], loading[what], aims.get(what)) for s, what in zip(shown, ("seconds", "bytes"))]
        yield [measured["name"], name, *shown, f"{measured['differences'].get(name, 0):.1g}"]


def times_less(theirs, ours, aimed):
    """Memory of less than a page is none."""
    if ours <= 0:
        return ""
    return f" ({theirs / ours:.1f}{f', {aimed:g} aimed at' + (', missed' if theirs / ours < aimed else '') if aimed else ''})"


def versions(measured):
    found = {name: greeting["version"] for m in measured for name, greeting in m["contenders"].items() if greeting.get("version")}
    return "Versions: " + ", ".join(f"{name} {version}" for name, version in found.items() if name != EXACT) + "."


def cells(measured, batch):
    times, reached, aimed, exact = pair_of(batch), ratio(batch), target(measured, batch), ratio(batch, EXACT)
    mark = "\\*" if measured["export"]["refusal"] else ""
    return [f"{measured['name']} {measured['title']}", f"{batch['rows']:,}", time(times, RIVAL) + mark, time(times, OURS), time(times, EXACT), rounded(reached),
            f"{aimed:g}{', missed' if reached and reached < aimed else ''}" if aimed else "", rounded(exact)]


def others(measured):
    aims = tabular_models.WORKLOADS[measured["name"]].against
    for batch in measured["batches"]:
        for name in batch["python"]:
            if name in (RIVAL, OURS, EXACT):
                continue
            reached, aimed = ratio(batch, OURS, name), aims.get(name) if batch["rows"] >= 10_000 else None
            yield [measured["name"], name, f"{batch['rows']:,}", time(batch["python"], name), rounded(reached),
                   f"{aimed:g}{', missed' if reached < aimed else ''}" if aimed and reached else ""]


def rounded(x):
    return f"{x:.2f}" if x else ""


def missing(measured):
    """Contenders that did not take a model, and why."""
    why = {}
    for m in measured:
        for name, greeting in m["contenders"].items():
            if "refusal" in greeting and not greeting.get("unsuited"):
                why.setdefault((name, greeting["refusal"]), []).append(m["name"])
    return ["", "### Not measured", "", *(f"- {name} ({', '.join(models)}): {reason}" for (name, reason), models in why.items())] if why else []
