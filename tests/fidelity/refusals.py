"""What the library refuses, `onward predict` refuses, and what it takes is taken: infinite and missing values, for every row of the
families' tables of numbers and for some pipelines.

usage: refusals.py ONWARD ROWS [--filter TEXT]
Two rows go through each fitted estimator and through its model, the second with an infinite value or a gap. A refusal names that row
and the column. Prints one line for each case that differs; the last line counts.
"""
import argparse, collections, json, subprocess, sys, tempfile
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor
import compare, tables
from fidelity import CLASSES, cases, make   # sets threads and warnings, too

ODD = {"infinity": np.inf, "negative infinity": -np.inf, "a gap": np.nan}
FIRST = "c.0 %é"


def pipelines():
    """Where a column is refused by a step behind others, by one of several side by side, or by none."""
    yield make_pipeline(StandardScaler(), LinearRegression())
    yield make_pipeline(SimpleImputer(), LinearRegression())
    yield make_pipeline(SimpleImputer(), HistGradientBoostingRegressor(max_iter=3))
    yield make_pipeline(FunctionTransformer(), LinearRegression())
    yield make_pipeline(FunctionTransformer(), HistGradientBoostingRegressor(max_iter=3))
    yield make_pipeline(FunctionTransformer(np.abs), LinearRegression())
    yield make_pipeline(FunctionTransformer(np.tanh), StandardScaler())
    yield make_pipeline(FunctionTransformer(np.arctan), LinearRegression())
    yield make_pipeline(FunctionTransformer(np.isnan), LinearRegression())
    yield make_pipeline(FunctionTransformer(np.floor), OneHotEncoder(handle_unknown="ignore"))
    yield make_pipeline(FunctionTransformer(np.square), OneHotEncoder())
    yield make_pipeline(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), LinearRegression())
    yield make_pipeline(StandardScaler(), DecisionTreeRegressor(max_depth=3))
    yield ColumnTransformer([("scaled", StandardScaler(), [FIRST])], remainder="passthrough")
    yield ColumnTransformer([("scaled", StandardScaler(), ["c.1 %é"])], remainder="passthrough")
    yield ColumnTransformer([("scaled", StandardScaler(), ["c.1 %é"])])
    yield make_pipeline(ColumnTransformer([("scaled", StandardScaler(), ["c.1 %é"])], remainder="passthrough"), HistGradientBoostingRegressor(max_iter=3))
    yield FeatureUnion([("as it is", FunctionTransformer()), ("filled", SimpleImputer())])


def library_takes(estimator, asked):
    method = next(m for m in ("predict", "transform", "score_samples", "mahalanobis") if hasattr(estimator, m))
    try:
        getattr(estimator, method)(asked)
        return True
    except ValueError:
        return False


def onward_takes(onward, model, asked, folder):
    """Whether it does, and what it said."""
    asked.to_csv(f"{folder}/asked.csv", index=False)
    done = subprocess.run([onward, "predict", model, f"{folder}/asked.csv", "-o", "-"], capture_output=True, text=True)
    if done.returncode not in (0, 3): raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
    return done.returncode == 0, done.stderr


def ask(onward, estimator, frame, shown, folder, count):
    compare.convert(onward, estimator, f"{folder}/model.onnx")
    for what, value in ODD.items():
        asked = frame[:2].fillna(1.0)
        asked.iloc[1, 0] = value
        library, (ours, said) = library_takes(estimator, asked), onward_takes(onward, f"{folder}/model.onnx", asked, folder)
        wrong = f"the library {'takes' if library else 'refuses'} it, onward {'takes' if ours else 'refuses'} it" if library != ours else ""
        if not ours and f"row 2, column '{FIRST}'" not in said: wrong += " row and column are not named: " + said.strip()
        count["failed" if wrong else "taken" if ours else "refused"] += 1
        if wrong: print(f"{shown} {what}: {wrong}", flush=True)


def main(args):
    count = collections.Counter()
    rows = [r for r in json.loads(subprocess.run([args.rows], capture_output=True, text=True, check=True).stdout) if args.filter in r["class"]]
    with tempfile.TemporaryDirectory(prefix="refusals_") as folder:
        for row, name, kind, case in cases(rows):
            X, score = tables.table(kind)
            frame = tables.as_frame(X)
            if name not in CLASSES or not all(dtype == np.float64 for dtype in frame.dtypes): continue
            try:
                estimator = make(name, case).fit(frame[:tables.FIT], tables.targets(make(name, case), score, row["targets"])[0][1][:tables.FIT])
            except (ValueError, TypeError):
                count["not fitted"] += 1
                continue
            ask(args.onward, estimator, frame, f"{name + case} {kind}", folder, count)
        X, score = tables.table("ratings")
        frame = tables.as_frame(X)
        for pipeline in pipelines():
            if args.filter in type(pipeline).__name__:
                ask(args.onward, pipeline.fit(frame[:tables.FIT], score[:tables.FIT]), frame, " ".join(str(pipeline).split()), folder, count)
    passed = count["taken"] + count["refused"]
    print(f"{count['taken']} taken by both, {count['refused']} refused by both, {count['not fitted']} that the library does not fit")
    print(f"{passed} passed, {count['failed']} failed")
    return 1 if count["failed"] or not passed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("rows"), parser.add_argument("--filter", default="")
    sys.exit(main(parser.parse_args()))
