"""Derived from the families' own tables: every row is fitted by scikit-learn, converted by the program, run and compared.

usage: fidelity.py ONWARD ROWS [--engine onnxruntime|onward] [--filter TEXT] [--json FILE]
ONWARD is the program, ROWS the program that prints the table of estimators. Prints one line per case; the last counts.
k nearest neighbours (of KNNImputer: donors): rows whose k-th and next distance are equal are left out and counted apart, since the library's own answer for
them depends on the algorithm that searched.
"""
import argparse, collections, json, os, pickle, subprocess, sys, tempfile, warnings
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")
import joblib
import numpy as np
import pandas as pd
import sklearn.experimental.enable_halving_search_cv  # noqa: F401
import sklearn.experimental.enable_iterative_imputer  # noqa: F401
from sklearn.utils import all_estimators
import sklearn.gaussian_process.kernels
import sklearn.model_selection
from sklearn.metrics.pairwise import nan_euclidean_distances
from sklearn.pipeline import make_pipeline
import compare, tables

CLASSES = dict(all_estimators())
CLASSES.update({n: getattr(sklearn.model_selection, n) for n in ("HalvingGridSearchCV", "HalvingRandomSearchCV", "GridSearchCV", "RandomizedSearchCV")})
KERNELS = {n: k for n, k in vars(sklearn.gaussian_process.kernels).items() if isinstance(k, type)}


def make(name, case): return eval(f"C{case}", {"C": CLASSES[name], "np": np, "make_pipeline": make_pipeline, **KERNELS, **CLASSES})


def tied(estimator, asked):
    """Rows whose neighbours are not one set: the next one is as far as the last."""
    if type(estimator).__name__ == "KNNImputer": return tied_donors(estimator, asked)
    if not hasattr(estimator, "kneighbors"): return None
    distances = estimator.kneighbors(asked, n_neighbors=estimator.n_neighbors + 1)[0]
    # The library's nan_euclidean takes squares away from squares: its distances are off by the root of their rounding (measured: 1e-7).
    off = 1e-6 if getattr(estimator, "metric", "") == "nan_euclidean" else 1e-14
    return np.isclose(distances[:, -1], distances[:, -2], rtol=1e-12, atol=off)


def tied_donors(imputer, asked):
    """Rows with a gap whose k-th donor is as far as the next, and of another value. Which of them numpy's argpartition takes is not even one
    answer of the library: it depends on the processor's instruction set (measured: docs/exactness.md)."""
    asked, fitted, k = np.asarray(asked, float), imputer._fit_X, imputer.n_neighbors
    distances, out = nan_euclidean_distances(asked, fitted), np.zeros(len(asked), bool)
    for column in range(fitted.shape[1]):
        donors = ~np.isnan(fitted[:, column])
        values = fitted[donors, column]
        for row in np.flatnonzero(np.isnan(asked[:, column])):
            d = distances[row, donors]
            d, v = d[~np.isnan(d)], values[~np.isnan(d)]
            if len(d) <= k: continue
            last = np.sort(d)[k - 1]
            equal = np.abs(d - last) <= 1e-6
            out[row] |= (d < last + 1e-6).sum() > k and len(set(v[equal])) > 1
    return out


def cases(rows):
    for row in rows:
        name = row["class"].rsplit(".", 1)[1]
        for kind in row["data"].split():
            for case in row["cases"]: yield row, name, kind, case


def run(args, row, name, kind, case, folder, count, report):
    if kind == "documents" and args.engine == "onnxruntime": return   # these models hold operators of our own
    engine = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward)
    X, score = tables.table(kind)
    fit, ask = X[:tables.FIT], X[tables.FIT:].copy()
    if kind in ("text", "none"): ask[:50, 0] = "never seen"
    if kind in ("text", "none") and "Encoder" in name and "handle_unknown" not in case: ask = ask[50:]
    hows = ("frame",) if isinstance(X, pd.DataFrame) else ("array",) if kind in ("labels", "documents") else ("float64", "frame") if kind in ("text", "none") else ("float64", "float32", "frame")
    for what, y in tables.targets(make(name, case), score, row["targets"]):
        for how in hows:
            shown = f"{name + case:78.78s} {kind:8s} {what:7s} {how:8s}"
            path = f"{folder}/{sum(count.values())}.onnx"
            A, Q = (tables.as_frame(fit), tables.as_frame(ask)) if how == "frame" else (fit, ask)
            try:
                estimator = make(name, case)
                estimator.fit(A.ravel(), ) if kind == "labels" else estimator.fit(A.ravel() if kind == "documents" else A, y[:tables.FIT])
            except (ValueError, TypeError) as e:
                count["refused by the library"] += 1
                continue
            if how == "float32": Q = Q.astype(np.float32).astype(np.float64)
            worst = wrong = ties = 0
            try:
                options = ["--input-dtype", "float32"] if how == "float32" else ["--own-ops"] if kind == "documents" else []
                if row["outputs"]: options += ["--outputs", row["outputs"].replace(" ", ",")]
                compare.convert(args.onward, estimator, path, *options, dump=(pickle.dump, joblib.dump)[sum(count.values()) % 2])
                got = engine.run(path, Q)
                if kind == "documents": Q = Q.ravel()
                if kind == "labels": got, Q = {"transformed": got["transformed"].ravel() if name == "LabelEncoder" else got["transformed"]}, Q.ravel()
                ignore = tied(estimator, Q)
                ties = 0 if ignore is None else int(ignore.sum())
                worst, wrong, _ = compare.compare(estimator, Q, got, ignore=ignore)
                verdict = "passed" if worst <= row["tolerance"] and not wrong else "FAILED"
            except Exception as e:
                if "buffer source array is read-only" in str(e):              # pandas' arrays, to some of the library's compiled kernels
                    count["refused by the library"] += 1
                    continue
                verdict, worst = "FAILED", np.nan
                shown += " " + f"{type(e).__name__} {e}"[-300:].replace("\n", " ")
            count[verdict] += 1
            print(f"{shown} {worst:9.2g} labels {wrong:3d} {f'tied {ties}' if ties else ''} {verdict}", flush=True)
            report.append({"estimator": row["class"], "case": case, "data": kind, "target": what, "input": how, "engine": args.engine, "max_difference": None if worst != worst else float(worst),
                           "tolerance": row["tolerance"], "wrong_labels": wrong, "tied_rows": ties, "verdict": verdict})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("rows")
    parser.add_argument("--engine", default="onnxruntime", choices=["onnxruntime", "onward"])
    parser.add_argument("--filter", default=""), parser.add_argument("--json")
    args = parser.parse_args()
    count, report = collections.Counter(), []
    rows = [r for r in json.loads(subprocess.run([args.rows], capture_output=True, text=True, check=True).stdout) if args.filter in r["class"]]
    with tempfile.TemporaryDirectory(prefix="fidelity_") as folder:
        for row, name, kind, case in cases(rows):
            if name not in CLASSES:
                count["skipped"] += 1
                continue
            run(args, row, name, kind, case, folder, count, report)
    if args.json:
        with open(args.json, "w") as f: json.dump(report, f, indent=1)
    print(f"{count['passed']} passed, {count['FAILED']} failed, {count['skipped'] + count['refused by the library']} skipped")
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)
