"""Tables as users have them, through `session.predict` and through `onward predict` of CSV and JSON: what the library answers for a table,
the model answers, and what the library refuses is refused. scikit-learn's pipelines, and the boosting libraries where they are installed.

usage: inputs.py ONWARD [--filter TEXT] [--library NAME] [--every N]
Prints one line for each case that differs; the last line counts. A case is a model, a table it was fitted on, and another table that
differs from that in one thing. --every N takes each model's every N-th table, other ones with each model.
"""
import argparse, collections, importlib.util, os, re, subprocess, sys, tempfile, warnings
os.environ["OMP_NUM_THREADS"] = "1"
warnings.simplefilter("ignore")
import numpy as np
import onward
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier

ROWS = 240
TOWNS = ["Oslo", "Köln", "", "nan", "None", "1", "2.0", "True"]
WORDS, NUMBERS = ["town", "kind"], ["age", "fare", "count"]


def frame(seed=0):
    r = np.random.default_rng(seed)
    return pd.DataFrame({"age": np.round(r.normal(40, 12, ROWS), 1), "fare": np.exp(r.normal(2, 1, ROWS)), "count": r.integers(0, 6, ROWS), "alone": r.random(ROWS) < .4,
                         "town": r.choice(TOWNS, ROWS), "kind": r.choice(["a", "b", "c"], ROWS)})


def target(t): return ((t["age"] / 20 + t["count"] - 2 * t["alone"] + (t["town"] == "Oslo") + 2 * (t["kind"] == "b")) > 4).astype(int)


def gaps(t, columns, value=np.nan, every=9):
    t = t.copy()
    for k, c in enumerate(columns):
        if t[c].dtype.kind in "ib" and value is not pd.NA: t[c] = t[c].astype(object if t[c].dtype.kind == "b" else float)
        if value is None: t[c] = t[c].astype(object)
        t.loc[t.index % every == k, c] = value
    return t


# ---- models: name -> (estimator, table that it is fitted on)

def pipeline(words, final=None, numbers=None, bools="passthrough"):
    numbers = numbers if numbers is not None else make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = ColumnTransformer([("numbers", numbers, NUMBERS), ("bools", bools, ["alone"]), ("words", words, WORDS)])
    return make_pipeline(columns, LogisticRegression(max_iter=300) if final is None else final)


def sklearn_models():
    base, few = frame(), ["age", "fare", "count", "alone"]
    ignore = lambda: OneHotEncoder(handle_unknown="ignore")
    code = lambda: OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    yield "one-hot", pipeline(ignore()), base
    yield "one-hot of objects", pipeline(ignore()), base.astype({c: object for c in WORDS})
    yield "one-hot of categories", pipeline(ignore()), base.astype({c: "category" for c in WORDS})
    yield "one-hot of string", pipeline(ignore()), base.astype({c: "string" for c in WORDS})
    yield "one-hot, error", pipeline(OneHotEncoder()), base
    yield "one-hot, infrequent", pipeline(OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=29)), base
    yield "one-hot of gaps", pipeline(ignore()), gaps(base, WORDS)
    yield "one-hot of gaps, error", pipeline(OneHotEncoder()), gaps(base, WORDS)
    yield "one-hot of None", pipeline(ignore()), gaps(base, WORDS, None)
    yield "one-hot of bools", pipeline(ignore(), bools=ignore()), base
    yield "one-hot of bools, error", pipeline(ignore(), bools=OneHotEncoder()), base
    yield "one-hot of numbers", pipeline(ignore(), numbers=ignore()), base.assign(age=base["age"].round(-1), fare=base["fare"].round(-1))
    yield "one-hot of numbers with gaps", pipeline(ignore(), numbers=ignore()), gaps(base.assign(age=base["age"].round(-1), fare=base["fare"].round(-1)), ["age", "count"])
    yield "ordinal", pipeline(code(), RandomForestClassifier(5, max_depth=5, random_state=0)), base
    yield "ordinal of gaps", pipeline(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2), DecisionTreeClassifier(max_depth=6)), gaps(base, WORDS)
    yield "imputed words", pipeline(make_pipeline(SimpleImputer(strategy="most_frequent"), ignore())), gaps(base, WORDS).astype({c: object for c in WORDS})
    yield "constant for words", pipeline(make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), ignore())), gaps(base, WORDS).astype({c: object for c in WORDS})
    yield "target encoder", pipeline(TargetEncoder(random_state=0)), base
    yield "numbers alone", make_pipeline(StandardScaler(), LogisticRegression()), base[few]
    yield "trees of numbers", RandomForestClassifier(5, max_depth=5, random_state=0), gaps(base[few].astype({"count": float}), ["age", "count"])
    yield "histograms", HistGradientBoostingClassifier(max_iter=8, categorical_features="from_dtype", random_state=0), gaps(base, ["age"]).astype({c: "category" for c in WORDS})
    yield "nullable", pipeline(ignore(), bools=ignore()), base.astype({"age": "Float64", "count": "Int64", "alone": "boolean", "town": "string", "kind": "string"})


