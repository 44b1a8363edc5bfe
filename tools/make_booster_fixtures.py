"""Fits small models of the boosting libraries, saves each in the formats that users have, and records what the library answers.

Usage: make_booster_fixtures.py FOLDER LIBRARY    (LIBRARY: xgboost or lightgbm; run once for each version, in an environment of its own)

Writes FOLDER/NAME.json, .ubj or .txt (the library's own files), .pkl and .joblib, and FOLDER/NAME.npz: the inputs as
make_sklearn_fixtures.py writes them (X, or column.I.NAME), and the answers under the names of our outputs:
  scores, leaf, label, probabilities, variable
"""
import pickle
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
ROWS, HELD_OUT = 260, 40
rng = np.random.default_rng(5)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    writer = Writer(folder)
    {"xgboost": xgboost_models, "lightgbm": lightgbm_models}[sys.argv[2]](writer)
    print(f"{folder}: {writer.count} models")


# ---- tables: columns that matter, ties, gaps, zeros, categories

def numbers(n, seed=1):
    r = np.random.default_rng(seed)
    x = r.normal(size=(n, 6))
    x[:, 1] = np.round(x[:, 1], 1)
    x[:, 2] = r.integers(0, 9, n)
    x[:, 3] *= r.random(n) < 0.6
    x[r.random(x.shape) < 0.08] = np.nan
    x[:, 4] = np.nan_to_num(x[:, 4])
    return x.astype(np.float32).astype(np.float64)


FIT, ASK = numbers(ROWS), numbers(HELD_OUT, 2)
SCORE = np.nansum(FIT * [1, -1, .2, 1, .5, 0], 1) + rng.normal(size=ROWS) * .3
BINARY, THREE, COUNT = (SCORE > .5).astype(int), np.digitize(SCORE, [0, 1.3]), np.round(np.exp(np.clip(SCORE, -2, 2))).astype(int)
POSITIVE = np.exp(SCORE / 3)


def coded(n, seed=3):
    r = np.random.default_rng(seed)
    x = numbers(n, seed)
    x[:, 2] = r.integers(0, 9, n)
    x[:, 5] = r.integers(0, 4, n)
    return x


def coded_targets(x): return np.isin(x[:, 2], [1, 4, 7]) * 2. + np.nan_to_num(x[:, 0]) + (x[:, 5] == 2)


def awkward(x):
    """Unseen, negative, fractional and missing categories."""
    x = x.copy()
    x[:8, 2] = [9, -1, 3.7, np.nan, 40, -.5, 4.99, 1000]
    return x


def frame(n, seed=4):
    r = np.random.default_rng(seed)
    x = numbers(n, seed)
    f = pd.DataFrame({"fare": x[:, 0], "deck": r.choice(["lower", "upper", "crow's nest"], n), "size": r.choice([10, 20, 40], n), "age": x[:, 3]})
    f["deck"] = pd.Categorical(f["deck"]).set_categories(["crow's nest", "lower", "upper"])
    f["size"] = pd.Categorical(f["size"], categories=[10, 20, 40])
    f.loc[r.random(n) < .1, "deck"] = np.nan
    return f


def frame_target(f): return (f["deck"] == "upper").to_numpy() * 2. + (f["size"] == 20).to_numpy() + np.nan_to_num(f["fare"])


class Writer:
    def __init__(self, folder): self.folder, self.count = folder, 0

    def inputs(self, asked):
        if not isinstance(asked, pd.DataFrame): return {"X": asked}
        out = {}
        for i, name in enumerate(asked.columns):
            column, key = asked[name], f"column.{i}.{name}"
            if column.dtype == "category": column = column.astype(object if column.dtype.categories.dtype.kind in "OTU" else float)
            if column.dtype == object:
                out[key + ".missing"] = column.isna().to_numpy()
                out[key] = column.fillna("").to_numpy().astype(str)
            else: out[key] = column.to_numpy()
        return out

    def __call__(self, name, asked, answers, *files):
        """files: (suffix, function that writes to a path)"""
        self.count += 1
        np.savez_compressed(self.folder / f"{name}.npz", **self.inputs(asked), **{k: np.asarray(v) for k, v in answers.items()})
        for suffix, write in files: write(str(self.folder / (name + suffix)))


