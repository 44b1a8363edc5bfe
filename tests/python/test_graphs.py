"""Graphs as formulas: every function against NumPy and SciPy, and nodes of any operator."""
import numpy as np
import onnxruntime
import pytest
import scipy.special
from onnx import checker, load_from_string

import onward

AWKWARD = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.7, -3.7, 1e-300, 1e-9, -1e-9, 20.0, 22.1, 700.0, 707.5, -745.0, 1e300, -1e300, 1.7e308, np.inf, -np.inf, np.nan])
ONE = ["abs", "absolute", "fabs", "negative", "positive", "reciprocal", "square", "sqrt", "cbrt", "sign", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "floor", "ceil",
       "rint", "trunc", "fix", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "deg2rad", "radians", "rad2deg",
       "degrees", "isnan", "isinf", "isfinite"]
TWO = ["add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "hypot", "logaddexp"]
SPECIAL = [("expit", 1), ("logit", 1), ("log_expit", 1), ("erf", 1), ("xlogy", 2), ("exp10", 1), ("ndtri", 1)]


def answer(outputs, **inputs):
    """`outputs` of a graph over inputs (rows, 1)."""
    graph = onward.Graph()
    made = outputs(*(graph.input(name, "double", [None, 1]) for name in inputs))
    model = graph.model({"y": made})
    checker.check_model(load_from_string(bytes(model)), full_check=True)
    return model.session().run(None, {name: value.reshape(-1, 1) for name, value in inputs.items()})[0]


def close(found, expected):
    np.testing.assert_allclose(found.ravel().astype(float), np.asarray(expected, float).ravel(), rtol=2e-13, atol=1e-300)


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one(name):
    reference = {"exp10": scipy.special.exp10}.get(name) or getattr(np, name)
    x = AWKWARD[np.abs(AWKWARD) <= 1e15] if name in ("sin", "cos", "tan") else AWKWARD
    with np.errstate(all="ignore"):
        close(answer(lambda x: x._graph.formula(f"{name}(x)", x=x), x=x), reference(x))


@pytest.mark.parametrize("name", ["tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arccosh", "arctanh", "erf", "log1p", "expm1"])
def test_what_onnxruntime_has_no_double_kernel_of_runs_there(name):
    x = np.concatenate([np.linspace(-7, 7, 2001), np.linspace(-1e-3, 1e-3, 101)])
    graph = onward.Graph()
    model = graph.model({"y": graph.formula(f"{name}(x)", x=graph.input("x", "double", [None, 1]))})
    found = onnxruntime.InferenceSession(bytes(model)).run(None, {"x": x.reshape(-1, 1)})[0].ravel()
    with np.errstate(all="ignore"):
        expected = getattr(scipy.special if name == "erf" else np, name)(x)
    np.testing.assert_allclose(found, expected, rtol=1e-12 if name == "tan" else 1e-15)     # its Cos has fewer digits where it is nearly 0


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two(name):
    a, b = (grid.ravel() for grid in np.meshgrid(AWKWARD, AWKWARD))
    with np.errstate(all="ignore"):
        close(answer(lambda a, b: a._graph.formula(f"{name}(a, b)", a=a, b=b), a=a, b=b), getattr(np, name)(a, b))


@pytest.mark.parametrize("name, arguments", SPECIAL)
def test_functions_of_scipy(name, arguments):
    given = [grid.ravel() for grid in np.meshgrid(*[AWKWARD] * arguments)]
    with np.errstate(all="ignore"):
        expected = getattr(scipy.special, name)(*given)
        found = answer(lambda *all: all[0]._graph.formula(f"{name}({', '.join('ab'[:arguments])})", **dict(zip("ab", all))), **dict(zip("ab", given)))
    close(found, expected)


def test_python_and_numpy_write_formulas():
    x = np.linspace(-2, 3, 11)
    close(answer(lambda x: np.log1p(abs(x)) / 2 + 3 * -x ** 2 - 1, x=x), np.log1p(abs(x)) / 2 + 3 * -x ** 2 - 1)
    close(answer(lambda x: np.where((x > 0) & ~(x >= 2), x, np.float64(7)), x=x), np.where((x > 0) & ~(x >= 2), x, 7))
    close(answer(lambda x: np.array([[2.0]]) - np.clip(x, -1, 1), x=x), 2 - np.clip(x, -1, 1))
    close(answer(lambda x: np.maximum(1.0, x), x=x), np.maximum(1, x))


def test_matrices_and_nodes():
    graph = onward.Graph()
    x = graph.input("x", "double", [None, 3])
    weights, rows = np.arange(6.0).reshape(3, 2), np.random.default_rng(0).normal(size=(5, 3))
    values, where = graph.node("TopK", x, [2], outputs=2, axis=1)
    assert values.shape == (None, 2) and where.type == "int64"
    model = graph.model({"product": x @ weights + np.array([1.0, 2.0]), "top": values, "where": where, "some": x[:, [2, 0]], "last": x[:, -1], "total": x.sum(axis=1),
                         "mean": np.mean(x, axis=1, keepdims=True), "wide": np.hstack([x, x[:, 1:]]), "best": x.argmax()})
    product, top, place, some, last, total, mean, wide, best = model.session().run(None, {"x": rows})
    np.testing.assert_allclose(product, rows @ weights + [1, 2], rtol=1e-14)
    assert (top == -np.sort(-rows, axis=1)[:, :2]).all() and (place == np.argsort(-rows, axis=1)[:, :2]).all()
    assert (some == rows[:, [2, 0]]).all() and (last == rows[:, -1]).all() and (best == rows.argmax(1)).all() and (wide == np.hstack([rows, rows[:, 1:]])).all()
    np.testing.assert_allclose(total, rows.sum(1), rtol=1e-13), np.testing.assert_allclose(mean, rows.mean(1, keepdims=True), rtol=1e-13)


def test_custom_operators_stand_in_graphs_under_their_domain():
    twice = onward.custom_operator("com.example", "Twice", inputs="x:T(float|double)", outputs="y:T", since=3, infer=lambda x: x)(lambda x: 2 * x)
    graph = onward.Graph(operators=[twice])
    model = graph.model({"y": graph.node("com.example.Twice", graph.input("x", "double", [None, 2])) + 1})
    made = load_from_string(bytes(model))
    assert {o.domain: o.version for o in made.opset_import} == {"": 21, "ai.onnx.ml": 5, "com.example": 3}
    options = onward.SessionOptions()
    options.register_custom_ops(twice)
    assert model.session(options).run(None, {"x": np.ones((1, 2))})[0].tolist() == [[3, 3]]
    with pytest.raises(NotImplementedError, match="no operator com.example.Twice"):
        model.session()
    shapeless = onward.custom_operator("com.example", "Any", inputs="x:T", outputs="y:T")(lambda x: x)
    graph = onward.Graph(operators=[shapeless])
    with pytest.raises(ValueError, match="(?s)cannot be told.*give the operator a shape inference"):
        graph.node("com.example.Any", graph.input("x", "double", [None]))


@pytest.mark.parametrize("wrong, expected", [
    (lambda g, x: x + g.input("y", "double", [None, 5]), "shapes do not fit"),
    (lambda g, x: g.formula("log(x", x=x), "column 6"),
    (lambda g, x: g.formula("x + z", x=x), "'z' stands for nothing"),
    (lambda g, x: g.node("NoSuch", x), "there is no such operator"),
    (lambda g, x: g.node("Clip", x, axis=1), "attribute 'axis' is not in the standard"),
    (lambda g, x: g.node("Gemm", x), "input 'B' is missing"),
    (lambda g, x: g.node("MatMul", x, np.ones((7, 2))), ""),
    (lambda g, x: x + onward.Graph().input("z", "double", [None, 3]), "another graph"),
    (lambda g, x: x + object(), "given object"),
    (lambda g, x: g.input("x", "double", [None]), "called 'x'"),
    (lambda g, x: g.model({}), "without outputs"),
])
def test_what_does_not_fit_says_so(wrong, expected):
    graph = onward.Graph()
    with pytest.raises(onward.Error, match=expected) as caught:
        wrong(graph, graph.input("x", "double", [None, 3]))
    assert caught.value.name != "internal"


def test_expressions_are_no_values():
    x = onward.Graph().input("x", "double", [None, 3])
    with pytest.raises(TypeError, match="no value while the graph is built"):
        bool(x > 1)
    with pytest.raises(TypeError, match="takes no numpy.linalg|takes no numpy"):
        np.sort(x)
