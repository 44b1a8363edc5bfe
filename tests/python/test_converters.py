"""Converters of the user's own classes, at any depth, for live objects and for files; steps before the model."""
import pickle

import numpy as np
import pandas as pd
import pytest
from onnx import load_from_string
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import onward
from onward.converters import _registered


class Winsorizer(TransformerMixin, BaseEstimator):
    """Cuts columns at quantiles, and says nothing of what it was fitted on."""

    def __init__(self, share=0.1):
        self.share = share

    def fit(self, X, y=None):
        self.low, self.high = np.quantile(np.asarray(X, float), [self.share, 1 - self.share], axis=0)
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, X):
        return np.clip(np.asarray(X, float), self.low, self.high)


class Standardised(TransformerMixin, BaseEstimator):
    """Another estimator around two of scikit-learn's, in a list and a dict."""

    def fit(self, X, y=None):
        self.steps_ = [StandardScaler().fit(X)]
        self.models_ = {"line": LinearRegression().fit(X, np.arange(len(X)))}
        self.n_features_in_ = np.shape(X)[1]
        return self

    def transform(self, X):
        return np.hstack([self.steps_[0].transform(X), self.models_["line"].predict(X).reshape(-1, 1)])


class ScaledForest(ClassifierMixin, BaseEstimator):
    """A classifier of the user's own around a scaler and a forest."""

    def fit(self, X, y):
        self.scale_ = StandardScaler().fit(X)
        self.forest_ = RandomForestClassifier(5, random_state=0).fit(self.scale_.transform(X), y)
        self.classes_, self.n_features_in_ = self.forest_.classes_, np.shape(X)[1]
        return self

    def predict_proba(self, X):
        return self.forest_.predict_proba(self.scale_.transform(X))

    def predict(self, X):
        return self.forest_.predict(self.scale_.transform(X))


