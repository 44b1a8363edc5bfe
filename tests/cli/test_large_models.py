"""Models larger than most: gigabytes of weights, a million nodes. Time is the processor's; memory is what was resident at most. The limits
are some times what a slow machine takes: they catch what grows with the square."""
import pickle
import struct
import subprocess
import sys

import joblib
import numpy as np
import onnx
import pytest
from conftest import PROGRAM
from hostile import field, file, integer, model, value
from mutations import lz4_frame
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node


# A process of its own starts the program: what is resident at most is counted from the fork on, and who tests may be large.
MEASURE = """import os, resource, sys
status = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
"""


def measured(*words):
    """Seconds of processor time and bytes resident at most, of a run that succeeds."""
    out = subprocess.run([sys.executable, "-S", "-c", MEASURE, PROGRAM, *map(str, words)], stdout=subprocess.PIPE, text=True, check=True).stdout
    status, seconds, resident = out.splitlines()[-1].split()
    assert status == "0"
    return float(seconds), int(resident)


def test_weights_of_gigabytes_stay_in_their_file(tmp_path):
    """2.5 GB, all but the last eight bytes a hole: what is read costs memory, what is there costs none."""
    size = 5 << 29
    with open(tmp_path / "large", "wb") as f:
        f.truncate(size)
        f.seek(size - 8)
        f.write(struct.pack("<2f", 3, 4))
    m = model([node("Gather", ["w", "last"], ["y"])], {"last": np.array([size // 4 - 1])})
    t = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[size // 4], data_location=TensorProto.EXTERNAL)
    t.external_data.add(key="location", value="large")
    m.graph.initializer.append(t)
    (tmp_path / "m.onnx").write_bytes(m.SerializeToString())
    (tmp_path / "in").mkdir(), (tmp_path / "out").mkdir()
    seconds, resident = measured("run-case", tmp_path / "m.onnx", tmp_path / "in", tmp_path / "out")
    assert numpy_helper.to_array(onnx.load_tensor(tmp_path / "out/output_0.pb")) == [4]
    assert resident < 200 << 20 and seconds < 5


MILLION = 1_000_000


def chain(path, op, n=MILLION, domain=b""):
    """x through n nodes to y, each of which reads the one before. By hand: onnx takes minutes."""
    names = [b"x", *(b"v%d" % k for k in range(1, n)), b"y"]
    tail = field(4, op) + (field(7, domain) if domain else b"") + field(3, b"same")
    second = field(1, b"one") if op == b"Add" else b""
    nodes = b"".join(field(1, field(1, a) + second + field(2, b) + tail) for a, b in zip(names, names[1:]))
    ends = helper.make_graph([], "g", [value("x", ["n"])], [value("y", ["n"])], [numpy_helper.from_array(np.ones(1, np.float32), "one")]).SerializeToString()
    body = field(25, helper.make_function("own", "F", ["x"], ["y"], [node("Relu", ["x"], ["t"]), node("Neg", ["t"], ["y"])], [helper.make_opsetid("", 21)]).SerializeToString()) if domain else b""
    path.write_bytes(file(nodes + ends, field(8, integer(2, 21)) + field(8, field(1, b"own") + integer(2, 1)) + body))
    return path


@pytest.mark.parametrize("op", [b"Add", b"Relu", b"Identity"], ids=bytes.decode)
def test_a_million_nodes(tmp_path, op):
    path = chain(tmp_path / "m.onnx", op)
    (tmp_path / "in").mkdir(), (tmp_path / "out").mkdir()
    (tmp_path / "in/input_0.pb").write_bytes(numpy_helper.from_array(np.ones(3, np.float32), "x").SerializeToString())
    for words in ("inspect", path), ("run-case", path, tmp_path / "in", tmp_path / "out"):
        seconds, resident = measured(*words)
        assert seconds < 90 and resident < 2500 << 20, (words[0], seconds, resident >> 20)
    y = numpy_helper.to_array(onnx.load_tensor(tmp_path / "out/output_0.pb"))
    assert y.tolist() == [MILLION + 1 if op == b"Add" else 1] * 3


def test_a_hundred_thousand_calls_of_one_name(tmp_path):
    """What each call makes inside wants the same name."""
    seconds, _ = measured("inspect", chain(tmp_path / "m.onnx", b"F", 100_000, b"own"), "--why")
    assert seconds < 90


def with_many_numbers(kind, megabytes):
    """A fitted model whose largest array is of that size."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC
    random = np.random.default_rng(0)
    few, many = random.random((50, 64)), random.random((megabytes << 17 >> 6, 64))
    n = len(many)
    model = {"LogisticRegression": LogisticRegression(), "SVC": SVC(), "KNeighborsClassifier": KNeighborsClassifier(algorithm="brute"), "PCA": PCA(4)}[kind].fit(few, np.arange(50) % 2)
    vars(model).update({
        "LogisticRegression": {"coef_": many.reshape(-1, 4096), "intercept_": np.zeros(n // 64), "classes_": np.arange(n // 64), "n_features_in_": 4096},
        "SVC": {"support_vectors_": many, "support_": np.arange(n, dtype=np.int32), "_n_support": np.array([n // 2, n - n // 2], np.int32), "_dual_coef_": many[:, 0].reshape(1, n)},
        "KNeighborsClassifier": {"_fit_X": many, "_y": np.arange(n) % 2},
        "PCA": {"components_": many.reshape(-1, 4096), "mean_": np.zeros(4096), "n_components_": n // 64, "explained_variance_": np.ones(n // 64), "n_features_in_": 4096}}[kind])
    return model


@pytest.mark.parametrize("kind", ["LogisticRegression", "SVC", "KNeighborsClassifier", "PCA"])
def test_a_conversion_takes_little_more_than_twice_the_numbers(tmp_path, kind):
    """Mapped files count: the source and what is made of it, then what was written and what the session makes of it. Blocks of up to 256 MB,
    together, that were given back are kept for the next run."""
    megabytes, kept = 96, 2 * 96
    model = with_many_numbers(kind, megabytes)
    joblib.dump(model, tmp_path / "m.joblib")
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(model, 4))
    (tmp_path / "m.lz4").write_bytes(lz4_frame((tmp_path / "m.joblib").read_bytes()))
    for name in "m.joblib", "m.pkl", "m.lz4":
        seconds, resident = measured("convert", tmp_path / name, "-o", tmp_path / "m.onnx", "--quiet")
        assert resident < (2.2 * megabytes + kept + 60) * 2**20 and seconds < 30, (name, seconds, resident >> 20)
