"""Files of six scikit-learn releases, converted, run, and compared with what those releases answered (tests/data/sklearn).

usage: old_versions.py ONWARD [--engine onnxruntime|onward] [--filter TEXT]     Prints what is not equal or not convertible; the last line counts.
"""
import argparse, collections, json, os, subprocess, sys, tempfile
from pathlib import Path
import numpy as np
import pandas as pd
import compare

DATA = Path(__file__).resolve().parents[1] / "data" / "sklearn"
METHODS = {**compare.METHODS, "transformed": "transform"}
# Where today's sums run in another order than the release's, or it summed in float32.
TOLERANCE = collections.defaultdict(lambda: 1e-12)


def asked(z):
    columns = sorted((k for k in z if k.startswith("column.") and not k.endswith(".missing")), key=lambda k: int(k.split(".")[1]))
    if not columns:
        X = z["X"].astype(object) if "X.missing" in z else z["X"]
        if "X.missing" in z: X[z["X.missing"]] = np.nan
        return X[:, None] if X.ndim == 1 else X
    frame = {}
    for k in columns:
        v = z[k].astype(object) if k + ".missing" in z else z[k]
        if k + ".missing" in z: v[z[k + ".missing"]] = np.nan
        frame[k.split(".", 2)[2]] = v
    return pd.DataFrame(frame)


def difference(z, outputs):
    worst = wrong = compared = 0
    for name, got in outputs.items():
        method = METHODS.get(name)
        if name == "label" and method not in z: method = "transform"
        if method not in z: continue
        ref, compared = z[method], compared + 1
        if ref.dtype.kind in "OU": ref = np.where(z[method + ".missing"], "nan", ref) if method + ".missing" in z else ref
        if got.size != ref.size: raise AssertionError(f"{name} has shape {got.shape}; the release's has {ref.shape}")
        got = got.reshape(ref.shape)
        if ref.dtype.kind in "OU" or name == "label": wrong += int((ref.astype(str) != got.astype(str)).sum())
        else:
            ref, got = ref.astype(float), got.astype(float)
            if (np.isnan(ref) != np.isnan(got)).any(): return np.inf, wrong, compared
            worst = max(worst, (np.abs(np.nan_to_num(ref - got)) / np.maximum(1, np.abs(np.nan_to_num(ref)))).max(initial=0))
    if not compared: raise AssertionError("nothing to compare")
    return worst, wrong, compared


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("--engine", default="onnxruntime", choices=["onnxruntime", "onward"]), parser.add_argument("--filter", default="")
    args = parser.parse_args()
    engine = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward)
    count, refused = collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="versions_") as folder:
        for recorded in sorted(DATA.glob("*/*.npz")):
            for source in [recorded.with_suffix(s) for s in (".pkl", ".joblib", ".skops") if recorded.with_suffix(s).exists()]:
                shown = f"{recorded.parent.name}/{source.name}"
                if args.filter not in shown: continue
                path = f"{folder}/model.onnx"
                done = subprocess.run([args.onward, "convert", str(source), "-o", path, *(["--own-ops"] if args.engine == "onward" else [])], capture_output=True, text=True)
                if done.returncode == 4:
                    count["skipped"] += 1
                    refused[done.stderr.strip().replace("\n", " ")[:150]] += 1
                    continue
                try:
                    if done.returncode: raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[:300]}")
                    with np.load(recorded, allow_pickle=False) as z: z = dict(z)
                    worst, wrong, _ = difference(z, engine.run(path, asked(z)))
                    verdict = "passed" if worst <= TOLERANCE[recorded.stem] and not wrong else f"FAILED {worst:.2g} labels {wrong}"
                except Exception as e:
                    verdict = f"FAILED {type(e).__name__} {e}"[:300]
                count[verdict.split()[0]] += 1
                if verdict != "passed": print(f"{shown:60s} {verdict}", flush=True)
    for reason, n in sorted(refused.items()): print(f"{n:4d} not convertible: {reason}")
    print(f"{count['passed']} passed, {count['FAILED']} failed, {count['skipped']} skipped")
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)
