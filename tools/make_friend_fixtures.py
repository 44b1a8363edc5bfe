"""Fits small models of libraries that are made for scikit-learn, and packs the files with what each library answers.

Usage: make_friend_fixtures.py LIBRARY OUT.tar.xz     (run by make_fixtures.sh, once for each version of each library)

LIBRARY: a module of tools/friend_models, such as imbalanced_learn. Its cases() are (name, model, table, target),
or (name, model, table, target, text of the refusal). The archive holds index.json: [{"file", "refused"}], FILE.pkl, and FILE.npz:
  column.I.NAME, or X         the rows asked, as recorded_arrays.py writes them
  predict, predict_proba, decision_function, transform     what the model has; a table's columns as METHOD.column.I.NAME
"""
import importlib
import io
import json
import pickle
import sys
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from friend_models import tables
from recorded_arrays import store, store_rows

METHODS = ["predict", "predict_proba", "decision_function", "transform"]


def main(library, path):
    warnings.simplefilter("ignore")
    index = []
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for number, (name, model, table, target, *refused) in enumerate(importlib.import_module(f"friend_models.{library}").cases()):
            fit, ask = tables.table(table)
            try:
                np.random.seed(0)
                model.fit(fit, tables.target(target)) if target else model.fit(fit)
                arrays = {} if refused else answers(model, ask)
            except (ValueError, TypeError, AttributeError, NotImplementedError, KeyError) as e:
                print(f"{name}: {type(e).__name__} {str(e)[:200]}", file=sys.stderr)
                continue
            add(archive, f"{name}.pkl", pickle.dumps(model, protocol=2 + number % 4))
            content = io.BytesIO()
            np.savez(content, **arrays)
            add(archive, f"{name}.npz", content.getvalue())
            index.append({"file": name, **({"refused": refused[0]} if refused else {})})
        add(archive, "index.json", json.dumps(index).encode())
    print(library, len(index), "models", Path(path).stat().st_size, "bytes")


def answers(model, ask):
    arrays = {}
    store_rows(arrays, ask)
    for method in METHODS:
        try:
            answer = getattr(model, method)(ask)
        except (AttributeError, NotImplementedError):
            continue
        if isinstance(answer, pd.DataFrame):
            for i, name in enumerate(answer.columns):
                store(arrays, f"{method}.column.{i}.{name}", answer.iloc[:, i].astype(object).to_numpy())
        else:
            store(arrays, method, np.asarray(answer))
    return arrays


def add(archive, name, content):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    main(*sys.argv[1:])