class Nearest(ClassifierMixin, BaseEstimator):
    """The class whose mean is nearest."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.array([np.mean(np.asarray(X)[y == c], axis=0) for c in self.classes_])
        self.n_features_in_ = np.shape(X)[1]
        return self

    def predict_proba(self, X):
        near = np.exp(-((np.asarray(X)[:, None, :] - self.means_) ** 2).sum(2))
        return near / near.sum(1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(1)]


def convert_winsorizer(graph, fitted, x):
    return np.clip(x, fitted.low, fitted.high)


def convert_standardised(graph, fitted, x):
    scaled = graph.convert(fitted.steps_[0], x).transformed
    line = graph.convert(fitted.models_["line"], x).variable
    return graph.concat([scaled, line.reshape(0, 1)])


def convert_scaled_forest(graph, fitted, x):
    said = graph.convert(fitted.forest_, graph.convert(fitted.scale_, x).transformed)
    return {"label": said.label, "probabilities": said.probabilities, "classes": said.classes}


def convert_nearest(graph, fitted, x):
    near = [np.exp(-((x - mean) ** 2).sum(keepdims=True)) for mean in fitted.means_]
    all = graph.concat(near)
    return {"probabilities": all / all.sum(keepdims=True), "classes": fitted.classes_}


CONVERTERS = {Winsorizer: convert_winsorizer, Standardised: convert_standardised, Nearest: convert_nearest, ScaledForest: convert_scaled_forest}


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    X = random.normal(size=(80, 3))
    return X, (X[:, 0] + X[:, 1] ** 2 > 1).astype(int)


def agrees(fitted, X, **how):
    model = onward.convert(fitted, **how)
    session = model.session()
    feed = {port.name: np.asarray(X)[:, [i]] if len(session.get_inputs()) > 1 else np.asarray(X) for i, port in enumerate(session.get_inputs())}
    found = dict(zip([o.name for o in session.get_outputs()], session.run(None, feed)))
    if "transformed" in found:
        np.testing.assert_allclose(found["transformed"], fitted.transform(X), rtol=1e-12, atol=1e-12)
    if "label" in found:
        assert (found["label"] == fitted.predict(X)).all()
    if "probabilities" in found:
        np.testing.assert_allclose(found["probabilities"], fitted.predict_proba(X), rtol=1e-10, atol=1e-12)
    return model


@pytest.mark.parametrize("make", [
    lambda: Standardised(),
    lambda: Nearest(),
    lambda: ScaledForest(),
    lambda: make_pipeline(StandardScaler(), ScaledForest()),
    lambda: make_pipeline(StandardScaler(), Winsorizer(), LogisticRegression()),
    lambda: make_pipeline(Standardised(), Nearest()),
    lambda: FeatureUnion([("a", Standardised()), ("b", make_pipeline(StandardScaler(), Winsorizer(0.2)))]),
    lambda: ColumnTransformer([("a", Winsorizer(), [0, 2]), ("b", Standardised(), [1])], remainder="passthrough"),
    lambda: GridSearchCV(Pipeline([("s", StandardScaler()), ("w", Winsorizer()), ("m", Nearest())]), {"w__share": [0.05, 0.2]}, cv=2),
    lambda: Pipeline([("deep", FeatureUnion([("x", ColumnTransformer([("y", make_pipeline(StandardScaler(), Winsorizer()), [0, 1])]))])), ("m", LogisticRegression())]),
])
def test_live_objects_and_files_at_any_depth(make, data, tmp_path):
    fitted = make().fit(*data)
    live = agrees(fitted, data[0], converters=CONVERTERS)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(fitted))
    from_file = agrees_file(fitted, tmp_path / "m.pkl", data[0])
    assert load_from_string(bytes(live)).graph == load_from_string(bytes(from_file)).graph


def agrees_file(fitted, path, X):
    model = onward.convert(path, converters=CONVERTERS)
    found = model.session().run(None, {"X": X})[0]
    expected = fitted.transform(X) if hasattr(fitted, "transform") else fitted.predict(X)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    return model


def test_registering_is_for_every_conversion(data):
    fitted = make_pipeline(StandardScaler(), Winsorizer()).fit(data[0])
    with pytest.raises(NotImplementedError, match="(?s)Winsorizer is not a class of scikit-learn.*register a converter"):
        onward.convert(fitted)
    try:
        assert onward.register_converter(Winsorizer)(convert_winsorizer) is convert_winsorizer
        agrees(fitted, data[0])
    finally:
        _registered.clear()


def test_all_missing_converters_are_listed_at_once(data):
    fitted = FeatureUnion([("a", make_pipeline(StandardScaler(), Winsorizer())), ("b", Standardised())]).fit(data[0])
    with pytest.raises(NotImplementedError, match="(?s)Winsorizer.*Standardised"):
        onward.convert(fitted)


def test_first_steps_that_do_not_say_their_columns(data):
    fitted = make_pipeline(Winsorizer(), LogisticRegression()).fit(*data)
    with pytest.raises(NotImplementedError, match="(?s)does not say how many columns.*give an example"):
        onward.convert(fitted, converters=CONVERTERS)
    agrees(fitted, data[0], converters=CONVERTERS, example=data[0][:2])
    frame = pd.DataFrame(data[0], columns=["a", "b", "c"])
    model = onward.convert(fitted, converters=CONVERTERS, example=frame)
    assert [field["name"] for field in model.schema["inputs"]] == ["a", "b", "c"]
    assert (np.asarray(model.session().predict(frame)["label"]) == fitted.predict(frame)).all()


def test_live_objects_need_not_be_picklable(data):
    class Local(Winsorizer):
        def __init__(self):
            super().__init__()
            self.function = lambda x: x

    fitted = make_pipeline(StandardScaler(), Local()).fit(data[0])
    agrees(fitted, data[0], converters={Local: convert_winsorizer})


def test_columns_by_name_and_text():
    class Titles(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            self.n_features_in_, self.feature_names_in_ = X.shape[1], np.array(X.columns, object)
            return self

    def convert_titles(graph, fitted, x):
        assert x.names == ["name", "age"] and len(x) == 2
        return graph.columns({"is_dr": (x.text("name") == "Dr").astype("double"), "old": np.where(x["age"] > 60, 1.0, 0.0), "age": x["age"]})

    frame = pd.DataFrame({"name": ["Dr", "Mr", "Dr"], "age": [70.0, 30.0, 20.0]})
    model = onward.convert(Titles().fit(frame), converters={Titles: convert_titles})
    out = model.session().predict(frame)
    assert list(out) == ["is_dr", "old", "age"] and list(out["is_dr"]) == [1, 0, 1] and list(out["old"]) == [1, 0, 0]


@pytest.mark.parametrize("converter, expected", [
    (lambda graph, fitted, x: None, "returned nothing"),
    (lambda graph, fitted, x: {"transfromed": x}, "no output 'transfromed'; did you mean 'transformed'"),
    (lambda graph, fitted, x: {"probabilities": x}, "without classes or a label"),
    (lambda graph, fitted, x: x.sum(), "expected a matrix with a row for each row"),
    (lambda graph, fitted, x: x[0], "indexed by columns"),
    (lambda graph, fitted, x: x["wrong"], "no column 'wrong'"),
    (lambda graph, fitted, x: fitted.nothing, "AttributeError"),
    (lambda graph, fitted, x: 1 / 0, r"ZeroDivisionError: division by zero \(.*test_converters.py:\d+"),
    (lambda graph, fitted, x: graph.convert(StandardScaler(), x).transformed, "not fitted"),
    (lambda graph, fitted, x: graph.convert(Nearest(), x), "Nearest is not a class of scikit-learn"),
    (lambda graph, fitted, x: graph.convert(StandardScaler().fit(np.ones((3, 7))), x), "fitted on 7 columns and is given 3"),
    (lambda graph, fitted, x: graph.convert(StandardScaler().fit(np.ones((3, 3))), x).label, "gives no 'label'; it gives transformed"),
])
def test_what_converters_do_wrong(converter, expected, data):
    fitted = make_pipeline(StandardScaler(), Winsorizer()).fit(data[0])
    with pytest.raises(onward.Error, match=f"step 'winsorizer': Winsorizer: .*{expected}") as caught:
        onward.convert(fitted, converters={Winsorizer: converter})
    assert caught.value.name != "internal"


def test_graphs_and_fitted_objects_end_with_their_conversion(data):
    kept = []

    def keep(graph, fitted, x):
        kept.append((graph, fitted, x))
        return x + 0

    fitted = make_pipeline(StandardScaler(), Winsorizer()).fit(data[0])
    onward.convert(pickle.dumps(fitted), converters={Winsorizer: keep})
    graph, state, x = kept[0]
    for use in (lambda: graph.formula("1 + x", x=x), lambda: state.low, lambda: x.shape):
        with pytest.raises(onward.Error, match="conversion that has ended"):
            use()


def test_own_operators_in_converted_files(data):
    halve = onward.custom_operator("com.example", "Halve", inputs="x:T", outputs="y:T", infer=lambda x: x)(lambda x: x / 2)
    converter = {Winsorizer: lambda graph, fitted, x: graph.node("com.example.Halve", x)}
    fitted = make_pipeline(StandardScaler(), Winsorizer()).fit(data[0])
    model = onward.convert(fitted, converters=converter, operators=[halve])
    assert {o.domain for o in load_from_string(bytes(model)).opset_import} == {"", "ai.onnx.ml", "com.example"}
    assert {o.domain for o in load_from_string(bytes(onward.convert(fitted, converters=CONVERTERS))).opset_import} == {"", "ai.onnx.ml"}
    options = onward.SessionOptions()
    options.register_custom_ops(halve)
    np.testing.assert_allclose(model.session(options).run(None, {"X": data[0]})[0], fitted[0].transform(data[0]) / 2, rtol=1e-12)
    with pytest.raises(NotImplementedError, match="no such operator"):
        onward.convert(fitted, converters=converter)


def test_persistent_ids_of_others_are_refused():
    import io

    class Odd(pickle.Pickler):
        def persistent_id(self, object):
            return "elsewhere" if isinstance(object, StandardScaler) else None

    out = io.BytesIO()
    Odd(out, protocol=4).dump(make_pipeline(StandardScaler()).fit(np.ones((3, 2))))
    with pytest.raises(onward.Error, match="a persistent id"):
        onward.convert(out.getvalue())


def test_function_transformers_by_reference():
    import scipy.special

    X = np.abs(np.random.default_rng(0).normal(size=(40, 3))) + 0.01
    for function in (np.log1p, np.sqrt, np.arctan, np.degrees, scipy.special.expit, scipy.special.erf, scipy.special.log_expit, np.isnan):
        fitted = FunctionTransformer(function).fit(X)
        np.testing.assert_allclose(onward.convert(fitted).session().run(None, {"X": X})[0], fitted.transform(X), rtol=1e-12)
    with pytest.raises(NotImplementedError, match="(?s)holds code, not data.*scipy.special.expit"):
        onward.convert(FunctionTransformer(test_function_transformers_by_reference).fit(X))
    with pytest.raises(NotImplementedError, match="holds code"):
        onward.convert(FunctionTransformer(np.testing.assert_equal).fit(X))


@pytest.fixture
def prices():
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"fare": random.gamma(2, 30, 100), "age": random.normal(40, 10, 100), "sex": random.choice(["male", "female"], 100)})
    frame["log_fare"], frame["per_year"] = np.log1p(frame["fare"]), np.log1p(frame["fare"]) / frame["age"]
    frame["is_male"] = (frame["sex"] == "male").astype(float)
    return frame


def test_steps_make_columns(prices):
    columns = ["age", "log_fare", "per_year", "is_male"]
    fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(prices[columns], prices["fare"])
    model = onward.convert(fitted, steps={"log_fare": "log1p(fare)", "per_year": "log_fare / age", "is_male": "where(sex == 'male', 1, 0)"})
    assert [(f["name"], f["type"]) for f in model.schema["inputs"]] == [("age", "float64"), ("fare", "float64"), ("sex", "string")]
    np.testing.assert_allclose(model.session().predict(prices[["fare", "age", "sex"]])["variable"], fitted.predict(prices[columns]), rtol=1e-12)


def test_a_step_may_replace_a_column(prices):
    fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(prices[["age", "fare"]].assign(age=prices["age"] / 100), prices["per_year"])
    model = onward.convert(fitted, steps=["age = age / 100"])
    assert [f["name"] for f in model.schema["inputs"]] == ["age", "fare"]
    np.testing.assert_allclose(model.session().predict(prices)["variable"], fitted.predict(prices[["age", "fare"]].assign(age=prices["age"] / 100)), rtol=1e-12)


def test_steps_of_text_feed_encoders(prices):
    fitted = make_pipeline(ColumnTransformer([("words", OneHotEncoder(), ["sex"])], remainder="passthrough"), LinearRegression()).fit(prices[["sex", "log_fare"]], prices["fare"])
    model = onward.convert(fitted, steps={"log_fare": "log1p(fare)"})
    np.testing.assert_allclose(model.session().predict(prices[["sex", "fare"]])["variable"], fitted.predict(prices[["sex", "log_fare"]]), rtol=1e-10)


def test_steps_of_a_matrix(data):
    fitted = make_pipeline(StandardScaler(), LinearRegression()).fit(np.column_stack([data[0][:, 0] ** 2, data[0][:, 1:]]), data[1])
    model = onward.convert(fitted, steps={"x0": "x0 ** 2"})
    np.testing.assert_allclose(model.session().run(None, {"X": data[0]})[0], fitted.predict(np.column_stack([data[0][:, 0] ** 2, data[0][:, 1:]])), rtol=1e-12)


@pytest.mark.parametrize("steps, expected", [
    (["log_fare log1p(fare)"], "does not begin with NAME="),
    ({"log_fare": "log1p(fare"}, "column 11: expected ',' or '\\)', found the end"),
    ({"log_fare": "lgo1p(fare)"}, "column 1: there is no function 'lgo1p'; did you mean 'log1p'"),
    ({"log_fair": "log1p(fare)"}, "makes a column 'log_fair' that neither the model nor another step reads; did you mean 'log_fare'"),
    ({"log_fare": "1 + 2"}, "reads no column"),
    ({"log_fare": "fare + (fare == 'x')"}, ""),
])
def test_steps_that_are_wrong(steps, expected, prices):
    fitted = LinearRegression().fit(prices[["age", "log_fare"]], prices["fare"])
    with pytest.raises(onward.InvalidArgument, match=expected):
        onward.convert(fitted, steps=steps)
