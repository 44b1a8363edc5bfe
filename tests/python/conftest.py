import sys
import warnings

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import onward

sys.path.insert(0, __import__("os").path.dirname(__file__))
warnings.filterwarnings("ignore", message=".*pkg_resources.*")


@pytest.fixture(scope="session")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def fitted(iris):
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(*iris)


@pytest.fixture(scope="session")
def model(fitted):
    return onward.convert(fitted)


@pytest.fixture
def session(model):
    return onward.InferenceSession(model)


@pytest.fixture(scope="session")
def frame():
    """Numbers with gaps and words, in an order of its own."""
    import pandas as pd

    rng = np.random.default_rng(0)
    age = rng.normal(40, 10, 200)
    age[::17] = np.nan
    return pd.DataFrame({"city": rng.choice(["Oslo", "Rome", "Zürich"], 200), "age": age, "rooms": rng.integers(1, 6, 200), "paid": rng.normal(0, 1, 200)})


@pytest.fixture(scope="session")
def frame_fitted(frame):
    columns = ColumnTransformer([("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "paid"]),
                                 ("rooms", "passthrough", ["rooms"]),
                                 ("words", OneHotEncoder(handle_unknown="ignore"), ["city"])])
    target = (frame["paid"] + frame["rooms"] > 3).astype(int)
    return make_pipeline(columns, LogisticRegression()).fit(frame, target)


@pytest.fixture(scope="session")
def frame_session(frame_fitted):
    return onward.InferenceSession(onward.convert(frame_fitted))
