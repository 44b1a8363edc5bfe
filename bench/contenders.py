"""One contender of bench/tabular.py in a process of its own: opens a model, and times calls when it is asked to.

Started as `contenders.py NAME FOLDER EXACT` with the interpreter of the contender's environment; FOLDER is what tabular_models.py made, EXACT
the file of our own conversion. Reads requests from standard input, a JSON object a line, and answers each with one: {"batch": N} takes the next rows N at a time, {"calls": N}
gives the microseconds of N calls, {"answers": FILE} writes the answers to the first rows. A time is that on the clock, or that of the
process's processors where it is less: while other work has the core, no engine runs.
"""
import os

if __name__ == "__main__":
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # before numpy is loaded

import itertools
import json
import sys
import time
import warnings
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Callable

import numpy as np

import tabular_models
from measuring import feeds_of

MOST_PIECES, CHECKED_ROWS = 4096, 2000


class CannotRun(Exception):
    """Why a contender does not take a model."""


class NotItsModel(CannotRun):
    """The contender is for other models."""

    def __init__(self):
        super().__init__("for other models")


@dataclass
class Opened:
    call: Callable                        # on prepared rows
    prepared: Callable = lambda rows: rows
    answers: Callable = None              # of what call returned; a column for each output. The first rows' last column is compared
    version: str = ""
    same_model: bool = True               # not one that was fitted again
    loading: dict = None                  # of a session: the seconds and the memory that it took


# --- the engines that run ONNX files

def session(module, path, folder):
    options = module.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # a warning at each call would be timed with it
    before, used, start = own_bytes(), time.process_time(), time.perf_counter()
    try:
        made = module.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as problem:
        raise CannotRun(str(problem).splitlines()[0][:200]) from problem
    loading = {"seconds": min(time.perf_counter() - start, time.process_time() - used), "bytes": own_bytes() - before}
    return Opened(lambda feeds: made.run(None, feeds), feeds_of(made), answer_of(folder), module.__version__, loading=loading)


def answer_of(folder):
    """What is compared with the library's answer: probabilities and values come last; labels, where there is no more, first."""
    which = 0 if json.loads((folder / "export.json").read_text())["labels"] else -1
    return lambda outputs: outputs[which]


def own_bytes():
    """Memory of this process that is no file's."""
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def float_file(folder, exact):
    """The exporter's file, or ours where it refuses."""
    return path if (path := folder / "float.onnx").exists() else exact


def onward(folder, exact):
    import onward

    return session(onward, float_file(folder, exact), folder)


def onward_exact(folder, exact):
    import onward

    return session(onward, exact, folder)


def onnxruntime(folder, exact):
    import onnxruntime

    return session(onnxruntime, float_file(folder, exact), folder)


# --- the libraries themselves

def source(folder, kind):
    path = tabular_models.source_of(folder)
    if path.suffix != f".{kind}":
        raise NotItsModel
    return path


def scikit_learn(folder, _):
    import joblib
    import pandas
    import sklearn

    model = joblib.load(source(folder, "joblib"))
    return Opened(answering(model), lambda rows: pandas.DataFrame(rows) if isinstance(rows, dict) else rows, version=sklearn.__version__)


def answering(model):
    return model.predict_proba if hasattr(model, "predict_proba") else model.predict


def numpy_by_hand(folder, _):
    """What a careful author writes for one model: a matrix product, and no more."""
    import joblib

    model = joblib.load(source(folder, "joblib"))
    by_hand = {"LogisticRegression": logistic_by_hand, "SVC": support_vectors_by_hand}.get(type(model).__name__)
    if not by_hand:
        raise NotItsModel
    return Opened(by_hand(model), version=np.__version__)


def logistic_by_hand(model):
    weights, intercept = model.coef_[0].astype(np.float32), np.float32(model.intercept_[0])
    return lambda X: 1 / (1 + np.exp(-(X @ weights + intercept)))


def support_vectors_by_hand(model):
    vectors, gamma = model.support_vectors_.astype(np.float32), np.float32(model._gamma)
    squares, weights, intercept = (vectors * vectors).sum(1), model.dual_coef_[0].astype(np.float32), np.float32(model.intercept_[0])
    classes = model.classes_

    def predict(X):
        distances = X @ vectors.T
        distances *= -2
        distances += squares
        distances += (X * X).sum(1)[:, None]
        distances *= -gamma
        return classes[(np.exp(distances, out=distances) @ weights + intercept > 0).astype(int)]

    return predict


def lightgbm(folder, _):
    import lightgbm

    model = lightgbm.Booster(model_file=str(source(folder, "txt")))
    return Opened(lambda X: model.predict(X, num_threads=1), version=lightgbm.__version__)


def xgboost(folder, _):
    import xgboost

    model = xgboost.Booster({"nthread": 1}, model_file=str(source(folder, "ubj")))
    return Opened(model.inplace_predict, version=xgboost.__version__)


def catboost(folder, _):
    import catboost

    model = catboost.CatBoost().load_model(str(source(folder, "cbm")))
    return Opened(lambda X: model.predict(X, thread_count=1), version=catboost.__version__)


# --- engines of their own

def onedal(folder, _):
    """Boosters are converted; what scikit-learn fits is fitted again, for its own file holds none of oneDAL's structures."""
    import daal4py

    daal4py.daalinit(1)
    path, version = tabular_models.source_of(folder), metadata.version("scikit-learn-intelex")
    if path.suffix == ".joblib":
        model = refitted(path, folder)
        return Opened(answering(model), version=version, same_model=False)
    model = daal4py.mb.convert_model(booster_of(path))
    classifies = model._is_regression is False
    return Opened(model.predict_proba if classifies else model.predict, version=version)


