"""Models of every family written for the opsets that others ask for: valid by onnx.checker, loaded by ONNX Runtime, with the library's
labels on float32 values. What is refused names the node, the estimator and an opset, and converts for that one.

usage: consumers.py ONWARD ROWS [--all] [--filter TEXT] [--jobs N]
ROWS is the program that prints the table of estimators. Each family is written for two of the opsets, or with --all every case for all of
them. Operators of our own are run in our engine. Prints one line per model that is refused or fails; the last line counts.
"""
import argparse, collections, concurrent.futures, json, os, pickle, re, subprocess, sys, tempfile
import numpy as np
import onnx
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
import booster_files, compare, tables
from fidelity import CLASSES, cases, make, tied   # sets threads and warnings, too

FALLBACKS = [(13, 3), (15, 3), (17, 3), (19, 3), (21, 3)]
OTHERS = [(21, 4), (21, 1), (15, 2), (11, 1), (8, 1), (28, 5)]
LOSSY = 1e-5    # of numbers, where the conversion said that something is lost


def float32_values(asked):
    if isinstance(asked, pd.DataFrame): return asked.assign(**{c: asked[c].astype(np.float32).astype(np.float64) for c in asked if asked[c].dtype.kind == "f"})
    return asked.astype(np.float32).astype(np.float64) if asked.dtype.kind == "f" else asked


def written(onward, source, path, opset, ml, *options):
    """The program's words on stderr. Raises Refused."""
    done = subprocess.run([onward, "convert", source, "-o", path, "--opset", str(opset), "--ml-opset", str(ml), *options], capture_output=True, text=True)
    if done.returncode: raise compare.Refused(f"exit {done.returncode}: {done.stderr.strip()}")
    return done.stderr


def proper(onward, source, path, refusal, opset, ml, options):
    """What is wrong with a refusal; "" where nothing is."""
    if not refusal.startswith("exit 4:"): return "not exit 4"
    if not re.search(r"node '[^']*\b[A-Z]\w+/[^']*' \(\w+\)", refusal): return "names no node of an estimator"
    advice = dict(re.findall(r"(--(?:ml-)?opset) (\d+)", refusal))
    if not advice: return "names no opset that works"
    try: written(onward, source, path, max(opset, int(advice.get("--opset", 0))), max(ml, int(advice.get("--ml-opset", 0))), *options)
    except compare.Refused as e: return f"and what it advises is refused: {e}"
    return ""


def judge(onward, source, folder, opset, ml, options, difference):
    """(verdict, why)"""
    path = f"{folder}/model.onnx"
    try:
        said = written(onward, source, path, opset, ml, *options)
        onnx.checker.check_model(path, full_check=True)
        worst, wrong, tolerance = difference(path)
        if "warning:" in said: tolerance = max(tolerance, LOSSY)
        return ("passed" if not wrong and worst <= max(tolerance, 1e-11) else "FAILED"), f"{worst:.2g} labels {wrong} {said.splitlines()[0] if 'warning' in said else ''}"
    except compare.Refused as e:
        wrong = proper(onward, source, path, str(e), opset, ml, options)
        return ("FAILED" if wrong else "refused"), f"{wrong} | {e}"
    except Exception as e:
        return "FAILED", f"{type(e).__name__} {e}"


def opsets_for(number, everything):
    return FALLBACKS + OTHERS if everything else [FALLBACKS[number % len(FALLBACKS)], OTHERS[number % len(OTHERS)]]


def family(onward, number, row, name, kind, case, everything):
    """[(what, verdict, why)] of one case of one family."""
    X, score = tables.table(kind)
    words, out = kind in ("text", "none"), []
    fit, ask = X[:tables.FIT], X[tables.FIT:].copy()
    if words: ask[:50, 0] = "never seen"
    if words and "Encoder" in name and "handle_unknown" not in case: ask = ask[50:]
    engine = compare.Onward(onward) if kind == "documents" else compare.OnnxRuntime()
    options = ["--own-ops"] if kind == "documents" else []
    if row["outputs"]: options += ["--outputs", row["outputs"].replace(" ", ",")]
    what, y = tables.targets(make(name, case), score, row["targets"])[number % 2 - 1 if not everything else 0]
    try:
        estimator = make(name, case)
        estimator.fit(fit.ravel()) if kind in ("labels", "documents") else estimator.fit(fit, y[:tables.FIT])
    except (ValueError, TypeError):
        return out
    asked = float32_values(ask)
    said = asked.ravel() if kind in ("labels", "documents") else asked
    ignore = tied(estimator, said)

    def difference(path):
        got = engine.run(path, asked)
        if kind == "labels": got = {"transformed": got["transformed"].ravel() if name == "LabelEncoder" else got["transformed"]}
        worst, wrong, _ = compare.compare(estimator, said, got, ignore=ignore)
        return worst, wrong, row["tolerance"]

    with tempfile.TemporaryDirectory(prefix="consumers_") as folder:
        source = f"{folder}/model.pkl"
        with open(source, "wb") as f: pickle.dump(estimator, f)
        for opset, ml in opsets_for(number, everything):
            out.append((f"{name + case:70.70s} {kind:9s} {what:7s} ai.onnx {opset:2d} ml {ml}", *judge(onward, source, folder, opset, ml, options, difference)))
    return out


