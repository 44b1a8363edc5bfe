"""The results of a run of the suite as tables in Markdown."""
import collections
import re

COLUMNS = ["passed", "wrong", "unsupported", "error", "crash", "hang"]


def by_kind(results):
    return table("kind", ((r["kind"] + (" (expanded)" if "_expanded" in r["name"] else ""), r["status"]) for r in results))


def by_operator(results):
    return table("operator", ((r["operator"], r["status"]) for r in results))


def table(title, pairs):
    """One row per name: how many cases, and how many ended in which way; ways that no case took are left out."""
    counts = collections.defaultdict(collections.Counter)
    for name, status in pairs:
        counts[name][status] += 1
        counts["all"][status] += 1
    columns = [c for c in COLUMNS if counts["all"][c]]
    rows = [[name, counts[name].total()] + [counts[name][c] or "" for c in columns] for name in sorted(counts, key=lambda n: (n == "all", n))]
    head = f"| {title} | cases | " + " | ".join(columns) + " |"
    return "\n".join([head, "| --- " + "| ---: " * (len(columns) + 1) + "|"] + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def document(results, version):
    operators = {r["operator"] for r in results if not r["operator"].startswith("(")}
    whole = operators - {r["operator"] for r in results if r["status"] != "passed"}
    passed = sum(r["status"] == "passed" for r in results)
    troubled = [r for r in results if r["status"] not in ("passed", "unsupported")]
    return "\n\n".join([
        "# The official ONNX backend suite",
        f"Written by `tests/conformance/run_suite.py ONWARD --write` with the suite of onnx {version}: every case runs through "
        f"`onward run-cases` and is compared by the suite's own rules.",
        f"**{passed} of {len(results)} cases pass; {len(whole)} of the {len(operators)} operators with a case pass all of theirs.**",
        by_kind(results), "## Why cases are unsupported", reasons(results), "## Wrong answers and errors",
        "\n".join(f"- {r['name']}: {r['status']}: {without_place(r['reason'])}" for r in troubled) or "None.", "## By operator", by_operator(results)]) + "\n"


def reasons(results):
    """The commonest first. Where the node stands is left out, so that equal reasons count together."""
    counts = collections.Counter(without_place(r["reason"]) for r in results if r["status"] == "unsupported")
    return "\n".join(["| reason | cases |", "| --- | ---: |"] + [f"| {reason.replace('|', '/')[:160]} | {n} |" for reason, n in counts.most_common(60)])


def without_place(reason):
    return re.sub(r"^(?:\S+\.onnx: )?(?:node '[^']*' \([^)]*\): )*", "", reason)
