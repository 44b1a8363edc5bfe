#!/usr/bin/env python3
"""The models of bench/tabular.py, fitted from fixed seeds. Usage: tabular_models.py FOLDER NAME...

Runs in the environment that has the libraries (`tools/setup.sh bench`: build/bench/models). FOLDER/NAME/ gets the library's own file of
the model (source.*), float.onnx as today's exporter writes it, and rows.npz and fitted.npz, columns by name or one matrix X: the rows to
predict, and those that the model was fitted on, with its target y. A folder that an unchanged recipe made is kept.
"""
import hashlib
import inspect
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import numpy as np

ROWS = 30_000  # to predict: three batches of 10,000
SOURCES = ("joblib", "txt", "ubj", "cbm")


@dataclass
class Workload:
    name: str
    title: str
    fit: Callable                                 # → Fitted
    targets: dict = field(default_factory=dict)   # batch: times ONNX Runtime that is aimed at
    against: dict = field(default_factory=dict)   # contender: likewise, for batches of 10,000
    loading: dict = field(default_factory=dict)   # "seconds" and "bytes" of a session: likewise


@dataclass
class Fitted:
    model: object
    rows: object      # a matrix, or {column: values}
    fitted: object    # likewise
    y: np.ndarray
    save: Callable    # writes source.*
    export: Callable  # → the bytes of float.onnx; None where no exporter takes the model


def numbers(seed, rows, columns):
    """Numbers that float32 holds exactly, whichever type an engine takes them in."""
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


def signal(X, noise, seed=1):
    return X[:, 0] * 2 + X[:, 1] * X[:, 2] + np.sin(X[:, 3] * 2) + (X[:, 4] > 0.5) * X[:, 5] + np.random.default_rng(seed).standard_normal(len(X)) * noise


def classes(X, noise, seed=1):
    return (signal(X, noise, seed) > 0.3).astype(int)


def of_sklearn(model, X, y, rows, options=None):
    return Fitted(model.fit(X, y), rows, X, y, save_joblib, lambda: skl2onnx_file(model, rows, options))


def save_joblib(model, folder):
    import joblib

    joblib.dump(model, folder / "source.joblib")


def skl2onnx_file(model, rows, options=None):
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    if isinstance(rows, dict):
        types = [(name, (StringTensorType if column.dtype == object else FloatTensorType)([None, 1])) for name, column in rows.items()]
    else:
        types = [("X", FloatTensorType([None, rows.shape[1]]))]
    options = {**({"zipmap": False} if hasattr(model, "classes_") else {}), **(options or {})}
    return to_onnx(model, initial_types=types, options=options or None, target_opset={"": 21, "ai.onnx.ml": 3}).SerializeToString()


def onnxmltools_file(convert, model, columns, **more):
    from onnxmltools.convert.common.data_types import FloatTensorType

    return convert(model, initial_types=[("X", FloatTensorType([None, columns]))], target_opset=15, **more).SerializeToString()


def logistic():
    from sklearn.linear_model import LogisticRegression

    X = numbers(10, 20_000, 30)
    return of_sklearn(LogisticRegression(), X, classes(X, 0.5), numbers(11, ROWS, 30))


def mixed_frame(seed, rows):
    """Ten columns of numbers, a twentieth of them missing, and five of words."""
    random = np.random.default_rng(seed)
    frame = {f"n{k}": random.standard_normal(rows).astype(np.float32) for k in range(10)}
    for column in frame.values():
        column[random.random(rows) < 0.05] = np.nan
    for k, different in enumerate((3, 8, 20, 60, 200)):
        frame[f"s{k}"] = np.array([f"word {w}" for w in random.integers(0, different, rows)], dtype=object)
    return frame


def mixed():
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = mixed_frame(20, 20_000)
    y = (np.nan_to_num(frame["n0"]) + (frame["s1"] == "word 3") + np.random.default_rng(21).standard_normal(20_000) * 0.5 > 0.2).astype(int)
    preparation = ColumnTransformer([("numbers", make_pipeline(SimpleImputer(), StandardScaler()), [c for c in frame if c[0] == "n"]),
                                     ("words", OneHotEncoder(handle_unknown="ignore"), [c for c in frame if c[0] == "s"])])
    model = make_pipeline(preparation, LogisticRegression(max_iter=500)).fit(pd.DataFrame(frame), y)
    rows = mixed_frame(22, ROWS)
    return Fitted(model, rows, frame, y, save_joblib, lambda: skl2onnx_file(model, rows))


