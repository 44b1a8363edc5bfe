"""ONNX graphs written as formulas over expressions: for models, and for converters."""
from onward import _core
from onward.errors import error_of, usage

# NumPy's names of functions and operators -> the expression language (docs/expressions.md).
_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "true_divide": "/", "power": "**", "float_power": "**", "less": "<", "less_equal": "<=", "greater": ">",
          "greater_equal": ">=", "equal": "==", "not_equal": "!=", "logical_and": "and", "logical_or": "or"}


class Graph:
    """A graph under construction. `input` and `constant` are expressions; Python's operators and NumPy's functions of them are too.

        graph = onward.Graph()
        x = graph.input("x", "double", [None, 3])
        model = graph.model({"y": np.log1p(x) / 2})
    """

    def __init__(self, operators=None):
        from onward.operators import registered

        self._core = _core.GraphCore(registered(operators))

    def input(self, name, element_type="double", shape=(None,)):
        """A size that is None is the number of rows."""
        from onward.values import element_number

        return Expr(self, self._core.input(name, element_number(element_type), [-1 if size is None else int(size) for size in shape]))

    def constant(self, array):
        return Expr(self, self._core.constant(array))

    def formula(self, text, **values):
        """The expression language over expressions, arrays and numbers by name: graph.formula("log1p(a) / b", a=x, b=2)."""
        return Expr(self, self._core.formula(text, list(values), [self._expr(value)._id for value in values.values()]))

    def node(self, op, *inputs, outputs=1, **attributes):
        """One operator of the standard ("TopK"), of ai.onnx.ml, or a custom one ("com.example.Foo"). An input may be None, an array or a
        number. Gives an expression, or a tuple of them."""
        names = [f"in{i}" for i in range(len(inputs))]
        words = ", ".join("" if value is None else name for name, value in zip(names, inputs))
        results = [f"out{k}" for k in range(outputs)]
        written = "; " + ", ".join(f"{key}={_written(value)}" for key, value in attributes.items()) if attributes else ""
        made = self.nodes(f"{', '.join(results)} = {op}({words}{written})", results, **{name: value for name, value in zip(names, inputs) if value is not None})
        return made if outputs > 1 else made[0]

    def nodes(self, text, results, **values):
        """Nodes in the text form, "t, where = TopK(x, int64 [2]; largest=0)", one a line: a tuple of the values that `results` names."""
        made = self._core.nodes(text, list(values), [self._expr(value)._id for value in values.values()], list(results))
        return tuple(Expr(self, value) for value in made)

    def where(self, condition, yes, no):
        return self.formula("where(a, b, c)", a=condition, b=yes, c=no)

    def concat(self, parts):
        """Columns beside columns."""
        return self.node("Concat", *parts, axis=1)

    def columns(self, named):
        """What a converter returns for columns (rows, 1) under names of their own."""
        from onward.converters import NamedColumns

        return NamedColumns(named)

    def model(self, outputs):
        """The onward.Model with these outputs, a dict of name to expression."""
        from onward.conversion import Model

        return Model(self._core.model(list(outputs), [self._expr(value)._id for value in outputs.values()]))

    def _expr(self, value):
        if isinstance(value, Expr):
            if value._graph._core is not self._core:
                raise usage("the expression belongs to another graph")
            return value
        import numpy

        array = numpy.asarray(value)
        if array.dtype.kind not in "fiubUST" and not (array.dtype.kind == "O" and all(isinstance(item, str) for item in array.flat)):
            raise error_of(201, "usage", f"expected an expression, an array or a number, given {type(value).__name__}", "")
        return self.constant(array)


