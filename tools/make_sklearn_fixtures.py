"""Fits small scikit-learn models, saves each in the formats that users have, and records what the library answers.

Usage: make_sklearn_fixtures.py FOLDER    (run by make_fixtures.sh, once for each library version)

Writes FOLDER/NAME.pkl (protocols 0 to 5 in turn), FOLDER/NAME.joblib (compressions in turn), FOLDER/NAME.skops where skops is
installed, and FOLDER/NAME.npz: the inputs and the answers as arrays of numbers and strings.
  X                    a matrix given as it is, or
  column.I.NAME        the columns of a DataFrame in order; missing strings are "" here and true in
  column.I.NAME.missing
  predict, predict_proba, decision_function, transform, inverse_transform   what the model has; missing strings as above, in NAME.missing
"""
import pickle
import sys
import warnings
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier, BaggingClassifier, ExtraTreesClassifier, ExtraTreesRegressor, GradientBoostingClassifier,
    GradientBoostingRegressor, HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier,
    RandomForestRegressor, StackingClassifier, VotingClassifier)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet, Lasso, LinearRegression, LogisticRegression, LogisticRegressionCV, Perceptron, Ridge, RidgeClassifier, RidgeCV,
    SGDClassifier, SGDRegressor)
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer, FunctionTransformer, KBinsDiscretizer, LabelEncoder, MaxAbsScaler, MinMaxScaler, Normalizer, OneHotEncoder, OrdinalEncoder,
    PolynomialFeatures, PowerTransformer, QuantileTransformer, RobustScaler, SplineTransformer, StandardScaler)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from recorded_arrays import store, store_rows

ROWS, HELD_OUT = 80, 24
COMPRESSIONS = [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3), ("lz4", 0)]
VERSION = tuple(int(part) for part in sklearn.__version__.split(".")[:2])


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    warnings.simplefilter("ignore")
    for number, (name, (model, kind, target)) in enumerate(models().items()):
        x, y = table(kind), targets()[target] if target else None
        train = (rows(x, 0, ROWS),) if y is None else (rows(x, 0, ROWS), y[:ROWS])
        model.fit(*train)
        save(folder / name, model, number)
        record(folder / name, model, rows(x, ROWS, ROWS + HELD_OUT))
    print(sklearn.__version__, len(list(folder.glob("*.npz"))), "models", sum(f.stat().st_size for f in folder.iterdir()), "bytes")


