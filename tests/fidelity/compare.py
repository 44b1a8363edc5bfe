"""Converting a fitted estimator with the program, running the model in an engine, and comparing with scikit-learn."""
import json, os, pickle, subprocess, tempfile
import joblib
import numpy as np
import onnx
import onnxruntime
import pandas as pd
from onnx import numpy_helper
import tables

onnxruntime.set_default_logger_severity(4)
METHODS = {"label": "predict", "variable": "predict", "probabilities": "predict_proba", "log_probabilities": "predict_log_proba", "scores": "decision_function",
           "transformed": "transform", "leaf": "apply", "score_samples": "score_samples", "distances": "mahalanobis"}


class Refused(Exception):
    """The program refused to convert."""


def convert(program, estimator, path, *options, dump=pickle.dump):
    source = path + ".pkl"
    if dump is pickle.dump:
        with open(source, "wb") as f: pickle.dump(estimator, f)
    else: joblib.dump(estimator, source, compress=3)
    done = subprocess.run([program, "convert", source, "-o", path, *options], capture_output=True, text=True)
    if done.returncode: raise Refused(f"exit {done.returncode}: {done.stderr.strip()}")


class OnnxRuntime:
    name = "onnxruntime"

    def run(self, path, table):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 4
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        schema = json.loads(session.get_modelmeta().custom_metadata_map["onward.schema"])
        inputs = tables.feeds([(i.name, i.type) for i in session.get_inputs()], table, schema)
        return dict(zip([o.name for o in session.get_outputs()], session.run(None, inputs)))


class Onward:
    """Our own engine, by way of `run-case`."""
    name = "onward"

    def __init__(self, program): self.program = program

    def run(self, path, table):
        model = onnx.load(path)
        schema = json.loads({p.key: p.value for p in model.metadata_props}["onward.schema"])
        kinds = {1: "tensor(float)", 11: "tensor(double)", 7: "tensor(int64)", 8: "tensor(string)", 9: "tensor(bool)"}
        constants = {t.name for t in model.graph.initializer}   # which old files list among the inputs
        asked = [i for i in model.graph.input if i.name not in constants]
        inputs = tables.feeds([(i.name, kinds[i.type.tensor_type.elem_type]) for i in asked], table, schema)
        with tempfile.TemporaryDirectory() as folder:
            for k, i in enumerate(asked):
                with open(f"{folder}/input_{k}.pb", "wb") as f: f.write(numpy_helper.from_array(inputs[i.name]).SerializeToString())
            done = subprocess.run([self.program, "run-case", path, folder, folder], capture_output=True, text=True)
            if done.returncode: raise RuntimeError(f"run-case exit {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}")
            out = {}
            for k, o in enumerate(model.graph.output):
                with open(f"{folder}/output_{k}.pb", "rb") as f: a = numpy_helper.to_array(onnx.TensorProto.FromString(f.read()))
                out[o.name] = np.array([x.decode() if isinstance(x, bytes) else x for x in a.flat], object).reshape(a.shape) if a.dtype == object else a
        return out


def method_of(output):
    """-> the method whose answer an output is, the output's name without its number among several, and that number"""
    stem, _, number = output.rpartition("_")
    stem, number = (stem, int(number)) if number.isdigit() and stem in METHODS else (output, None)
    return "std" if output == "std" else METHODS.get(stem, "transform"), stem, number


def expected(estimator, asked, outputs):
    """What the library says, under the model's output names."""
    out, cache = {}, {}
    for name in outputs:
        method, stem, number = method_of(name)
        if method not in cache: cache[method] = estimator.predict(asked, return_std=True)[1] if name == "std" else getattr(estimator, method)(asked)
        ref = cache[method]
        if number is not None: ref = ref[number]
        if stem not in METHODS and name != "std":                       # a column of a transformer of text and numbers
            if not isinstance(ref, pd.DataFrame): ref = pd.DataFrame(ref, columns=estimator.get_feature_names_out())
            ref = ref[[name if name in ref.columns else name[:-1]]]    # an input has that name already: "_" behind the output's
        out[name] = ref.toarray() if hasattr(ref, "toarray") else np.asarray(ref)
    return out


def same_type(ref, got):
    """A label keeps its type: words stay words, integers int64, bools bool."""
    return {"b": "b", "i": "i", "u": "i", "f": "f", "U": "O", "O": "O"}[ref.dtype.kind] == ("O" if got.dtype.kind in "UO" else got.dtype.kind)


def compare(estimator, asked, got, missing=("nan", "None"), ignore=None):
    """-> worst difference of numbers (relative beyond 1), labels that differ, rows"""
    worst = wrong = 0
    for name, ref in expected(estimator, asked, got).items():
        g = got[name]
        if name == "label" and ref.ndim == 2 and ref.shape[1] == 1 and g.ndim == 1: ref = ref.ravel()      # CatBoost's, of many classes
        if ref.dtype.kind in "OU" and not all(isinstance(x, (int, float, bool, np.number)) for x in ref.flat):
            ref = np.array([missing[1] if x is None else missing[0] if x != x else str(x) for x in ref.flat], object).reshape(ref.shape)
        words = ref.dtype.kind in "OU" and isinstance(ref.flat[0], str)
        if g.shape != ref.shape:
            if g.size != ref.size or name in METHODS: raise AssertionError(f"{name} has shape {g.shape}; the library's has {ref.shape}")
            g = g.reshape(ref.shape)
        keep = np.ones(len(ref), bool) if ignore is None else ~ignore
        ref, g = ref[keep], g[keep]
        if name == "label" or words:
            if name == "label" and not same_type(ref, g): raise AssertionError(f"{name} is {g.dtype}; the library's is {ref.dtype}")
            wrong += int((ref.astype(str) != g.astype(str)).sum())
            continue
        ref, g = ref.astype(float), g.astype(float)
        if (np.isnan(ref) != np.isnan(g)).any(): return np.inf, wrong, len(ref)
        with np.errstate(invalid="ignore"): d = np.abs(g - ref)
        d = np.where(np.isnan(d) | (g == ref), 0, d) / np.maximum(1, np.abs(np.nan_to_num(ref, posinf=1, neginf=1)))
        worst = max(worst, d.max(initial=0))
    return worst, wrong, len(ref)
