"""Converters for estimators of the user's own: Python functions that build their part of the graph."""
import io
import pickle
import sys
from types import FunctionType

from onward import _core
from onward.errors import error_of, suggestion, usage
from onward.graphs import Expr, Graph
from onward.operators import registered

_registered = {}                                         # "package.module.Class" -> function, by register_converter


def register_converter(estimator):
    """A decorator: the function converts objects of a class (the class, or its name "package.module.Class"), wherever they stand in a
    fitted model: in pipelines, column transformers, searches, or other converters.

        @onward.register_converter(Clip)
        def convert_clip(graph, fitted, x):
            return np.minimum(x, fitted.highest_)

    graph    an onward.Graph; graph.convert(fitted.inner_, x) is what an estimator inside computes
    fitted   the object itself, or, where a file is converted, its attributes as the file states them: nothing of it is executed
    x        what goes in: an expression of the numbers (rows, columns); x["name"] and x.text("name") are its columns
    returns  the transformed matrix; or a dict of outputs ("label", "probabilities", "variable", "scores", "transformed" …, and "classes":
             an array); or a dict of columns under graph.columns({...})
    """
    name = class_name(estimator)

    def made(function):
        _registered[name] = function
        return function

    return made


def class_name(estimator):
    if isinstance(estimator, str):
        return estimator
    if isinstance(estimator, type):
        return f"{estimator.__module__}.{estimator.__qualname__}"
    raise TypeError(f"expected a class or its name, given {estimator!r}")


class Converters:
    """Those of one conversion, and the objects it was given that they convert."""

    def __init__(self, more, operators):
        self.functions = {**_registered, **{class_name(key): function for key, function in (more or {}).items()}}
        self.live, self._numbers = [], {}
        self.operators = registered(operators)

    def core(self):
        if not self.functions:
            return None
        core = _core.Converters()
        for name, function in self.functions.items():
            core.add(name, lambda conversion, fitted, function=function: self._call(function, conversion, fitted), self.operators)
        return core

    def pickled(self, estimator):
        """Its bytes; objects that have a converter of their own are left out and known by their number, code that no pickle holds by
        its name: whether the model needs it shows when it is read."""
        for code_by_name in False, True:
            out = io.BytesIO()
            try:
                (_Pickler(out, self, code_by_name) if self.functions or code_by_name else pickle.Pickler(out, protocol=4)).dump(estimator)
                return out.getvalue()
            except (pickle.PicklingError, AttributeError, TypeError) as e:
                problem = e
        raise error_of(402, "unsupported-estimator", f"the estimator cannot be pickled: {problem}",
                       "leave out what cannot be pickled, or register a converter for its class (docs/custom-converters.md)") from problem

    def number_of(self, object):
        if id(object) not in self._numbers:
            self._numbers[id(object)] = len(self.live)
            self.live.append(object)                     # keeps it, and with it the meaning of its id
        return self._numbers[id(object)]

    def _call(self, function, conversion, fitted):
        graph = ConversionGraph(conversion, self)
        number = fitted.live
        given = self.live[number] if 0 <= number < len(self.live) else FittedState(fitted, graph)
        give(conversion, graph, function(graph, given, Columns(graph)))


class _Pickler(pickle.Pickler):
    def __init__(self, out, converters, code_by_name):
        super().__init__(out, protocol=4)
        self._converters, self._code_by_name, self._names = converters, code_by_name, {}

    def persistent_id(self, object):
        kind = type(object)
        if self._code_by_name and isinstance(object, (FunctionType, type)) and not _importable(object):
            return "onward.code", object.__module__ or "", object.__qualname__
        name = self._names.get(kind)
        if name is None:
            name = f"{kind.__module__}.{kind.__qualname__}"
            name = self._names[kind] = name if name in self._converters.functions else ""
        if not name:
            return None
        columns, names = getattr(object, "n_features_in_", None), getattr(object, "feature_names_in_", None)
        return ("onward.live", *name.rpartition(".")[::2], self._converters.number_of(object), None if columns is None else int(columns),
                None if names is None else [str(n) for n in names])


def _importable(code):
    found = sys.modules.get(code.__module__)
    for part in code.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is code


