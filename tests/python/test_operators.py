"""Custom operators: Python functions and shared libraries, in sessions, threads and pickles."""
import gc
import pickle
import subprocess
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from graphs import tensor
from onnx import helper

import onward
import onward as ort

ROOT = Path(__file__).resolve().parents[2]


@onward.custom_operator("com.example", inputs="x:T(float|double) shift?:T", outputs="y:T", attributes={"factor": 2.0, "mode": "up", "axes": [int]},
                        infer=lambda x, shift, **_: x)
def Scale(x, shift, factor, mode, axes):
    """At the top of the module, so that sessions with it can be pickled."""
    assert mode in ("up", "down") and axes == [1, 2]
    out = x * x.dtype.type(factor if mode == "up" else 1 / factor)
    return out if shift is None else out + shift


def model_with(op, inputs=("x",), element="DOUBLE", outputs=("y",), **attributes):
    node = helper.make_node(op, list(inputs), list(outputs), name="mine", domain="com.example", **attributes)
    graph = helper.make_graph([node], "test", [tensor(name, element, None) for name in inputs if name], [tensor(name, element, None) for name in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.example", 1)], ir_version=10).SerializeToString()


def session_with(operators, model):
    options = ort.SessionOptions()
    options.register_custom_ops(*operators)
    return ort.InferenceSession(model, options)


def operator(function, inputs="x:T", outputs="y:T", **rest):
    return onward.custom_operator("com.example", "Mine", inputs=inputs, outputs=outputs, **rest)(function)


def test_runs_a_function_with_attributes():
    session = session_with([Scale], model_with("Scale", axes=[1, 2]))
    x = np.arange(6.0).reshape(2, 3)
    assert (session.run(None, {"x": x})[0] == 2 * x).all()
    session = session_with([Scale], model_with("Scale", ("x", "s"), "FLOAT", axes=[1, 2], factor=4.0, mode="down"))
    y = session.run(None, {"x": x.astype(np.float32), "s": np.float32(1)})[0]
    assert y.dtype == np.float32 and (y == x / 4 + 1).all()
    assert Scale(x, None, 3.0, "up", [1, 2])[1, 2] == 15                    # still a function


def test_nodes_are_checked():
    with pytest.raises(onward.InvalidGraph, match="attribute 'axes' is missing"):
        session_with([Scale], model_with("Scale"))
    with pytest.raises(onward.InvalidGraph, match="'axis' is not in its registration"):
        session_with([Scale], model_with("Scale", axes=[1, 2], axis=1))
    with pytest.raises(onward.InvalidArgument, match="input 'x' is int64, expected float.double"):
        session_with([Scale], model_with("Scale", element="INT64", axes=[1, 2])).run(None, {"x": np.arange(3)})


def test_unknown_operators_say_how_to_register():
    with pytest.raises(NotImplementedError, match="no operator com.example.Scale.*\n.*register_custom_ops_library"):
        ort.InferenceSession(model_with("Scale", axes=[1, 2]))


@pytest.mark.parametrize("function, rest, expected", [
    (lambda x: x.astype(np.float32), {}, "made float .* for output 'y', expected double"),
    (lambda x: x[:1], {"infer": lambda x: x}, r"made double \[1\] for output 'y', its shape inference says \[3\]"),
    (lambda x: None, {}, "did not make output 'y'"),
    (lambda x: (x, x), {}, "returned 2 outputs, the node has 1"),
    (lambda x: 1 / 0, {}, r"ZeroDivisionError: division by zero \(.*test_operators.py:\d+ in <lambda>\)"),
    (lambda x: object(), {}, ""),
    (lambda x: x, {"infer": lambda x: (-3,)}, "says -3 for a size"),
    (lambda x: x, {"infer": lambda x: (1 << 40, 1 << 40)}, ""),
    (lambda x: x, {"infer": lambda x: "shape"}, ""),
    (lambda x, y: x, {}, "missing 1 required positional argument"),
])
def test_what_functions_do_wrong_names_the_node(function, rest, expected):
    session = session_with([operator(function, **rest)], model_with("Mine"))
    with pytest.raises(onward.Error, match=rf"^node 'mine' \(com.example.Mine\): .*{expected}") as caught:
        session.run(None, {"x": np.arange(3.0)})
    assert caught.value.name != "internal"


def test_our_own_errors_keep_their_code():
    def refuse(x):
        raise onward.errors.error_of(503, "limit-size", "too long", "give less")

    with pytest.raises(onward.Fail, match="too long\ngive less"):
        session_with([operator(refuse)], model_with("Mine")).run(None, {"x": np.arange(3.0)})


def test_arguments_may_be_kept_and_answers_reused():
    kept, answer = [], np.zeros(4)

    def remember(x):
        kept.append(x)
        answer[:] = x
        return answer

    session = session_with([operator(remember)], model_with("Mine"))
    first = session.run(None, {"x": np.arange(4.0)})[0]
    second = session.run(None, {"x": np.arange(4.0) + 1})[0]
    del session
    gc.collect()
    assert (kept[0] == np.arange(4)).all() and (first == np.arange(4)).all() and (second == np.arange(4) + 1).all()


def test_texts_sequences_and_python_numbers():
    upper = operator(lambda x: np.array([[s.upper() for s in row] for row in x], object), "x:string", "y:string")
    assert session_with([upper], model_with("Mine", element="STRING")).run(None, {"x": np.array([["a", "ß"]], object)})[0].tolist() == [["A", "SS"]]
    count = operator(lambda x: x.size, "x:T", "y:float")
    session = session_with([count], model_with("Mine", element="FLOAT"))
    y = session.run(None, {"x": np.zeros((2, 3), np.float32)})[0]
    assert y.shape == () and y == 6 and y.dtype == np.float32
    many = operator(lambda *all: (np.concatenate(all), all[0]), "all*:T", "y:T first:T")
    y, first = session_with([many], model_with("Mine", ("a", "b", "c"), outputs=("y", "z"))).run(None, {name: np.full(2, k, float) for k, name in enumerate("abc")})
    assert y.tolist() == [0, 0, 1, 1, 2, 2] and first.tolist() == [0, 0]


def test_threads_and_the_interpreter():
    """Functions of several sessions and threads at once, while others wait for the interpreter."""
    session = session_with([operator(lambda x: x + 1)], model_with("Mine"))
    wrong = []

    def work(k):
        for round in range(100):
            x = np.full(round + 1, float(k))
            if not (session.run(None, {"x": x})[0] == x + 1).all():
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not wrong


def test_a_function_may_use_sessions():
    inner = session_with([operator(lambda x: x * 2)], model_with("Mine"))
    outer = session_with([operator(lambda x: inner.run(None, {"x": x})[0] + 1)], model_with("Mine"))
    assert outer.run(None, {"x": np.arange(3.0)})[0].tolist() == [1, 3, 5]


def test_is_released_with_the_session():
    def function(x):
        return x

    alive = weakref.ref(function)
    session = session_with([operator(function)], model_with("Mine"))
    del function
    gc.collect()
    assert alive() is not None and session.run(None, {"x": np.arange(2.0)})[0].tolist() == [0, 1]
    del session
    gc.collect()
    assert alive() is None


def test_pickles_what_has_a_name():
    session = session_with([Scale], model_with("Scale", axes=[1, 2]))
    again = pickle.loads(pickle.dumps(session))
    assert again.run(None, {"x": np.arange(3.0)})[0].tolist() == [0, 2, 4]
    with pytest.raises(pickle.PicklingError, match="com.example.Mine is a Python function that cannot be found by its name"):
        pickle.dumps(session_with([operator(lambda x: x)], model_with("Mine")))


@pytest.mark.parametrize("arguments, expected", [
    ({"inputs": "x:flaot"}, "the type 'flaot' of port 'x'"),
    ({"outputs": ""}, "has no outputs"),
    ({"attributes": {"a": {}}}, "attribute 'a': expected a default"),
    ({"domain": ""}, "is not free"),
    ({"domain": "ai.onnx"}, "is not free"),
    ({"name": "a b"}, "not made of letters"),
])
def test_registrations_are_checked_at_once(arguments, expected):
    given = {"domain": "com.example", "name": "Mine", "inputs": "x:T", "outputs": "y:T", **arguments}
    with pytest.raises(ValueError, match=expected):
        onward.custom_operator(given.pop("domain"), given.pop("name"), **given)(lambda x: x)


def test_a_name_is_registered_once():
    options = ort.SessionOptions()
    options.register_custom_ops(Scale)
    with pytest.raises(ValueError, match="registered twice"):
        options.register_custom_ops(Scale)
    with pytest.raises(TypeError, match="given function"):
        options.register_custom_ops(lambda x: x)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    made = tmp_path_factory.mktemp("operators") / "libhaversine.so"
    subprocess.run(["c++", "-std=c++17", "-O2", "-fPIC", "-shared", f"-I{ROOT}/include", f"{ROOT}/examples/operators/haversine.cc", "-o", made], check=True)
    return made


def test_library(library, tmp_path):
    options = ort.SessionOptions()
    options.register_custom_ops_library(str(library))
    model = model_with("Haversine", ("a", "b"))
    session = ort.InferenceSession(model, options)
    paris, oslo = np.array([[48.8566, 2.3522]]), np.array([[59.9139, 10.7522]])
    (lat1, lon1), (lat2, lon2) = np.radians(paris[0]), np.radians(oslo[0])     # by the law of cosines
    expected = 6371 * np.arccos(np.sin(lat1) * np.sin(lat2) + np.cos(lat1) * np.cos(lat2) * np.cos(lon2 - lon1))
    assert session.run(None, {"a": paris, "b": oslo})[0] == pytest.approx([expected], rel=1e-9)
    assert pickle.loads(pickle.dumps(session)).run(None, {"a": paris, "b": oslo})[0] == pytest.approx([expected], rel=1e-9)
    with pytest.raises(onward.Error, match="node 'mine' .*points are a matrix"):
        session.run(None, {"a": paris[0], "b": oslo[0]})


def test_libraries_that_are_none(library, tmp_path):
    options = ort.SessionOptions()
    with pytest.raises(FileNotFoundError, match="cannot be loaded"):
        options.register_custom_ops_library("/nowhere/lib.so")
    (tmp_path / "empty.c").write_text("int nothing;")
    subprocess.run(["cc", "-shared", "-fPIC", tmp_path / "empty.c", "-o", tmp_path / "empty.so"], check=True)
    with pytest.raises(onward.Error, match="exports no onward_register_operators"):
        options.register_custom_ops_library(tmp_path / "empty.so")


def test_the_example_answers_the_same_from_both(library):
    import sys

    said = subprocess.run([sys.executable, ROOT / "examples/operators/haversine.py", library], check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(said) == 2 and said[0] == said[1] and "1342" in said[0]