def xgboost_models():
    import xgboost
    few = ["age", "fare", "count", "alone"]
    small = dict(n_estimators=8, max_depth=4, n_jobs=1)
    yield "xgboost", xgboost.XGBClassifier(**small), gaps(frame()[few], ["age"])
    TOWNS[1] = "Koeln"                                       # XGBoost loses the ends of words beyond ASCII: refused
    yield "xgboost categories", xgboost.XGBClassifier(enable_categorical=True, max_cat_to_onehot=2, **small), gaps(frame(), ["age"]).astype({c: "category" for c in WORDS})
    TOWNS[1] = "Köln"


def lightgbm_models():
    import lightgbm
    small = dict(n_estimators=8, num_leaves=7, min_child_samples=5, verbose=-1, n_jobs=1)
    yield "lightgbm", lightgbm.LGBMClassifier(**small), gaps(frame()[["age", "fare", "count", "alone"]], ["age"])
    yield "lightgbm categories", lightgbm.LGBMClassifier(min_data_per_group=5, cat_smooth=1., **small), gaps(frame(), ["age"]).astype({c: "category" for c in WORDS})
    whole = frame()
    yield "lightgbm categories of numbers", lightgbm.LGBMClassifier(min_data_per_group=5, cat_smooth=1., **small), whole.astype({"count": "category", "kind": "category"}).drop(columns="town")


def catboost_models():
    import catboost
    small = dict(iterations=10, depth=4, verbose=0, thread_count=1, allow_writing_files=False, random_seed=0)
    for name, cats, more in (("one-hot", ["town", "kind", "alone", "count"], {"one_hot_max_size": 20}), ("statistics", ["town", "kind", "alone", "count"], {"one_hot_max_size": 2, "max_ctr_complexity": 2})):
        yield f"catboost {name}", catboost.CatBoostClassifier(cat_features=cats, **small, **more), gaps(frame(), ["age"])
    yield "catboost of bools", catboost.CatBoostClassifier(cat_features=["alone"], one_hot_max_size=4, **small), frame()[["age", "alone"]]


# ---- tables: name -> (what the model is given, what the library is given)

def both(t): return t, t


