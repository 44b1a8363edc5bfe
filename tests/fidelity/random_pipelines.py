"""Compositions drawn at random: columns, unions, steps and estimators nested in each other, on real tables; compared with scikit-learn.

usage: random_pipelines.py ONWARD [--count N] [--seed N] [--only N ...] [--engine onnxruntime|onward] [--boosters]
One line per pipeline; the last counts. What is drawn: real_tables.py, drawn_models.py; --boosters draws XGBoost, LightGBM and CatBoost
too, where they are installed. A pipeline that the library fits and whose answers it gives must convert and agree.
Rows counted apart: those that the library itself answers otherwise when they are asked one by one (a product of matrices is rounded by the
shape of the batch) or when what its steps hand on moves by a rounding: they stand on a threshold. --only runs the pipelines of those numbers.
"""
import argparse, collections, contextlib, functools, inspect, os, sys, tempfile, warnings
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")
import numpy as np
import pandas as pd
from sklearn import compose, neighbors, pipeline
from sklearn.utils import all_estimators
import compare, drawn_models, real_tables
from real_tables import FIT

TOLERANCE = 1e-9                        # relative beyond 1, for compositions of any depth; labels must be equal
FLOAT32 = 1e-6                          # boosters, and models fitted on float32: the library computes those in float32, we in double
METHODS = ("predict_proba", "decision_function", "predict", "transform")


class Drawn:
    """The table, the model and y of a number, and how the rows reach the library and the engine."""

    def __init__(self, number, seed, boosters):
        self.r, self.boosters, self.model = np.random.RandomState([seed, number]), boosters, None
        self.table = real_tables.table(self.r)
        self.how = "frame" if self.r.rand() < .75 else "array"

    def rows(self, X): return X if self.how == "frame" else X.to_numpy()

    def fit(self):
        self.model, y = drawn_models.model(self.r, self.table, self.boosters, by_name=self.how == "frame", rows=self.rows(self.table.X[:FIT]))
        self.model.fit(self.rows(self.table.X[:FIT]), y[:FIT])

    def asked(self):
        """Rows it was not fitted on: with words and gaps that it has not seen where the library answers those, and without.
        Narrow numbers come as the same values in double: what the library computes in float32, we compute in double."""
        plain = self.table.X[FIT:].reset_index(drop=True)
        for c in plain.columns:
            if plain[c].dtype == np.float32: plain[c] = plain[c].astype(np.float64)
        harsh = plain.copy()
        for c in self.table.words:
            harsh[c] = harsh[c].astype(object)
            harsh.loc[:5, c] = "Atlantis"
        for c in self.table.numbers: harsh.loc[8:12, c] = np.nan
        return [self.rows(harsh), self.rows(plain)]

    def options(self):
        mixed = self.how == "array" and not self.table.of_numbers
        return (["--own-ops"] if self.table.texts else []) + (["--inputs", "columns"] if mixed else [])

    def tolerance(self):
        boosted = any(b in drawn_models.said_in_full(self.model) for b in ("XGB", "LGBM", "CatBoost"))
        return FLOAT32 if boosted or (self.table.X.dtypes == np.float32).any() else TOLERANCE


def fed(asked):
    """The rows as tensors are made of them: pandas' own numbers as plain ones, a matrix of words and numbers by columns."""
    if isinstance(asked, np.ndarray): return asked if asked.dtype != object else pd.DataFrame({f"x{i}": asked[:, i] for i in range(asked.shape[1])})
    return asked.assign(**{c: asked[c].astype(float) for c in asked.columns if str(asked[c].dtype) in ("Int64", "Float64")})


def answers(model, asked):
    out = {}
    for m in METHODS:
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
    """The classes' method, wrapped, for as long as it lasts."""
    own = {C: getattr(C, method) for C in classes}
    try:
        for C, f in own.items(): setattr(C, method, wrap(f))
        yield
    finally:
        for C, f in own.items(): setattr(C, method, f)