def pickled(model, protocol=4):
    def write(path):
        with open(path, "wb") as f: pickle.dump(model, f, protocol=protocol)
    return ".pkl", write


def dumped(model): return ".joblib", lambda path: joblib.dump(model, path, compress=3)


# ---- XGBoost

def xgboost_models(write):
    import xgboost as xgb
    version = tuple(int(p) for p in xgb.__version__.split(".")[:2])
    common = {"max_depth": 3, "eta": .3, "nthread": 1, "seed": 1}

    def saved(model, *suffixes): return [(s, model.save_model) for s in suffixes]

    def booster(name, objective, y, rounds=5, asked=ASK, fit=FIT, types=None, files=(".json",), protocol=None, **more):
        data = xgb.DMatrix(fit, y if isinstance(y, np.ndarray) else None, feature_types=types, enable_categorical=types is not None)
        if isinstance(y, dict): [getattr(data, k)(v) if callable(getattr(data, k, None)) else data.set_info(**{k: v}) for k, v in y.items()]
        b = xgb.train({**common, "objective": objective, **more}, data, rounds)
        q = xgb.DMatrix(asked, feature_types=types, enable_categorical=types is not None)
        answers = {"scores": b.predict(q, output_margin=True)}
        p = b.predict(q)
        if objective == "multi:softmax": answers["label"] = p.astype(int)
        elif objective == "multi:softprob": answers["probabilities"] = p
        elif objective == "binary:logistic": answers["probabilities"] = p if p.ndim > 1 else np.stack([1 - p, p], 1)
        elif objective == "binary:hinge": answers["label"] = p.astype(int)
        elif objective != "binary:logitraw": answers["variable"] = p
        if more.get("booster") != "gblinear": answers["leaf"] = b.predict(q, pred_leaf=True).reshape(len(asked), -1).astype(int)
        extra = [pickled(b, protocol)] if protocol is not None else []
        write(name, asked, answers, *saved(b, *files), *extra)

    def wrapper(name, model, fit, y, asked=ASK, files=(), whole=None, booster=None, **more):
        model.fit(fit, y, **more)
        inner = booster(model) if booster else model
        answers = {}
        if hasattr(inner, "classes_"):
            answers = {"label": model.predict(asked), "probabilities": model.predict_proba(asked)}
        else: answers["variable"] = model.predict(asked)
        if inner is model:
            answers["scores"] = model.predict(asked, output_margin=True)
            if model.booster != "gblinear": answers["leaf"] = model.apply(asked).reshape(len(asked), -1).astype(int)
        write(name, asked, answers, *[(s, f) if callable(f) else f for s, f in saved(inner, *files)], pickled(model), dumped(model))

    booster("binary", "binary:logistic", BINARY, files=(".json", ".ubj"), protocol=2)
    booster("logitraw", "binary:logitraw", BINARY)
    booster("hinge", "binary:hinge", BINARY)
    booster("softprob", "multi:softprob", THREE, num_class=3, files=(".json", ".ubj"), protocol=5)
    booster("softmax", "multi:softmax", THREE, num_class=3)
    booster("squarederror", "reg:squarederror", SCORE, files=(".json", ".ubj"))
    booster("squarederror_base", "reg:squarederror", SCORE, base_score=2.5)
    booster("logistic_base", "binary:logistic", BINARY, base_score=.2)
    booster("absoluteerror", "reg:absoluteerror", SCORE)
    booster("pseudohuber", "reg:pseudohubererror", SCORE)
    booster("squaredlogerror", "reg:squaredlogerror", POSITIVE)
    booster("reg_logistic", "reg:logistic", (np.tanh(SCORE) + 1) / 2)
    booster("poisson", "count:poisson", COUNT.astype(float))
    booster("gamma", "reg:gamma", POSITIVE, files=(".ubj",))
    booster("tweedie", "reg:tweedie", COUNT.astype(float))
    booster("cox", "survival:cox", np.where(BINARY, POSITIVE, -POSITIVE))
    booster("aft", "survival:aft", {"label_lower_bound": POSITIVE, "label_upper_bound": np.where(BINARY, POSITIVE, np.inf)})
    booster("rank", "rank:ndcg", {"label": THREE, "group": [65] * 4})
    booster("pairwise", "rank:pairwise", {"label": THREE, "group": [65] * 4})
    booster("dart", "multi:softprob", THREE, num_class=3, booster="dart", rate_drop=.5, one_drop=1, rounds=8, files=(".json", ".ubj"))
    booster("dart_binary", "binary:logistic", BINARY, booster="dart", rate_drop=.3, normalize_type="forest", rounds=8)
    full = np.nan_to_num(FIT)
    booster("linear", "reg:squarederror", SCORE, fit=full, booster="gblinear", max_depth=None, files=(".json", ".ubj"))
    booster("linear_three", "multi:softprob", THREE, fit=full, booster="gblinear", max_depth=None, num_class=3)
    booster("forest_three", "multi:softprob", THREE, num_class=3, num_parallel_tree=2, subsample=.7, rounds=3)
    booster("two_outputs", "reg:squarederror", np.stack([SCORE, -SCORE + FIT[:, 4]], 1))
    booster("many_labels", "binary:logistic", np.stack([BINARY, 1 - BINARY, THREE > 1], 1))
    booster("lossguide", "binary:logistic", BINARY, tree_method="hist", grow_policy="lossguide", max_leaves=9, max_depth=0)
    booster("pruned", "binary:logistic", BINARY, tree_method="exact", gamma=1.5, max_depth=6)
    booster("stumps", "reg:squarederror", np.ones(ROWS))
    booster("exact_update", "reg:squarederror", SCORE, tree_method="approx", max_depth=4)
    codes, asked = coded(ROWS), awkward(coded(HELD_OUT, 6))
    types = ["q", "q", "c", "q", "q", "c"]
    for one_hot in (1, 100):
        booster(f"categories_{one_hot}", "reg:squarederror", coded_targets(codes), fit=codes, asked=asked, types=types, tree_method="hist",
                max_cat_to_onehot=one_hot, files=(".json", ".ubj"))
    if version >= (2, 0):
        booster("quantiles", "reg:quantileerror", SCORE, quantile_alpha=[.1, .5, .9])
        booster("vector_leaf", "reg:squarederror", np.stack([SCORE, -SCORE + FIT[:, 4]], 1), multi_strategy="multi_output_tree", tree_method="hist",
                files=(".json", ".ubj"))
        booster("vector_leaf_classes", "multi:softprob", THREE, num_class=3, multi_strategy="multi_output_tree", tree_method="hist", num_parallel_tree=2)

    small = {"n_estimators": 5, "max_depth": 3, "n_jobs": 1, "random_state": 1}
    wrapper("classifier", xgb.XGBClassifier(**small), FIT, BINARY, files=(".json",))
    wrapper("classifier_three", xgb.XGBClassifier(**small), FIT, THREE, files=(".ubj",))
    wrapper("classifier_labels", xgb.XGBClassifier(**small), FIT, np.stack([BINARY, THREE > 1], 1))
    wrapper("regressor", xgb.XGBRegressor(**small), FIT, SCORE)
    wrapper("regressor_missing", xgb.XGBRegressor(**small, missing=-999.), np.nan_to_num(FIT, nan=-999), SCORE, asked=np.nan_to_num(ASK, nan=-999))
    wrapper("regressor_missing_zero", xgb.XGBRegressor(**small, missing=0), FIT, SCORE)
    wrapper("forest_classifier", xgb.XGBRFClassifier(**small), FIT, THREE)
    wrapper("forest_regressor", xgb.XGBRFRegressor(**small), FIT, SCORE)
    wrapper("dropout_classifier", xgb.XGBClassifier(**small, booster="dart", rate_drop=.4, base_score=.3), FIT, BINARY, files=(".json",))
    wrapper("dropout_regressor", xgb.XGBRegressor(**small, booster="dart", rate_drop=.4, base_score=1.7), FIT, SCORE)
    wrapper("linear_classifier", xgb.XGBClassifier(n_estimators=5, booster="gblinear", n_jobs=1), full, BINARY)
    noise = np.random.default_rng(8).integers(0, 2, ROWS)
    early = {"eval_set": [(FIT[::-1], noise)], "verbose": False}
    wrapper("early", xgb.XGBClassifier(n_estimators=60, max_depth=3, early_stopping_rounds=3, eval_metric="logloss", n_jobs=1), FIT, BINARY, files=(".json",), **early)
    ranker = xgb.XGBRanker(**small, objective="rank:ndcg")
    wrapper("ranker", ranker, FIT, THREE, group=[65] * 4)
    names = [f"x{i} (m)" for i in range(6)]
    wrapper("named", xgb.XGBRegressor(**small), pd.DataFrame(FIT, columns=names), SCORE, asked=pd.DataFrame(ASK, columns=names), files=(".json",))
    if version >= (3, 1):
        f, q = frame(ROWS), frame(HELD_OUT, 7)
        wrapper("frame", xgb.XGBRegressor(**small, enable_categorical=True), f, frame_target(f), asked=q, files=(".json", ".ubj"))
    compositions(wrapper, xgb.XGBClassifier(**small), xgb.XGBRegressor(**small))