def tables_of(fitted_on):
    """Each a change of rows that were not fitted."""
    asked = frame(1).astype(fitted_on.dtypes.to_dict())[list(fitted_on.columns)] if not any(d.kind == "O" and c == "alone" for c, d in fitted_on.dtypes.items()) else frame(1)[list(fitted_on.columns)]
    words, numbers = [c for c in WORDS if c in asked], [c for c in NUMBERS if c in asked]
    plain = frame(1)[list(fitted_on.columns)]
    yield "as fitted", both(asked)
    yield "another order", (asked[list(asked.columns)[::-1]], asked)
    yield "more columns", (asked.assign(more=1, town2="x"), asked)
    yield "columns of other types", (asked.assign(lasts=pd.Timedelta("1 day"), when=pd.Timestamp("2024-02-29"), month=pd.Period("2024-02"), tags=[[1]] * ROWS), asked)
    yield "another index", both(asked.set_index(np.arange(ROWS) * 3 + 7))
    yield "no rows", both(asked[:0])
    yield "one row", both(asked[3:4])
    for c in asked.columns: yield f"without {c}", both(asked.drop(columns=c))
    for c in numbers:
        yield f"{c} missing, NaN", both(gaps(asked, [c]))
        yield f"{c} missing, None", (gaps(asked, [c], None), gaps(asked, [c]))     # among numbers None is NaN: docs/exactness.md
        yield f"{c} all missing", both(asked.assign(**{c: np.nan}))
        yield f"{c} infinite", both(asked.assign(**{c: np.where(np.arange(ROWS) == 4, np.inf, plain[c].astype(float))}))
        yield f"{c} as float", both(asked.assign(**{c: plain[c].astype(float)}))
        yield f"{c} as float32", both(asked.assign(**{c: plain[c].astype(np.float32)}))
        yield f"{c} as object", both(asked.assign(**{c: plain[c].astype(object)}))
        yield f"{c} as Float64", both(asked.assign(**{c: plain[c].astype("Float64")}))
        yield f"{c} as Float64 with NA", both(gaps(asked.assign(**{c: plain[c].astype("Float64")}), [c], pd.NA))
        yield f"{c} as text", both(asked.assign(**{c: plain[c].astype(str)}))
        yield f"{c} a word", both(asked.assign(**{c: plain[c].astype(object).where(plain.index != 5, "many")}))
        yield f"{c} as bool", both(asked.assign(**{c: plain[c] > plain[c].median()}))
        yield f"{c} as time", both(asked.assign(**{c: pd.date_range("2024-01-01", periods=ROWS)}))
    for dtype in ("int8", "int32", "uint16", "Int64", "Int32", "UInt8"):
        if "count" in asked: yield f"count as {dtype}", both(asked.assign(count=plain["count"].astype(dtype)))
    if "count" in asked:
        yield "count as Int64 with NA", both(gaps(asked.assign(count=plain["count"].astype("Int64")), ["count"], pd.NA))
        yield "count unseen", both(asked.assign(count=plain["count"] + 4))
        yield "count halves", both(asked.assign(count=plain["count"] + .5))
        yield "count as category", both(asked.assign(count=plain["count"].astype("category")))
    if "alone" in asked:
        for dtype in (object, "boolean", "int64", float, str, "category"): yield f"alone as {getattr(dtype, '__name__', dtype)}", both(asked.assign(alone=plain["alone"].astype(dtype)))
        yield "alone missing, NaN", both(gaps(asked.assign(alone=plain["alone"]), ["alone"]))
        yield "alone missing, None", both(gaps(asked.assign(alone=plain["alone"]), ["alone"], None))
        yield "alone missing, NA", both(gaps(asked.assign(alone=plain["alone"].astype("boolean")), ["alone"], pd.NA))
        yield "alone a word", both(asked.assign(alone=plain["alone"].astype(object).where(plain.index != 5, "yes")))
        yield "alone numpy bools in objects", both(asked.assign(alone=pd.Series([np.bool_(v) for v in plain["alone"]], dtype=object)))
    for c in words:
        for dtype in (object, "str", "string", "string[pyarrow]", "category"): yield f"{c} as {getattr(dtype, '__name__', dtype)}", both(asked.assign(**{c: plain[c].astype(dtype)}))
        for dtype in (object, "str", "category"):
            shown = getattr(dtype, "__name__", dtype)
            yield f"{c} as {shown}, NaN", both(asked.assign(**{c: gaps(plain, [c])[c].astype(dtype)}))
            yield f"{c} as {shown}, unseen", both(asked.assign(**{c: plain[c].where(plain.index % 5 != 0, "never seen").astype(dtype)}))
        yield f"{c} None", both(asked.assign(**{c: gaps(plain, [c], None)[c]}))
        yield f"{c} string with NA", both(asked.assign(**{c: gaps(plain.astype({c: "string"}), [c], pd.NA)[c]}))
        yield f"{c} NA in objects", both(asked.assign(**{c: gaps(plain.astype({c: object}), [c], pd.NA)[c]}))
        yield f"{c} empty text", both(asked.assign(**{c: plain[c].where(plain.index % 5 != 0, "")}))
        yield f"{c} all missing", both(asked.assign(**{c: pd.Series([np.nan] * ROWS, dtype=object)}))
        yield f"{c} all missing, float", both(asked.assign(**{c: np.nan}))
        yield f"{c} as int", both(asked.assign(**{c: np.arange(ROWS) % 3}))
        yield f"{c} as float", both(asked.assign(**{c: (np.arange(ROWS) % 3).astype(float)}))
        yield f"{c} as bool", both(asked.assign(**{c: np.arange(ROWS) % 3 == 0}))
        yield f"{c} with an int", both(asked.assign(**{c: plain[c].astype(object).where(plain.index != 5, 1)}))
        yield f"{c} with a float", both(asked.assign(**{c: plain[c].astype(object).where(plain.index != 5, 2.0)}))
        yield f"{c} with a bool", both(asked.assign(**{c: plain[c].astype(object).where(plain.index != 5, True)}))
        yield f"{c} as time", both(asked.assign(**{c: pd.date_range("2024-01-01", periods=ROWS)}))
        yield f"{c} categories in another order", both(asked.assign(**{c: pd.Categorical(plain[c], categories=sorted(plain[c].unique())[::-1])}))
        yield f"{c} fewer categories", both(asked.assign(**{c: pd.Categorical(np.where(plain[c] == "b", "a", plain[c]))}))