def refitted(path, folder):
    import joblib
    from sklearnex import ensemble, linear_model, neighbors, svm

    model = joblib.load(path)
    kind = next((found for room in (ensemble, linear_model, neighbors, svm) if (found := getattr(room, type(model).__name__, None))), None)
    if not kind:
        raise NotItsModel
    X, y = tabular_models.load_rows(folder / "fitted.npz")
    return kind(**model.get_params()).fit(X, y)


def booster_of(path):
    if path.suffix == ".txt":
        import lightgbm

        return lightgbm.Booster(model_file=str(path))
    if path.suffix == ".ubj":
        import xgboost

        return xgboost.Booster(model_file=str(path))
    import catboost

    return catboost.CatBoost().load_model(str(path))


def lleaves(folder, _):
    """The first time it compiles, for a minute or so."""
    import lleaves

    model = lleaves.Model(model_file=str(source(folder, "txt")))
    model.compile(cache=str(folder / "lleaves.o"))
    return Opened(lambda X: model.predict(X, n_jobs=1), lambda rows: rows.astype(np.float64), version=metadata.version("lleaves"))


def tl2cgen(folder, _):
    """Likewise; through C and gcc."""
    import tl2cgen
    import treelite

    library, path = folder / "tl2cgen.so", tabular_models.source_of(folder)
    if path.suffix not in (".txt", ".ubj"):
        raise NotItsModel
    if not library.exists():
        read = treelite.frontend.load_lightgbm_model if path.suffix == ".txt" else treelite.frontend.load_xgboost_model
        tl2cgen.export_lib(read(str(path)), toolchain="gcc", libpath=str(library), params={"parallel_comp": 16}, nthread=1)
    predictor = tl2cgen.Predictor(str(library), nthread=1)
    return Opened(predictor.predict, tl2cgen.DMatrix, lambda found: found.reshape(len(found), -1), metadata.version("tl2cgen"))


def openvino(folder, _):
    """In float32: by itself it takes bfloat16 where the processor has it."""
    import openvino

    core, dense = openvino.Core(), dense_part(folder / "float.onnx")
    model = core.compile_model(core.read_model(dense.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1})
    request = model.create_infer_request()
    return Opened(lambda X: request.infer([X], share_inputs=True, share_outputs=True)[0], version=openvino.__version__.split("-")[0])


def dense_part(path):
    """A classifier's graph up to its probabilities, without labels and the operators that find them: OpenVINO has none of ai.onnx.ml."""
    import onnx

    model = onnx.load(path) if path.exists() else None
    if not model or not any(node.op_type == "MatMul" for node in model.graph.node):
        raise NotItsModel
    wanted, kept = {model.graph.output[-1].name}, []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.insert(0, node)
    del model.graph.node[:], model.graph.output[:-1]
    model.graph.node.extend(kept)
    return model


# Name, environment, how it opens a folder's model (or our file of it). The environment venv is build/venv itself.
CONTENDERS = {
    "onward": ("venv", onward), "onward exact": ("venv", onward_exact), "ONNX Runtime": ("venv", onnxruntime),
    "scikit-learn": ("models", scikit_learn), "NumPy by hand": ("models", numpy_by_hand), "LightGBM": ("models", lightgbm),
    "XGBoost": ("models", xgboost), "CatBoost": ("models", catboost), "oneDAL": ("models", onedal),
    "lleaves": ("lleaves", lleaves), "TL2cgen": ("tl2cgen", tl2cgen), "OpenVINO": ("openvino", openvino),
}


# --- answering requests

class Worker:
    def __init__(self, opened, rows):
        self.opened, self.rows, self.turn = opened, rows, None

    def batch(self, n):
        count = len(next(iter(self.rows.values()))) if isinstance(self.rows, dict) else len(self.rows)
        starts = range(0, count - n + 1, n)[:MOST_PIECES]
        self.turn = itertools.cycle([self.opened.prepared(self.piece(s, s + n)) for s in starts])
        self.calls(1)
        return {"microseconds": self.calls(1)["microseconds"]}

    def piece(self, start, end):
        return {name: values[start:end] for name, values in self.rows.items()} if isinstance(self.rows, dict) else self.rows[start:end]

    def calls(self, n):
        return {"microseconds": [self.timed(next(self.turn)) for _ in range(n)]}

    def timed(self, prepared):
        call = self.opened.call
        used, start = time.process_time(), time.perf_counter()
        call(prepared)
        seconds = time.perf_counter() - start
        return min(seconds, max(time.process_time() - used, 0)) * 1e6

    def answers(self, path):
        found = self.opened.call(self.opened.prepared(self.piece(0, CHECKED_ROWS)))
        found = np.asarray(self.opened.answers(found) if self.opened.answers else found, dtype=float)
        np.save(path, found[:, -1] if found.ndim == 2 else found)
        return {}


def main():
    name, folder, exact = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply
    warnings.simplefilter("ignore")

    def reply(answer):
        print(json.dumps(answer), file=replies, flush=True)

    try:
        found = CONTENDERS[name][1](folder, exact)
    except (CannotRun, ImportError) as problem:
        return reply({"refusal": str(problem), "unsuited": isinstance(problem, NotItsModel)})
    reply({"version": found.version, "loading": found.loading, "same_model": found.same_model})
    worker = Worker(found, tabular_models.load_rows(folder / "rows.npz")[0])
    for line in sys.stdin:
        (request, value), = json.loads(line).items()
        reply(getattr(worker, request)(value))


if __name__ == "__main__":
    main()
