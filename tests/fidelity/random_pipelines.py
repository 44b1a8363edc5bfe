"""Compositions drawn at random: columns, unions, steps and estimators nested in each other, on real tables; compared with scikit-learn.

usage: random_pipelines.py ONWARD [--count N] [--seed N] [--only N ...] [--engine onward onnxruntime] [--boosters]
One line per pipeline and engine; the last counts. What is drawn: real_tables.py, drawn_models.py; --boosters draws XGBoost, LightGBM and CatBoost
too, where they are installed. A pipeline that the library fits and whose answers it gives must convert and agree.
Rows counted apart: those that the library itself answers otherwise when they are asked one by one (a product of matrices is rounded by the
shape of the batch) or when what its steps hand on moves by a rounding: they stand on a threshold. --only runs the pipelines of those numbers.
"""
import argparse, collections, contextlib, functools, inspect, os, re, sys, tempfile, types, warnings
from dataclasses import dataclass
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")
import numpy as np
import pandas as pd
from scipy import sparse
from sklearn import calibration, compose, ensemble, impute, metrics, mixture, naive_bayes, neighbors, pipeline
from sklearn.utils import all_estimators
from sklearn.utils.extmath import row_norms
import compare, drawn_models, fidelity, real_tables
from real_tables import FIT

TOLERANCE = 1e-9                        # relative beyond 1, for compositions of any depth; labels must be equal
FLOAT32 = 1e-6                          # boosters, models fitted on float32, and gradient boosting's init: the library computes those in float32, we in double
OF_SUMS = ("sklearn.decomposition", "sklearn.cross_decomposition", "sklearn.kernel_approximation", "sklearn.random_projection", "sklearn.discriminant_analysis")
METHODS = ("predict_proba", "decision_function", "predict", "transform")


class Drawn:
    """The table, the model and y of a number, and how the rows reach the library and the engine."""

    def __init__(self, number, seed, boosters):
        self.r, self.boosters, self.model, self._unsteady = np.random.RandomState([seed, number]), boosters, None, None
        self.table = real_tables.table(self.r)
        self.how = self.r.choice(["frame", "array", "numbered"] + ["text"] * bool(self.table.texts), p=[.5, .15, .05, .3] if self.table.texts else [.7, .22, .08])

    def rows(self, X):
        """As a frame, as one whose columns have no names, as an array, or the prose alone."""
        if self.how == "text": return X[self.table.texts[0]]
        return X if self.how == "frame" else X.set_axis(range(X.shape[1]), axis=1) if self.how == "numbered" else X.to_numpy()

    def fit(self):
        self.model, y = drawn_models.model(self.r, self.table, self.boosters, by_name=self.how == "frame", rows=self.rows(self.table.X[:FIT]))
        self.model.fit(self.rows(self.table.X[:FIT]), y[:FIT])

    def asked(self):
        """Rows it was not fitted on: with words and gaps that it has not seen where the library answers those, and without.
        Narrow numbers come as the same values in double: what the library computes in float32, and NumPy's functions of bytes in float16,
        we compute in double (docs/exactness.md)."""
        plain = self.table.X[FIT:].reset_index(drop=True)
        narrow = (np.float32, np.int8) if "<ufunc" in drawn_models.said_in_full(self.model) else (np.float32,)
        for c in plain.columns:
            if plain[c].dtype in narrow: plain[c] = plain[c].astype(np.float64)
        harsh = plain.copy()
        for c in self.table.words:
            harsh[c] = harsh[c].astype(object)
            harsh.loc[:5, c] = "Atlantis"
            if isinstance(plain[c].dtype, pd.CategoricalDtype): harsh[c] = harsh[c].astype("category")
        for c in self.table.numbers: harsh.loc[8:12, c] = np.nan
        harshest = harsh.copy()
        for c in self.table.words: harshest.loc[14:17, c] = np.nan
        return [self.rows(harshest), self.rows(harsh), self.rows(plain)]

    def options(self):
        mixed = self.how in ("array", "numbered") and not self.table.of_numbers
        return (["--own-ops"] if self.table.texts else []) + (["--inputs", "columns"] if mixed else [])

    def unsteady(self, asked, outputs, tolerance):
        """Found once for all engines."""
        if self._unsteady is None: self._unsteady = unsteady(self.model, asked, {compare.method_of(name)[0] for name in outputs}, tolerance)
        return self._unsteady

    def tolerance(self):
        narrow = re.search(r"XGB|LGBM|CatBoost|\binit=(?!')", drawn_models.said_in_full(self.model))
        return FLOAT32 if narrow or (self.table.X.dtypes == np.float32).any() else TOLERANCE


