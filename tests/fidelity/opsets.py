"""Pipelines written for older opsets answer in ONNX Runtime as scikit-learn does.

usage: opsets.py ONWARD [--all] [--engine onnxruntime|onward]     One line per pipeline and opset; the last counts.
The labels must be equal, and the probabilities within a rounding.
"""
import argparse, collections, sys, tempfile
import numpy as np
import onnx
import compare
from pipelines import ESTIMATORS, FIT, P, PREPARATIONS, TOLERANCE, df, ignored, y2, y3

OPSETS = [(9, 1), (11, 2), (13, 2), (15, 3), (17, 3), (17, 2), (21, 5), (21, 3), (21, 1), (28, 5)]
PREPARATIONS_ASKED = ("names", "imputed strings", "remainder passthrough", "bools one-hot")
SAMPLE = 7  # of the pairs of pipeline and opsets


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("--all", action="store_true"), parser.add_argument("--engine", default="onnxruntime", choices=["onnxruntime", "onward"])
    args = parser.parse_args()
    engine = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward)
    count, table = collections.Counter(), df
    fit, asked = table[:FIT], table[FIT:].copy()
    asked.loc[asked.index[:60], "home.dest"] = "Atlantis"
    work = [(p, e, t, o) for p in PREPARATIONS_ASKED for e in ESTIMATORS for t in "23" for o in OPSETS]
    models = {}
    with tempfile.TemporaryDirectory(prefix="opsets_") as folder:
        for preparation, estimator, target, (opset, ml) in work if args.all else work[::SAMPLE]:
            key, worst, wrong, why = (preparation, estimator, target), np.nan, 0, ""
            if key not in models:
                models[key] = P(PREPARATIONS[preparation](), ESTIMATORS[estimator]()).fit(fit, (y2 if target == "2" else y3)[:FIT])
            try:
                path = f"{folder}/model.onnx"
                compare.convert(args.onward, models[key], path, "--opset", str(opset), "--ml-opset", str(ml))
                onnx.checker.check_model(path, full_check=True)
                worst, wrong, _ = compare.compare(models[key], asked, engine.run(path, asked), ignore=ignored(models[key], asked, preparation))
                verdict = "passed" if worst <= max(TOLERANCE[estimator], 1e-11) and not wrong else "FAILED"
            except compare.Refused as e:
                verdict, why = ("refused" if "exit 4" in str(e) else "FAILED"), str(e)[:300].replace("\n", " ")
            except Exception as e:
                verdict, why = "FAILED", f"{type(e).__name__} {e}"[-300:].replace("\n", " ")
            count[verdict] += 1
            print(f"{preparation:22s} {estimator:9s} {target} ai.onnx {opset:2d} ml {ml} {worst:9.2g} labels {wrong:4d} {verdict} {why}", flush=True)
    print(f"{count['passed']} passed, {count['FAILED']} failed, {count['refused']} skipped")
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)


if __name__ == "__main__":
    main()
