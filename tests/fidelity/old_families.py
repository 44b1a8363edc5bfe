"""A model of each family as scikit-learn 1.0 to 1.9 wrote it (tests/data/families, made by tools/make_family_fixtures.py), converted, run, and
compared with what that release answered.

usage: old_families.py ONWARD ROWS [--engine onnxruntime|onward] [--filter TEXT] [--data FOLDER]
Prints what is not equal or not convertible; the last line counts.
"""
import argparse, collections, json, subprocess, sys, tarfile, tempfile
from pathlib import Path
import numpy as np
import pandas as pd
import compare
from old_versions import METHODS, asked, difference

DATA = Path(__file__).resolve().parents[1] / "data" / "families"


def rows_asked(z, data):
    X = asked(z)
    if data == "none": X[z["X.missing"]] = None
    return X


def judge(engine, onward, source, recorded, data, tolerance, path):
    with np.load(recorded, allow_pickle=False) as z: z = dict(z)
    if not set(METHODS.values()) & set(z): return "skipped"  # answers by a method that the archive does not record
    options = ["--own-ops"]
    for _ in range(2):
        done = subprocess.run([onward, "convert", source, "-o", path, *options], capture_output=True, text=True)
        if "give an example" not in done.stderr: break
        np.save(path + ".npy", z["X"])                     # Dummy and FunctionTransformer did not keep the number of columns
        options += ["--example", path + ".npy"]
    if done.returncode == 4: return "refused " + done.stderr.strip().replace("\n", " ")[:200]
    if done.returncode: return f"FAILED exit {done.returncode}: {done.stderr.strip()[:300]}"
    X = rows_asked(z, data)
    if "--example" in options: X = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    worst, wrong, _ = difference(z, engine.run(path, X))
    return "passed" if worst <= tolerance and not wrong else f"FAILED {worst:.2g} labels {wrong}"


def main(args):
    rows = json.loads(subprocess.run([args.rows], capture_output=True, text=True, check=True).stdout)
    tolerances = {(r["class"], case): r["tolerance"] for r in rows for case in r["cases"]}
    engine, count = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward), collections.Counter()
    for archive in sorted(args.data.glob("*.tar.xz")):
        with tempfile.TemporaryDirectory(prefix="families_") as folder:
            with tarfile.open(archive) as packed: packed.extractall(folder)
            with open(f"{folder}/index.json") as f: index = json.load(f)
            for one in index:
                shown = f"{archive.name[:-7]} {one['class']}{one['case']} {one['data']}"
                if args.filter not in shown: continue
                stem = f"{folder}/{one['file']}"
                # A release's own sums ran in another order than today's; the rows' tolerances are for today's.
                tolerance = max(tolerances.get((one["class"], one["case"]), 0), 1e-12)
                # Until 1.9 the library's own coordinate descent stopped earlier for codes that may not be negative.
                if "lasso_cd" in one["case"] and "1.9" not in archive.name: tolerance = 1e-3
                try:
                    verdict = judge(engine, args.onward, stem + ".pkl", stem + ".npz", one["data"], tolerance, f"{folder}/model.onnx")
                except Exception as e:
                    verdict = f"FAILED {type(e).__name__} {e}"[:300]
                count[verdict.split()[0]] += 1
                if verdict not in ("passed", "skipped"): print(f"{shown} {verdict}", flush=True)
    print(f"{count['passed']} passed, {count['FAILED'] + count['refused']} failed, {count['skipped']} skipped")
    return 1 if count["FAILED"] or count["refused"] or not count["passed"] else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("rows"), parser.add_argument("--engine", default="onward", choices=["onnxruntime", "onward"])
    parser.add_argument("--filter", default=""), parser.add_argument("--data", default=DATA, type=Path)
    sys.exit(main(parser.parse_args()))
