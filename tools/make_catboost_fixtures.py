"""Writes tests/data/boosters/catboost-<version>/: models that the installed CatBoost trains, and its answers for rows beside them.

usage: make_catboost_fixtures.py [FOLDER] [--only TEXT] [--rows N]
For each case NAME.cbm, NAME.model.json and NAME.pkl as far as the case says, and NAME.answers.json: the columns of the rows, and what the library
answers for them: raw scores, and predict and predict_proba of the class that was trained. Numbers are written so that they read back the same.
"""
import argparse, json, os, pickle, sys
import catboost
import numpy as np
import pandas as pd
from catboost import CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor, Pool

CITIES = ["Oslo", "Köln", "São Paulo", "Kyiv", "", "a name of more than thirty-two bytes, so that it is hashed in halves", "x" * 70, "Ube"]


def table(n, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "age": rng.normal(40, 12, n).round(1), "fare": np.exp(rng.normal(2, 1, n)), "score": rng.integers(0, 20, n).astype(np.float64),
        "city": rng.choice(CITIES, n), "kind": rng.choice(["a", "b", "c"], n), "zip": rng.integers(100, 112, n), "flag": rng.random(n) < 0.4})
    frame.loc[rng.random(n) < 0.15, "age"] = np.nan
    z = np.nan_to_num(frame["age"], nan=30) / 12 + np.log(frame["fare"]) + (frame["city"].map(len) % 3) + (frame["kind"] == "b") + frame["zip"] % 4 - frame["flag"]
    return frame, (z + rng.normal(0, 0.7, n)).to_numpy()


def asked(n, seed):
    """Rows with what training did not see: unknown categories, other gaps, infinities."""
    frame, _ = table(n, seed)
    rng = np.random.default_rng(seed)
    frame.loc[rng.random(n) < 0.2, "city"] = "never seen"
    frame.loc[rng.random(n) < 0.2, "zip"] = 7
    frame.loc[rng.random(n) < 0.1, "fare"] = np.nan
    frame.loc[0, "fare"], frame.loc[1, "fare"] = np.inf, -np.inf
    return frame


NUMBERS, WORDS = ["age", "fare", "score"], ["city", "kind", "zip", "flag"]
CTR_TYPES = ["Borders:Prior=0.3/1:CtrBorderCount=7", "Buckets:Prior=0/1:Prior=0.5/1", "BinarizedTargetMeanValue:Prior=0.25/1", "Counter:Prior=0.1/1"]