def fed(asked):
    """The rows as tensors are made of them: pandas' own numbers as plain ones, a matrix of words and numbers by columns."""
    if isinstance(asked, np.ndarray): return asked if asked.dtype != object else pd.DataFrame({f"x{i}": pd.Series(asked[:, i], dtype=object) for i in range(asked.shape[1])})
    if isinstance(asked, pd.Series): return asked.to_frame()
    asked = asked.set_axis([c if isinstance(c, str) else f"x{c}" for c in asked.columns], axis=1)
    plain = {"Int64": float, "Float64": float, "boolean": bool}
    return asked.assign(**{c: asked[c].astype(plain[str(asked[c].dtype)]) for c in asked.columns if str(asked[c].dtype) in plain})


def answers(model, asked, methods=METHODS):
    out = {}
    for m in methods:
        if not hasattr(model, m): continue
        said = getattr(model, m)(asked)
        for k, part in enumerate(said if isinstance(said, list) else [said]): out[m, k] = part.toarray() if hasattr(part, "toarray") else np.asarray(part)
    return out


def own_transforms():
    """Classes that say themselves how they transform, those that others inherit it from among them; not what is made of others."""
    bases = {base for _, C in all_estimators(type_filter="transformer") for base in C.__mro__ if inspect.isfunction(vars(base).get("transform"))}
    return [C for C in bases if not issubclass(C, (compose.ColumnTransformer, pipeline.FeatureUnion))]


@contextlib.contextmanager
def replaced(method, classes, wrap):
    """The method of classes, or the function of modules, wrapped for as long as it lasts."""
    own = {C: getattr(C, method) for C in classes}
    try:
        for C, f in own.items(): setattr(C, method, wrap(f))
        yield
    finally:
        for C, f in own.items(): setattr(C, method, f)


def of_sorted_rows(method):
    """scikit-learn's distances of sparse rows take sorted indices for granted. Vectorizers that drop words leave them as they were and flagged
    as sorted, and then it finds neighbours that are none: it is asked about the same rows, sorted."""
    def in_order(X):
        if sparse.issparse(X): X = X.copy(); X.has_sorted_indices = False; X.sort_indices()
        return X

    @functools.wraps(method)
    def f(self, X=None, *more, **named):
        self._fit_X = in_order(self._fit_X)
        return method(self, in_order(X), *more, **named)
    return f


for C in (neighbors.KNeighborsClassifier, neighbors.KNeighborsRegressor):
    for name in ("kneighbors", "predict", "predict_proba"):
        if hasattr(C, name): setattr(C, name, of_sorted_rows(getattr(C, name)))


