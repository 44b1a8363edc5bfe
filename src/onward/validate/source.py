"""Answers of a fitted model by its own library. Usage: python -c THIS FOLDER

FOLDER/request.json names the source, its columns and the outputs that are wanted; FOLDER/input.npz holds the columns. Writes
FOLDER/answers.npz and FOLDER/answers.json. A row for which the library raises is an answer too: it is marked as refused.
"""
import json
import sys
import time
import warnings

import numpy as np


def main(folder):
    warnings.simplefilter("ignore")
    with open(folder + "/request.json") as f:
        request = json.load(f)
    model = load(request["source"])
    rows = table(model, request, np.load(folder + "/input.npz"))
    outputs, answers = request["outputs"], Answers(request["rows"])
    started = time.perf_counter()
    answers.over(lambda part: compute(model, part, outputs), rows, np.arange(request["rows"]))
    seconds = time.perf_counter() - started
    arrays = {f"o{i}": plain(answers.arrays[name]) for i, name in enumerate(outputs) if name in answers.arrays}
    np.savez(folder + "/answers.npz", refused=answers.refused, **arrays)
    with open(folder + "/answers.json", "w") as f:
        json.dump({"who": who(model), "outputs": outputs, "why_refused": answers.why, "seconds": seconds}, f)


def load(path):
    with open(path, "rb") as f:
        start = f.read(4)
    if start == b"PK\x03\x04":
        import skops.io
        return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    if start == b"tree":
        return lightgbm_file(path)
    if start == b"CBM1":
        return catboost_file(path, "cbm")
    if start[:1] == b"{":
        with open(path, "rb") as f:
            return catboost_file(path, "json") if b'"features_info"' in f.read() else xgboost_file(path)
    try:
        import joblib
        return joblib.load(path)
    except ImportError:
        import pickle
        with open(path, "rb") as f:
            return pickle.load(f)


class BoosterFile:
    """A booster out of its library's own file. It numbers its classes."""

    def __init__(self, booster, names, kind, answer):
        self.booster, self.feature_names_in_, self.kind, self.answer = booster, names, kind, answer

    def asked(self, rows, **options):
        if hasattr(rows, "iloc"):
            text = [c for c in rows.columns if rows[c].dtype.kind not in "biuf"]
            rows = rows.astype({c: "category" for c in text})
        else:
            rows = np.asarray(rows, dtype=float)
        return self.answer(rows, **options)

    def predict(self, rows):
        p = self.asked(rows)
        if self.kind == "classes" and p.ndim > 1:
            return p.argmax(1)
        return (p > 0.5).astype(np.int64) if self.kind != "numbers" and p.ndim == 1 else p

    def predict_proba(self, rows):
        p = self.asked(rows)
        return p if p.ndim > 1 else np.stack([1 - p, p], axis=1)


def xgboost_file(path):
    import xgboost
    booster = xgboost.Booster(model_file=path)
    said = booster.attr("scikit_learn")
    if said is not None:
        kinds = {"classifier": xgboost.XGBClassifier, "regressor": xgboost.XGBRegressor, "ranker": xgboost.XGBRanker}
        model = kinds[json.loads(said)["_estimator_type"]]()
        model.load_model(path)
        return model
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]

    def answer(rows, **options):
        return booster.predict(xgboost.DMatrix(rows, feature_types=booster.feature_types, enable_categorical=True), **options)

    kind = "classes" if objective.startswith("multi") else "two" if objective.startswith("binary") else "numbers"
    return BoosterFile(booster, booster.feature_names, kind, answer)


def lightgbm_file(path):
    import lightgbm
    booster = lightgbm.Booster(model_file=path)
    with open(path) as f:
        objective = next((line[10:] for line in f if line.startswith("objective=")), "")
    names = booster.feature_name()
    unnamed = names == [f"Column_{i}" for i in range(len(names))]
    kind = "classes" if objective.startswith("multiclass") else "two" if objective.startswith("binary") else "numbers"
    return BoosterFile(booster, None if unnamed else names, kind, booster.predict)