def other_kinds(asked):
    """The same rows in other libraries' tables."""
    import polars, pyarrow
    plain = asked.astype({c: object for c, d in asked.dtypes.items() if isinstance(d, pd.CategoricalDtype)})
    arrow = pyarrow.Table.from_pandas(plain, preserve_index=False)
    yield "polars", polars.from_arrow(arrow)
    yield "pyarrow", arrow
    yield "pyarrow, two pieces", pyarrow.concat_tables([arrow[:100], arrow[100:]])
    yield "lists", {c: [None if v is pd.NA else v for v in asked[c].tolist()] for c in asked}
    yield "arrays", {c: asked[c].to_numpy() if asked[c].dtype.kind in "ifb" and isinstance(asked[c].dtype, np.dtype) else asked[c].to_numpy(dtype=object) for c in asked}
    yield "rows", asked.to_dict("records")


# ---- comparing

def answers(model, table):
    try:
        out = {"label": np.asarray(model.predict(table)).ravel()}
        probability = model.predict_proba(table)
        return {**out, **{f"probability_{k}": probability[:, k] for k in range(probability.shape[1])}}
    except Exception as e:
        return f"{type(e).__name__}: {e}"


def ours(session, table):
    try:
        out = session.predict(table)
        return {c: np.asarray(out[c]) for c in (out if isinstance(out, dict) else out.column_names if hasattr(out, "column_names") else out.columns)}
    except (ValueError, NotImplementedError) as e:
        return f"{type(e).__name__}: {e}"


def program(onward_program, model, path, folder):
    out = f"{folder}/out.csv"
    done = subprocess.run([onward_program, "predict", model, path, "-o", out], capture_output=True, text=True)
    if done.returncode == 3: return done.stderr.strip()
    if done.returncode: raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
    table = pd.read_csv(out)
    return {c: table[c].to_numpy() for c in table}


def verdict(library, got, tolerance, by_value=lambda: "none"):
    """`by_value`: what the library answers for the same values in the columns' fitted types, asked where it refuses the types."""
    if isinstance(library, str) and isinstance(got, str): return "refused by both"
    if isinstance(got, str): return "on purpose" if re.search(ON_PURPOSE, got) else f"FAILED onward says {short(got)}"
    if isinstance(library, str):
        if not len(got["label"]): return "equal"             # no rows have no answers, which scikit-learn refuses to say
        again = by_value()
        if isinstance(again, str) or verdict(again, got, tolerance) != "equal": return f"FAILED the library says {short(library)}, by value {short(again)}; onward answers"
        return "equal by value"
    wrong = int((library["label"].astype(str) != got["label"].astype(str)).sum())
    worst = max(np.abs(library[c] - got[c]).max(initial=0) for c in library if c != "label")
    return "equal" if not wrong and worst <= tolerance else f"FAILED labels {wrong}, difference {worst:.2g}"


def short(answer): return answer.replace("\n", " ")[:150] if isinstance(answer, str) else "an answer"


# Refused although the library answers, as for any unknown category: docs/exactness.md says so to users.
ON_PURPOSE = "is none of the [0-9]+ known values, and|does not tell whether it knows that as a word|is (true|[0-9.]+), expected a text|and the model takes (text|float64)|is a number among texts|stands among numbers, of which the model knows NaN|is '(many|yes|2024-..-..)', expected (a number|True or False)"


# Cells of a CSV are the text that stands there, where a model knows words: to pandas "1.0" is a number, and one word makes words of all.
AS_WRITTEN = {("catboost of bools", "alone as float", "CSV"), ("catboost of bools", "alone a word", "CSV")}


def fitted_types(table, types):
    """The same values in the columns' fitted types, as far as they go."""
    out = table.copy()
    for c, dtype in types.items():
        if c not in out: return out
        if dtype.kind in "biu" and (out[c].isna() | (pd.to_numeric(out[c], errors="coerce") % 1 != 0)).any(): dtype = float
        try: out[c] = out[c].astype(object).where(out[c].notna(), np.nan).astype(dtype)
        except (ValueError, TypeError): pass
    return out[list(types)]