@contextlib.contextmanager
def moved(seed):
    """Every transformer, distances by products, naive Bayes' joint likelihoods, mixtures' means, what calibration takes and gradient boosting's
    init hand on numbers moved by roundings of their own type, each one up or down; odd seeds move by more of them. What is zero in a column
    without negative numbers stays so: it is no difference that came out as nothing, and the next step may take its root."""
    r, roundings = np.random.RandomState(seed), 8 if seed % 2 else 2

    def near(numbers, least=0.):
        size = np.abs(numbers) * roundings * np.finfo(numbers.dtype).eps + least * r.rand(*numbers.shape)
        return numbers + (r.choice([-1, 1], numbers.shape) * size).astype(numbers.dtype)

    def near_dense(transformer, out):
        negative = (out < 0).any(axis=0)
        if not type(transformer).__module__.startswith(OF_SUMS): return near(out, 1e-17 * negative)
        # A sum is rounded by the size of what it adds, however small it comes out: some columns hold nothing but that.
        return near(out, np.finfo(out.dtype).eps * np.abs(out).max(initial=0) * negative)

    def moving(transform):
        @functools.wraps(transform)
        def f(self, X, *more, **named):
            out = transform(self, X, *more, **named)
            if sparse.issparse(out): return type(out)(near(out.toarray())) if out.dtype.kind == "f" else out
            dense = np.asarray(out)
            if dense.dtype.kind != "f": return out
            return near_dense(self, out) if dense is out else pd.DataFrame(near_dense(self, dense), out.index, out.columns)
        return f

    def moving_first_scores(scores):
        def f(X, init, loss, of_classes):
            says = "predict_proba" if of_classes else "predict"
            return scores(X, types.SimpleNamespace(**{says: lambda X: near(getattr(init, says)(X))}), loss, of_classes)
        return f

    def moving_distances(distances):
        # x² - 2xy + y², each of which may be larger than what they come to.
        def f(X, Y, X_norms=None, Y_norms=None, squared=False):
            out = distances(X, Y, X_norms, Y_norms, squared=True)
            moved = near(out, np.finfo(out.dtype).eps * (row_norms(X, squared=True)[:, None] + row_norms(Y, squared=True))).clip(0)
            return moved if squared else np.sqrt(moved)
        return f

    def moving_likelihoods(joint):
        def f(self, X): return near(joint(self, X))
        return f

    def moving_responses(values):
        # 1 - p of a p near 1 is of the size of p's rounding, and calibration takes its logarithm.
        def f(*more, **named):
            said, *rest = values(*more, **named)
            return near(said).clip(max=said.max()), *rest
        return f

    def moving_means(likelihood):
        # (x - mean) @ precision is taken as x @ precision - mean @ precision.
        def f(X, means, *more, **named): return likelihood(X, near(means), *more, **named)
        return f
    likely = [C for C in vars(naive_bayes).values() if isinstance(C, type) and inspect.isfunction(vars(C).get("_joint_log_likelihood"))]
    mixtures = (mixture._gaussian_mixture, mixture._bayesian_mixture)
    with (replaced("transform", own_transforms(), moving), replaced("_joint_log_likelihood", likely, moving_likelihoods), replaced("_estimate_log_gaussian_prob", mixtures, moving_means),
          replaced("_get_response_values", (calibration,), moving_responses), replaced("_euclidean_distances", (metrics.pairwise,), moving_distances), replaced("_init_raw_predictions", (ensemble._gb,), moving_first_scores)): yield


@contextlib.contextmanager
def ties_noted(tied):
    """Rows whose nearest neighbours are not one set: the next one is as far as the last, and which is taken depends on who searched."""
    def noting(predict):
        def f(self, X):
            if len(X) == len(tied) if not hasattr(X, "shape") else X.shape[0] == len(tied):
                distances = self.kneighbors(X, n_neighbors=self.n_neighbors + 1)[0]
                tied[:] |= np.isclose(distances[:, -1], distances[:, -2], rtol=1e-9, atol=1e-9)
            return predict(self, X)
        return f

    def noting_donors(transform):
        def f(self, X):
            seen = X.to_numpy(float, na_value=np.nan) if isinstance(X, pd.DataFrame) else np.asarray(X, float)
            if len(seen) == len(tied): tied[:] |= fidelity.tied_donors(self, seen)
            return transform(self, X)
        return f
    with (replaced("predict", (neighbors.KNeighborsClassifier, neighbors.KNeighborsRegressor), noting), replaced("predict_proba", (neighbors.KNeighborsClassifier,), noting),
          replaced("transform", (impute.KNNImputer,), noting_donors)): yield


def alone(model, asked, methods, i):
    """Answers for row i by itself; twice over where the library has none for a single row (SparsePCA hands on too few dimensions)."""
    rows = asked.iloc if isinstance(asked, (pd.DataFrame, pd.Series)) else asked
    try: return answers(model, rows[i:i + 1], methods)
    except ValueError: return {m: a[:1] for m, a in answers(model, rows[[i, i]], methods).items()}