def models():
    """{name: (model, kind of table, target)}"""
    table = {
        "standard_scaler": (StandardScaler(), "numbers", None),
        "standard_scaler_missing": (StandardScaler(with_mean=False), "missing", None),
        "min_max_scaler": (MinMaxScaler((-1, 2), clip=True), "numbers", None),
        "max_abs_scaler": (MaxAbsScaler(), "frame_numbers", None),
        "robust_scaler": (RobustScaler(), "missing", None),
        "normalizer": (Normalizer("l1"), "numbers", None),
        "simple_imputer": (SimpleImputer(strategy="median", add_indicator=True), "missing", None),
        "simple_imputer_strings": (SimpleImputer(strategy="most_frequent"), "words_missing", None),
        "one_hot_encoder": (OneHotEncoder(drop="if_binary", handle_unknown="ignore" if VERSION > (1, 0) else "error"), "words", None),
        "ordinal_encoder": (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), "words_missing", None),
        "label_encoder": (LabelEncoder(), "labels", None),
        "polynomial_features": (PolynomialFeatures(2), "numbers", None),
        "binarizer": (Binarizer(threshold=0.5), "numbers", None),
        "k_bins_discretizer": (KBinsDiscretizer(3, encode="ordinal", strategy="uniform"), "numbers", None),
        "quantile_transformer": (QuantileTransformer(n_quantiles=10), "numbers", None),
        "power_transformer": (PowerTransformer(), "numbers", None),
        "spline_transformer": (SplineTransformer(n_knots=4), "numbers", None),
        "function_transformer": (FunctionTransformer(np.log1p), "ties", None),
        "select_k_best": (SelectKBest(f_classif, k=2), "numbers", "three"),
        "variance_threshold": (VarianceThreshold(0.1), "numbers", None),
        "pca": (PCA(2), "numbers", None),
        "kmeans": (KMeans(3, n_init=2, random_state=0), "numbers", None),
        "logistic_regression": (LogisticRegression(), "numbers", "three"),
        "logistic_regression_binary": (LogisticRegression(), "frame_numbers", "two"),
        "logistic_regression_cv": (LogisticRegressionCV(Cs=2, cv=2), "numbers", "integers"),
        "linear_regression": (LinearRegression(), "numbers", "real"),
        "linear_regression_outputs": (LinearRegression(), "numbers", "two_reals"),
        "ridge": (Ridge(), "numbers", "real"),
        "ridge_cv": (RidgeCV((0.1, 1.0)), "numbers", "real"),
        "ridge_classifier": (RidgeClassifier(), "numbers", "three"),
        "lasso": (Lasso(0.01), "numbers", "real"),
        "elastic_net": (ElasticNet(0.01), "numbers", "real"),
        "sgd_classifier": (SGDClassifier(loss="modified_huber", random_state=0), "numbers", "three"),
        "sgd_regressor": (SGDRegressor(random_state=0), "numbers", "real"),
        "linear_svc": (LinearSVC(random_state=0, dual=True), "numbers", "three"),
        "linear_svr": (LinearSVR(random_state=0, dual=True), "numbers", "real"),
        "perceptron": (Perceptron(random_state=0), "numbers", "two"),
        "decision_tree_classifier": (DecisionTreeClassifier(max_depth=4, random_state=0), "ties", "three"),
        "decision_tree_regressor": (DecisionTreeRegressor(max_depth=4, random_state=0), "ties", "real"),
        "extra_tree_classifier": (ExtraTreeClassifier(max_depth=4, random_state=0), "numbers", "two"),
        "extra_tree_regressor": (ExtraTreeRegressor(max_depth=4, random_state=0), "numbers", "real"),
        "random_forest_classifier": (RandomForestClassifier(3, max_depth=4, random_state=0), "frame_numbers", "three"),
        "random_forest_regressor": (RandomForestRegressor(3, max_depth=4, random_state=0), "ties", "two_reals"),
        "extra_trees_classifier": (ExtraTreesClassifier(3, max_depth=4, random_state=0), "numbers", "booleans"),
        "extra_trees_regressor": (ExtraTreesRegressor(3, max_depth=4, random_state=0), "numbers", "real"),
        "gradient_boosting_classifier": (GradientBoostingClassifier(n_estimators=3, max_depth=2, random_state=0), "numbers", "three"),
        "gradient_boosting_regressor": (GradientBoostingRegressor(n_estimators=3, max_depth=2, random_state=0), "ties", "real"),
        "hist_gradient_boosting_classifier": (
            HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=5, random_state=0), "missing", "three"),
        "hist_gradient_boosting_regressor": (
            HistGradientBoostingRegressor(loss="poisson", max_iter=3, max_leaf_nodes=5, random_state=0), "missing", "positive"),
        "hist_gradient_boosting_categories": (
            HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=5, categorical_features=[3], random_state=0), "codes", "two"),
        "gaussian_nb": (GaussianNB(), "numbers", "three"),
        "k_neighbors_classifier": (KNeighborsClassifier(3), "numbers", "three"),
        "k_neighbors_regressor": (KNeighborsRegressor(3, weights="distance"), "numbers", "real"),
        "svc": (SVC(probability=True, random_state=0), "numbers", "three"),
        "svr": (SVR(), "numbers", "real"),
        "mlp_classifier": (MLPClassifier(hidden_layer_sizes=(5,), max_iter=20, random_state=0), "numbers", "three"),
        "mlp_regressor": (MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=0), "numbers", "real"),
        "ada_boost_classifier": (AdaBoostClassifier(n_estimators=3, random_state=0), "numbers", "three"),
        "bagging_classifier": (BaggingClassifier(n_estimators=3, random_state=0), "numbers", "two"),
        "calibrated_classifier": (CalibratedClassifierCV(GaussianNB(), cv=2), "numbers", "two"),
        "one_vs_rest": (OneVsRestClassifier(LogisticRegression()), "numbers", "three"),
        "voting_classifier": (VotingClassifier([("nb", GaussianNB()), ("lr", LogisticRegression())], voting="soft"), "numbers", "three"),
        "stacking_classifier": (StackingClassifier([("nb", GaussianNB()), ("lr", LogisticRegression())], cv=2), "numbers", "two"),
        "transformed_target": (TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp), "numbers", "positive"),
        "tfidf_vectorizer": (TfidfVectorizer(), "documents", None),
        "pipeline_numbers": (make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), "missing", "three"),
        "pipeline_mixed": (mixed(LogisticRegression()), "mixed", "two"),
        "pipeline_mixed_trees": (mixed(RandomForestClassifier(3, max_depth=3, random_state=0)), "mixed", "three"),
        "feature_union": (FeatureUnion([("scale", StandardScaler()), ("pca", PCA(2))]), "numbers", None),
        "column_transformer": (
            ColumnTransformer([("scale", MinMaxScaler(), [0, 1]), ("drop", "drop", [2])], remainder="passthrough"), "numbers", None),
        "grid_search": (GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 1]}, cv=2), "numbers", "real"),
        "randomized_search": (
            RandomizedSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [2, 3]}, n_iter=2, cv=2, random_state=0),
            "numbers", "two"),
        "large_integers": (DecisionTreeClassifier(max_depth=3, random_state=0), "numbers", "large_integers"),
        "object_classes": (LogisticRegression(), "numbers", "objects"),
    }
    if VERSION >= (1, 1):
        table["one_hot_encoder_infrequent"] = (
            OneHotEncoder(min_frequency=12, handle_unknown="infrequent_if_exist"), "words", None)
    if VERSION >= (1, 2):
        table["set_output"] = (
            make_pipeline(StandardScaler(), PolynomialFeatures(2)).set_output(transform="pandas"), "frame_numbers", None)
    if VERSION >= (1, 4):
        table["hist_gradient_boosting_frame"] = (
            HistGradientBoostingClassifier(max_iter=3, max_leaf_nodes=5, categorical_features="from_dtype", random_state=0),
            "categories", "two")
        table["random_forest_missing"] = (RandomForestClassifier(3, max_depth=4, random_state=0), "missing", "three")
    return table


