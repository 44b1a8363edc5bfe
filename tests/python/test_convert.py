"""convert: from objects, files and bytes, with options."""
import io
import json
import pathlib
import pickle
import threading
import warnings

import joblib
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

import onward

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "data/sklearn"


def test_objects_files_and_bytes_are_the_same_model(fitted, iris, tmp_path):
    joblib.dump(fitted, tmp_path / "m.joblib", compress=3)
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(fitted))
    answers = [onward.convert(source).session().run(["probabilities"], {"X": iris[0]})[0]
               for source in (fitted, tmp_path / "m.joblib", str(tmp_path / "m.pkl"), pickle.dumps(fitted, 5), bytearray(pickle.dumps(fitted, 2)))]
    for a in answers:
        assert (a == answers[0]).all()


def test_what_comes_out(fitted, model, tmp_path):
    onnx.checker.check_model(onnx.load_from_string(bytes(model)), full_check=True)
    assert model.schema["source"]["library"] == "sklearn" and [f["name"] for f in model.schema["outputs"]] == ["label", "probabilities"]
    assert model.report["source"]["class"] == "Pipeline" and model.report["opsets"][""] == 21
    assert model.schema == onward.InferenceSession(model).schema == onward.model_schema(bytes(model))
    model.save(tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_bytes() == bytes(model) and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(OSError):
        model.save(tmp_path / "none" / "m.onnx")
    assert onward.Model((tmp_path / "m.onnx").read_bytes()).schema == model.schema


def test_agrees_with_onnxruntime(iris):
    forest = RandomForestClassifier(20, random_state=0).fit(*iris)
    content = bytes(onward.convert(forest))
    ours = onward.InferenceSession(content).run(None, {"X": iris[0]})
    theirs = onnxruntime.InferenceSession(content).run(None, {"X": iris[0]})
    assert (ours[0] == theirs[0]).all()
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-12)
    assert (ours[1] == forest.predict_proba(iris[0])).all()


def test_options(fitted, iris):
    narrow = onward.convert(fitted, input_dtype="float32", outputs=["probabilities", "scores"]).session()
    assert narrow.get_inputs()[0].type == "tensor(float)" and [o.name for o in narrow.get_outputs()] == ["probabilities", "scores"]
    assert onward.convert(fitted, example=iris[0].astype(np.float32)).session().get_inputs()[0].type == "tensor(float)"
    assert onward.convert(fitted, outputs="label", target_opset={"ai.onnx": 21}).session().get_outputs()[0].name == "label"
    assert onward.convert(fitted, target_opset=21)
    for bad in (dict(input_dtype="float16"), dict(outputs=["lable"]), dict(target_opset=3), dict(inputs="rows")):
        with pytest.raises(ValueError):
            onward.convert(fitted, **bad)
    old = onward.convert(fitted, target_opset={"": 15, "ai.onnx.ml": 3})
    assert old.report["opsets"][""] == 15 and old.report["lost"] == []
    assert onward.convert(bytes(old), target_opset=28).report["opsets"][""] == 28
    with pytest.raises(onward.Error, match="ONNX model already"):
        onward.convert(bytes(onward.convert(fitted)))


def test_an_example_and_a_schema_say_types_and_policies(frame_fitted, frame):
    model = onward.convert(frame_fitted, example=frame.astype({"paid": np.float32}))
    types = {f["name"]: f["type"] for f in model.schema["inputs"]}
    assert types["paid"] == "float32" and types["age"] == "float64" and types["city"] == "string"
    schema = onward.convert(frame_fitted).schema
    for field in schema["inputs"]:
        if field["name"] == "age":
            field.update(range={"min": 0, "max": 120}, out_of_range="refuse") if isinstance(field.get("range"), dict) else field.update(range=[0, 120], out_of_range="refuse")
    for given in (schema, json.dumps(schema)):
        session = onward.convert(frame_fitted, schema=given).session()
        with pytest.raises(ValueError, match="row 2, column 'age'"):
            session.predict(frame.assign(age=frame["age"].where(frame.index != 1, 400.0)))


def test_what_cannot_be_converted_is_named():
    from sklearn.preprocessing import FunctionTransformer

    with pytest.raises(onward.NotImplemented) as e:
        onward.convert(FunctionTransformer(_own).fit([[1.0]]))
    assert "_own" in str(e.value) or "function" in str(e.value)
    with pytest.raises(onward.Error):
        onward.convert(LinearRegression())               # not fitted
    with pytest.raises(onward.Error):
        onward.convert(b"garbage")
    with pytest.raises(FileNotFoundError):
        onward.convert("/no/such/file.pkl")