def unsteady(model, asked, methods, tolerance):
    """Rows that the library answers otherwise alone than among others, or when numbers move by a rounding."""
    apart, others = np.zeros(len(asked), bool), []
    with ties_noted(apart): whole = answers(model, asked, methods)
    each = [alone(model, asked, methods, i) for i in range(len(asked))]
    others.append({m: np.concatenate([e[m] for e in each]) for m in whole})
    for seed in range(16):
        with moved(seed): others.append(answers(model, asked, methods))
    for other in others:
        for m, a in whole.items():
            b = other[m]
            differs = (a != b) if a.dtype.kind in "OU" else np.abs(a.astype(float) - b) > tolerance / 10 * np.maximum(1, np.abs(a.astype(float)))
            apart |= differs.reshape(len(asked), -1).any(axis=1)
    return apart


def said_by(error): return f"{type(error).__name__} {' '.join(str(error).split())[-600:]}"


def answered(drawn):
    """The harshest rows that the library answers, and why it answers none."""
    why = ""
    try:
        drawn.fit()
        for asked in drawn.asked():
            try:
                answers(drawn.model, asked)
                return asked, ""
            except Exception as e: why = said_by(e)
    except Exception as e: why = said_by(e)
    return None, why


@dataclass
class Answer:
    verdict: str
    worst: float = np.nan     # the largest difference
    wrong: int = 0            # labels
    apart: int = 0            # rows
    why: str = ""


def asked_of(engine, drawn, asked, path):
    """What an engine says of the converted model."""
    if engine.name == "onnxruntime" and "Vectorizer" in drawn_models.said_in_full(drawn.model): return Answer("left out", why="holds operators of our own")
    apart, tolerance = 0, drawn.tolerance()
    try:
        got = engine.run(path, fed(asked))
        worst, wrong, _ = compare.compare(drawn.model, asked, got)
        if wrong or worst > tolerance:
            ignore = drawn.unsteady(asked, got, tolerance)
            worst, wrong, _ = compare.compare(drawn.model, asked, got, ignore=ignore)
            apart = int(ignore.sum())
    except Exception as e: return Answer("FAILED", why=said_by(e))
    return Answer("passed" if worst <= tolerance and not wrong else "FAILED", worst, wrong, apart)


def run(onward, engines, drawn, path):
    """-> an Answer for each engine"""
    asked, why = answered(drawn)
    if asked is None: return [Answer("refused by the library", why=why)] * len(engines)
    try: compare.convert(onward, drawn.model, path, *drawn.options())
    except compare.Refused as e: return [Answer("FAILED", why=said_by(e))] * len(engines)
    return [asked_of(engine, drawn, asked, path) for engine in engines]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("onward"), parser.add_argument("--count", type=int, default=300), parser.add_argument("--seed", type=int, default=0), parser.add_argument("--boosters", action="store_true")
    parser.add_argument("--only", type=int, nargs="+"), parser.add_argument("--engine", nargs="+", default=["onward"], choices=["onnxruntime", "onward"])
    args = parser.parse_args()
    engines = [compare.OnnxRuntime() if e == "onnxruntime" else compare.Onward(args.onward) for e in args.engine]
    counts = [collections.Counter() for _ in engines]
    with tempfile.TemporaryDirectory(prefix="random_pipelines_") as folder:
        for number in args.only or range(args.count):
            drawn = Drawn(number, args.seed, args.boosters)
            for engine, count, said in zip(engines, counts, run(args.onward, engines, drawn, f"{folder}/{number}.onnx")):
                count[said.verdict] += 1
                shown = drawn_models.said_in_full(drawn.model) if said.verdict == "FAILED" else type(drawn.model).__name__
                print(f"{number:4d} {drawn.table.name:14s} {drawn.how:8s} {engine.name:11s} {said.worst:9.2g} labels {said.wrong:3d} {f'apart {said.apart}' if said.apart else '':9s} {said.verdict} {shown} {said.why}", flush=True)
    for engine, count in zip(engines, counts):
        print(f"{engine.name}: {count['passed']} passed, {count['FAILED']} failed, {count['refused by the library']} refused by the library, {count['left out']} left out")
    total = sum(counts, collections.Counter())
    print(f"{total['passed']} passed, {total['FAILED']} failed, {total['refused by the library'] + total['left out']} skipped")
    sys.exit(1 if total["FAILED"] or not total["passed"] else 0)


if __name__ == "__main__":
    main()
