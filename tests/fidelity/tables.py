"""The tables and targets that estimators are fitted on, and how a table becomes the inputs of a converted model."""
import numpy as np
import pandas as pd
from sklearn.base import is_classifier

FIT, ASK = 500, 1500


WORDS = ("the cat Café café CAFE naïve ÉTÉ été Straße ΟΔΟΣ Σ ΣΊΣΥΦΟΣ İstanbul ISTANBUL ﬁne Ⅷ ² x² 3rd don't e.g. user_name C++ #tag 日本語 日本 हिन्दी é e\u0301t ﷺ "
         "und nicht sehr good bad Movie movie's well-known A I we 12 12,5 $3.50 🙂 ok\u00a0go a\u200bb Ǆ ß ſ K Ω ͅᾼ Α\u0345Σ Σ'Α ʰΣ I\u0307").split(" ")


def documents(r, n):
    """Short texts with what splits, folds and strips differently in different languages and engines."""
    spaces, probabilities = [" ", "  ", " \t ", "\n", "\x1c", "\u2003", ", ", ". ", "-", ""], [.6, .1, .04, .04, .02, .04, .06, .05, .03, .02]
    texts = ["".join(w + s for w, s in zip(r.choice(WORDS, k), r.choice(spaces, k, p=probabilities))) for k in r.randint(0, 14, n)]
    return np.array(texts, object)[:, None]


def table(kind, seed=0):
    """-> X (array or frame) of FIT + ASK rows, score (a number per row that targets are made of)"""
    r, n = np.random.RandomState(seed), FIT + ASK
    if kind == "clean": X = r.randn(n, 5)
    elif kind == "square": X = r.randn(n, FIT)                   # what is fitted on a kernel
    elif kind == "gaps":
        X = r.randn(n, 5)
        X[r.rand(n, 5) < .1] = np.nan
    elif kind == "positive": X = np.exp(r.randn(n, 5)) + (r.rand(n, 5) < .1) * 1e-9
    elif kind == "ratings": X = np.round(r.rand(n, 5) * 5, 1)
    elif kind == "prices": X = np.round(np.exp(r.randn(n, 5) + [2, 3, 1, 4, 0]), 2)
    elif kind == "counts": X = r.randint(0, 7, (n, 5)).astype(float)
    elif kind == "one": X = np.round(r.rand(n, 1) * 5, 2)
    elif kind == "missing":
        X = np.round(r.rand(n, 5) * 5, 1)
        X[r.rand(n, 5) < .1] = np.nan
    elif kind == "documents": X = documents(r, n)
    elif kind == "bools": X = pd.DataFrame(r.rand(n, 3) < .4, columns=["a", "b", "c"])
    elif kind in ("text", "none", "labels"):
        X = np.empty((n, 3), object)
        X[:, 0] = r.choice(["red", "green", "blue", "black"], n, p=[.5, .3, .17, .03])
        X[:, 1], X[:, 2] = r.choice(["é", "日本", "", "plain text"], n), r.choice(["yes", "no"], n)
        if kind != "labels": X[r.rand(n) < .1, 0] = None if kind == "none" else np.nan
        if kind == "labels": X = X[:, :1]
    elif kind == "mixed":
        X = pd.DataFrame({"color": pd.Categorical(r.choice(["red", "green", "blue"], n)), "a": r.randn(n), "size": np.round(r.rand(n) * 5, 1)})
        X.loc[r.rand(n) < .1, "color"] = np.nan
    if kind == "mixed": score = X["a"].values + (X["color"] == "red").values
    elif kind == "one": score = np.sin(X[:, 0]) + .3 * r.randn(n)
    elif kind == "documents": score = np.array([len(d) % 7 + d.count("e") for d in X[:, 0]]) + r.randn(n) * .5
    elif kind in ("text", "none", "labels"): score = (X[:, 0] == "red") + r.randn(n) * .5
    else:
        Z = np.nan_to_num(np.asarray(X, float))
        Z = (Z - Z.mean(0)) / Z.std(0)
        score = Z[:, 0] + Z[:, 1] * Z[:, 2] + .5 * np.abs(Z[:, -1]) + .3 * r.randn(n)
    return X, score.astype(float)


def targets(estimator, score, wanted):
    """-> [(name, y)]; wanted: "", "binary", "classes", "zeros and ones", "unlabelled", "several", "multilabel", "positive" """
    words = np.where(score > np.median(score), "yes", "no")
    numbers = np.digitize(score, np.quantile(score, [.3, .7])) * 10 + 5
    bools = score > np.quantile(score, .6)
    if wanted == "several" and is_classifier(estimator): return [("two", np.stack([numbers, np.where(bools, 5, 15)], axis=1))]
    if wanted == "several": return [("two", np.stack([score, -2 * score + np.sin(score)], axis=1))]
    if wanted == "multilabel": return [("labels", np.stack([bools, score < 0], axis=1).astype(int))]
    if wanted == "zeros and ones": return [("0 and 1", bools.astype(int))]
    if wanted == "unlabelled": return [("some -1", np.where(np.arange(len(score)) % 3 == 1, -1, numbers // 10))]
    if wanted == "positive": return [("", np.abs(score) + .01)]
    if wanted == "classes": return [("3 words", np.array(["low", "middle", "high"])[np.digitize(score, np.quantile(score, [.3, .7]))])]
    if wanted == "binary": return [("words", words)]
    if is_classifier(estimator): return [("words", words), ("3 ints", numbers), ("bools", bools)]
    return [("", score)]


def as_frame(X):
    if isinstance(X, pd.DataFrame): return X
    names = [f"c.{i} %é" for i in range(X.shape[1])]        # names are kept exactly, whatever is in them
    if X.dtype == object: return pd.DataFrame({n: pd.Series(X[:, i], dtype=object) for i, n in enumerate(names)})
    return pd.DataFrame(X, columns=names)


NUMPY = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(bool)": bool, "tensor(int64)": np.int64}


def feeds(inputs, table, schema):
    """The tensors for [(name, type)] out of an array or frame; missing text as the schema says."""
    said, out = {i["name"]: i for i in schema["inputs"]}, {}
    for name, kind in inputs:
        v = table[name].to_numpy()[:, None] if isinstance(table, pd.DataFrame) and name in table.columns else np.asarray(table)
        if len(said[name]["shape"]) == 1: v = v.ravel()                # documents
        if kind != "tensor(string)":
            out[name] = v.astype(NUMPY[kind])
            continue
        gaps, v = said[name].get("missing_text", {}), v.astype(object)
        none = np.frompyfunc(lambda x: x is None, 1, 1)(v).astype(bool)
        out[name] = np.where(none, gaps.get("none", gaps.get("nan", "")), np.where(pd.isna(v), gaps.get("nan", ""), v)).astype(object)
    return out