def forest():
    from sklearn.ensemble import RandomForestClassifier

    X = numbers(30, 20_000, 30)
    return of_sklearn(RandomForestClassifier(100, max_depth=8, random_state=0, n_jobs=-1), X, classes(X, 0.5), numbers(31, ROWS, 30))


def deep_forest():
    from sklearn.ensemble import RandomForestRegressor

    X = numbers(40, 2_600, 30)
    return of_sklearn(RandomForestRegressor(500, max_features=0.33, random_state=0, n_jobs=-1), X, signal(X, 0.5), numbers(41, ROWS, 30))


def lightgbm():
    import lightgbm
    from onnxmltools import convert_lightgbm

    X = numbers(50, 20_000, 50)
    y = signal(X, 0.5)
    model = lightgbm.LGBMRegressor(n_estimators=500, num_leaves=31, learning_rate=0.05, random_state=0, verbose=-1, deterministic=True, force_row_wise=True).fit(X, y)
    return Fitted(model, numbers(51, ROWS, 50), X, y, lambda m, folder: m.booster_.save_model(folder / "source.txt"),
                  lambda: onnxmltools_file(convert_lightgbm, model, 50))


def xgboost():
    import xgboost
    from onnxmltools import convert_xgboost

    X = numbers(60, 20_000, 50)
    y = classes(X, 0.5)
    model = xgboost.XGBClassifier(n_estimators=1000, max_depth=6, learning_rate=0.05, random_state=0, n_jobs=2).fit(X, y)
    return Fitted(model, numbers(61, ROWS, 50), X, y, lambda m, folder: m.save_model(folder / "source.ubj"),
                  lambda: onnxmltools_file(convert_xgboost, model, 50))


def support_vectors():
    from sklearn.svm import SVC

    X = numbers(70, 4_400, 30)
    return of_sklearn(SVC(), X, classes(X, 1.0), numbers(71, ROWS, 30))


def neighbours():
    from sklearn.neighbors import KNeighborsClassifier

    X = numbers(80, 10_000, 30)
    return of_sklearn(KNeighborsClassifier(), X, classes(X, 0.5), numbers(81, ROWS, 30), {"optim": "cdist"})


def perceptron():
    from sklearn.neural_network import MLPClassifier

    X = numbers(90, 5_000, 128)
    y = np.digitize(signal(X, 0.5), np.quantile(signal(X, 0.5), np.linspace(0.1, 0.9, 9)))
    return of_sklearn(MLPClassifier((256, 256), max_iter=5, random_state=0), X, y, numbers(91, ROWS, 128))


def catboost():
    import catboost

    X = numbers(100, 20_000, 50)
    y = signal(X, 0.5)
    model = catboost.CatBoostRegressor(iterations=500, depth=6, random_seed=0, thread_count=2, verbose=False, allow_writing_files=False).fit(X, y)

    def export():
        with tempfile.TemporaryDirectory() as folder:
            model.save_model(f"{folder}/model.onnx", format="onnx")
            return Path(folder, "model.onnx").read_bytes()

    return Fitted(model, numbers(101, ROWS, 50), X, y, lambda m, folder: m.save_model(str(folder / "source.cbm")), export)