class Expr:
    """A value of a graph. Arithmetic, comparison, `@`, NumPy's functions, columns x[:, 1:3] and sums over columns give others."""

    __slots__ = ("_graph", "_id", "__dict__")
    __hash__ = None

    def __init__(self, graph, id):
        self._graph, self._id = graph, id

    @property
    def shape(self):
        """None for a size that is not known, as the number of rows."""
        return tuple(None if size < 0 else size for size in self._graph._core.shape(self._id)[1])

    @property
    def type(self):
        from onward.values import _ELEMENTS

        return _ELEMENTS.get(self._graph._core.shape(self._id)[0], "undecided")

    def __repr__(self):
        return f"onward.Expr({self.type} {list(self.shape)})"

    def __bool__(self):
        raise TypeError("an expression has no value while the graph is built: use np.where, graph.where or &, | and ~")

    def __array__(self, *args, **kwargs):
        raise TypeError("an expression is no array: its value is known when the model runs")

    def _binary(self, operator, other, swapped=False):
        if type(other) is int:
            other = float(other)
        a, b = (other, self) if swapped else (self, other)
        if isinstance(other, str):
            return self._graph.formula(f"a {operator} {_written(other)}", a=self)
        return self._graph.formula(f"a {operator} b", a=a, b=b)

    def __add__(self, other): return self._binary("+", other)
    def __radd__(self, other): return self._binary("+", other, True)
    def __sub__(self, other): return self._binary("-", other)
    def __rsub__(self, other): return self._binary("-", other, True)
    def __mul__(self, other): return self._binary("*", other)
    def __rmul__(self, other): return self._binary("*", other, True)
    def __truediv__(self, other): return self._binary("/", other)
    def __rtruediv__(self, other): return self._binary("/", other, True)
    def __pow__(self, other): return self._binary("**", other)
    def __rpow__(self, other): return self._binary("**", other, True)
    def __lt__(self, other): return self._binary("<", other)
    def __le__(self, other): return self._binary("<=", other)
    def __gt__(self, other): return self._binary(">", other)
    def __ge__(self, other): return self._binary(">=", other)
    def __eq__(self, other): return self._binary("==", other)
    def __ne__(self, other): return self._binary("!=", other)
    def __and__(self, other): return self._binary("and", other)
    def __rand__(self, other): return self._binary("and", other, True)
    def __or__(self, other): return self._binary("or", other)
    def __ror__(self, other): return self._binary("or", other, True)
    def __neg__(self): return self._graph.formula("-a", a=self)
    def __pos__(self): return self
    def __abs__(self): return self._graph.formula("abs(a)", a=self)
    def __invert__(self): return self._graph.formula("not a", a=self)
    def __matmul__(self, other): return self._graph.node("MatMul", self, other)
    def __rmatmul__(self, other): return self._graph.node("MatMul", other, self)

    @property
    def T(self):
        return self._graph.node("Transpose", self)

    def sum(self, axis=1, keepdims=False): return self._reduced("ReduceSum", axis, keepdims)
    def mean(self, axis=1, keepdims=False): return self._reduced("ReduceMean", axis, keepdims)
    def max(self, axis=1, keepdims=False): return self._reduced("ReduceMax", axis, keepdims)
    def min(self, axis=1, keepdims=False): return self._reduced("ReduceMin", axis, keepdims)
    def argmax(self, axis=1): return self._graph.node("ArgMax", self, axis=axis, keepdims=0)
    def argmin(self, axis=1): return self._graph.node("ArgMin", self, axis=axis, keepdims=0)

    def _reduced(self, op, axis, keepdims):
        return self._graph.node(op, self, [axis], keepdims=int(keepdims))

    def reshape(self, *shape):
        """0 keeps a size, -1 is what remains."""
        return self._graph.node("Reshape", self, list(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else list(shape))

    def astype(self, element_type):
        from onward.values import element_number

        return self._graph.node("Cast", self, to=element_number(element_type))

    def __getitem__(self, which):
        import numpy

        rows, columns = which if isinstance(which, tuple) and len(which) == 2 else (None, None)
        if not (isinstance(rows, slice) and rows == slice(None)) or len(self.shape) != 2:
            raise usage(f"an expression is indexed by columns, x[:, 1], x[:, [0, 2]], x[:, 1:3]; given {which!r}")
        picked = numpy.arange(self.shape[1])[columns]    # negative ones, slices and masks as NumPy reads them
        return self._graph.node("Gather", self, picked.astype(numpy.int64), axis=1)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method != "__call__" or kwargs:
            raise TypeError(f"an expression takes no {ufunc.__name__}.{method}{' with ' + ', '.join(kwargs) if kwargs else ''}")
        names = "abcdefgh"[:len(inputs)]
        if ufunc.__name__ in _INFIX:
            text = f"a {_INFIX[ufunc.__name__]} b"
        elif ufunc.__name__ in ("logical_not", "invert"):
            text = "not a"
        elif ufunc.__name__ == "matmul":
            return self._graph.node("MatMul", *inputs)
        else:
            text = f"{ufunc.__name__}({', '.join(names)})"
        return self._graph.formula(text, **dict(zip(names, inputs)))

    def __array_function__(self, function, types, args, kwargs):
        if function.__name__ == "where" and len(args) == 3:
            return self._graph.where(*args)
        if function.__name__ == "clip" and len(args) == 3 and not kwargs:
            return self._graph.formula("clip(a, b, c)", a=args[0], b=args[1], c=args[2])
        if function.__name__ in ("sum", "mean", "max", "min", "amax", "amin") and len(args) == 1 and set(kwargs) <= {"axis", "keepdims"} and isinstance(kwargs.get("axis"), int):
            return getattr(self, function.__name__.removeprefix("a"))(**kwargs)
        if function.__name__ in ("hstack", "column_stack", "concatenate") and (function.__name__ != "concatenate" or kwargs == {"axis": 1}):
            return self._graph.concat(args[0])
        raise TypeError(f"an expression takes no numpy.{function.__name__}; graph.node(op, ...) writes any operator")


def _written(value):
    """An attribute in the text form."""
    from onward.operators import _written as scalar

    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, (str, bool, int, float)):
        return scalar(value)
    import numpy

    if isinstance(value, numpy.generic):
        return scalar(value.item())
    raise usage(f"an attribute is a number, a text or a list of them; given {type(value).__name__}", "large ones are inputs: graph.constant(array)")