def mixed(final):
    numbers = make_pipeline(SimpleImputer(strategy="mean"), StandardScaler())
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer([
        ("numbers", numbers, make_column_selector(dtype_include="number")),
        ("words", words, ["sex", "home.dest"]),
    ], remainder="passthrough")
    return Pipeline([("columns", columns), ("model", final)])


def table(kind):
    random = np.random.RandomState(7)
    n = ROWS + HELD_OUT
    numbers = random.normal(size=(n, 4)) * [1, 10, 0.1, 3] + [0, 5, 0, -2]
    words = np.array(["red", "green", "blue", "größe"], object)[random.randint(0, 4, (n, 2))]
    words[:, 1] = np.where(words[:, 1] == "red", "yes", "no")
    missing = random.uniform(size=(n, 4)) < 0.15
    if kind == "numbers":
        return numbers
    if kind == "ties":
        return np.abs(np.round(numbers, 1))
    if kind == "missing":
        return np.where(missing, np.nan, numbers)
    if kind == "codes":
        return np.column_stack([numbers[:, :3], random.randint(0, 5, n)])
    if kind == "frame_numbers":
        return pd.DataFrame(numbers, columns=["age", "fare paid", "home.dest", "größe"])
    if kind == "words":
        return words
    if kind == "words_missing":
        return np.where(missing[:, :2], np.nan, words)
    if kind == "labels":
        return words[:, 0]
    if kind == "documents":
        return np.array([" ".join(random.choice(["the", "cat", "Sat", "on", "mat", "a", "naïve", "dog"], 5)) for _ in range(n)], object)
    frame = pd.DataFrame({"age": np.where(missing[:, 0], np.nan, numbers[:, 0]), "fare": numbers[:, 1], "sex": words[:, 0],
                          "home.dest": np.where(missing[:, 1], np.nan, words[:, 1]), "alone": random.uniform(size=n) < 0.5})
    if kind == "mixed":
        return frame.astype({"sex": object, "home.dest": object})
    return frame[["age", "sex"]].astype({"sex": "category"})   # categories


def targets():
    random = np.random.RandomState(8)
    x = table("numbers")
    score = x[:, 0] + x[:, 1] / 10 + random.normal(size=len(x)) * 0.2
    third = np.digitize(score, np.quantile(score, [0.33, 0.66]))
    return {
        "three": np.array(["no", "perhaps", "über"])[third],
        "two": np.where(score > 0.5, "yes", "no"),
        "integers": third * 10,
        "real": score,
        "two_reals": np.column_stack([score, -x[:, 3]]),
        "positive": np.exp(score / 2),
        "booleans": score > 0.5,
        "large_integers": np.array([2**53 + 1, 2**53, 7], np.int64)[third],
        "objects": np.array(["no", "yes", "perhaps"], object)[third],
    }


def rows(x, first, last):
    return x.iloc[first:last] if isinstance(x, pd.DataFrame) else x[first:last]


def save(path, model, number):
    with open(f"{path}.pkl", "wb") as file:
        pickle.dump(model, file, protocol=number % 6)
    joblib.dump(model, f"{path}.joblib", compress=COMPRESSIONS[number % len(COMPRESSIONS)])
    try:
        import skops.io
    except ImportError:
        return
    skops.io.dump(model, f"{path}.skops", compression=zipfile.ZIP_DEFLATED if number % 8 != 4 else zipfile.ZIP_STORED)


def record(path, model, x):
    arrays = {}
    store_rows(arrays, x)
    for method in ["predict", "predict_proba", "decision_function", "transform"]:
        try:
            answer = getattr(model, method)(x)
        except AttributeError:
            continue
        answer = answer.toarray() if hasattr(answer, "toarray") else answer
        store(arrays, method, answer.to_numpy() if isinstance(answer, pd.DataFrame) else np.asarray(answer))
    np.savez_compressed(f"{path}.npz", **arrays)


main()