def with_categories(seed, rows):
    """Fifteen columns of numbers, a twentieth of them missing, and five of category codes."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((rows, 20)).astype(np.float32)
    X[random.random((rows, 20)) < 0.05] = np.nan
    for k, different in enumerate((4, 10, 30, 60, 120)):
        X[:, 15 + k] = random.integers(0, different, rows)
    return X


def hist_boosting():
    from sklearn.ensemble import HistGradientBoostingClassifier

    X = with_categories(110, 20_000)
    y = (signal(np.nan_to_num(X), 0.5) + (X[:, 16] % 3) + (X[:, 18] % 7 > 4) > 1).astype(int)
    model = HistGradientBoostingClassifier(max_iter=500, max_leaf_nodes=31, learning_rate=0.05, early_stopping=False, categorical_features=range(15, 20), random_state=0)
    return of_sklearn(model, X, y, with_categories(111, ROWS))


WORKLOADS = {w.name: w for w in (
    Workload("w1", "logistic regression, 30 features", logistic, {1: 4, 256: 3, 10_000: 3}, {"NumPy by hand": 1}),
    Workload("w2", "mixed frame, 10 numbers and 5 words: impute, scale, one-hot, logistic regression", mixed, {1: 6, 256: 3, 10_000: 5}),
    Workload("w3", "random forest, 100 trees of depth 8, 30 features", forest, {1: 8, 256: 5, 10_000: 5}, {"oneDAL": 2.5}),
    Workload("w4", "random forest, 500 trees of unlimited depth, 1.6 million nodes", deep_forest, {1: 10, 256: 3, 10_000: 3}, loading={"seconds": 10, "bytes": 40}),
    Workload("w5", "LightGBM, 500 trees of 31 leaves, 50 features", lightgbm, {1: 6, 256: 10, 10_000: 16}, {"lleaves": 6, "LightGBM": 25}),
    Workload("w6", "XGBoost, 1000 trees of depth 6, 50 features", xgboost, {1: 12, 256: 7, 10_000: 7}, {"oneDAL": 1.1, "XGBoost": 4}),
    Workload("w7", "SVC with RBF kernel, 2,000 support vectors of 30 features", support_vectors, {1: 4, 256: 8, 10_000: 11}, {"oneDAL": 1.5}),
    Workload("w8", "nearest neighbours, 5 of 10,000 samples of 30 features", neighbours, {1: 4, 256: 2.5, 10_000: 3}, {"oneDAL": 1.5}),
    Workload("w9", "perceptron 128-256-256-10", perceptron, {1: 1.5, 256: 1.1, 10_000: 1.3}, {"OpenVINO": 1}),
    Workload("catboost", "CatBoost, 500 trees of depth 6, 50 features", catboost, {1: 6, 256: 8, 10_000: 8}, {"CatBoost": 1}),
    Workload("hist", "HistGradientBoosting, 500 trees of 31 leaves, categories and missing values", hist_boosting, {1: 6, 256: 8, 10_000: 8}),
)}


def recipe(workload):
    """What a workload's folder was made by: its function's source, and that of the helpers."""
    shared = (numbers, signal, of_sklearn, skl2onnx_file, onnxmltools_file, mixed_frame, with_categories)
    return hashlib.sha256("".join(map(inspect.getsource, (workload.fit, make, *shared))).encode()).hexdigest()


def is_made(folder, workload):
    stamp = folder / workload.name / "recipe"
    return stamp.exists() and stamp.read_text() == recipe(workload)


def make(folder, workload):
    here = folder / workload.name
    shutil.rmtree(here, ignore_errors=True)  # and with it what engines compiled from another model
    here.mkdir(parents=True)
    found = workload.fit()
    if hasattr(found.model, "n_jobs") and found.model.n_jobs == -1:
        found.model.n_jobs = None  # one thread, where the file says nothing else
    found.save(found.model, here)
    save_rows(here / "rows.npz", found.rows)
    save_rows(here / "fitted.npz", found.fitted, y=found.y)
    refusal = None
    try:
        (here / "float.onnx").write_bytes(found.export())
    except Exception as problem:  # what an exporter says of a model that it does not take
        refusal = f"{type(problem).__name__}: {str(problem).splitlines()[0][:200]}"
        (here / "float.onnx").unlink(missing_ok=True)
    labels = hasattr(found.model, "classes_") and not hasattr(found.model, "predict_proba")
    (here / "export.json").write_text(json.dumps({"refusal": refusal, "labels": labels}))
    (here / "recipe").write_text(recipe(workload))


def save_rows(path, rows, **more):
    columns = rows if isinstance(rows, dict) else {"X": rows}
    np.savez(path, **{name: values.astype(str) if values.dtype == object else values for name, values in columns.items()}, **more)


def load_rows(path):
    """(a matrix or {column: values}, the target or None)."""
    with np.load(path) as stored:
        columns = {name: stored[name] for name in stored.files}
    y = columns.pop("y", None)
    columns = {name: values.astype(object) if values.dtype.kind == "U" else values for name, values in columns.items()}
    return columns.get("X", columns), y


def source_of(folder):
    return next(p for kind in SOURCES if (p := folder / f"source.{kind}").exists())


def main():
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    for name in names:
        if not is_made(folder, WORKLOADS[name]):
            make(folder, WORKLOADS[name])


if __name__ == "__main__":
    main()