def _own(x):
    return x


def test_skops(fitted, iris):
    skops_io = pytest.importorskip("skops.io")
    session = onward.convert(skops_io.dumps(fitted)).session()
    assert (session.run(["label"], {"X": iris[0]})[0] == fitted.predict(iris[0])).all()
    buffer = io.BytesIO()
    joblib.dump(fitted, buffer)
    assert onward.convert(buffer.getvalue())


def test_a_forest_behind_sparse_columns_refuses_missing_values_as_the_library_does():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"fare": rng.normal(size=300), "deck": rng.choice(list("abcdefghijklmnop"), size=300)})
    columns = ColumnTransformer([("deck", OneHotEncoder(), ["deck"])], remainder="passthrough", sparse_threshold=1.0)
    sparse = make_pipeline(columns, RandomForestClassifier(5, random_state=0)).fit(table, table.fare > 0)
    with pytest.raises(ValueError):
        sparse.predict(table.assign(fare=np.nan))
    policies = lambda fitted: {field["name"]: field["missing"] for field in onward.convert(fitted).schema["inputs"]}
    assert policies(sparse)["fare"] == "refuse"
    dense = make_pipeline(clone(columns).set_params(sparse_threshold=0), RandomForestClassifier(5, random_state=0)).fit(table, table.fare > 0)
    assert policies(dense)["fare"] == "nan"


def test_trees_take_missing_values_since_the_release_that_does():
    policy = lambda version: onward.convert(str(FIXTURES / version / "decision_tree_classifier.pkl")).schema["inputs"][0]["missing"]
    assert [policy(v) for v in ("1.2.2", "1.4.2", "1.9.1")] == ["refuse", "nan", "nan"]


def test_what_was_fitted_on_sparse_rows_converts():
    rows = np.round(np.random.default_rng(0).normal(size=(120, 4)), 1).clip(0)
    sizes, words = rows.sum(axis=1), np.where(rows[:, 0] > 0.3, "yes", "no")
    for form in (scipy.sparse.csr_matrix, scipy.sparse.csr_array, scipy.sparse.csc_array):
        for estimator, y in [(SVC(), words), (SVC(kernel="linear"), np.digitize(sizes, [1, 2])), (SVR(), sizes), (KNeighborsRegressor(1), sizes)]:
            session = onward.convert(estimator.fit(form(rows), y)).session()
            given, wanted = session.run(None, {"X": rows})[0], estimator.predict(form(rows))
            assert (given == wanted).all() if y.dtype.kind != "f" else np.abs(given - wanted).max() < 1e-12


def test_coefficients_that_were_made_sparse_convert(iris):
    for estimator, y in [(LogisticRegression(max_iter=500), iris[1]), (SGDRegressor(), iris[1] * 0.5)]:
        fitted = estimator.fit(iris[0], y).sparsify()
        assert np.abs(onward.convert(fitted).session().run(None, {"X": iris[0]})[0] - fitted.predict(iris[0])).max() < 1e-12


@pytest.mark.parametrize("word", ["only", 7])
def test_a_network_of_one_class_says_that_class(iris, word):
    fitted = MLPClassifier((4,), max_iter=20, random_state=0).fit(iris[0], [word] * 150)
    label, probabilities = onward.convert(fitted).session().run(None, {"X": iris[0]})
    assert (label == word).all() and np.abs(probabilities - fitted.predict_proba(iris[0])).max() < 1e-12


def test_what_cannot_be_pickled_says_what_to_do():
    fitted = StandardScaler().fit([[1.0]])
    fitted.lock = threading.Lock()
    with pytest.raises(NotImplementedError, match="cannot be pickled(.|\\n)*custom-converters"):
        onward.convert(fitted)


def test_lambdas_and_local_classes_are_listed():
    class Local(StandardScaler):
        pass

    fitted = make_pipeline(FunctionTransformer(lambda x: x + 1), Local(), FunctionTransformer(lambda x: x + 2)).fit(np.ones((3, 1)))
    with pytest.raises(NotImplementedError) as refused:
        onward.convert(fitted)
    places = [place for problem in refused.value.problems for place in problem["places"]]
    assert [place.rpartition("(")[2] for place in places] == ["FunctionTransformer)", "FunctionTransformer)", "test_lambdas_and_local_classes_are_listed.<locals>.Local)"]
    assert "<lambda>" in str(refused.value)


