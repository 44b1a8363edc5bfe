"""Frames of numbers, strings and bools through the compositions people build; compared with scikit-learn.

usage: pipelines.py ONWARD [--engine onnxruntime|onward] [--json FILE]     One line per pipeline; the last counts.
Rows counted apart: ties of k nearest neighbours, and numbers that lie on a threshold within a rounding (see unsteady).
"""
import argparse, collections, json, os, sys, tempfile, warnings
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")
import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer as CT, make_column_selector as selector
from sklearn.decomposition import PCA
from sklearn.ensemble import (BaggingClassifier, ExtraTreesClassifier, GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier,
                              StackingClassifier, VotingClassifier)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline as P, make_union
from sklearn.preprocessing import (FunctionTransformer, MaxAbsScaler, MinMaxScaler, OneHotEncoder, OrdinalEncoder, PolynomialFeatures, RobustScaler,
                                   StandardScaler)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
import compare
from tables import ASK, FIT

r, n = np.random.RandomState(0), FIT + ASK
df = pd.DataFrame({"age": r.randint(18, 80, n).astype(float), "fare": np.round(np.exp(r.randn(n)), 2), "rating": np.round(r.rand(n) * 5, 1), "clicks": r.randint(0, 9, n),
                   "home.dest": pd.Series(r.choice(["Köln", "Paris", "大阪", "Rome", "", "None"], n, p=[.4, .3, .2, .02, .04, .04]), dtype=object),
                   "plan": pd.Series(r.choice(["a", "b"], n), dtype=object), "member": r.rand(n) > .5})
df.loc[r.rand(n) < .1, "age"] = np.nan
df.loc[r.rand(n) < .1, "rating"] = np.nan
df.loc[r.rand(n) < .08, "home.dest"] = None
y2 = np.where((df.fare > 1) ^ (df["home.dest"] == "Paris") | (df.age > 60), "stay", "go")
y3 = np.where(df.rating > 3, "hi", y2)
numbers, words = ["age", "fare", "rating"], ["home.dest", "plan"]


def onehot(**k): return OneHotEncoder(handle_unknown="ignore", **k)
def imputed(scaler=StandardScaler): return P(SimpleImputer(strategy="median"), scaler())
def filled(): return P(SimpleImputer(strategy="constant", fill_value="?", missing_values=None), onehot())


PREPARATIONS = {
    "names": lambda: CT([("n", imputed(), numbers), ("c", onehot(), words)]),
    "imputed strings": lambda: CT([("n", imputed(RobustScaler), numbers), ("c", filled(), words)]),
    "selectors": lambda: CT([("n", imputed(MinMaxScaler), selector(dtype_include=np.number)), ("c", onehot(min_frequency=30), selector(dtype_include=object))]),
    "pattern, mask": lambda: CT([("n", imputed(), selector(pattern="^(age|fare)$")), ("c", onehot(), [False] * 4 + [True, True, False])]),
    "remainder passthrough": lambda: CT([("n", imputed(), numbers), ("c", onehot(), words)], remainder="passthrough"),
    "remainder estimator": lambda: CT([("c", onehot(drop="if_binary"), words), ("b", OrdinalEncoder(), ["member"])], remainder=imputed()),
    "drop, ints, slices": lambda: CT([("d", "drop", [3]), ("n", imputed(), slice(0, 3)), ("m", "passthrough", ["member"]),
                                      ("c", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2), [4, 5])]),
    "callable, name slice": lambda: CT([("n", imputed(), slice("age", "rating")), ("c", onehot(max_categories=3), words)], verbose_feature_names_out=False),
    "union inside": lambda: CT([("n", P(SimpleImputer(add_indicator=True), make_union(StandardScaler(), MaxAbsScaler(), "passthrough")), numbers), ("c", onehot(), words)], transformer_weights={"n": .5}),
    "set_output": lambda: CT([("n", P(SimpleImputer(), PolynomialFeatures(2), PCA(4)), numbers), ("l", FunctionTransformer(np.log1p), ["fare", "clicks"]), ("c", onehot(sparse_output=False), ["plan"])]).set_output(transform="pandas"),
    "bools one-hot": lambda: CT([("n", imputed(), numbers), ("b", onehot(drop="if_binary"), ["member"]), ("k", onehot(), ["clicks"])], sparse_threshold=0),
}
ESTIMATORS = {
    "logistic": lambda: LogisticRegression(max_iter=500), "tree": lambda: DecisionTreeClassifier(random_state=0), "forest": lambda: RandomForestClassifier(20, random_state=0),
    "extra": lambda: ExtraTreesClassifier(20, random_state=0), "gb": lambda: GradientBoostingClassifier(n_estimators=20, random_state=0),
    "hgb": lambda: HistGradientBoostingClassifier(max_iter=20), "knn": lambda: KNeighborsClassifier(), "nb": lambda: GaussianNB(var_smoothing=1e-3),
    "sgd": lambda: SGDClassifier(loss="log_loss", random_state=0), "svc": lambda: SVC(), "mlp": lambda: MLPClassifier((8,), max_iter=30, random_state=0),
}
def tree(depth): return DecisionTreeClassifier(max_depth=depth, random_state=0)
def named(last): return P(PREPARATIONS["names"](), last)


