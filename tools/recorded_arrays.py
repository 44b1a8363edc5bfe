"""Rows and answers as fixtures record them: numbers as they are, words with an array that says which are missing."""
import numpy as np
import pandas as pd


def store_rows(arrays, rows):
    if isinstance(rows, pd.DataFrame):
        for i, name in enumerate(rows.columns):
            store(arrays, f"column.{i}.{name}", rows[name].astype(object).to_numpy() if rows[name].dtype == "category" else rows[name].to_numpy())
    else:
        store(arrays, "X", rows)


def store(arrays, name, values):
    if values.dtype == object and all(isinstance(v, str) or v is None or v != v for v in values.ravel()):
        missing = np.array([not isinstance(v, str) for v in values.ravel()]).reshape(values.shape)
        values = np.where(missing, "", values).astype(str)
        if missing.any():
            arrays[name + ".missing"] = missing
    elif values.dtype == object:
        values = values.astype(float)
    arrays[name] = values