def catboost_file(path, format):
    """A file does not say of which class it was saved: the loss does, as far as there is one for classes."""
    import catboost
    model = catboost.CatBoost().load_model(path, format=format)
    loss = str(model.get_all_params().get("loss_function")).split(":")[0]
    of_classes = ("Logloss", "CrossEntropy", "Focal", "MultiClass", "MultiClassOneVsAll", "MultiLogloss", "MultiCrossEntropy")
    kind = catboost.CatBoostClassifier if loss in of_classes else catboost.CatBoostRegressor
    return kind().load_model(path, format=format)


def library_of(model):
    return type(model.booster if isinstance(model, BoosterFile) else model).__module__.split(".")[0]


def who(model):
    library = library_of(model)
    name = {"sklearn": "scikit-learn"}.get(library, library)
    return f"{name} {getattr(sys.modules.get(library), '__version__', '')}".strip()


def table(model, request, arrays):
    """What the model was fitted on: a list of texts, a frame where it knows names, else a matrix."""
    columns, rows = request["columns"], request["rows"]
    values = [column(c["kind"], arrays[f"c{i}"], arrays[f"gaps{i}"]) for i, c in enumerate(columns)]
    if request["list"]:
        return values[0]
    text = any(c["kind"] == "text" for c in columns)
    if names_of(model) is not None:
        import pandas as pd
        return pd.DataFrame({c["name"]: v for c, v in zip(columns, values)}, index=range(rows))
    return np.array(values, dtype=object).T.reshape(rows, len(values)) if text else np.column_stack(values).reshape(rows, len(values))


def names_of(model):
    for part in [model, *[step for _, step in getattr(model, "steps", [])]]:
        names = getattr(part, "feature_names_in_", None)
        if names is not None:
            return names
    return None


def column(kind, values, gaps):
    if kind == "datetime":
        return values.astype("datetime64[ns]")
    if kind == "text":
        values = values.astype(object)
        values[gaps == 1] = np.nan
        values[gaps == 2] = None
        if (gaps == 3).any():
            import pandas as pd
            values[gaps == 3] = pd.NA
    return values


class Answers:
    def __init__(self, rows):
        self.rows, self.arrays, self.refused, self.why = rows, {}, np.zeros(rows, np.uint8), ""

    def over(self, answer, rows, places):
        """Rows that make the library raise are looked for by halving."""
        try:
            for name, values in answer(rows).items():
                if name not in self.arrays:
                    empty = np.nan if values.dtype.kind == "f" else None if values.dtype.kind == "O" else np.zeros((), values.dtype)
                    self.arrays[name] = np.full((self.rows, *values.shape[1:]), empty, values.dtype)
                if values.dtype.kind == "U" and values.dtype.itemsize > self.arrays[name].dtype.itemsize:
                    self.arrays[name] = self.arrays[name].astype(values.dtype)
                self.arrays[name][places] = values
        except Exception as error:
            if not about_rows(error):
                raise
            if len(places) == 1:
                self.refused[places] = 1
                self.why = self.why or f"{type(error).__name__}: {error}".splitlines()[0]
                return
            half = len(places) // 2
            if half == 0:
                raise
            part = rows.iloc if hasattr(rows, "iloc") else rows
            self.over(answer, part[:half], places[:half])
            self.over(answer, part[half:], places[half:])


def about_rows(error):
    about = (ValueError, TypeError, KeyError, OverflowError, FloatingPointError)
    return isinstance(error, about) or type(error).__name__ == "CatBoostError"


