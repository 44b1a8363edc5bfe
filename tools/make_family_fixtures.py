"""Fits one small model for each row of the families' tables, and packs the files with what the library answers.

Usage: make_family_fixtures.py ROWS.json OUT.tar.xz     (run by make_fixtures.sh, once for each scikit-learn version)
       make_family_fixtures.py ROWS.json --fields       prints the names that the objects of each class have, for known_fields.cc

ROWS.json is what onward_estimator_rows prints. For each row its first case that this version can fit is fitted on few rows of its first
table. The archive holds index.json: [{"file", "class", "case", "data"}], and FILE.pkl and FILE.npz, the latter as make_sklearn_fixtures.py
writes them: X, or column.I.NAME; and predict, predict_proba, decision_function, transform, score_samples, mahalanobis as the library answers.
"""
import io
import json
import pickle
import sys
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import sklearn
import sklearn.experimental.enable_halving_search_cv  # noqa: F401
import sklearn.experimental.enable_iterative_imputer  # noqa: F401
import sklearn.gaussian_process.kernels
import sklearn.model_selection
from sklearn.pipeline import make_pipeline
from sklearn.utils import all_estimators

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/fidelity"))
import tables
from recorded_arrays import store, store_rows

tables.FIT, tables.ASK = 44, 12
METHODS = ["predict", "predict_proba", "decision_function", "transform", "score_samples", "mahalanobis"]
# Ensembles and networks of the size that a test needs.
SMALL = {"n_estimators": 3, "max_depth": 3, "max_iter": 60, "hidden_layer_sizes": (4,), "max_leaf_nodes": 5, "n_components": 2}
CHOOSE = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")


def classes():
    found = dict(all_estimators())
    found.update({name: getattr(sklearn.model_selection, name) for name in CHOOSE})
    return found


CLASSES = classes()
NAMES = {**{n: k for n, k in vars(sklearn.gaussian_process.kernels).items() if isinstance(k, type)}, **CLASSES, "np": np, "make_pipeline": make_pipeline}


def made(name, case):
    model = eval(f"C{case}", {"C": CLASSES[name], **NAMES})
    parameters = model.get_params(deep=False)
    small = {k: v for k, v in SMALL.items() if k in parameters and k not in case and k != "n_components"}
    if "n_components" in parameters and "n_components" not in case and isinstance(parameters["n_components"], int):
        small["n_components"] = SMALL["n_components"]
    if name.startswith("Hist") or "max_iter" in small and not isinstance(parameters["max_iter"], int):
        small = {"max_iter": 3, "max_leaf_nodes": 5} if name.startswith("Hist") else {}
    return model.set_params(**small)


def fitted(row, name, kind, case):
    x, score = tables.table(kind)
    _, y = tables.targets(made(name, case), score, row["targets"])[0]
    fit, ask = x[:tables.FIT], x[tables.FIT:]
    if kind in ("labels", "documents"):
        fit, ask = fit.ravel(), ask.ravel()
    model = made(name, case)
    return (model.fit(fit) if kind == "labels" else model.fit(fit, y[:tables.FIT])), ask


def answers(model, ask):
    arrays = {}
    store_rows(arrays, ask)
    for method in METHODS:
        try:
            answer = getattr(model, method)(ask)
        except (AttributeError, NotImplementedError):
            continue
        if isinstance(answer, list):
            continue
        answer = answer.toarray() if hasattr(answer, "toarray") else answer
        store(arrays, method, answer.to_numpy() if isinstance(answer, pd.DataFrame) else np.asarray(answer))
    return arrays


def models(rows):
    for number, row in enumerate(rows):
        name = row["class"].rsplit(".", 1)[1]
        if not row["class"].startswith("sklearn.") or name not in CLASSES:
            continue
        kind = row["data"].split()[0]
        for case in row["cases"]:
            try:
                np.random.seed(0)
                model, ask = fitted(row, name, kind, case)
                yield f"{name}.{number}", row, case, kind, model, answers(model, ask)
                break
            except (ValueError, TypeError, AttributeError, ImportError) as e:
                print(f"{sklearn.__version__} {name}{case} {kind}: {type(e).__name__} {str(e)[:120]}", file=sys.stderr)


def pack(rows, path):
    index = []
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for file, row, case, kind, model, arrays in models(rows):
            add(archive, f"{file}.pkl", pickle.dumps(model, protocol=4))
            content = io.BytesIO()
            np.savez(content, **arrays)
            add(archive, f"{file}.npz", content.getvalue())
            index.append({"file": file, "class": row["class"], "case": case, "data": kind})
        add(archive, "index.json", json.dumps(index).encode())
    print(sklearn.__version__, len(index), "models", Path(path).stat().st_size, "bytes")


def add(archive, name, content):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


class FieldsOf(pickle.Pickler):
    """Names of what objects of scikit-learn hold, as pickle meets them."""

    def __init__(self, found):
        super().__init__(io.BytesIO(), protocol=4)
        self.found = found

    def persistent_id(self, thing):
        if type(thing).__module__.startswith("sklearn.") and hasattr(thing, "__dict__") and not isinstance(thing, type):
            state = thing.__getstate__() if hasattr(thing, "__getstate__") else vars(thing)
            self.found.setdefault(type(thing).__name__, set()).update(state if isinstance(state, dict) else vars(thing))
        return None


def fields(rows):
    found = {}
    for row in rows:
        for case in row["cases"]:
            for kind in row["data"].split():
                name = row["class"].rsplit(".", 1)[1]
                try:
                    FieldsOf(found).dump(fitted(row, name, kind, case)[0])
                except Exception as e:
                    print(f"{name}{case} {kind}: {type(e).__name__} {str(e)[:120]}", file=sys.stderr)
    for name, names in sorted(found.items()):
        print(f'    {{"{name}", "{" ".join(sorted(names))}"}},')


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with open(sys.argv[1]) as file:
        table = json.load(file)
    fields(table) if sys.argv[2] == "--fields" else pack(table, sys.argv[2])
