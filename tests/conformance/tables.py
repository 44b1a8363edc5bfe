"""The results of a run of the suite as tables in Markdown."""
import collections
import re

COLUMNS = ["passed", "wrong", "unsupported", "error", "crash", "hang"]


def by_kind(results):
    return table("kind", ((kind_of(r), r["status"]) for r in results))


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


def document(results, rival, known, versions):
    """Both engines on the same cases in the same run."""
    passed, rival_passed = count_passed(results), count_passed(rival)
    whole, rival_whole, operators = wholly_passed(results), wholly_passed(rival), {r["operator"] for r in results if not r["operator"].startswith("(")}
    by_opset = beside(results, rival, "opset", lambda r: [r["opset"]], key=lambda name: (name.rpartition(" ")[0], int(name.rpartition(" ")[2] or 0)))
    return "\n\n".join([
        "# The official ONNX backend suite",
        f"Written by `tests/conformance/run_suite.py ONWARD --write` with the suite of onnx {versions['onnx']}: every case runs through "
        f"`onward run-cases` and, in the same run, through ONNX Runtime {versions['onnxruntime']} on one thread of its CPU provider.",
        "The rules are the suite's: type and shape equal, text equal, numbers within the case's tolerance (1e-3 relative and 1e-7 absolute where it "
        "says nothing; bfloat16 2^-6). Two defects of its own runner are repaired for both engines: the length of sequences is compared, and sequences "
        "of scalars are. ONNX Runtime is measured, not its Python binding: inputs of types that numpy does not carry are given as constants, outputs of such "
        "types through a Cast to float.",
        f"**onward passes {passed} of {len(results)} cases, ONNX Runtime {rival_passed}; of the {len(operators)} operators with a case onward passes "
        f"{len(whole)} wholly, ONNX Runtime {len(rival_whole)}.**",
        beside(results, rival, "kind", lambda r: [kind_of(r)]),
        "## What remains", remaining(results, known),
        "## What ONNX Runtime answers where it does not pass", outcomes(rival), reasons(rival),
        "## By opset", by_opset,
        "## By element type", "Cases that have an input or output of the type.", beside(results, rival, "type", lambda r: r["elements"]),
        "## By operator", beside(results, rival, "operator", lambda r: [r["operator"]])]) + "\n"


def kind_of(result):
    return result["kind"] + (" (expanded)" if "_expanded" in result["name"] else "")


def count_passed(results):
    return sum(r["status"] == "passed" for r in results)


def wholly_passed(results):
    operators = {r["operator"] for r in results if not r["operator"].startswith("(")}
    return operators - {r["operator"] for r in results if r["status"] != "passed"}


def beside(results, rival, title, names_of, key=lambda name: name):
    """One row per name: cases, how many each engine passed; less than all is in bold."""
    counts = collections.defaultdict(lambda: [0, 0, 0])
    for ours, theirs in zip(results, rival, strict=True):
        for name in names_of(ours):
            row = counts[name]
            row[0] += 1
            row[1] += ours["status"] == "passed"
            row[2] += theirs["status"] == "passed"
    rows = [[name, str(n), shown(ours, n), shown(theirs, n)] for name, (n, ours, theirs) in sorted(counts.items(), key=lambda item: key(item[0]))]
    return "\n".join([f"| {title} | cases | onward | ONNX Runtime |", "| --- | ---: | ---: | ---: |"] + ["| " + " | ".join(row) + " |" for row in rows])


def shown(passed, cases):
    return str(passed) if passed == cases else f"**{passed}**"


def remaining(results, known):
    rows = [f"- {r['name']}: {r['status']}: {known.get(r['name']) or without_place(r['reason'])}" for r in results if r["status"] != "passed"]
    return "\n".join(rows) or "Nothing."


def outcomes(results):
    counts = collections.Counter(r["status"] for r in results)
    return ", ".join(f"{counts[c]} {c}" for c in COLUMNS if counts[c]) + "."


def reasons(results):
    """The commonest first. What differs between equal reasons (places, names, numbers) is left out, so that they count together."""
    counts = collections.Counter(("wrong answer: " + r["operator"]) if r["status"] == "wrong" else general(r["reason"]) for r in results if r["status"] != "passed")
    return "\n".join(["| reason | cases |", "| --- | ---: |"] + [f"| {reason.replace('|', '/')[:160]} | {n} |" for reason, n in counts.most_common(60)])


def general(reason):
    reason = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", without_place(reason))
    reason = re.sub(r"Load model from \S+ failed: ?", "", reason)
    return re.sub(r" with name '[^']*'|\(node:[^)]*\) ?|Error: Failed to load model with error: |\bnode_index: \d+", "", reason)


def without_place(reason):
    return re.sub(r"^(?:\S+\.onnx: )?(?:node '[^']*' \([^)]*\): )*", "", reason)
