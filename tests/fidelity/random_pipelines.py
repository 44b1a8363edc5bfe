"""Compositions drawn at random: columns, unions, steps and estimators nested in each other, on real tables; compared with scikit-learn.

usage: random_pipelines.py ONWARD [--count N] [--seed N] [--only N] [--engine onnxruntime|onward]     One line per pipeline; the last counts.
Rows counted apart: those that the library itself answers otherwise when they are asked one by one (a product of matrices is rounded by the
shape of the batch) or when what its steps hand on moves by a rounding: they stand on a threshold. Nearest neighbours for gaps are not
drawn: among columns of few values the library picks one of many that are as near. --only runs the pipeline of one number.
"""
import argparse, collections, contextlib, functools, os, sys, tempfile, warnings
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")
import numpy as np
import pandas as pd
import sklearn.experimental.enable_halving_search_cv, sklearn.experimental.enable_iterative_imputer  # noqa: F401
from sklearn import (calibration, compose, datasets, decomposition, discriminant_analysis, ensemble, feature_selection, impute, kernel_approximation,
                     linear_model, model_selection, multiclass, naive_bayes, neighbors, neural_network, pipeline, preprocessing, random_projection, svm, tree)
from sklearn.utils import all_estimators
import compare

FIT, ASK = 350, 220
TOLERANCE = 1e-9                        # relative beyond 1, for compositions of any depth; labels must be equal


def mixed(seed):
    """A table as people have it: prices, ratings, counts, words, truths, with gaps."""
    r, n = np.random.RandomState(seed), FIT + ASK
    frame = pd.DataFrame({"age": r.randint(1, 80, n).astype(float), "fare": np.round(np.exp(r.randn(n) + 2), 2), "rating": np.round(r.rand(n) * 5, 1), "children": r.randint(0, 5, n),
                          "port": pd.Series(r.choice(["Southampton", "Cherbourg", "Queenstown", "Zürich"], n, p=[.6, .2, .15, .05]), dtype=object),
                          "class": pd.Series(r.choice(["first", "second", "third"], n), dtype=object), "member": r.rand(n) > .5})
    for column, share in (("age", .15), ("rating", .05)): frame.loc[r.rand(n) < share, column] = np.nan
    score = (frame.fare > 8).astype(int) + (frame.port == "Cherbourg") + (frame.age.fillna(40) > 50)
    return frame, np.where(score > 1, "yes", np.where((score == 1) & (r.rand(n) < .8), "maybe", "no")), np.round(score + .3 * r.randn(n), 3)