class ConversionGraph(Graph):
    """The graph of a conversion."""

    def __init__(self, core, converters):
        self._core, self._converters = core, converters

    def convert(self, estimator, x):
        """What a fitted estimator computes of `x` (an expression, or the columns of a converter): an object with the outputs it has,
        `transformed`, `label`, `variable`, `probabilities`, `scores` …, and `classes`."""
        if isinstance(estimator, FittedState):
            part = estimator._fitted
        elif isinstance(estimator, (bytes, bytearray)):
            part = bytes(estimator)
        else:
            part = self._converters.pickled(estimator)
        x = self._expr(x)
        return Parts(self, type(estimator).__name__, self._core.convert(part, [x._id], []))


class Parts:
    """The outputs of an estimator inside."""

    def __init__(self, graph, name, found):
        self._name = name
        self.classes = found.pop("classes", None)
        self.__dict__.update({key: Expr(graph, value) for key, value in found.items()})

    def __getattr__(self, name):
        known = [key for key, value in self.__dict__.items() if not key.startswith("_") and value is not None]
        raise AttributeError(f"the estimator ({self._name}) gives no '{name}'; it gives {', '.join(known)}")


class Columns(Expr):
    """What goes into a converter. Used as an expression it is the matrix of numbers."""

    def __init__(self, graph):
        self._graph, self._matrix = graph, None
        self.names = list(graph._core.column_names())

    @property
    def _id(self):
        if self._matrix is None:
            self._matrix = self._graph._core.matrix()
        return self._matrix

    def __len__(self):
        return len(self.names)

    def __getitem__(self, which):
        if isinstance(which, str):
            return self._column(which, 11)
        return super().__getitem__(which)

    def __iter__(self):
        return (self._column(i, 11) for i in range(len(self)))

    def number(self, which):
        """A column by name or position as numbers, (rows, 1)."""
        return self._column(which, 11)

    def text(self, which):
        """A column by name or position as text, (rows, 1)."""
        return self._column(which, 8)

    def _column(self, which, element):
        if isinstance(which, str):
            if which not in self.names:
                raise usage(f"there is no column '{which}'{suggestion(which, self.names)}", "columns: " + ", ".join(self.names))
            which = self.names.index(which)
        if not 0 <= which < len(self):
            raise usage(f"column {which} of {len(self)}")
        return Expr(self._graph, self._graph._core.column(which, element))


class FittedState:
    """A fitted object as its file states it: attributes are numbers, texts, lists, dicts, numpy arrays, or again objects like this."""

    def __init__(self, fitted, graph):
        self.__dict__.update(_fitted=fitted, _graph=graph)

    def __getattr__(self, name):
        part = self._fitted.find(name)
        if part is None:
            raise AttributeError(f"the file says no '{name}' of this {self._fitted.class_name.rpartition('.')[2]}")
        return self._python(part)

    def _python(self, part):
        kind = part.kind
        if kind == 8 or kind == 9:
            number = part.live
            live = self._graph._converters.live
            return live[number] if 0 <= number < len(live) else FittedState(part, self._graph)
        if kind == 5:
            return [self._python(item) for _, item in part.items()]
        if kind == 6:
            return {self._python(key): self._python(item) for key, item in part.items()}
        if kind == 10:
            raise usage("a value of a kind that converters are not given")
        return part.value()

    def __repr__(self):
        return f"FittedState({self._fitted.class_name})"


def give(conversion, graph, outputs):
    """Hands a converter's answer over."""
    if isinstance(outputs, Parts):
        outputs = {key: value for key, value in vars(outputs).items() if not key.startswith("_") and value is not None}
    if outputs is None:
        raise error_of(201, "usage", "the converter returned nothing", "return the transformed matrix, or a dict of outputs")
    if isinstance(outputs, NamedColumns):
        for name, value in outputs.items():
            conversion.give_column(name, graph._expr(value)._id)
        return
    if not isinstance(outputs, dict):
        outputs = {"transformed": outputs}
    for name, value in outputs.items():
        if name == "classes":
            conversion.give_classes(value)
        else:
            conversion.give(name, graph._expr(value)._id)


class NamedColumns(dict):
    """Columns (rows, 1) of a transformer under their names."""
