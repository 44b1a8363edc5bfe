"""Fitted-model files made to do harm: a thousand changed at random, and those that a person would think of."""
import os
import pickle
import struct
import subprocess
import sys
import zlib

import hostile_sources
import mutations as m
import numpy as np
import pytest
from conftest import PROGRAM
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, SplineTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

CASES, SEED = 1210, 20
X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


def judged(*words):
    """By a process of its own: what a program has resident is counted from the fork on, and who tests may be large."""
    result = subprocess.run([sys.executable, hostile_sources.__file__, PROGRAM, *map(str, words)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_thousand_changed_files():
    judged("--cases", CASES, "--seed", SEED, "--threads", 2)


# Objects that a pickle can hold and no fit can make.
def forest_of_itself():
    forest = RandomForestClassifier(3).fit(X, Y)
    forest.estimators_ = [forest] * 3
    return forest


def step_of_itself():
    pipeline = Pipeline([("a", StandardScaler()), ("b", LogisticRegression())]).fit(X, Y)
    pipeline.steps[0] = ("a", pipeline)
    return pipeline


def final_estimator_of_itself():
    stacked = StackingClassifier([("a", LogisticRegression())]).fit(X, Y)
    stacked.final_estimator_ = stacked
    return stacked


def part_of_itself():
    columns = ColumnTransformer([("a", StandardScaler(), [0])]).fit(X)
    columns.transformers_ = [("a", columns, [0])]
    return columns


def search_for_itself():
    search = GridSearchCV(LogisticRegression(), {"C": [1]}, cv=2).fit(X, Y)
    search.best_estimator_ = search
    return search


def in_a_circle():
    first, second = (VotingClassifier([("a", LogisticRegression())]).fit(X, Y) for _ in range(2))
    first.estimators_, second.estimators_ = [second], [first]
    return first


def steps_that_are_their_own_list():
    pipeline = Pipeline([("a", StandardScaler())]).fit(X)
    pipeline.steps = []
    pipeline.steps.append(pipeline.steps)
    return pipeline


def classes_that_hold_themselves():
    model = LogisticRegression().fit(X, Y)
    model.classes_ = np.empty(2, object)
    model.classes_[:] = [model.classes_, model.__dict__]
    return model


def categories_that_hold_themselves():
    encoder = OneHotEncoder().fit(np.array([["a"], ["b"]], object))
    encoder.categories_ = [encoder.categories_]
    return encoder


def union_of_unions(levels=14, copies=10):
    """10^14 scalers, of which the file holds one."""
    union = StandardScaler().fit(X)
    for _ in range(levels):
        inner, union = union, FeatureUnion([("a", StandardScaler())]).fit(X)
        union.transformer_list = [(f"{k}", inner) for k in range(copies)]
    return union


def nested_pipelines(levels=120):
    model = StandardScaler().fit(X)
    for _ in range(levels):
        model = Pipeline([("a", model)])
    return model


def lists_of_lists(levels=30):
    laughs = ["lol"] * 10
    for _ in range(levels):
        laughs = [laughs] * 10
    model = VotingClassifier([("a", LogisticRegression())]).fit(X, Y)
    model.estimators_ = model.estimators = model.weights = laughs
    return model


def with_attributes(model, **attributes):
    vars(model).update(attributes)
    return model


def tree_with(**fields):
    """The pickle of a tree some fields of whose nodes say something else; the library itself would refuse to load it."""
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, Y)
    before = model.tree_.__getstate__()["nodes"]
    after = before.copy()
    for name, value in fields.items():
        after[name] = value
    whole = pickle.dumps(model, 4)
    assert whole.count(before.tobytes()) == 1
    return whole.replace(before.tobytes(), after.tobytes())


def fitted(kind=StandardScaler, **attributes):
    return with_attributes(kind().fit(X, Y), **attributes)


def array(shape, dtype="<f8"):
    """joblib's way to announce an array: its bytes would follow."""
    return (b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(X\x05\0\0\0shape" + b"(" + b"".join(map(m.as_integer, shape)) + b"tX\x05\0\0\0dtypecnumpy\ndtype\n"
            + m.as_text(dtype.encode()) + b"\x89\x88\x87RX\x05\0\0\0order" + m.as_text(b"C") + b"ub")


def gigabyte_of_zeros():
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(b"\0" * 2**20) for _ in range(1024)), packer.flush()])


def repeated_compression(levels):
    data = b"\0" * 10**6
    for _ in range(levels):
        data = zlib.compress(data, 9)
    return data


