#!/usr/bin/env python3
"""Writes estimators as skl2onnx and onnxmltools (XGBoost, LightGBM) do, and CatBoost by itself. Usage: converters.py FOLDER [--only TEXT]"""
import importlib.metadata
import tempfile
import warnings

import numpy as np
import onnx
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn import (cluster, covariance, decomposition, discriminant_analysis, ensemble, feature_extraction, feature_selection, gaussian_process, impute, isotonic,
                     kernel_approximation, linear_model, mixture, multiclass, multioutput, naive_bayes, neighbors, neural_network, preprocessing, svm, tree)
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline

import case
from exporting import arguments, refused

OPSETS = {9: 1, 11: 1, 13: 2, 15: 3, 18: 3, 21: 3, 22: 3}  # and the version of ai.onnx.ml that goes with each
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(120, 5)).astype(np.float32)
TWO = (X[:, 0] + X[:, 1] ** 2 > 0.7).astype(np.int64)
THREE = np.digitize(X[:, 0] - X[:, 2], [-0.7, 0.7])
WORDS = np.array(["red", "green", "blue"])[THREE]
COLOURS = np.array(["low", "mid", "high"])[np.digitize(X[:, :2], [-0.5, 0.5])]
REAL = (X @ np.arange(5) + np.sin(X[:, 0] * 3)).astype(np.float32)
HELD = RANDOM.normal(size=(17, 5)).astype(np.float32)
SENTENCES = np.array([["the cat sat on the mat"], ["one dog sat"], ["Cats, dogs and the mat!"], ["on and on the dog ran"], [""]])


def main():
    options = arguments(__doc__)
    warnings.filterwarnings("ignore")
    for name, fitted, values, more in estimators():
        for opset, ml in OPSETS.items():
            make(options, f"{name}-{opset}", lambda: sklearn_model(fitted, values, opset, ml, more), values, f"skl2onnx {importlib.metadata.version('skl2onnx')}", answers_of(fitted, values))
    for name, convert in boosters():
        for opset in (9, 11, 13, 15):
            make(options, f"{name}-{opset}", lambda: convert(opset), HELD, f"onnxmltools {importlib.metadata.version('onnxmltools')}")
    for name, model in catboosters():
        make(options, name, lambda: model, HELD, f"catboost {importlib.metadata.version('catboost')}")


def answers_of(fitted, values):
    """The library's own, where ONNX Runtime may lack the machine's locale: text."""
    return [fitted.transform(values[:, 0]).toarray().astype(np.float32)] if hasattr(fitted, "vocabulary_") else None


def make(options, name, convert, values, exporter, answers=None):
    if options.only not in name or case.made(options.folder, name):
        return
    try:
        model = convert()
        inputs = {model.graph.input[0].name: values} if isinstance(values, np.ndarray) else values
        if any(n.domain == "com.microsoft" and n.op_type == "StringNormalizer" for n in model.graph.node):
            raise ValueError("the converter wrote com.microsoft.StringNormalizer, which no engine has")
        case.write(options.folder, name, model, inputs, answers, exporter=exporter)
    except Exception as e:
        refused(name, e)


def sklearn_model(fitted, values, opset, ml, more):
    types = {np.float32: FloatTensorType, np.str_: StringTensorType}
    if isinstance(values, dict):
        return to_onnx(fitted, initial_types=[(n, types[v.dtype.type]([None, v.shape[1]])) for n, v in values.items()], target_opset={"": opset, "ai.onnx.ml": ml}, **more)
    return to_onnx(fitted, initial_types=[("X", types[values.dtype.type]([None, values.shape[1]]))], target_opset={"": opset, "ai.onnx.ml": ml}, **more)


