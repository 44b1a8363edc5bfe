"""Compositions of which a conversion was once refused or wrong, each by what it is; compared with scikit-learn.

usage: compositions.py ONWARD [--engine onnxruntime|onward] [--filter TEXT]     One line per case; the last counts.
"""
import argparse, collections, os, sys, tempfile, warnings
from unittest import mock
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")
import numpy as np
import sklearn
import pandas as pd
from sklearn import compose, decomposition, ensemble, feature_selection, impute, linear_model, multiclass, naive_bayes, pipeline, preprocessing, tree
import compare
from tables import FIT, table

TOLERANCE = 1e-12
CASES = {}


def case(make):
    """A case gives a fitted model and rows to ask about; where another release is meant, that and the labels of that release too."""
    CASES[make.__name__.replace("_", " ")] = make
    return make


def rows(kind="clean", classes=3):
    X, score = table(kind)
    return X[:FIT], X[FIT:FIT + 300], np.digitize(score[:FIT], np.quantile(score, np.arange(1, classes) / classes))


def after(steps, last=None): return pipeline.make_pipeline(*steps, last or linear_model.LogisticRegression())


@case
def numbers_in_an_array_of_objects_are_filled_with_the_default_word():
    fit, asked, y = rows()
    return after([impute.SimpleImputer(strategy="constant"), preprocessing.StandardScaler()]).fit(fit.astype(object), y), asked


@case
def numbers_in_an_array_of_objects_and_whether_they_were_gone():
    fit, asked, y = rows()
    filled = pipeline.make_union(impute.SimpleImputer(strategy="constant", add_indicator=True), preprocessing.KBinsDiscretizer(3, encode="ordinal"))
    return after([filled], tree.DecisionTreeClassifier(max_depth=3, random_state=0)).fit(fit.astype(object), y), asked


@case
def a_word_fills_numbers_and_another_words():
    fit, asked, y = rows()
    def frame(X): return pd.DataFrame({"number": X[:, 0].astype(object), "word": pd.Series(np.where(X[:, 1] > 0, "high", "low")).mask(np.arange(len(X)) % 7 == 0)})
    filled = compose.ColumnTransformer([("n", pipeline.make_pipeline(impute.SimpleImputer(strategy="constant"), preprocessing.StandardScaler()), ["number"]),
                                        ("w", pipeline.make_pipeline(impute.SimpleImputer(strategy="constant", fill_value="?"), preprocessing.OneHotEncoder()), ["word"])])
    return after([filled]).fit(frame(fit), y), frame(asked).astype({"number": float})


@case
def float32_means_fill_among_doubles():
    fit, asked, y = rows("missing")
    return after([impute.SimpleImputer(), preprocessing.QuantileTransformer(n_quantiles=20)]).fit(fit.astype(np.float32), y), asked.astype(np.float32).astype(np.float64)


@case
def float32_rows_that_are_near_to_none_fill_gaps():
    fit, asked, _ = rows("gaps")
    asked[::3] = np.nan
    return impute.KNNImputer().fit(fit.astype(np.float32)), asked


@case
def whitened_components_without_variance_in_float32():
    fit = np.stack([np.resize([1, -1], FIT), np.zeros(FIT)], axis=1)                   # means and components are exact
    return decomposition.PCA(whiten=True).fit(fit.astype(np.float32)), rows()[1][:, :2] * [1, 1e-7]


@case
def float32_variances_of_many_columns():
    fit, asked, y = rows()
    fit, asked = (np.tile(X, 12) for X in (fit, asked))
    return naive_bayes.GaussianNB().fit(fit.astype(np.float32), y), asked


@case
def the_most_frequent_word_is_None():
    fit, asked, y = rows("none")
    fit[::2, 0], asked[::2, 0], asked[1, 0] = None, None, np.nan
    words = pipeline.make_pipeline(impute.SimpleImputer(strategy="most_frequent"), preprocessing.OneHotEncoder(handle_unknown="ignore"))
    return after([words]).fit(fit, y), asked


@case
def quantiles_of_a_sparse_matrix_leave_its_zeros():
    fit, asked, y = rows("ratings")
    steps = [preprocessing.KBinsDiscretizer(3, encode="onehot", strategy="uniform"), preprocessing.QuantileTransformer(n_quantiles=20, output_distribution="normal")]
    return after(steps).fit(fit, y), asked


@case
def false_discoveries_among_constant_columns():
    fit, asked, y = rows()
    fit, asked = (np.insert(X, [0, 2, 2, 4], 1.0, axis=1) for X in (fit, asked))
    return after([feature_selection.SelectFdr(alpha=0.9)]).fit(fit, y), asked


@case
def a_part_with_a_weight_selects_nothing():
    fit, asked, y = rows()
    parts = compose.ColumnTransformer([("a", feature_selection.SelectPercentile(percentile=60), [0]), ("b", "passthrough", [1, 2])], transformer_weights={"a": 0.5})
    return after([parts]).fit(fit, y), asked


def of_equals(version, which):
    """Classes each against the rest whose scores are equal."""
    fit, asked, y = rows("counts", 4)
    model = multiclass.OneVsRestClassifier(tree.DecisionTreeClassifier(random_state=0)).fit(fit, y)
    scores = np.stack([e.predict_proba(asked)[:, 1] for e in model.estimators_], axis=1)
    said = model.classes_[[which(np.flatnonzero(row == row.max())) for row in scores]]
    assert (np.sum(scores == scores.max(axis=1, keepdims=True), axis=1) > 1).any()
    return model, asked, version, said


@case
def of_equals_the_first_class(): return of_equals("1.8.0", min)


@case
def of_equals_the_last_class_before_1_8(): return of_equals("1.7.2", max)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("onward"), parser.add_argument("--filter", default=""), parser.add_argument("--engine", default="onward", choices=["onnxruntime", "onward"])
    args = parser.parse_args()
    engine, count = compare.OnnxRuntime() if args.engine == "onnxruntime" else compare.Onward(args.onward), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="compositions_") as folder:
        for name, make in CASES.items():
            if args.filter not in name: continue
            model, asked, *release = make()
            worst, wrong, why = np.nan, 0, ""
            try:
                with mock.patch("sklearn.base.__version__", *release[:1] or [sklearn.__version__]): compare.convert(args.onward, model, f"{folder}/m.onnx")
                got = engine.run(f"{folder}/m.onnx", asked)
                if release: wrong = int((got.pop("label") != release[1]).sum())
                worst, more, _ = compare.compare(model, asked, got)
                wrong += more
            except Exception as e: why = f"{type(e).__name__} {' '.join(str(e).split())[-500:]}"
            verdict = "passed" if worst <= TOLERANCE and not wrong else "FAILED"
            count[verdict] += 1
            print(f"{name:70s} {worst:9.2g} labels {wrong:3d} {verdict} {why}", flush=True)
    print(f"{count['passed']} passed, {count['FAILED']} failed")
    sys.exit(1 if count["FAILED"] or not count["passed"] else 0)


if __name__ == "__main__":
    main()
