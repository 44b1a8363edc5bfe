"""What stands in the way of a conversion is said at once, each with its place, and nothing is written."""
import joblib
import numpy as np
import onnx
import pytest
from conftest import run
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

import onward


class Own(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.asarray(X)


class Around(Own):
    """Holds another class of the user's own, and one of the library's, in a list and by itself."""

    def fit(self, X, y=None):
        self.inner_ = Own().fit(X)
        self.parts_ = [("odd", FunctionTransformer(tenfold).fit(X))]
        return super().fit(X)


def tenfold(X):
    return X * 10


def far(a, b):
    return np.abs(a - b).max()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A search over a pipeline of columns, stacking and voting with six obstacles, one of them in several places."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("obstacles")
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=60), "b": random.normal(size=60), "text": random.choice(["red fish", "blue fish", "no fish"], 60)})
    columns = ColumnTransformer([("own", make_pipeline(StandardScaler(), Own()), ["a"]), ("text", TfidfVectorizer(), "text"), ("around", Around(), ["a", "b"]),
                                 ("side by side", FeatureUnion([("x", FunctionTransformer(tenfold)), ("y", StandardScaler())]), ["b"])], sparse_threshold=0)
    votes = VotingClassifier([("near", KNeighborsClassifier(metric=far)), ("tree", RandomForestClassifier(3, random_state=0))])
    model = Pipeline([("columns", columns), ("stack", StackingClassifier([("votes", votes), ("line", make_pipeline(Own(), LogisticRegression()))], cv=2, stack_method="predict"))])
    search = GridSearchCV(model, {"stack__line__logisticregression__C": [1.0]}, cv=2).fit(frame, np.arange(60) % 2)
    joblib.dump(search, folder / "m.joblib")
    return folder


EXPECTED = {
    "columns (ColumnTransformer) > own (Pipeline) > own (Own)": "test_obstacles.Own is not a class of scikit-learn",
    "columns (ColumnTransformer) > text (TfidfVectorizer)": "needs the operator com.onward.NgramCounts",
    "columns (ColumnTransformer) > around (Around)": "test_obstacles.Around is not a class of scikit-learn",
    "columns (ColumnTransformer) > around (Around) > inner_ (Own)": "test_obstacles.Own is not a class of scikit-learn",
    "columns (ColumnTransformer) > around (Around) > parts_ (FunctionTransformer)": "func is a Python function ('tenfold'), which holds code",
    "columns (ColumnTransformer) > side by side (FeatureUnion) > x (FunctionTransformer)": "func is a Python function ('tenfold'), which holds code",
    "stack (StackingClassifier) > estimators_[0] (VotingClassifier) > estimators_[0] (KNeighborsClassifier)": "effective_metric_ is",
    "stack (StackingClassifier) > estimators_[1] (Pipeline) > own (Own)": "test_obstacles.Own is not a class of scikit-learn",
}


def test_a_dry_run_lists_all_with_places_and_hints(stopped):
    result = run("convert", stopped / "m.joblib", "--dry-run", "--json")
    assert result.code == 4
    assert not result.json["convertible"]
    found = {place: p for p in result.json["problems"] for place in p["places"]}
    for place, message in EXPECTED.items():
        mine = [p for where, p in found.items() if where.endswith(place)]
        assert mine and message in mine[0]["message"] and mine[0]["hint"], (place, result.out)
    assert len(found) == len(EXPECTED), list(found)
    assert all(where.startswith("model (GridSearchCV) > best_estimator_ (Pipeline) > ") for where in found)
    assert sorted(p.name for p in stopped.iterdir()) == ["m.joblib"]
    words = run("convert", stopped / "m.joblib", "--dry-run")
    assert words.code == 4 and not words.err
    assert all(place in words.out for place in EXPECTED) and words.out.count("help: ") == len(result.json["problems"])


def test_own_operators_are_no_obstacle_once_allowed(stopped):
    allowed = run("convert", stopped / "m.joblib", "--dry-run", "--own-ops", "--json").json["problems"]
    assert all("com.onward" not in p["message"] for p in allowed) and len(allowed) == 4