LARGE = 100 * 2**20
SELF_REFERENCES = [forest_of_itself, step_of_itself, final_estimator_of_itself, part_of_itself, search_for_itself, in_a_circle, steps_that_are_their_own_list,
                   classes_that_hold_themselves, categories_that_hold_themselves]
SHAPES = {
    **{made.__name__: made for made in SELF_REFERENCES},
    "a union of unions": union_of_unions,
    "pipelines 120 deep": nested_pipelines,
    "lists of lists": lists_of_lists,
    "a million lists deep": lambda: b"]" * 10**6 + b"a" * (10**6 - 1) + b".",
    "a million tuples deep": lambda: b")" + b"\x85" * 10**6 + b".",
    "estimators a hundred thousand deep": lambda: b"csklearn.pipeline\nPipeline\n)\x81}X\x05\0\0\0steps](X\x01\0\0\0a" * 10**5 + b"N" + b"tasb" * 10**5 + b".",
    "a memo that doubles": lambda: b"]" + b"\x94(h\0h\0e" * 10**5 + b".",
    "children that are their parents": lambda: tree_with(left_child=0, right_child=0),
    "children outside": lambda: tree_with(left_child=2**62, right_child=-7),
    "features outside": lambda: tree_with(feature=2**40),
    "features below nought": lambda: tree_with(feature=-(2**40)),
    "thresholds that are no numbers": lambda: tree_with(threshold=np.nan),
    "thresholds without end": lambda: tree_with(threshold=np.inf),
    "2^62 columns": lambda: fitted(n_features_in_=2**62),
    "2^200 columns": lambda: fitted(n_features_in_=2**200),
    "columns that are no number": lambda: fitted(n_features_in_=float("nan")),
    "fewer than no columns": lambda: fitted(n_features_in_=-3),
    "no columns": lambda: fitted(n_features_in_=0, mean_=np.zeros(0), scale_=np.zeros(0), var_=np.zeros(0)),
    "2^40 outputs": lambda: fitted(RandomForestClassifier, n_outputs_=2**40),
    "2^40 classes": lambda: fitted(RandomForestClassifier, n_classes_=2**40),
    "powers of 2^31": lambda: fitted(PolynomialFeatures, degree=2**31, _max_degree=2**31),
    "powers of infinity": lambda: fitted(PolynomialFeatures, degree=float("inf"), _max_degree=float("inf")),
    "splines of degree 2^40": lambda: fitted(SplineTransformer, degree=2**40),
    "weights that are no numbers": lambda: fitted(LogisticRegression, coef_=np.full((1, 3), np.nan), intercept_=np.array([np.inf])),
    "as many columns as the model says, and no estimators": lambda: fitted(BaggingClassifier, estimators_=[], estimators_features_=[]),
    "a billion columns of each estimator": lambda: fitted(BaggingClassifier, estimators_features_=[np.array([10**9])] * 10),
    "a text of 100 MB that is not there": lambda: b"X" + struct.pack("<I", LARGE) + b"abc.",
    "a text of 2^63 bytes that is not there": lambda: b"\x8e" + struct.pack("<Q", 2**63) + b"abc.",
    "an array of 100 MB that is not there": lambda: array([LARGE // 8]) + b".",
    "an array of 2^62 items": lambda: array([2**62]) + b".",
    "an array of 2^64 bytes": lambda: array([2**31, 2**30]) + b".",
    "an array of negative size": lambda: array([-1]) + b".",
    "an array of 64 axes of nothing": lambda: array([0] * 64) + b".",
    "texts of 100 MB each": lambda: array([2], f"<U{LARGE // 4}") + b".",
    "zeros, compressed four times": lambda: repeated_compression(4),
    "zeros, compressed sixty times": lambda: repeated_compression(60),
    "a gigabyte of zeros": gigabyte_of_zeros,
    "a command": lambda: b"cos\nsystem\n(" + m.as_text(b"touch " + m.MARKER) + b"tR.",
    "a command in a step": lambda: b"csklearn.pipeline\nPipeline\n)\x81}X\x05\0\0\0steps](X\x01\0\0\0acposix\nsystem\n(" + m.as_text(b"touch " + m.MARKER) + b"tRtasb.",
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_a_person_would_think_of(tmp_path, name):
    depth = sys.getrecursionlimit()
    sys.setrecursionlimit(20000)
    made = SHAPES[name]()
    source = tmp_path / "source"
    source.write_bytes(made if isinstance(made, bytes) else pickle.dumps(made, 4))
    sys.setrecursionlimit(depth)
    judged("--file", source)
    assert not os.path.exists(m.MARKER)