def compute(model, rows, outputs):
    found, transformed = {}, None
    for name in outputs:
        method = METHODS.get(name)
        if method:
            found[name] = np.asarray(method(model, rows))
        elif name.startswith("probabilities_"):
            found[name] = np.asarray(model.predict_proba(rows)[int(name.rpartition("_")[2])])
        else:
            if transformed is None:
                transformed = dense(model.transform(rows))
                names = list(map(str, model.get_feature_names_out()))
            if name not in names:
                raise SystemExit(f"the model has no output called '{name}' that its library could compute")
            values = transformed.iloc[:, names.index(name)] if hasattr(transformed, "iloc") else transformed[:, names.index(name)]
            found[name] = np.asarray(values).reshape(len(rows), 1)
    return found


def dense(values):
    return values.toarray() if hasattr(values, "toarray") else values


def last_step(model, rows):
    """The last step of a pipeline, and what reaches it."""
    while hasattr(model, "steps"):
        rows = model[:-1].transform(rows) if len(model.steps) > 1 else rows
        model = model.steps[-1][1]
    while hasattr(model, "best_estimator_"):
        return last_step(model.best_estimator_, rows)
    return model, rows


def predict(model, rows):
    answers = np.asarray(model.predict(rows))
    one = answers.ndim == 2 and answers.shape[1] == 1
    return answers[:, 0] if one and library_of(innermost(model)) == "catboost" else answers    # its labels of many classes are a column


def innermost(model):
    while hasattr(model, "steps") or hasattr(model, "best_estimator_"):
        model = model.steps[-1][1] if hasattr(model, "steps") else model.best_estimator_
    return model


def scores(model, rows):
    if hasattr(model, "decision_function"):
        return model.decision_function(rows)
    last, rows = last_step(model, rows)
    raw = {"xgboost": {"output_margin": True}, "lightgbm": {"raw_score": True}, "catboost": {"prediction_type": "RawFormulaVal"}}
    return boosted(last, rows, raw)


def leaf(model, rows):
    last, rows = last_step(model, rows)
    if hasattr(last, "apply"):
        return last.apply(rows)
    if hasattr(last, "calc_leaf_indexes"):
        return last.calc_leaf_indexes(rows)
    return boosted(last, rows, {"xgboost": {"pred_leaf": True}, "lightgbm": {"pred_leaf": True}})


def boosted(model, rows, options):
    """What a booster answers beside its predictions is an option of its predict."""
    library = library_of(model)
    return (model.asked if isinstance(model, BoosterFile) else model.predict)(rows, **options[library])


def distances(model, rows):
    last, rows = last_step(model, rows)
    if hasattr(last, "kneighbors"):
        return last.kneighbors(rows)[0]
    return last.mahalanobis(rows) if hasattr(last, "mahalanobis") else last.transform(rows)


def neighbors(model, rows):
    last, rows = last_step(model, rows)
    return last.kneighbors(rows)[1]


METHODS = {
    "label": predict, "variable": predict, "leaf": leaf, "distances": distances, "neighbors": neighbors,
    "probabilities": lambda model, rows: model.predict_proba(rows),
    "log_probabilities": lambda model, rows: model.predict_log_proba(rows),
    "scores": scores,
    "score_samples": lambda model, rows: model.score_samples(rows),
    "transformed": lambda model, rows: dense(model.transform(rows)),
    "std": lambda model, rows: model.predict(rows, return_std=True)[1],
}


def plain(values):
    """Without objects, which would be a pickle: text, or numbers."""
    if values.dtype.kind != "O":
        return values
    flat = [v for v in values.ravel() if v is not None]
    if all(isinstance(v, (bool, np.bool_)) for v in flat):
        return np.array([bool(v) for v in values.ravel()]).reshape(values.shape)
    if all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in flat):
        return np.array([int(v or 0) for v in values.ravel()], np.int64).reshape(values.shape)
    if all(isinstance(v, (int, float, np.number)) for v in flat):
        return np.array([np.nan if v is None else float(v) for v in values.ravel()]).reshape(values.shape)
    return np.array(["" if v is None else str(v) for v in values.ravel()]).reshape(values.shape)


if __name__ == "__main__":
    main(sys.argv[1])
