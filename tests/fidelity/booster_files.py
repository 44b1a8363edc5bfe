"""Files of two releases each of the boosting libraries, converted, run, and compared with what those releases answered (tests/data/boosters).

usage: booster_files.py ONWARD [--engine onnxruntime|onward] [--filter TEXT] [--data FOLDER]    Prints what is not equal or not convertible; the last line counts.
Scores, leaves and labels are equal to the last bit in our engine, whatever the file's format.
"""
import argparse, collections, os, subprocess, sys, tempfile
from pathlib import Path
import numpy as np
import compare
from old_versions import asked

DATA = Path(__file__).resolve().parents[1] / "data" / "boosters"
FORMATS = (".json", ".ubj", ".txt", ".cbm", ".pkl", ".joblib")
OUTPUTS = ("label", "probabilities", "variable", "scores", "leaf")
EXACT = ("label", "leaf", "scores")
# Answers are functions of the scores: XGBoost computes exp in float32, the others in float64.
TOLERANCE = {"xgboost": 1e-6, "lightgbm": 1e-12, "catboost": 1e-12}


def difference(name, ref, got):
    """0 where equal to the last bit."""
    if got.size != ref.size: raise AssertionError(f"{name} has shape {got.shape}; the library's has {ref.shape}")
    got = got.reshape(ref.shape)
    if ref.dtype.kind in "OUSb" or name == "label": return float((ref.astype(str) != got.astype(str)).sum())
    if (np.isnan(ref) != np.isnan(got)).any(): return np.inf
    ref, got = np.nan_to_num(ref.astype(float)), np.nan_to_num(got.astype(float))
    return float((np.abs(ref - got) / np.maximum(1, np.abs(ref))).max(initial=0))


def judge(engine, source, recorded, path, onward):
    with np.load(recorded, allow_pickle=False) as z: z = dict(z)
    wanted = [name for name in OUTPUTS if name in z]
    done = subprocess.run([onward, "convert", str(source), "-o", path, "--outputs", ",".join(wanted)], capture_output=True, text=True)
    if done.returncode: return f"FAILED exit {done.returncode}: {done.stderr.strip()[:300]}"
    library = recorded.parent.name.split("-")[0]
    # ONNX Runtime adds trees in parallel where there are many, and has its own exp.
    exact = EXACT if isinstance(engine, compare.Onward) else ("label", "leaf")
    outputs, wrong = engine.run(path, asked(z)), []
    for name in wanted:
        d = difference(name, z[name], outputs[name])
        if d > (0 if name in exact else TOLERANCE[library]): wrong.append(f"{name} {d:.3g}")
    return f"FAILED {', '.join(wrong)}" if wrong else "passed"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("--engine", default="onward", choices=["onnxruntime", "onward"]), parser.add_argument("--filter", default=""), parser.add_argument("--data", default=DATA, type=Path)
    args = parser.parse_args()
    engine = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward)
    count = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="boosters_") as folder:
        for recorded in sorted(args.data.glob("*/*.npz")):
            for source in [recorded.with_suffix(s) for s in FORMATS if recorded.with_suffix(s).exists()]:
                shown = f"{recorded.parent.name}/{source.name}"
                if args.filter not in shown: continue
                try:
                    verdict = judge(engine, source, recorded, f"{folder}/model.onnx", args.onward)
                except Exception as e:
                    verdict = f"FAILED {type(e).__name__} {e}"[:300]
                count[verdict.split()[0]] += 1
                if verdict != "passed": print(f"{shown:60s} {verdict}", flush=True)
    print(f"{count['passed']} passed, {count['FAILED']} failed")
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)
