"""What a schema says of a column's values holds for every kind of table: what it allows is answered, what it refuses is named with its row,
its column and what to do."""
import pathlib
import subprocess

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import onward

PROGRAM = pathlib.Path(__file__).parents[2] / "build/release/onward"
TYPES = {"real": "float64", "small": "float32", "whole": "int64", "truth": "bool", "word": "string"}
ROW = 3                                                  # of the value that differs, from 1


@pytest.fixture(scope="module")
def table():
    return pd.DataFrame({"real": [1.5, 2.5, 0.5, 3.0], "small": [1.0, 0.5, 0.25, 2.0], "whole": [1, 2, 3, 4], "truth": [True, False, True, False], "word": ["a", "b", "a", "c"]})


@pytest.fixture(scope="module")
def fitted(table):
    words = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("real", SimpleImputer(), ["real"]), ("rest", "passthrough", ["small", "whole", "truth"]), ("word", words, ["word"])])
    return make_pipeline(columns, LinearRegression()).fit(table, [1.0, 2.0, 4.0, 3.0])


def model_with(fitted, column, **policy):
    return onward.convert(fitted, schema={"inputs": [{"name": c, "type": t, **(policy if c == column else {})} for c, t in TYPES.items()]})


def asked(table, column, value):
    out = table.copy()
    out[column] = [value if row == ROW else v for row, v in enumerate(table[column], 1)]
    return out


def answer(model, frame): return list(model.session().predict(frame)["variable"])


def through(program_input, model, folder):
    model.save(folder / "m.onnx")
    return subprocess.run([PROGRAM, "predict", folder / "m.onnx", program_input, "-o", folder / "out.csv"], capture_output=True, text=True)


def refusals(model, frame, folder):
    """The refusal of each kind of table, message and hint in one text."""
    import pyarrow

    kinds = [frame, frame.to_dict("records"), {c: frame[c].tolist() for c in frame}]
    try:
        kinds.append(pyarrow.Table.from_pandas(frame))
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):         # words among numbers are no Arrow column
        pass
    for kind in kinds:
        with pytest.raises(ValueError) as e:
            model.session().predict(kind)
        assert e.value.code == 306
        yield f"{e.value} {getattr(e.value, 'hint', '')}"
    frame.to_csv(folder / "t.csv", index=False)
    (folder / "t.jsonl").write_text(frame.to_json(orient="records", lines=True))
    for name in ("t.csv", "t.jsonl"):
        done = through(folder / name, model, folder)
        if name == "t.jsonl" and "inf" in frame.to_csv(): continue       # JSON has no infinity
        assert done.returncode == 3, (name, done.stderr)
        yield done.stderr


REFUSED = [
    ("real", {"missing": "refuse"}, None, "missing", '"missing"'),
    ("real", {"missing": "nan", "range": [0, 3], "out_of_range": "refuse"}, 3.5, "3.5 is outside the range 0 to 3", '"out_of_range"'),
    ("real", {"missing": "nan", "infinity": "refuse"}, np.inf, "inf is infinite as float64", '"infinity"'),
    ("small", {"missing": "refuse"}, None, "missing", '"missing"'),
    ("small", {"missing": "nan", "infinity": "refuse"}, np.inf, "inf is infinite as float32", '"infinity"'),
    ("whole", {"missing": "refuse"}, None, "missing", '"missing"'),
    ("whole", {}, 2.5, "expected a whole number", ""),
    ("whole", {"range": [1, 4], "out_of_range": "refuse"}, 9, "9 is outside the range 1 to 4", '"out_of_range"'),
    ("truth", {"missing": "refuse"}, None, "missing", '"missing"'),
    ("word", {"missing": "refuse"}, None, "missing", '"missing"'),
    ("word", {"categories": ["a", "b", "c"], "unknown": "refuse"}, "d", "'d' is none of the 3 known values", '"unknown"'),
]


