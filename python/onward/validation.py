"""A converted model compared with its source on the same rows."""
import html
import json

from onward.errors import usage
from onward.session import InferenceSession

_LABELS = "OUSb"                                         # kinds of arrays that are compared as they are, with integers


class Report:
    """`ok` is the verdict; for each output `mismatched_labels` or `max_abs_error` and `max_rel_error`."""

    def __init__(self, outputs, rows, model):
        self.outputs, self.rows, self.model = outputs, rows, model
        self.ok = bool(outputs) and all(o["ok"] for o in outputs)
        self.mismatched_labels = sum(o.get("mismatched_labels", 0) for o in outputs)
        self.max_abs_error = max((o["max_abs_error"] for o in outputs if "max_abs_error" in o), default=0.0)
        self.max_rel_error = max((o["max_rel_error"] for o in outputs if "max_rel_error" in o), default=0.0)

    def __bool__(self):
        return self.ok

    def __repr__(self):
        verdict = "the same" if self.ok else "DIFFERENT"
        return f"onward.Report({verdict}: {self.rows} rows, {self.mismatched_labels} mismatched labels, max_abs_error {self.max_abs_error:.3g})"

    def to_dict(self):
        return {"schema_version": 1, "ok": self.ok, "rows": self.rows, "mismatched_labels": self.mismatched_labels, "max_abs_error": self.max_abs_error,
                "max_rel_error": self.max_rel_error, "outputs": self.outputs}

    def save_json(self, path):
        with open(path, "w", encoding="utf-8") as out:
            json.dump(self.to_dict(), out, indent=2)

    def save_html(self, path):
        keys = ["name", "ok", "mismatched_labels", "max_abs_error", "max_rel_error", "rtol", "atol", "worst_row"]
        head = "".join(f"<th>{k.replace('_', ' ')}</th>" for k in keys)
        body = "".join("<tr class='%s'>%s</tr>" % ("ok" if o["ok"] else "bad", "".join(f"<td>{html.escape(str(o.get(k, '')))}</td>" for k in keys)) for o in self.outputs)
        verdict = "The model gives its source's answers" if self.ok else "The model and its source differ"
        page = f"""<!doctype html><meta charset="utf-8"><title>{verdict}</title>
<style>body{{font:15px system-ui;margin:2rem;max-width:60rem}}table{{border-collapse:collapse}}td,th{{border:1px solid #8886;padding:.3rem .6rem;text-align:left}}
.ok td:nth-child(2){{background:#2a62}}.bad td:nth-child(2){{background:#c334}}@media(prefers-color-scheme:dark){{body{{background:#111;color:#eee}}}}</style>
<h1>{verdict}</h1><p>{html.escape(self.model)}, {self.rows} rows.</p><table><tr>{head}</tr>{body}</table>"""
        with open(path, "w", encoding="utf-8") as out:
            out.write(page)


def validate(fitted, model, data, rtol=None, atol=None):
    """Runs `data` through the fitted estimator (in this process) and through the model.

    Labels must be equal. Numbers must agree within atol + rtol * |expected|; by default 1e-12 for float64 outputs and 1e-6 for float32.
    A float32 input is compared with the library fed the same values as float64.
    """
    import numpy

    session = model if isinstance(model, InferenceSession) else InferenceSession(model)
    predictions = session.predict(data)
    columns = {name: numpy.asarray(predictions[name]) for name in (predictions if isinstance(predictions, dict) else _names(predictions))}
    outputs = []
    for field in session.schema["outputs"]:
        expected = _expected(fitted, field["name"], _for_library(data))
        if expected is None:
            continue
        expected = numpy.asarray(expected)
        expected = expected.reshape(len(expected), -1)
        names = _columns_of(columns, field, expected.shape[1])
        found = numpy.stack([columns[name] for name in names], axis=1)
        outputs.append(_compare(field["name"], found, expected, rtol, atol))
    if not outputs:
        raise usage(f"{type(fitted).__name__} has no method that gives one of the model's outputs: {[f['name'] for f in session.schema['outputs']]}")
    return Report(outputs, len(expected), type(fitted).__name__)


def _names(frame):
    return list(frame.column_names) if hasattr(frame, "column_names") else list(frame.columns)


def _columns_of(columns, field, width):
    """The table's columns of one output, in order."""
    from onward.errors import error_of

    one = {"probabilities": "probability", "log_probabilities": "log_probability", "scores": "score", "distances": "distance",
           "neighbors": "neighbor"}.get(field["name"], field["name"])
    names = field.get("names") or [name for name in columns if name == one or name.startswith(one + "_")]
    if len(names) != width:
        raise error_of(101, "difference", f"output '{field['name']}' has {len(names)} columns, the source gives {width}", "")
    return names


def _expected(fitted, output, data):
    method = {"label": "predict", "variable": "predict", "probabilities": "predict_proba", "log_probabilities": "predict_log_proba",
              "scores": "decision_function", "transformed": "transform", "distances": "transform", "leaf": "apply"}.get(output)
    if method is None and output == "score_samples":
        method = output
    call = getattr(fitted, method, None) if method else None
    if call is None:
        return None
    found = call(data)
    return found.toarray() if hasattr(found, "toarray") else found


def _for_library(data):
    """float32 arrays as float64: the reference is the library's own precision."""
    dtype = getattr(data, "dtype", None)
    return data.astype("float64") if dtype is not None and getattr(dtype, "kind", "") == "f" and dtype.itemsize < 8 else data


def _compare(name, found, expected, rtol, atol):
    import numpy

    if expected.dtype.kind in _LABELS or name == "label" or expected.dtype.kind in "iu":
        different = ~((found == expected) | ((found != found) & (expected != expected)))
        rows = numpy.flatnonzero(different.any(axis=1))
        return {"name": name, "ok": not len(rows), "mismatched_labels": int(len(rows)), "worst_row": int(rows[0]) if len(rows) else None}
    tolerance = 1e-6 if found.dtype == numpy.float32 else 1e-12
    rtol, atol = tolerance if rtol is None else rtol, tolerance if atol is None else atol
    with numpy.errstate(all="ignore"):
        same = (found == expected) | (numpy.isnan(found) & numpy.isnan(expected))
        error = numpy.where(same, 0.0, numpy.abs(found.astype(numpy.float64) - expected))
        error = numpy.where(numpy.isnan(error), numpy.inf, error)
        relative = numpy.where(error == 0, 0.0, error / numpy.maximum(numpy.abs(expected), numpy.finfo(float).tiny))
        ok = bool((same | (error <= atol + rtol * numpy.abs(expected))).all())
    worst = int(error.max(axis=1).argmax()) if error.size else None
    return {"name": name, "ok": ok, "max_abs_error": float(error.max(initial=0.0)), "max_rel_error": float(relative.max(initial=0.0)), "rtol": rtol, "atol": atol,
            "worst_row": worst}