def test_converting_names_the_same_before_anything_is_written(stopped):
    result = run("convert", stopped / "m.joblib", "-o", stopped / "m.onnx")
    assert result.code == 4 and not (stopped / "m.onnx").exists()
    assert all(place in result.err for place in EXPECTED), result.err
    told = run("convert", stopped / "m.joblib", "-o", stopped / "m.onnx", "--json").json["error"]
    assert len(told["problems"]) == 5 and told["exit_code"] == 4


def test_python_lists_them_too(stopped):
    with pytest.raises(NotImplementedError) as refused:
        onward.convert(stopped / "m.joblib")
    assert {place.partition("(Pipeline) > ")[2] for p in refused.value.problems for place in p["places"]} == set(EXPECTED)
    assert all(p["code"] == "E0402" and p["hint"] for p in refused.value.problems)


def test_a_dry_run_of_what_converts_says_so_and_what_is_lost(models):
    result = run("convert", models / "table.joblib", "--dry-run", "--ml-opset", "3", "--json")
    assert result.code == 0 and result.json["convertible"] and result.json["problems"] == [] and result.json["lost"] == []
    assert "no answer changes" in result.json["notes"][0]
    assert run("convert", models / "table.joblib", "--dry-run").out == "can be converted\n"


def test_a_dry_run_names_outputs_that_do_not_exist_as_usage(models):
    assert run("convert", models / "table.joblib", "--dry-run", "--outputs", "leaves").code == 2


def test_what_an_example_contradicts_is_named_of_every_part(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [3.0, 1.0, 2.0], "c": [0.0, 1.0, 1.0]})
    columns = ColumnTransformer([("first", StandardScaler(), ["a"]), ("second", FeatureUnion([("one", StandardScaler()), ("two", Pipeline([("in", MinMaxScaler())]))]), ["b"])], remainder="passthrough")
    joblib.dump(make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1, 1]), tmp_path / "m.joblib")
    frame.assign(a=["x", "y", "z"], b=["u", "v", "w"]).to_csv(tmp_path / "words.csv", index=False)
    result = run("convert", tmp_path / "m.joblib", "--dry-run", "--example", tmp_path / "words.csv", "--json")
    assert result.code == 4
    named = [f"{p['where']}: {p['message']}" for p in result.json["problems"]]
    within = "Pipeline: step 'columntransformer': ColumnTransformer: step "
    assert len(named) == 3 and all(line.startswith(within) and "holds strings; numbers are needed" in line for line in named), named
    assert [part in line for part, line in zip(["'first': StandardScaler: 'a'", "step 'one': StandardScaler: 'b'", "step 'two': Pipeline: step 'in': MinMaxScaler: 'b'"], named)] == [True] * 3, named


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    import pandas as pd

    folder = tmp_path_factory.mktemp("texts")
    frame = pd.DataFrame({"title": ["red fish", "blue fish", "no fish"] * 9, "body": ["one", "two", "three"] * 9})
    columns = ColumnTransformer([("title", TfidfVectorizer(), "title"), ("body", CountVectorizer(), "body")])
    joblib.dump(make_pipeline(columns, LogisticRegression()).fit(frame, [0, 1, 1] * 9), folder / "m.joblib")
    return folder


def test_the_refusal_of_own_operators_names_every_step(texts):
    result = run("convert", texts / "m.joblib", "-o", texts / "m.onnx")
    assert result.code == 4 and "--own-ops" in result.err
    assert "> title (TfidfVectorizer)" in result.err and "> body (CountVectorizer)" in result.err


def test_files_with_own_operators_are_valid(texts):
    assert run("convert", texts / "m.joblib", "-o", texts / "m.onnx", "--own-ops").code == 0
    model = onnx.load(texts / "m.onnx")
    onnx.checker.check_model(model, full_check=True)
    assert {o.domain: o.version for o in model.opset_import}["com.onward"] == 1