def cases():
    """name, class, parameters, columns, target, files"""
    few = dict(iterations=6, depth=4)
    yield "numbers", CatBoostClassifier, few, NUMBERS, "binary", "cbm json pkl"
    yield "gaps_are_large", CatBoostRegressor, dict(few, nan_mode="Max"), NUMBERS, "number", "cbm json"
    yield "depthwise", CatBoostRegressor, dict(few, grow_policy="Depthwise"), NUMBERS, "number", "cbm json pkl"
    yield "lossguide", CatBoostClassifier, dict(few, grow_policy="Lossguide", max_leaves=9), NUMBERS, "words", "cbm json pkl"
    yield "one_hot", CatBoostClassifier, dict(few, one_hot_max_size=50), NUMBERS + WORDS, "binary", "cbm json pkl"
    yield "one_hot_depthwise", CatBoostRegressor, dict(few, one_hot_max_size=50, grow_policy="Depthwise"), NUMBERS + WORDS, "number", "cbm json"
    yield "ctr", CatBoostClassifier, dict(few, one_hot_max_size=3, max_ctr_complexity=3), NUMBERS + WORDS, "binary", "cbm json pkl"
    yield "ctr_words_alone", CatBoostRegressor, dict(few, one_hot_max_size=2), WORDS, "number", "cbm json"
    yield "ctr_types", CatBoostRegressor, dict(few, one_hot_max_size=2, max_ctr_complexity=2, simple_ctr=CTR_TYPES, combinations_ctr=CTR_TYPES), NUMBERS + WORDS, "number", "cbm json"
    yield "ctr_of_classes", CatBoostClassifier, dict(few, one_hot_max_size=2, max_ctr_complexity=2, simple_ctr=CTR_TYPES[:2]), NUMBERS + WORDS, "three", "cbm json"
    yield "ctr_lossguide", CatBoostClassifier, dict(few, one_hot_max_size=3, grow_policy="Lossguide"), NUMBERS + WORDS, "binary", "cbm json"
    yield "other_ctr_types", CatBoostRegressor, dict(few, one_hot_max_size=2, max_ctr_complexity=2, simple_ctr=CTR_TYPES[2:], combinations_ctr=CTR_TYPES[2:]), NUMBERS + WORDS, "number", "cbm json"
    yield "one_against_all", CatBoostClassifier, dict(few, loss_function="MultiClassOneVsAll"), NUMBERS, "three", "cbm"
    yield "several_labels", CatBoostClassifier, dict(few, loss_function="MultiLogloss"), NUMBERS, "labels", "cbm pkl"
    yield "cross_entropy", CatBoostClassifier, dict(few, loss_function="CrossEntropy"), NUMBERS, "fraction", "cbm"
    yield "bools", CatBoostClassifier, few, NUMBERS, "bools", "pkl"
    yield "real_classes", CatBoostClassifier, few, NUMBERS, "reals", "pkl"
    yield "poisson", CatBoostRegressor, dict(few, loss_function="Poisson"), NUMBERS, "count", "cbm pkl"
    yield "tweedie", CatBoostRegressor, dict(few, loss_function="Tweedie:variance_power=1.5"), NUMBERS, "count", "cbm"
    yield "uncertainty", CatBoostRegressor, dict(few, loss_function="RMSEWithUncertainty"), NUMBERS, "number", "cbm pkl"
    yield "two_numbers", CatBoostRegressor, dict(few, loss_function="MultiRMSE"), NUMBERS, "numbers", "cbm json"
    yield "ctr_of_targets", CatBoostRegressor, dict(few, loss_function="MultiRMSE", one_hot_max_size=2), NUMBERS + WORDS, "numbers", "cbm refused_json"
    yield "quantile", CatBoostRegressor, dict(few, loss_function="Quantile:alpha=0.8"), NUMBERS, "number", "cbm"
    yield "scaled", CatBoostRegressor, few, NUMBERS, "number", "cbm json"
    yield "threshold", CatBoostClassifier, few, NUMBERS, "binary", "cbm pkl"
    yield "many_borders", CatBoostRegressor, dict(few, border_count=600, depth=6), NUMBERS, "number", "cbm"
    yield "plain", CatBoost, dict(few, loss_function="Logloss"), NUMBERS, "binary", "pkl"
    yield "ranked", CatBoostRanker, dict(few, loss_function="YetiRank"), NUMBERS, "binary", "pkl"
    yield "no_splits", CatBoostRegressor, dict(iterations=3, depth=2, min_data_in_leaf=10000, grow_policy="Depthwise"), NUMBERS, "number", "cbm"
    yield "array", CatBoostClassifier, dict(few, one_hot_max_size=3), None, "binary", "cbm json pkl"


def target(kind, z):
    rng = np.random.default_rng(5)
    third = np.digitize(z, np.quantile(z, [0.33, 0.7]))
    return {"binary": (z > np.median(z)).astype(int), "bools": z > np.median(z), "reals": np.where(z > np.median(z), 2.5, 0.5), "three": third,
            "words": np.array(["high", "Low", "mid"])[third], "number": z, "numbers": np.c_[z, np.sin(z)], "count": np.floor(np.exp(z / 3)),
            "fraction": 1 / (1 + np.exp(-z + 5)), "labels": np.c_[z > 5, z > 6, rng.random(len(z)) < 0.5].astype(int)}[kind]


def plain(values):
    """For JSON: NaN is null, infinities are text."""
    def one(v):
        if isinstance(v, (list, tuple, np.ndarray)): return [one(x) for x in v]
        if isinstance(v, (bool, np.bool_)): return bool(v)
        if isinstance(v, (int, np.integer)): return int(v)
        if isinstance(v, (float, np.floating)): return None if v != v else float(v) if np.isfinite(v) else str(float(v))
        return str(v)
    return one(values)


def columns(rows):
    kind = {"f": "float64", "i": "int64", "b": "bool"}
    return [{"name": str(c), "type": kind.get(rows[c].dtype.kind, "string"), "values": plain(list(rows[c]))} for c in rows]