# Estimators made of whole pipelines, which see the frame with its words, and those that stand within one.
ENSEMBLES = {
    "voting": lambda: VotingClassifier([("a", named(tree(3))), ("b", named(GaussianNB(var_smoothing=1e-3))), ("c", P(PREPARATIONS["remainder passthrough"](), tree(4)))]),
    "soft voting": lambda: VotingClassifier([("a", named(LogisticRegression(max_iter=500))), ("b", named(tree(3)))], voting="soft", weights=[1, 2]),
    "stacking": lambda: StackingClassifier([("a", named(LogisticRegression(max_iter=500))), ("b", named(tree(3)))], cv=2),
    "stacking of voting": lambda: StackingClassifier([("v", ENSEMBLES["soft voting"]()), ("c", ENSEMBLES["calibrated"]())], tree(4), cv=2),
    "stacking, passed on": lambda: named(StackingClassifier([("a", LogisticRegression(max_iter=500)), ("b", tree(3))], passthrough=True, cv=2)),
    "calibrated": lambda: CalibratedClassifierCV(named(tree(4)), method="isotonic", cv=2),
    "one against the rest": lambda: OneVsRestClassifier(named(tree(3))),
    "one against one": lambda: named(OneVsOneClassifier(SVC())),
    "codes": lambda: OutputCodeClassifier(named(tree(3)), code_size=4, random_state=0),
    "bagging": lambda: named(BaggingClassifier(tree(4), 5, max_features=.5, random_state=0)),
}
# The library's own answer within 1e-12 of ours; trees bit for bit.
TOLERANCE = collections.defaultdict(lambda: 1e-12, tree=0, forest=0, extra=0)


def searched(model, estimator, target, preparation):
    if estimator == "logistic" and target == "2": return GridSearchCV(model, {"logisticregression__C": [.1, 1]}, cv=2)
    if estimator == "tree" and target == "3": return RandomizedSearchCV(model, {"decisiontreeclassifier__max_depth": [3, 5, 9]}, n_iter=2, cv=2, random_state=0)
    return model


def unsteady(model, asked):
    """Rows of which the library itself says something else when its numbers move by a rounding: a product of matrices is exact to the
    last bit in no two libraries, and HistGradientBoosting's thresholds lie on values of the training data."""
    last = model[-1]
    seen = np.asarray(model[:-1].transform(asked), float)
    nudged = [last.predict_proba(seen * (1 + s * 4e-16)) for s in (-1, 1, np.random.RandomState(0).choice([-1, 1], seen.shape))]
    return np.any([np.abs(p - last.predict_proba(seen)).max(axis=1) > 1e-12 for p in nudged], axis=0)


def ignored(model, asked, preparation):
    last = model[-1] if hasattr(model, "steps") else None
    if isinstance(last, HistGradientBoostingClassifier) and preparation == "set_output": return unsteady(model, asked)
    if not isinstance(last, KNeighborsClassifier): return None
    distances = last.kneighbors(model[:-1].transform(asked), n_neighbors=last.n_neighbors + 1)[0]
    return np.isclose(distances[:, -1], distances[:, -2], rtol=1e-12, atol=1e-14)


def models():
    """-> preparation, estimator, target, y, what makes the model"""
    for target, y in (("2", y2), ("3", y3)):
        for preparation, prepare in PREPARATIONS.items():
            for estimator, make in ESTIMATORS.items():
                yield preparation, estimator, target, y, lambda p=prepare, m=make, e=estimator, t=target, n=preparation: searched(P(p(), m()), e, t, n)
        for estimator, make in ENSEMBLES.items(): yield "made of pipelines", estimator, target, y, make


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("--json"), parser.add_argument("--engine", default="onnxruntime", choices=["onnxruntime", "onward"])
    args = parser.parse_args()
    engine = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward)
    count, report = collections.Counter(), []
    fit, asked = df[:FIT], df[FIT:].copy()
    asked.loc[asked.index[:60], "home.dest"] = "Atlantis"
    with tempfile.TemporaryDirectory(prefix="pipelines_") as folder:
        for preparation, estimator, target, y, make in models():
            worst, wrong, ties, why = np.nan, 0, 0, ""
            try:
                model = make().fit(fit, y[:FIT])
                path = f"{folder}/{len(report)}.onnx"
                compare.convert(args.onward, model, path)
                ignore = ignored(model, asked, preparation)
                ties = 0 if ignore is None else int(ignore.sum())
                worst, wrong, _ = compare.compare(model, asked, engine.run(path, asked), ignore=ignore)
                verdict = "passed" if worst <= TOLERANCE[estimator] and not wrong else "FAILED"
            except Exception as e:
                verdict, why = "FAILED", f"{type(e).__name__} {e}"[-300:].replace("\n", " ")
            count[verdict] += 1
            print(f"{preparation:22s} {estimator:20s} {target} {worst:9.2g} labels {wrong:4d} {f'apart {ties}' if ties else ''} {verdict} {why}", flush=True)
            report.append({"pipeline": preparation, "estimator": estimator, "target": target, "engine": args.engine, "max_difference": None if worst != worst else float(worst),
                           "wrong_labels": wrong, "rows_apart": ties, "verdict": verdict})
    if args.json:
        with open(args.json, "w") as f: json.dump(report, f, indent=1)
    print(f"{count['passed']} passed, {count['FAILED']} failed, 0 skipped")
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)