def table(r):
    """-> a name, the rows, classes, numbers to predict"""
    kind = r.choice(["mixed", "mixed", "mixed", "wine", "breast cancer", "digits", "iris", "diabetes"])
    if kind == "mixed": return (kind, *mixed(r.randint(100)))
    load = {"wine": datasets.load_wine, "breast cancer": datasets.load_breast_cancer, "digits": datasets.load_digits, "iris": datasets.load_iris, "diabetes": datasets.load_diabetes}[kind]
    data = load(as_frame=True)
    order = np.random.RandomState(0).permutation(len(data.data))
    X, y = data.data.iloc[order].reset_index(drop=True), data.target.to_numpy()[order]
    X = pd.concat([X] * (1 + (FIT + ASK) // len(X)), ignore_index=True)[:FIT + ASK]
    y = np.concatenate([y] * (1 + (FIT + ASK) // len(y)))[:FIT + ASK]
    return kind, X, (y > np.median(y)).astype(int) if kind == "diabetes" else y, y.astype(float)


def of(r, *choices): return choices[r.randint(len(choices))]


def scaling(r):
    P = preprocessing
    return of(r, lambda: P.StandardScaler(with_mean=bool(r.randint(2))), P.MinMaxScaler, P.RobustScaler, P.MaxAbsScaler, lambda: P.PowerTransformer(standardize=bool(r.randint(2))),
              lambda: P.QuantileTransformer(n_quantiles=int(r.randint(5, 60))), lambda: P.KBinsDiscretizer(int(r.randint(3, 6)), encode=of(r, "ordinal", "onehot-dense"), quantile_method="averaged_inverted_cdf"),
              lambda: P.SplineTransformer(int(r.randint(3, 6))), lambda: P.Normalizer(norm=of(r, "l1", "l2", "max")), lambda: P.FunctionTransformer(np.abs), lambda: "passthrough")()


def reducing(r):
    return of(r, lambda: decomposition.PCA(2, whiten=bool(r.randint(2))), lambda: decomposition.TruncatedSVD(2, random_state=0), lambda: preprocessing.PolynomialFeatures(2, interaction_only=bool(r.randint(2))),
              lambda: feature_selection.SelectKBest(k=2), feature_selection.VarianceThreshold, lambda: feature_selection.SelectFromModel(tree.DecisionTreeClassifier(max_depth=3, random_state=0), threshold="mean"),
              lambda: random_projection.GaussianRandomProjection(3, random_state=0), lambda: kernel_approximation.Nystroem(n_components=8, random_state=0),
              lambda: kernel_approximation.RBFSampler(n_components=8, random_state=0), lambda: decomposition.FastICA(2, random_state=0, whiten="unit-variance"), lambda: "passthrough")()


def filling(r):
    return impute.SimpleImputer(strategy=of(r, "mean", "median", "most_frequent", "constant"), add_indicator=bool(r.randint(2)))


def numbers(r, depth=2):
    """What happens to columns of numbers, gaps included."""
    steps = [filling(r)] + [scaling(r) for _ in range(r.randint(1, 3))]
    if depth and r.rand() < .3: steps.append(pipeline.make_union(*(of(r, scaling, reducing)(r) for _ in range(r.randint(1, 4)))))
    elif r.rand() < .5: steps.append(reducing(r))
    return pipeline.make_pipeline(*steps)


def words(r):
    P = preprocessing
    return of(r, lambda: P.OneHotEncoder(handle_unknown=of(r, "ignore", "infrequent_if_exist"), min_frequency=of(r, None, 20), drop=of(r, None, "if_binary"), sparse_output=bool(r.randint(2))),
              lambda: P.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), lambda: P.TargetEncoder(random_state=0))()


def columns(r, X):
    """A table becomes numbers: by one ColumnTransformer, or by one that has another inside."""
    if "port" not in X: return numbers(r)
    lists = list(X.columns[:4]), ["port", "class"]
    parts = [("n", numbers(r), lists[0]), ("c", words(r), lists[1])]
    if r.rand() < .3: parts[0] = ("n", compose.ColumnTransformer([("a", numbers(r, 0), lists[0][:2]), ("b", numbers(r, 0), lists[0][2:])], transformer_weights=of(r, None, {"a": .5})), lists[0])
    if r.rand() < .5: parts.append(("b", "passthrough", ["member"]))
    return compose.ColumnTransformer(parts, remainder=of(r, "drop", "passthrough") if len(parts) == 3 else "drop", sparse_threshold=of(r, 0, .3), verbose_feature_names_out=bool(r.randint(2)))


def classifier(r, depth=2):
    L, E = linear_model, ensemble
    if depth and r.rand() < .4:
        inner = lambda: classifier(r, depth - 1)
        likely = lambda: of(r, lambda: L.LogisticRegression(max_iter=300), lambda: tree.DecisionTreeClassifier(max_depth=4, random_state=0), naive_bayes.GaussianNB)()
        return of(r, lambda: E.VotingClassifier([("a", likely()), ("b", likely()), ("c", likely())], voting=of(r, "hard", "soft")), lambda: E.StackingClassifier([("a", likely()), ("b", inner())], cv=2, passthrough=bool(r.randint(2))),
                  lambda: E.BaggingClassifier(inner(), 3, max_features=.7, random_state=0), lambda: calibration.CalibratedClassifierCV(likely(), method=of(r, "sigmoid", "isotonic"), cv=2),
                  lambda: multiclass.OneVsRestClassifier(likely()), lambda: multiclass.OneVsOneClassifier(likely()), lambda: E.AdaBoostClassifier(tree.DecisionTreeClassifier(max_depth=2, random_state=0), n_estimators=4, random_state=0),
                  lambda: model_selection.GridSearchCV(L.LogisticRegression(max_iter=200), {"C": [.1, 1]}, cv=2))()
    return of(r, lambda: L.LogisticRegression(max_iter=300), lambda: L.RidgeClassifier(), lambda: L.SGDClassifier(loss=of(r, "log_loss", "hinge"), random_state=0), lambda: tree.DecisionTreeClassifier(random_state=0),
              lambda: E.RandomForestClassifier(int(r.randint(5, 20)), random_state=0), lambda: E.ExtraTreesClassifier(10, random_state=0), lambda: E.GradientBoostingClassifier(n_estimators=8, random_state=0),
              lambda: E.HistGradientBoostingClassifier(max_iter=8), lambda: svm.SVC(kernel=of(r, "rbf", "linear", "poly")), lambda: svm.LinearSVC(), naive_bayes.GaussianNB, discriminant_analysis.LinearDiscriminantAnalysis,
              lambda: neighbors.KNeighborsClassifier(int(r.randint(1, 8)), weights=of(r, "uniform", "distance")), neighbors.NearestCentroid, lambda: neural_network.MLPClassifier((8,), max_iter=30, random_state=0))()


def regressor(r, depth=2):
    L, E = linear_model, ensemble
    if depth and r.rand() < .35:
        inner = lambda: regressor(r, depth - 1)
        return of(r, lambda: E.VotingRegressor([("a", inner()), ("b", inner())]), lambda: E.StackingRegressor([("a", inner()), ("b", inner())], cv=2), lambda: E.BaggingRegressor(inner(), 3, random_state=0),
                  lambda: E.AdaBoostRegressor(tree.DecisionTreeRegressor(max_depth=3, random_state=0), n_estimators=4, random_state=0), lambda: compose.TransformedTargetRegressor(inner(), transformer=preprocessing.StandardScaler()))()
    return of(r, L.LinearRegression, L.Ridge, lambda: L.Lasso(.01), lambda: L.HuberRegressor(max_iter=500), lambda: tree.DecisionTreeRegressor(random_state=0), lambda: E.RandomForestRegressor(8, random_state=0),
              lambda: E.GradientBoostingRegressor(n_estimators=8, random_state=0), lambda: E.HistGradientBoostingRegressor(max_iter=8), lambda: svm.SVR(), lambda: neighbors.KNeighborsRegressor(5), lambda: neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=50, random_state=0))()


def drawn(number, seed):
    """-> the table's name, its rows, y and the pipeline of a number"""
    r = np.random.RandomState([seed, number])
    name, X, classes, values = table(r)
    of_classes = r.rand() < .7
    return name, X, classes if of_classes else values, pipeline.make_pipeline(columns(r, X), classifier(r) if of_classes else regressor(r))


def answers(model, asked):
    return {m: getattr(model, m)(asked) for m in ("predict_proba", "decision_function", "predict") if hasattr(model, m)}


@contextlib.contextmanager
def moved(seed):
    """Every transformer hands on its numbers moved by a rounding, each one up or down."""
    r, own = np.random.RandomState(seed), {}

    def moving(transform):
        @functools.wraps(transform)
        def f(self, X, *more):
            out = transform(self, X, *more)
            dense = out.toarray() if hasattr(out, "toarray") else out
            if not isinstance(dense, np.ndarray) or dense.dtype.kind != "f": return out
            return dense + r.choice([-1, 1], dense.shape) * (np.abs(dense) * 4e-16 + 1e-17)
        return f
    for _, C in all_estimators(type_filter="transformer"):
        if "transform" in vars(C) and not issubclass(C, (compose.ColumnTransformer, pipeline.FeatureUnion)): own[C] = C.transform
    try:
        for C, transform in own.items(): C.transform = moving(transform)
        yield
    finally:
        for C, transform in own.items(): C.transform = transform


def unsteady(model, asked):
    """Rows that the library answers otherwise alone than among others, or when numbers move by a rounding."""
    whole, others = answers(model, asked), []
    each = [answers(model, asked.iloc[i:i + 1]) for i in range(len(asked))]
    others.append({m: np.concatenate([e[m] for e in each]) for m in whole})
    for seed in range(16):
        with moved(seed): others.append(answers(model, asked))
    apart = np.zeros(len(asked), bool)
    for other in others:
        for m, a in whole.items():
            b = other[m]
            differs = (a != b) if a.dtype.kind in "OU" else np.abs(a.astype(float) - b) > TOLERANCE / 10 * np.maximum(1, np.abs(a.astype(float)))
            apart |= differs.reshape(len(asked), -1).any(axis=1)
    return apart


def run(args, engine, number, folder):
    name, X, y, model = drawn(number, args.seed)
    try: model.fit(X[:FIT], y[:FIT])
    except Exception as e: return "refused by the library", name, model, np.nan, 0, 0, str(e)
    path, asked = f"{folder}/{number}.onnx", X[FIT:].reset_index(drop=True)
    if "port" in X: asked.loc[:5, "port"] = "Atlantis"
    try:
        compare.convert(args.onward, model, path)
        got = engine.run(path, asked)
        worst, wrong, _ = compare.compare(model, asked, got)
        apart = 0
        if wrong or worst > TOLERANCE:
            ignore = unsteady(model, asked)
            worst, wrong, _ = compare.compare(model, asked, got, ignore=ignore)
            apart = int(ignore.sum())
    except Exception as e: return "FAILED", name, model, np.nan, 0, 0, f"{type(e).__name__} {e}"[-400:].replace("\n", " ")
    return "passed" if worst <= TOLERANCE and not wrong else "FAILED", name, model, worst, wrong, apart, ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("onward"), parser.add_argument("--count", type=int, default=300), parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int), parser.add_argument("--engine", default="onward", choices=["onnxruntime", "onward"])
    args = parser.parse_args()
    engine, count = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="random_pipelines_") as folder:
        for number in [args.only] if args.only is not None else range(args.count):
            verdict, name, model, worst, wrong, apart, why = run(args, engine, number, folder)
            count[verdict] += 1
            shown = " ".join(str(model).split()) if verdict == "FAILED" else type(model[-1]).__name__
            print(f"{number:4d} {name:14s} {worst:9.2g} labels {wrong:3d} {f'apart {apart}' if apart else '':9s} {verdict} {shown} {why}", flush=True)
    print(f"{count['passed']} passed, {count['FAILED']} failed, {count['refused by the library']} skipped")
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)


if __name__ == "__main__":
    main()
