"""convert --step, and --dry-run over classes that have no converter."""
import joblib
import numpy as np
import pandas as pd
import pytest
from conftest import run
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler


@pytest.fixture(scope="module")
def priced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("steps")
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"fare": random.gamma(2, 30, 50), "age": random.normal(40, 9, 50), "sex": random.choice(["male", "female"], 50)})
    frame.to_csv(folder / "data.csv", index=False)
    made = pd.DataFrame({"per_year": np.log1p(frame["fare"]) / frame["age"], "is_male": (frame["sex"] == "male") * 1.0, "age": frame["age"]})
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(made, frame["fare"])
    joblib.dump(model, folder / "model.joblib")
    return folder, model.predict(made)


def test_steps_make_columns(priced):
    folder, expected = priced
    result = run("convert", folder / "model.joblib", "-o", folder / "m.onnx", "--step", "per_year=log1p(fare) / age", "--step", "is_male=where(sex == 'male', 1, 0)", "--json")
    assert result.code == 0, result.err
    assert [f["name"] for f in result.json["schema"]["inputs"]] == ["age", "fare", "sex"]
    assert run("predict", folder / "m.onnx", folder / "data.csv", "-o", folder / "out.csv").code == 0
    np.testing.assert_allclose(pd.read_csv(folder / "out.csv")["variable"], expected, rtol=1e-10)


def test_a_step_takes_the_place_of_the_column_it_reads(tmp_path):
    frame = pd.DataFrame({"fare": [1.0, 20.0, 300.0, 7.5], "age": [20.0, 30.0, 40.0, 55.0]})
    frame.to_csv(tmp_path / "data.csv", index=False)
    changed = frame.assign(fare=np.log1p(frame["fare"]) / frame["age"])
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(changed, [1, 2, 3, 4])
    joblib.dump(model, tmp_path / "m.joblib")
    result = run("convert", tmp_path / "m.joblib", "-o", tmp_path / "m.onnx", "--step", "fare = log1p(fare) / age", "--json")
    assert result.code == 0 and [f["name"] for f in result.json["schema"]["inputs"]] == ["fare", "age"]
    assert run("predict", tmp_path / "m.onnx", tmp_path / "data.csv", "-o", tmp_path / "out.csv").code == 0
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")["variable"], model.predict(changed), rtol=1e-10)


@pytest.mark.parametrize("step, expected", [
    ("per_year=log1p(fare / age", "column 17: expected ',' or ')', found the end"),
    ("per_year=lgo1p(fare)", "did you mean 'log1p'"),
    ("peryear=log1p(fare)", "did you mean 'per_year'"),
    ("per_year", "does not begin with NAME="),
])
def test_errors_point_at_the_text(priced, step, expected):
    result = run("convert", priced[0] / "model.joblib", "-o", priced[0] / "none.onnx", "--step", step)
    assert result.code == 2 and expected in result.err, result.err
    assert not (priced[0] / "none.onnx").exists()


def test_dry_run_lists_all_that_is_missing(tmp_path):
    model = make_pipeline(FunctionTransformer(pd.DataFrame), StandardScaler(), FunctionTransformer(np.unwrap))
    model.fit(np.ones((3, 2)))
    joblib.dump(model, tmp_path / "m.joblib")
    result = run("convert", tmp_path / "m.joblib", "--dry-run")
    assert result.code == 4 and result.out.count("holds code, not data") == 2, result.out
