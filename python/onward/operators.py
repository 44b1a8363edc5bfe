"""Custom operators as Python functions: they belong to the session options they are registered with, and to nothing else."""
import importlib
import os
import pickle
import re
import traceback

from onward import _core
from onward.errors import usage
from onward.values import _NUMBERS

_KINDS = {int: "INT", float: "FLOAT", str: "STRING"}


class Size:
    """A size that is not known yet: it may be handed on, and what is computed with it is not known either."""

    __slots__ = ("symbol",)

    def __init__(self, symbol=None):
        self.symbol = symbol

    def __eq__(self, other):
        return isinstance(other, Size) and self.symbol is not None and self.symbol == other.symbol

    def __hash__(self):
        return hash(self.symbol)

    def __repr__(self):
        return "?"

    def _unknown(self, *_):
        return Size()

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _unknown


class Operator:
    """What `custom_operator` makes: callable as the function it came from."""

    def __init__(self, function, domain, name, inputs, outputs, attributes, since, infer):
        self.function, self.domain, self.name, self.inputs, self.outputs, self.since, self.infer = function, domain, name, _ports(inputs), _ports(outputs), since, infer
        self.attributes = {key: _kind(key, default) for key, default in (attributes or {}).items()}
        self.__name__, self.__doc__, self.__module__ = getattr(function, "__name__", name), function.__doc__, getattr(function, "__module__", None)
        self.__qualname__ = getattr(function, "__qualname__", name)
        registered([self])                                  # what is written wrongly says so here

    def __call__(self, *inputs, **attributes):
        return self.function(*inputs, **attributes)

    def __repr__(self):
        return f"onward.Operator({self.domain}.{self.name})"

    def _add_to(self, core):
        text = ";".join(f"{key}:{kind}{default}" for key, (kind, default) in self.attributes.items())
        kinds = [[key, kind] for key, (kind, _) in self.attributes.items()]
        core.add(self.domain, self.name, self.since, self.inputs, self.outputs, text, kinds, _single_ports(self.inputs), _output_elements(self.inputs, self.outputs), self.function, self.infer)

    def __reduce__(self):
        try:
            found = _by_name(self.__module__, self.__qualname__)
        except (ImportError, AttributeError):
            found = None
        if found is not self:
            raise pickle.PicklingError(f"the operator {self.domain}.{self.name} is a Python function that cannot be found by its name ({self.__module__}.{self.__qualname__}); "
                                       "define it at the top of a module, and what has it can be pickled")
        return _by_name, (self.__module__, self.__qualname__)


def custom_operator(domain, name=None, *, inputs, outputs, attributes=None, since=1, infer=None):
    """A decorator: the function becomes an operator for SessionOptions.register_custom_ops and onward.convert(operators=...).

    inputs, outputs   "x:T(float|double) bias?:float rest*:T": names, with '?' where it may be left out and '*' for any number at the end;
                      types are the standard's (float is float32, double is float64), or a word in capitals for one type wherever it
                      stands; a port without a type takes anything. A list of such words is the same.
    attributes        name to default value, or to int, float, str, [int], [float], [str] where one must be given
    infer             shapes to shape (a list of shapes for several outputs): tuples whose sizes may not be known yet (Size: hand them on, or
                      say None). What the function returns is then checked against it.

    The function is given arrays (copies; None for what is left out) and the attributes by name; it returns an array, or a tuple of them.
    Sessions may call it from several threads. What it raises becomes the error of the run, with the node's name.
    """
    def made(function):
        return Operator(function, domain, name or function.__name__, inputs, outputs, attributes, since, infer)

    return made


def registered(operators):
    """The engine's list of operators: paths of libraries, and Operators; None for none."""
    if not operators:
        return None
    core = _core.Operators()
    for operator in operators:
        if isinstance(operator, (str, os.PathLike)):
            core.load(os.fspath(operator))
        elif isinstance(operator, Operator):
            operator._add_to(core)
        else:
            raise TypeError(f"expected operators made by onward.custom_operator, or paths of libraries; given {type(operator).__name__}")
    return core


def _ports(ports):
    text = ports if isinstance(ports, str) else " ".join(ports)
    return re.sub(r"\s*([:|,(])\s*", lambda m: "|" if m[1] == "," else m[1], re.sub(r"\s*\)", ")", text)).strip()


def _kind(name, default):
    """(kind, "=default" or "!")."""
    if isinstance(default, type) and default in _KINDS:
        return _KINDS[default], "!"
    if isinstance(default, (list, tuple)):
        item = default[0] if default else int
        if isinstance(item, type) and item in _KINDS:
            return _KINDS[item] + "S", "!" if default else "=[]"
        kind = _KINDS.get(float if any(isinstance(v, float) for v in default) else type(item))
        if kind and kind != "INT" or all(type(v) is int for v in default):
            return kind + "S", "=[" + ", ".join(map(_written, default)) + "]"
    elif type(default) in (bool, *_KINDS):
        return _KINDS[int if type(default) is bool else type(default)], "=" + _written(default)
    raise usage(f"attribute '{name}': expected a default that is a number, a text or a list of them, or one of int, float, str, [int], [float], [str]; given {default!r}")


def _written(value):
    if isinstance(value, str):
        return '"' + "".join({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(c, c) for c in value) + '"'
    return repr(float(value)) if isinstance(value, float) else str(int(value))


def _single_ports(ports):
    return sum(not port.partition(":")[0].endswith("*") for port in ports.split())


def _output_elements(inputs, outputs):
    """For each output port the number of its type, or ~i where it is that of input i, or 0."""
    def types(ports):
        return [port.partition(":")[2].partition("(")[0] for port in ports.split()]

    known = types(inputs)
    return [_NUMBERS.get(kind) or (~known.index(kind) if kind and kind in known else 0) for kind in types(outputs)]


def _by_name(module, qualname):
    found = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _said(error):
    """An exception of a user's function in one line, with the place that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