class Run:
    def __init__(self, args): self.args, self.count, self.models = args, collections.Counter(), 0

    def say(self, model, table, how, said):
        if (model, table, how) in AS_WRITTEN: return
        self.count[said.split()[0] if not said.startswith("FAILED") else "FAILED"] += 1
        if said.startswith("FAILED"): print(f"{model:30s} {table:34s} {how:14s} {said[7:]}", flush=True)

    def model(self, library, name, estimator, fitted_on, folder):
        if self.args.filter not in name: return
        estimator.fit(fitted_on, target(frame()))
        options = {"own_ops": True} if library == "catboost" else {}
        converted = onward.convert(estimator, **options)
        path = f"{folder}/model.onnx"
        converted.save(path)
        unread = set(fitted_on.columns) - {i for field in converted.schema["inputs"] for i in (field["name"], *(field.get("names") or ()))}
        session, tolerance, self.written = converted.session(), 1e-6 if library == "xgboost" else 1e-12, set()
        self.models += 1
        for k, (table, (given, to_library)) in enumerate(tables_of(fitted_on)):
            if self.args.table not in table or k and (k + self.models) % self.args.every: continue
            expected, by_value = answers(estimator, to_library), lambda: answers(estimator, fitted_types(to_library, self.types))
            # A column that no part of the model reads is no input of it, whatever the library asks for.
            if isinstance(expected, str) and table.split()[1 if table.startswith("without") else 0] in unread: continue
            if isinstance(expected, str) and table.endswith("as text"): continue   # text where numbers are known is read as the number it says
            self.say(name, table, "frame", verdict(expected, ours(session, given), tolerance, by_value))
            if table == "as fitted":
                for kind, other in other_kinds(given): self.say(name, table, kind, verdict(expected, ours(session, other), tolerance))
            self.csv(name, table, estimator, path, given, to_library, tolerance, folder)
            if library != "sklearn" or self.models == 1: self.json(name, table, path, given, expected, by_value, tolerance, folder)

    def csv(self, name, table, estimator, model, given, to_library, tolerance, folder):
        """The library is given what pandas reads: words as text, which is what the model's schema says they are."""
        path, written = f"{folder}/asked.csv", given.to_csv(index=False)
        if written in self.written: return                   # types that a file does not keep
        self.written.add(written)
        with open(path, "w", encoding="utf-8", newline="") as f: f.write(written)
        read = pd.read_csv(path, dtype={c: "str" for c in WORDS if c in given})[list(to_library.columns)]
        for c, dtype in self.types.items():
            if c in read and isinstance(dtype, pd.CategoricalDtype): read[c] = read[c].astype("category")
        by_value = lambda: answers(estimator, fitted_types(read, self.types))
        self.say(name, table, "CSV", verdict(answers(estimator, read), program(self.args.onward, model, path, folder), tolerance, by_value))


    def json(self, name, table, model, given, expected, by_value, tolerance, folder):
        """JSON knows numbers, bools, words and null: the library is given the values in the columns' fitted types. Without rows it has no columns."""
        if isinstance(expected, str) or not len(given) or given.astype(object).map(lambda v: isinstance(v, pd.Timestamp) or v in (np.inf, -np.inf) if v is not pd.NA else False).any(axis=None): return
        path = f"{folder}/asked.jsonl"
        given.to_json(path, orient="records", lines=True, double_precision=15)
        self.say(name, table, "JSON", verdict(by_value(), program(self.args.onward, model, path, folder), max(tolerance, 1e-9), by_value))


def main(args):
    run = Run(args)
    with tempfile.TemporaryDirectory(prefix="inputs_") as folder:
        for library, models in (("sklearn", sklearn_models), ("xgboost", xgboost_models), ("lightgbm", lightgbm_models), ("catboost", catboost_models)):
            if args.library not in ("", library): continue
            if importlib.util.find_spec(library) is None:
                run.count["skipped"] += 1
                continue
            for name, estimator, fitted_on in models():
                run.types = fitted_on.dtypes.to_dict()
                run.model(library, name, estimator, fitted_on, folder)
    passed = run.count["equal"] + run.count["refused"] + run.count["on"]
    print(f"{run.count['equal']} equal, {run.count['refused']} refused by both, {run.count['on']} refused on purpose")
    print(f"{passed} passed, {run.count['FAILED']} failed, {run.count['skipped']} skipped")
    return 1 if run.count["FAILED"] or not passed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("onward"), parser.add_argument("--filter", default=""), parser.add_argument("--library", default=""), parser.add_argument("--table", default=""), parser.add_argument("--every", type=int, default=1)
    sys.exit(main(parser.parse_args()))