def estimators():
    """(name, fitted, inputs, options): classifiers with and without ZipMap, regressors, transformers, text and columns."""
    plain = {"options": {"zipmap": False}}
    classifiers = [linear_model.LogisticRegression(), linear_model.SGDClassifier(random_state=0), linear_model.RidgeClassifier(), linear_model.Perceptron(random_state=0), svm.SVC(probability=True, random_state=0),
                   svm.LinearSVC(), svm.NuSVC(kernel="poly"), tree.DecisionTreeClassifier(max_depth=4, random_state=0), ensemble.RandomForestClassifier(5, max_depth=4, random_state=0),
                   ensemble.ExtraTreesClassifier(5, max_depth=4, random_state=0), ensemble.GradientBoostingClassifier(n_estimators=6, random_state=0), ensemble.HistGradientBoostingClassifier(max_iter=5),
                   ensemble.AdaBoostClassifier(n_estimators=4, random_state=0), ensemble.BaggingClassifier(n_estimators=3, random_state=0), naive_bayes.GaussianNB(), naive_bayes.BernoulliNB(),
                   neighbors.KNeighborsClassifier(3), neural_network.MLPClassifier(hidden_layer_sizes=(6,), max_iter=60, random_state=0), discriminant_analysis.LinearDiscriminantAnalysis(),
                   discriminant_analysis.QuadraticDiscriminantAnalysis(), multiclass.OneVsRestClassifier(linear_model.LogisticRegression()),
                   ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", naive_bayes.GaussianNB())], voting="soft", flatten_transform=False),
                   ensemble.StackingClassifier([("a", tree.DecisionTreeClassifier(max_depth=2)), ("b", naive_bayes.GaussianNB())])]
    for model in classifiers:
        name = type(model).__name__
        yield name, model.fit(X, THREE), HELD, {} if isinstance(model, svm.LinearSVC) else plain
    yield "LogisticRegression_zipmap_words", linear_model.LogisticRegression().fit(X, WORDS), HELD, {}
    yield "RandomForest_two", ensemble.RandomForestClassifier(4, max_depth=3, random_state=0).fit(X, TWO), HELD, plain
    yield "MultiOutput", multioutput.MultiOutputClassifier(linear_model.LogisticRegression()).fit(X, np.c_[TWO, THREE]), HELD, plain
    for model in (linear_model.LinearRegression(), linear_model.ElasticNet(), linear_model.BayesianRidge(), linear_model.PoissonRegressor(), svm.SVR(), svm.NuSVR(), tree.DecisionTreeRegressor(max_depth=4),
                  ensemble.RandomForestRegressor(5, max_depth=4, random_state=0), ensemble.GradientBoostingRegressor(n_estimators=5), ensemble.HistGradientBoostingRegressor(max_iter=5),
                  ensemble.AdaBoostRegressor(n_estimators=3, random_state=0), neighbors.KNeighborsRegressor(3, weights="distance"), neural_network.MLPRegressor(hidden_layer_sizes=(5,), max_iter=60, random_state=0),
                  gaussian_process.GaussianProcessRegressor()):
        yield type(model).__name__, model.fit(X, np.abs(REAL) if isinstance(model, linear_model.PoissonRegressor) else REAL), HELD, {}
    for model in (preprocessing.StandardScaler(), preprocessing.MinMaxScaler(), preprocessing.RobustScaler(), preprocessing.MaxAbsScaler(), preprocessing.Normalizer(), preprocessing.Binarizer(),
                  preprocessing.PolynomialFeatures(2), preprocessing.PowerTransformer(), preprocessing.KBinsDiscretizer(3, encode="onehot-dense", quantile_method="linear"), decomposition.PCA(2), decomposition.TruncatedSVD(2),
                  decomposition.IncrementalPCA(2), decomposition.KernelPCA(2, kernel="rbf"), impute.SimpleImputer(), impute.KNNImputer(), feature_selection.SelectKBest(k=2),
                  feature_selection.VarianceThreshold(), cluster.KMeans(3, random_state=0, n_init=1), mixture.GaussianMixture(2, random_state=0), ensemble.IsolationForest(n_estimators=4, random_state=0),
                  kernel_approximation.Nystroem(n_components=6, random_state=0), covariance.EllipticEnvelope(random_state=0), neighbors.LocalOutlierFactor(5, novelty=True)):
        yield type(model).__name__, model.fit(X, THREE), HELD, {}
    holes = HELD.copy()
    holes[::3, 1] = np.nan
    yield "impute_scale_forest", make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler(), ensemble.RandomForestClassifier(3, max_depth=3, random_state=0)).fit(X, THREE), holes, plain
    yield "OneHotEncoder", preprocessing.OneHotEncoder(handle_unknown="ignore").fit(COLOURS), np.array([["low", "high"], ["mid", "never"]]), {}
    yield "OrdinalEncoder", preprocessing.OrdinalEncoder().fit(COLOURS), COLOURS[:6], {}
    columns = ColumnTransformer([("number", preprocessing.StandardScaler(), [0, 1]), ("word", preprocessing.OneHotEncoder(), [2, 3])])
    mixed = np.concatenate([X[:, :2].astype(object), COLOURS.astype(object)], 1)
    import pandas
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": COLOURS[:, 0], "d": COLOURS[:, 1]})
    columns = ColumnTransformer([("number", preprocessing.StandardScaler(), ["a", "b"]), ("word", preprocessing.OneHotEncoder(), ["c", "d"])])
    fed = {"a": HELD[:, :1], "b": HELD[:, 1:2], "c": COLOURS[:17, :1], "d": COLOURS[:17, 1:]}
    yield "columns_logistic", make_pipeline(columns, linear_model.LogisticRegression()).fit(frame, WORDS), fed, {}
    text = SENTENCES[:, 0]
    yield "CountVectorizer", feature_extraction.text.CountVectorizer().fit(text), SENTENCES, {}
    yield "TfidfVectorizer_ngrams", feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2)).fit(text), SENTENCES, {}


