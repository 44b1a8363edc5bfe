"""A converted model compared with its source on the same rows."""
import json
import math
import os

from onward import _core
from onward.columns import Inputs
from onward.errors import usage
from onward.frames import library_of, table_of
from onward.session import InferenceSession


class Report:
    """`ok` is the verdict. `outputs` has a dict for each output; `to_dict()` is all of it, as `onward validate --json` prints it."""

    def __init__(self, facts, page):
        self._facts, self._page = facts, page
        self.ok, self.rows, self.outputs = facts["ok"], facts["rows"], facts["outputs"]
        self.mismatched_labels = facts["mismatched_labels"]
        self.max_abs_error = math.inf if facts["max_abs_error"] is None else facts["max_abs_error"]
        self.failing_rows, self.worst = facts["failing_rows"], facts["worst"]

    def __bool__(self):
        return self.ok

    def __repr__(self):
        verdict = "the same" if self.ok else f"DIFFERENT in {self._facts['failing_count']} rows"
        return f"onward.Report({verdict}: {self.rows} rows, {self.mismatched_labels} mismatched labels, max_abs_error {self.max_abs_error:.3g})"

    def to_dict(self):
        return self._facts

    def save_json(self, path):
        with open(path, "w", encoding="utf-8") as out:
            json.dump(self._facts, out, indent=2)

    def save_html(self, path):
        with open(path, "w", encoding="utf-8") as out:
            out.write(self._page)


def validate(fitted, model, data, rtol=None, atol=None):
    """Runs `data` through the fitted model's own library, in this process, and through `model` (a session, a Model, a path or bytes).

    Labels must be equal. Numbers must agree within atol + rtol * |expected|; by default 1e-12 for float64 outputs and 1e-6 for float32.
    float32 values are compared with what the library gives for the same values as float64. Rows that both refuse are no difference.
    A path is loaded by the library, which may run code that the file holds.
    """
    import warnings

    import numpy

    from onward import _source

    fitted = _loaded(fitted)
    session = model if isinstance(model, InferenceSession) else InferenceSession(model)
    rows = _for_library(data, fitted)
    names = [port.name for port in session.get_outputs()]
    answers = _source.Answers(len(rows))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answers.over(lambda part: _source.compute(fitted, part, names), rows, numpy.arange(len(rows)))
    expected = {name: _core.value_of(_source.plain(numpy.asarray(answers.arrays[name]))) for name in names if name in answers.arrays}
    if not expected and len(rows) and not answers.refused.all():
        raise usage(f"{type(fitted).__name__} gives none of the model's outputs {names}")
    tolerances = [math.nan if t is None else float(t) for t in (rtol, atol)]
    facts, page = _core.compare(session, table_of(data, Inputs(session.schema["inputs"])), _source.who(fitted), expected, answers.refused, *tolerances)
    return Report(json.loads(facts), page)


def _loaded(fitted):
    if isinstance(fitted, (bytes, bytearray)):
        import pickle

        return pickle.loads(fitted)
    if isinstance(fitted, (str, os.PathLike)):
        from onward import _source

        return _source.load(os.fspath(fitted))
    return fitted


def _for_library(data, fitted):
    """What the library takes: frames as they are, dicts of columns and Arrow tables as frames; float32 as float64."""
    import numpy

    kind = library_of(type(data))
    if kind in ("polars", "pyarrow") or isinstance(data, dict):
        import pandas

        data = data.to_pandas() if hasattr(data, "to_pandas") else pandas.DataFrame(data)
        kind = "pandas"
    if kind == "pandas":
        narrow = [name for name, dtype in data.dtypes.items() if dtype == numpy.float32]
        return data.astype({name: numpy.float64 for name in narrow}) if narrow else data
    if not hasattr(data, "shape"):
        return list(data) if data and isinstance(data[0], str) else numpy.asarray(data)
    return data.astype(numpy.float64) if getattr(data, "dtype", None) is not None and data.dtype.kind == "f" and data.dtype.itemsize < 8 else data