@pytest.mark.parametrize("column, policy, value, said, hint", REFUSED, ids=lambda v: v if isinstance(v, str) else None)
def test_what_a_policy_refuses_is_named(fitted, table, tmp_path, column, policy, value, said, hint):
    for refusal in refusals(model_with(fitted, column, **policy), asked(table, column, value), tmp_path):
        at = f"row {ROW}, column '{column}'" in refusal or f"line {ROW + 1}: column '{column}'" in refusal or f"line {ROW}: '{column}'" in refusal
        said_so = said in refusal or column == "whole" and "whole number" in refusal
        assert at and said_so and hint in refusal, refusal


def same(table, column, value, other): return asked(table, column, value), asked(table, column, other)


@pytest.mark.parametrize("column, policy, value, as_if", [
    ("real", {"missing": "impute"}, None, 1.875),                     # the mean that was learned
    ("real", {"range": [0, 3], "out_of_range": "clip"}, 3.5, 3.0),
    ("real", {"range": [0, 3], "out_of_range": "accept"}, 3.5, 3.5),
    ("whole", {"range": [1, 4], "out_of_range": "clip"}, 9, 4),
    ("whole", {}, 2.0, 2),
    ("truth", {}, 1, True),
    ("word", {"missing": "category"}, None, "never seen"),
    ("word", {"categories": ["a", "b", "c"], "unknown": "ignore"}, "d", "never seen"),
    ("word", {"numbers": "text"}, 7, "7"),
], ids=lambda v: v if isinstance(v, str) else None)
def test_what_a_policy_allows_is_answered(fitted, table, tmp_path, column, policy, value, as_if):
    model = model_with(fitted, column, **policy)
    given = asked(table, column, value)
    expected = answer(model_with(fitted, ""), asked(table.astype({"word": object}), column, as_if)) if column != "word" else list(fitted.predict(asked(table, column, as_if)))
    np.testing.assert_allclose(answer(model, given), expected, rtol=1e-12)
    given.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "t.jsonl").write_text(given.to_json(orient="records", lines=True))
    for name in ("t.csv", "t.jsonl"):
        done = through(tmp_path / name, model, tmp_path)
        assert done.returncode == 0, (name, done.stderr)
        np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")["variable"], expected, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("numbers, words", [("refuse", "is a number among texts|is int64, and the model takes text"), ("digits", "is a number among texts|is float64, and the model takes")])
def test_numbers_among_words(fitted, table, numbers, words):
    model = model_with(fitted, "word", numbers=numbers)
    for column in ([1.5] * 4, pd.Series(["a", "b", 1.5, "c"], dtype=object)) if numbers == "digits" else ([1, 2, 3, 4], pd.Series(["a", "b", 1, "c"], dtype=object)):
        with pytest.raises(ValueError, match=words):
            model.session().predict(table.assign(word=column))


def test_bools_may_be_missing_where_an_unknown_one_is_ignored(tmp_path):
    known = pd.DataFrame({"paid": [True, False, True, False]})
    fitted = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LinearRegression()).fit(known, [1.0, 2.0, 1.5, 2.5])
    model = onward.convert(fitted)
    for gap in (np.nan, None, pd.NA):
        frame = pd.DataFrame({"paid": pd.Series([True, gap, False], dtype=object)})
        np.testing.assert_allclose(answer(model, frame), fitted.predict(frame), rtol=1e-12)
    frame = pd.DataFrame({"paid": pd.array([True, None, False], dtype="boolean")})
    np.testing.assert_allclose(answer(model, frame), fitted.predict(frame), rtol=1e-12)
    (tmp_path / "t.csv").write_text("paid,other\nTrue,1\n,2\nFalse,3\n")
    assert through(tmp_path / "t.csv", model, tmp_path).returncode == 0
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")["variable"], fitted.predict(frame), rtol=1e-12)