def compositions(wrapper, classifier, regressor):
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
    wrapper("pipeline", make_pipeline(SimpleImputer(), StandardScaler(), classifier), FIT, BINARY, booster=lambda m: m[-1])
    bins = KBinsDiscretizer(3, encode="onehot", strategy="uniform")                                # XGBoost takes what a sparse matrix does not hold for missing
    wrapper("sparse", make_pipeline(SimpleImputer(), bins, StandardScaler(with_mean=False), classifier), FIT, THREE, booster=lambda m: m[-1])
    wrapper("search", GridSearchCV(regressor, {"max_depth": [2, 3]}, cv=2), FIT, SCORE, booster=lambda m: m.best_estimator_)


# ---- LightGBM

def lightgbm_models(write):
    import lightgbm as lgb
    common = {"num_leaves": 6, "min_data_in_leaf": 5, "verbose": -1, "num_threads": 1, "seed": 1, "deterministic": True}

    def booster(name, objective, y, rounds=5, asked=ASK, fit=FIT, categories="auto", group=None, protocol=None, **more):
        data = lgb.Dataset(fit, y, categorical_feature=categories, group=group, free_raw_data=False)
        b = lgb.train({**common, "objective": objective, **more}, data, rounds)
        answers = {"scores": b.predict(asked, raw_score=True), "leaf": b.predict(asked, pred_leaf=True).reshape(len(asked), -1)}
        p = b.predict(asked)
        if objective in ("multiclass", "multiclassova"): answers.update(probabilities=p, label=p.argmax(1))
        elif objective == "binary": answers.update(probabilities=np.stack([1 - p, p], 1), label=(p > .5).astype(int))
        else: answers["variable"] = p
        extra = [pickled(b, protocol)] if protocol is not None else []
        write(name, asked, answers, (".txt", b.save_model), *extra)

    def wrapper(name, model, fit, y, asked=ASK, booster=None, files=(), **more):
        model.fit(fit, y, **more)
        inner = booster(model) if booster else model
        answers = {"label": model.predict(asked), "probabilities": model.predict_proba(asked)} if hasattr(inner, "classes_") else {"variable": model.predict(asked)}
        if inner is model: answers.update(scores=model.predict(asked, raw_score=True), leaf=model.predict(asked, pred_leaf=True).reshape(len(asked), -1))
        write(name, asked, answers, *[(s, inner.booster_.save_model) for s in files], pickled(model), dumped(model))

    booster("binary", "binary", BINARY, protocol=2)
    booster("binary_sigmoid", "binary", BINARY, sigmoid=2.5)
    booster("unbalanced", "binary", BINARY, is_unbalance=True)
    booster("multiclass", "multiclass", THREE, num_class=3, protocol=5)
    booster("ova", "multiclassova", THREE, num_class=3)
    booster("ova_sigmoid", "multiclassova", THREE, num_class=3, sigmoid=.5)
    for objective in ("regression", "regression_l1", "huber", "fair", "quantile", "mape", "poisson", "gamma", "tweedie"):
        booster(objective, objective, POSITIVE)
    for objective in ("regression", "regression_l1", "huber", "quantile"): booster(objective + "_sqrt", objective, SCORE, reg_sqrt=True)
    booster("cross_entropy", "cross_entropy", (np.tanh(SCORE) + 1) / 2)
    booster("cross_entropy_lambda", "cross_entropy_lambda", (np.tanh(SCORE) + 1) / 2)
    booster("lambdarank", "lambdarank", THREE, group=[65] * 4)
    booster("xendcg", "rank_xendcg", THREE, group=[65] * 4)
    booster("dart", "binary", BINARY, boosting="dart", drop_rate=.5, rounds=8)
    forest = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": .6}
    booster("forest_binary", "binary", BINARY, **forest)
    booster("forest_three", "multiclass", THREE, num_class=3, **forest)
    booster("forest_regression", "regression", SCORE, **forest)
    booster("goss", "regression", SCORE, boosting="goss", learning_rate=.4)
    booster("zero_as_missing", "regression", SCORE, zero_as_missing=True)
    booster("no_missing", "regression", SCORE, use_missing=False)
    booster("full", "regression", SCORE, fit=np.nan_to_num(FIT))
    booster("linear", "regression", SCORE, linear_tree=True, rounds=6)
    booster("linear_full", "regression", SCORE, fit=np.nan_to_num(FIT), linear_tree=True, rounds=6)
    booster("linear_binary", "binary", BINARY, linear_tree=True, linear_lambda=.5)
    booster("linear_three", "multiclass", THREE, num_class=3, linear_tree=True)
    booster("constant", "regression", np.ones(ROWS))
    booster("constant_binary", "binary", np.ones(ROWS, int))
    codes, asked = coded(ROWS), awkward(coded(HELD_OUT, 6))
    for one_hot in (1, 100):
        booster(f"categories_{one_hot}", "regression", coded_targets(codes), fit=codes, asked=asked, categories=[2, 5], max_cat_to_onehot=one_hot, cat_smooth=1, min_data_per_group=5)
    booster("categories_zero", "regression", coded_targets(codes), fit=codes, asked=asked, categories=[2, 5], zero_as_missing=True, cat_smooth=1, min_data_per_group=5)

    small = {"n_estimators": 5, "num_leaves": 6, "min_child_samples": 5, "n_jobs": 1, "random_state": 1}
    wrapper("classifier", lgb.LGBMClassifier(**small), FIT, np.array(["no", "yes"])[BINARY])
    wrapper("classifier_three", lgb.LGBMClassifier(**small), FIT, THREE * 10 - 5)
    wrapper("classifier_ova", lgb.LGBMClassifier(**small, objective="multiclassova"), FIT, np.array(["a", "b", "c"])[THREE])
    wrapper("regressor", lgb.LGBMRegressor(**small), FIT, SCORE, files=(".txt",))
    wrapper("regressor_dart", lgb.LGBMRegressor(**small, boosting_type="dart"), FIT, SCORE)
    noise = np.random.default_rng(8).normal(size=ROWS)
    wrapper("early", lgb.LGBMRegressor(**{**small, "n_estimators": 60}), FIT, SCORE, eval_set=[(FIT[::-1], noise)], callbacks=[lgb.early_stopping(3, verbose=False)], files=(".txt",))
    wrapper("ranker", lgb.LGBMRanker(**small), FIT, THREE, group=[65] * 4)
    f, q = frame(ROWS), frame(HELD_OUT, 7)
    wrapper("frame", lgb.LGBMRegressor(**small, cat_smooth=1, min_data_per_group=5), f, frame_target(f), asked=q, files=(".txt",))
    compositions(wrapper, lgb.LGBMClassifier(**small), lgb.LGBMRegressor(**small))


main()