def other_types(model, path):
    """CPU training knows no FeatureFreq and no FloatTargetMeanValue; they are read as Counter and BinarizedTargetMeanValue are."""
    model.save_model(path, format="json")
    with open(path) as f: text = f.read()
    with open(path, "w") as f: f.write(text.replace("BinarizedTargetMeanValue", "FloatTargetMeanValue").replace("Counter", "FeatureFreq"))
    return type(model)().load_model(path, format="json")


def write(folder, name, cls, parameters, used, kind, files, n):
    frame, z = table(400, 1)
    y = target(kind, z)
    rows = asked(n, 2)
    as_array = used is None
    if as_array: used = NUMBERS + ["city"]
    frame, rows = frame[used], rows[used]
    words = [c for c in used if c in WORDS]
    parameters = dict(parameters, verbose=0, random_seed=3, thread_count=1, allow_writing_files=False)
    model = cls(parameters) if cls is CatBoost else cls(**parameters)
    if as_array:
        cats = [used.index(c) for c in words]
        pool, query = Pool(frame.to_numpy(object), y, cat_features=cats), Pool(rows.to_numpy(object), cat_features=cats)
        rows.columns = [f"x{i}" for i in range(len(used))]
    else:
        groups = {"group_id": np.arange(len(frame)) // 20} if cls is CatBoostRanker else {}
        pool, query = Pool(frame, y, cat_features=words, **groups), Pool(rows, cat_features=words)
    model.fit(pool)
    path = f"{folder}/{name}"
    if name == "scaled": model.set_scale_and_bias(0.3, 1.7)
    if name == "threshold": model.set_probability_threshold(0.3) if hasattr(model, "set_probability_threshold") else None
    if name == "other_ctr_types": model = other_types(model, f"{path}.model.json")
    if "cbm" in files: model.save_model(f"{path}.cbm")
    if "refused_json" in files: model.save_model(f"{folder}/refused_{name}.model.json", format="json", pool=pool)
    elif "json" in files: model.save_model(f"{path}.model.json", format="json", pool=pool if name != "ctr_types" else None)
    if "pkl" in files:
        with open(f"{path}.pkl", "wb") as f: pickle.dump(model, f, protocol=4)
    answers = {"columns": columns(rows), "predict": plain(model.predict(query))}
    answers["raw"] = answers["predict"] if cls is CatBoostRanker else plain(model.predict(query, prediction_type="RawFormulaVal"))
    if "grow_policy" not in parameters: answers["leaves"] = plain(model.calc_leaf_indexes(query))
    if hasattr(model, "predict_proba"): answers["predict_proba"] = plain(model.predict_proba(query))
    with open(f"{path}.answers.json", "w") as f: json.dump(answers, f, ensure_ascii=False, separators=(",", ":"))


def write_refused(folder):
    """Features that the program says no to."""
    frame, z = table(400, 1)
    common = dict(iterations=3, depth=2, verbose=0, random_seed=3, thread_count=1, allow_writing_files=False)
    words = pd.DataFrame({"age": frame["age"], "note": frame["kind"] + " " + frame["city"]})
    dictionary = dict(tokenizers=[{"tokenizer_id": "Space", "delimiter": " "}], dictionaries=[{"dictionary_id": "Word", "max_dictionary_size": "20"}], feature_calcers=["BoW"])
    model = CatBoostClassifier(**common, **dictionary).fit(Pool(words, target("binary", z), text_features=["note"]))
    model.save_model(f"{folder}/refused_text.cbm")
    near = pd.DataFrame({"age": frame["age"], "place": [[a, b] for a, b in zip(z, np.sin(z))]})
    model = CatBoostClassifier(**common).fit(Pool(near, target("binary", z), embedding_features=["place"]))
    model.save_model(f"{folder}/refused_embedding.cbm")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default=os.path.join(os.path.dirname(__file__), "../tests/data/boosters"))
    parser.add_argument("--only", default=""), parser.add_argument("--rows", type=int, default=40)
    args = parser.parse_args()
    folder = os.path.join(args.folder, f"catboost-{catboost.__version__}")
    os.makedirs(folder, exist_ok=True)
    for case in cases():
        if args.only not in case[0]: continue
        try:
            write(folder, *case, args.rows)
        except (catboost.CatBoostError, TypeError) as e:
            print(f"{case[0]}: not by {catboost.__version__}: {str(e)[:150]}", file=sys.stderr)
    if "refused" in args.only or not args.only: write_refused(folder)