def test_kinds_of_missing_words_are_what_they_are_to_the_encoder():
    known = pd.DataFrame({"town": pd.Series(["a", "b", np.nan, "a"], dtype=object)})
    for unknown in ("ignore", "error"):
        fitted = OneHotEncoder(handle_unknown=unknown, sparse_output=False).fit(known)
        session = onward.convert(fitted).session()
        for gap in (np.nan, None, pd.NA):
            frame = pd.DataFrame({"town": pd.Series(["b", gap], dtype=object)})
            try:
                expected = fitted.transform(frame)
            except (ValueError, TypeError):
                expected = fitted.transform(known[1:3])           # the library raises: a gap counts as the one that is known
            np.testing.assert_array_equal(np.stack([np.asarray(v) for _, v in session.predict(frame).items()], axis=1), expected)


def test_a_null_of_arrow_is_the_gap_that_the_model_knows():
    import polars
    import pyarrow

    for gap in (np.nan, None):
        known = pd.DataFrame({"town": pd.Series(["a", "b", gap, "a"], dtype=object)})
        fitted = OneHotEncoder(handle_unknown="error", sparse_output=False).fit(known)
        session = onward.convert(fitted).session()
        for table in (pyarrow.table({"town": ["b", None]}), polars.DataFrame({"town": ["b", None]})):
            out = session.predict(table)
            columns = out.column_names if isinstance(out, pyarrow.Table) else out.columns
            np.testing.assert_array_equal(np.stack([np.asarray(out[c]) for c in columns], axis=1), fitted.transform(known[1:3]))


def test_columns_that_no_tensor_holds_are_passed_over(fitted, table):
    import polars
    import pyarrow

    session = model_with(fitted, "").session()
    expected = list(session.predict(table)["variable"])
    more = table.assign(lasts=pd.Timedelta("1 day"), month=pd.period_range("2024-01", periods=4, freq="M"), tags=[["x"]] * 4, z=1j, **{"a\0b": 1})
    assert list(session.predict(more)["variable"]) == expected
    arrow = pyarrow.Table.from_pandas(table).append_column("tags", pyarrow.array([["x"]] * 4))
    assert session.predict(arrow)["variable"].to_pylist() == expected
    assert session.predict(polars.from_arrow(arrow))["variable"].to_list() == expected
    assert list(session.predict({**{c: table[c].tolist() for c in table}, "tags": [["x"]] * 4})["variable"]) == expected
    with pytest.raises(ValueError, match="column 'real'"):
        session.predict(table.assign(real=pd.Timedelta("1 day")))


NAMES = ["a b", " lead", "Größe", "日本", "a\nb", 'say "x"', "a,b", "a'b", "label", "probabilities", "variable", "0", "a/b:c", "tab\t", "-", "a.b.c", "🙂", "%s{}", "<&>"]


def test_names_of_any_characters(tmp_path):
    r = np.random.default_rng(0)
    frame = pd.DataFrame(r.normal(size=(30, len(NAMES))), columns=NAMES)
    fitted = make_pipeline(ColumnTransformer([("fill", SimpleImputer(), NAMES[::2])], remainder="passthrough"), LinearRegression()).fit(frame, r.normal(size=30))
    model = onward.convert(fitted)
    assert [i["name"] for i in model.schema["inputs"]] == NAMES
    np.testing.assert_allclose(model.session().predict(frame[NAMES[::-1]]).iloc[:, 0], fitted.predict(frame), rtol=1e-12)
    frame.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "t.json").write_text(frame.to_json(orient="records", double_precision=15))
    for name in ("t.csv", "t.json"):
        done = through(tmp_path / name, model, tmp_path)
        assert done.returncode == 0, done.stderr
        np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv").iloc[:, 0], fitted.predict(frame), rtol=1e-9)


def test_dates_are_refused_by_name(tmp_path):
    known = pd.DataFrame({"when": pd.to_datetime(["2024-01-01", "2024-02-29", "2024-01-01"])})
    with pytest.raises(Exception, match="dates or times"):
        onward.convert(OneHotEncoder().fit(known))
    numbers = onward.convert(LinearRegression().fit(pd.DataFrame({"when": [1.0, 2.0]}), [1.0, 2.0])).session()
    with pytest.raises(ValueError, match="column 'when' holds dates, the model takes numbers"):
        numbers.predict(known)