def booster(onward, number, recorded, source, everything):
    """The same for a booster's file, beside what its library answered."""
    with np.load(recorded, allow_pickle=False) as z: z = dict(z)
    wanted = [n for n in booster_files.OUTPUTS if n in z]
    engine, out = compare.OnnxRuntime(), []

    def difference(path):
        got = engine.run(path, booster_files.asked(z))
        found = {n: booster_files.difference(n, z[n], got[n]) for n in wanted}
        return max([d for n, d in found.items() if n not in ("label", "leaf")], default=0), int(found.get("label", 0) + found.get("leaf", 0)), booster_files.TOLERANCE[recorded.parent.name.split("-")[0]]

    with tempfile.TemporaryDirectory(prefix="consumers_") as folder:
        for opset, ml in opsets_for(number, everything):
            verdict = judge(onward, str(source), folder, opset, ml, ["--outputs", ",".join(wanted)], difference)
            out.append((f"{recorded.parent.name + '/' + source.name:70.70s} {'':17s} ai.onnx {opset:2d} ml {ml}", *verdict))
    return out


def on_thresholds(forest, asked):
    """The float32 values at and beside a threshold, in one column of each row."""
    trees = [tree.tree_ for tree in forest.estimators_]
    feature, threshold = (np.concatenate([getattr(t, what)[t.feature >= 0] for t in trees]) for what in ("feature", "threshold"))
    chosen, rows = np.random.RandomState(0).randint(len(threshold), size=len(asked)), np.arange(len(asked))
    near = threshold[chosen].astype(np.float32)
    beside = np.where(rows % 3 == 0, near, np.nextafter(near, np.where(rows % 3 == 1, np.float32(np.inf), np.float32(-np.inf))))
    asked[rows, feature[chosen]] = beside
    return asked


def large_forest(onward, number, everything):
    """More thresholds than are compared outside of trees: before ai.onnx.ml 3 they are rounded, and the user is told."""
    X, score = tables.table("clean")
    forest = RandomForestRegressor(120, random_state=0).fit(X[:tables.FIT], score[:tables.FIT])
    asked, engine, out = on_thresholds(forest, float32_values(X[tables.FIT:].copy())), compare.OnnxRuntime(), []

    def difference(path): return *compare.compare(forest, asked, engine.run(path, asked))[:2], 0

    with tempfile.TemporaryDirectory(prefix="consumers_") as folder:
        source = f"{folder}/model.pkl"
        with open(source, "wb") as f: pickle.dump(forest, f)
        for opset, ml in [(21, 3), (15, 2), (21, 1)]:
            verdict, why = judge(onward, source, folder, opset, ml, [], difference)
            if ("warning: node 'RandomForestRegressor/" in why) != (ml < 3): verdict, why = "FAILED", "warned wrongly: " + why
            out.append((f"a forest of many thresholds ai.onnx {opset:2d} ml {ml}", verdict, why))
    return out


def work(args):
    """(function, its arguments) of every family."""
    rows = [r for r in json.loads(subprocess.run([args.rows], capture_output=True, text=True, check=True).stdout) if args.filter in r["class"]]
    seen = set()
    for number, (row, name, kind, case) in enumerate(cases(rows)):
        if name not in CLASSES or not args.all and (name, kind in ("documents", "text", "none")) in seen: continue
        seen.add((name, kind in ("documents", "text", "none")))
        yield family, (args.onward, number, row, name, kind, case, args.all)
    if args.filter in "large_forest": yield large_forest, (args.onward, 0, args.all)
    recordings = [r for r in sorted(booster_files.DATA.glob("*/*.npz")) if args.filter in r.parent.name]
    for number, recorded in enumerate(recordings if args.all else recordings[::4]):
        sources = [recorded.with_suffix(s) for s in booster_files.FORMATS if recorded.with_suffix(s).exists()]
        for source in sources if args.all else sources[:1]: yield booster, (args.onward, number, recorded, source, args.all)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("rows"), parser.add_argument("--all", action="store_true"), parser.add_argument("--filter", default="")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    count = collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        for done in [pool.submit(function, *given) for function, given in work(args)]:
            for what, verdict, why in done.result():
                count[verdict] += 1
                if verdict != "passed": print(what, verdict, why[:600].replace("\n", " "), flush=True)
    print(f"{count['passed']} passed, {count['FAILED']} failed, {count['refused']} refused")
    return 1 if count["FAILED"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