def boosters():
    import lightgbm
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType as Float

    types = [("X", Float([None, 5]))]
    for name, target in (("two", TWO), ("three", THREE)):
        booster = xgboost.XGBClassifier(n_estimators=5, max_depth=3).fit(X, target)
        yield f"xgboost_{name}", lambda opset, b=booster: onnxmltools.convert_xgboost(b, initial_types=types, target_opset=opset)
        light = lightgbm.LGBMClassifier(n_estimators=5, num_leaves=7, verbose=-1).fit(X, target)
        yield f"lightgbm_{name}", lambda opset, b=light: onnxmltools.convert_lightgbm(b, initial_types=types, target_opset=opset)
        yield f"lightgbm_{name}_plain", lambda opset, b=light: onnxmltools.convert_lightgbm(b, initial_types=types, target_opset=opset, zipmap=False)
    for objective in ("reg:squarederror", "count:poisson", "reg:logistic"):
        target = {"count:poisson": np.abs(REAL).round(), "reg:logistic": TWO.astype(np.float32)}.get(objective, REAL)
        booster = xgboost.XGBRegressor(n_estimators=5, max_depth=3, objective=objective).fit(X, target)
        yield f"xgboost_{objective.split(':')[1]}", lambda opset, b=booster: onnxmltools.convert_xgboost(b, initial_types=types, target_opset=opset)
    forest = xgboost.XGBRFRegressor(n_estimators=5, max_depth=3).fit(X, REAL)
    yield "xgboost_forest", lambda opset: onnxmltools.convert_xgboost(forest, initial_types=types, target_opset=opset)
    light = lightgbm.LGBMRegressor(n_estimators=6, num_leaves=7, verbose=-1).fit(X, REAL)
    yield "lightgbm_regression", lambda opset: onnxmltools.convert_lightgbm(light, initial_types=types, target_opset=opset)
    yield "lightgbm_split", lambda opset: onnxmltools.convert_lightgbm(light, initial_types=types, target_opset=opset, split=2)


def catboosters():
    import catboost

    for name, model in (("catboost_two", catboost.CatBoostClassifier(iterations=5, depth=3, verbose=0).fit(X, TWO)), ("catboost_three", catboost.CatBoostClassifier(iterations=5, depth=3, verbose=0).fit(X, THREE)),
                        ("catboost_regression", catboost.CatBoostRegressor(iterations=5, depth=3, verbose=0).fit(X, REAL))):
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            model.save_model(file.name, format="onnx")
            yield name, onnx.load(file.name)


if __name__ == "__main__":
    main()