@contextlib.contextmanager
def moved(seed):
    """Every transformer hands on its numbers moved by a rounding of their own type, each one up or down."""
    r = np.random.RandomState(seed)

    def moving(transform):
        @functools.wraps(transform)
        def f(self, X, *more, **named):
            out = transform(self, X, *more, **named)
            dense = out.toarray() if hasattr(out, "toarray") else out
            if not isinstance(dense, np.ndarray) or dense.dtype.kind != "f": return out
            near = dense + (r.choice([-1, 1], dense.shape) * (np.abs(dense) * 2 * np.finfo(dense.dtype).eps + 1e-17 * (dense is out))).astype(dense.dtype)
            return near if dense is out else type(out)(near)
        return f
    with replaced("transform", own_transforms(), moving): yield


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
    with replaced("predict", (neighbors.KNeighborsClassifier, neighbors.KNeighborsRegressor), noting): yield


def unsteady(model, asked, tolerance):
    """Rows that the library answers otherwise alone than among others, or when numbers move by a rounding."""
    apart, others = np.zeros(len(asked), bool), []
    with ties_noted(apart): whole = answers(model, asked)
    one = (lambda i: asked.iloc[i:i + 1]) if isinstance(asked, pd.DataFrame) else (lambda i: asked[i:i + 1])
    each = [answers(model, one(i)) for i in range(len(asked))]
    others.append({m: np.concatenate([e[m] for e in each]) for m in whole})
    for seed in range(16):
        with moved(seed): others.append(answers(model, asked))
    for other in others:
        for m, a in whole.items():
            b = other[m]
            differs = (a != b) if a.dtype.kind in "OU" else np.abs(a.astype(float) - b) > tolerance / 10 * np.maximum(1, np.abs(a.astype(float)))
            apart |= differs.reshape(len(asked), -1).any(axis=1)
    return apart


def said_by(error): return f"{type(error).__name__} {' '.join(str(error).split())[-600:]}"


def answered(drawn):
    """The harshest rows that the library answers."""
    for asked in drawn.asked():
        try: return asked, answers(drawn.model, asked), ""
        except Exception as e: why = e
    return None, None, said_by(why)


def run(args, engine, number, folder):
    """-> verdict, what was drawn, the largest difference, wrong labels, rows apart, what was said"""
    drawn = Drawn(number, args.seed, args.boosters)
    try: drawn.fit()
    except Exception as e: return "refused by the library", drawn, np.nan, 0, 0, said_by(e)
    if args.engine == "onnxruntime" and "Vectorizer" in drawn_models.said_in_full(drawn.model): return "left out", drawn, np.nan, 0, 0, "holds operators of our own"
    asked, said, why = answered(drawn)
    if asked is None: return "refused by the library", drawn, np.nan, 0, 0, why
    path, tolerance = f"{folder}/{number}.onnx", drawn.tolerance()
    try:
        compare.convert(args.onward, drawn.model, path, *drawn.options())
        got = engine.run(path, fed(asked))
        worst, wrong, _ = compare.compare(drawn.model, asked, got)
        apart = 0
        if wrong or worst > tolerance:
            ignore = unsteady(drawn.model, asked, tolerance)
            worst, wrong, _ = compare.compare(drawn.model, asked, got, ignore=ignore)
            apart = int(ignore.sum())
    except Exception as e: return "FAILED", drawn, np.nan, 0, 0, said_by(e)
    return "passed" if worst <= tolerance and not wrong else "FAILED", drawn, worst, wrong, apart, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("onward"), parser.add_argument("--count", type=int, default=300), parser.add_argument("--seed", type=int, default=0), parser.add_argument("--boosters", action="store_true")
    parser.add_argument("--only", type=int, nargs="+"), parser.add_argument("--engine", default="onward", choices=["onnxruntime", "onward"])
    args = parser.parse_args()
    engine, count = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="random_pipelines_") as folder:
        for number in args.only or range(args.count):
            verdict, drawn, worst, wrong, apart, why = run(args, engine, number, folder)
            count[verdict] += 1
            shown = drawn_models.said_in_full(drawn.model) if verdict == "FAILED" else type(drawn.model).__name__
            print(f"{number:4d} {drawn.table.name:14s} {drawn.how} {worst:9.2g} labels {wrong:3d} {f'apart {apart}' if apart else '':9s} {verdict} {shown} {why}", flush=True)
    print(f"{count['passed']} passed, {count['FAILED']} failed, {count['refused by the library'] + count['left out']} skipped")
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)


if __name__ == "__main__":
    main()