def test_a_lambda_that_the_model_does_not_need_is_no_obstacle(iris):
    search = GridSearchCV(LogisticRegression(max_iter=500), {"C": [1.0]}, scoring=lambda m, X, y: m.score(X, y), cv=2).fit(*iris)
    assert (onward.convert(search).session().run(["label"], {"X": iris[0]})[0] == search.predict(iris[0])).all()


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_numbers_in_names_read_as_in_the_librarys(kind):
    values = np.array([1e5, 1e6, 1e15, 1e16, 0.1, 1e-4, 1e-5, 0.0, -2.5, 123456789, 1 / 3], kind)[:, None]
    encoder = OneHotEncoder().fit(values)
    version = tuple(int(part) for part in np.__version__.split(".")[:2])
    if kind is np.float64 or version >= (2, 4):
        assert onward.convert(encoder).schema["outputs"][0]["names"] == list(encoder.get_feature_names_out())


def test_operators_of_our_own_are_used_where_they_are_allowed():
    source = pathlib.Path(__file__).parent.parent / "data/boosters/catboost-1.2.10/ctr.cbm"
    with pytest.raises(onward.NotImplemented, match="CatBoostHash") as refused:
        onward.convert(source)
    assert "own_ops=True" in refused.value.hint
    model = onward.convert(source, own_ops=True)
    assert model.report["opsets"]["com.onward"] == 1
    columns = json.loads(source.with_suffix(".answers.json").read_text())
    frame = pd.DataFrame({c["name"]: pd.Series(c["values"]).astype(c["type"] if c["type"] != "string" else object) for c in columns["columns"]})
    frame[["city", "kind", "zip"]] = frame[["city", "kind", "zip"]].astype(str)
    frame["flag"] = frame["flag"].astype(int).astype(str)
    session = onward.InferenceSession(bytes(model))
    assert np.array_equal(session.predict(frame)["label"], columns["predict"])


@pytest.mark.parametrize("name, old, new, said", [
    ("sklearn/1.9.1/standard_scaler.pkl", b"1.9.1", b"9.9.1", "scikit-learn 9.9.1 is newer .* nothing in the file is new by name"),
    ("sklearn/1.9.1/logistic_regression.pkl", b"1.9.1", b"2.0.0", "scikit-learn 2.0.0 is newer"),
    ("boosters/xgboost-3.2.0/binary.json", b'"version":[3,2,0]', b'"version":[9,0,0],"quite_new":1', "XGBoost 9.0.0 is newer .* XGBoost has 'quite_new', which is new"),
    ("boosters/xgboost-3.2.0/squarederror.json", b'"version":[3,2,0]', b'"version":[3,3,0]', "XGBoost 3.3.0 is newer .* nothing in the file is new by name"),
    ("boosters/lightgbm-4.7.0/binary.txt", b"version=v4", b"version=v5\nquite_new=1", "LightGBM's format v5 is newer .* has 'quite_new'"),
    ("boosters/catboost-1.2.10/numbers.model.json", b"tags/v1.2.10", b"tags/v1.3.10", "CatBoost 1.3.10 is newer .* nothing in the file is new by name"),
    ("boosters/catboost-1.2.10/numbers.cbm", b"tags/v1.2.10", b"tags/v2.2.10", "CatBoost 2.2.10 is newer"),
])
def test_files_of_an_unknown_newer_version_are_warned_of(name, old, new, said):
    content = (FIXTURES.parent / name).read_bytes()
    assert old in content
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        known = onward.convert(content)                          # no warning
    with pytest.warns(UserWarning, match=said):
        newer = onward.convert(content.replace(old, new))
    assert newer.report["warnings"] and not known.report["warnings"]
    row = {field["name"]: [[0.5] * (field["shape"][1] if len(field["shape"]) > 1 else 1)] for field in known.schema["inputs"]}
    feed = {name: np.array(values, np.float64) for name, values in row.items()}
    for mine, theirs in zip(known.session().run(None, feed), newer.session().run(None, feed)):
        np.testing.assert_array_equal(mine, theirs)
