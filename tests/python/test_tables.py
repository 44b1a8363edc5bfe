"""predict: every kind of table gives the same answers, and gets its own kind back."""
import decimal
import json
import pathlib
import subprocess
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import onward
from onward import pandas_frames
from onward.columns import Inputs


def columns_of(predictions):
    return {name: list(np.asarray(predictions[name])) for name in ("label", "probability_0", "probability_1")}


@pytest.fixture(scope="module")
def expected(frame_session, frame):
    return columns_of(frame_session.predict(frame))


def test_a_frame_gives_the_librarys_answers(frame_session, frame, frame_fitted):
    indexed = frame.set_index(np.arange(len(frame)) * 2)
    out = frame_session.predict(indexed)
    assert isinstance(out, pd.DataFrame) and (out.index == indexed.index).all() and list(out) == ["label", "probability_0", "probability_1"]
    assert (out["label"] == frame_fitted.predict(frame)).all()
    np.testing.assert_allclose(out[["probability_0", "probability_1"]], frame_fitted.predict_proba(frame), rtol=1e-12)


def test_kinds_of_tables_agree(frame_session, frame, expected):
    import polars
    import pyarrow

    shuffled = frame[["paid", "city", "rooms", "age"]].assign(more=1)
    batches = pyarrow.Table.from_batches(pyarrow.Table.from_pandas(shuffled).to_batches(max_chunksize=33))
    dictionary = batches.set_column(1, "city", batches["city"].dictionary_encode())
    tables = {
        "another order, more columns": shuffled,
        "nullable": shuffled.convert_dtypes(),
        "categories": shuffled.astype({"city": "category"}),
        "objects": shuffled.astype(object),
        "arrow-backed": shuffled.convert_dtypes(dtype_backend="pyarrow"),
        "polars": polars.from_pandas(shuffled),
        "polars categories": polars.from_pandas(shuffled).with_columns(polars.col("city").cast(polars.Categorical)),
        "pyarrow": batches, "dictionary": dictionary, "batch": dictionary.combine_chunks().to_batches()[0],
        "arrays": {name: values.to_numpy() for name, values in shuffled.items()},
        "lists": {name: values.tolist() for name, values in shuffled.items()},
        "None for gaps": {name: [None if v != v else v for v in values] for name, values in shuffled.items()},
        "columns (n, 1)": {name: values.to_numpy().reshape(-1, 1) for name, values in shuffled.items()},
        "rows": shuffled.to_dict("records"),
        "structured": shuffled.drop(columns="city").assign(city=shuffled["city"].to_numpy("U10")).to_records(index=False).view(np.recarray),
    }
    for name, table in tables.items():
        out = frame_session.predict(table)
        if isinstance(table, (pd.DataFrame, polars.DataFrame)):
            assert type(out) is type(table), name
        elif type(table).__module__.startswith("pyarrow"):
            assert isinstance(out, pyarrow.Table), name
        else:
            assert isinstance(out, dict), name
        assert columns_of(out) == expected, name


PROGRAM = pathlib.Path(__file__).parents[2] / "build/release/onward"
BOOSTERS = pathlib.Path(__file__).parent.parent / "data/boosters/catboost-1.2.10"


@pytest.mark.parametrize("name", ["one_hot", "ctr", "ctr_lossguide"])
def test_bools_as_categories_are_what_they_are_to_catboost(name, tmp_path):
    answers = json.loads((BOOSTERS / f"{name}.answers.json").read_text())
    frame = pd.DataFrame({c["name"]: pd.Series(c["values"]).astype(c["type"] if c["type"] != "string" else object) for c in answers["columns"]})
    assert frame["flag"].dtype == bool
    frame["zip"] = frame["zip"].astype(int)                      # in the fixture as whole numbers
    model = onward.convert(BOOSTERS / f"{name}.cbm", own_ops=True)
    session = model.session()
    kinds = {"bools": frame, "nullable": frame.assign(flag=frame["flag"].astype("boolean")), "objects": frame.assign(flag=frame["flag"].astype(object)),
             "numpy's in objects": frame.assign(flag=pd.Series(list(frame["flag"].to_numpy()), dtype=object)), "digits": frame.assign(flag=frame["flag"].astype(int)),
             "arrays": {c: frame[c].to_numpy() for c in frame}, "lists": {c: frame[c].tolist() for c in frame}, "rows": frame.to_dict("records")}
    for kind, table in kinds.items():
        assert list(session.predict(table)["label"]) == answers["predict"], kind
    import polars
    import pyarrow

    assert session.predict(polars.from_pandas(frame))["label"].to_list() == answers["predict"]
    assert session.predict(pyarrow.Table.from_pandas(frame))["label"].to_pylist() == answers["predict"]
    model.save(tmp_path / "m.onnx")
    known = frame["city"] != ""                                  # a CSV's empty cell is no word
    frame[known].to_csv(tmp_path / "t.csv", index=False)
    subprocess.run([PROGRAM, "predict", tmp_path / "m.onnx", tmp_path / "t.csv", "-o", tmp_path / "out.csv"], check=True, capture_output=True)
    assert pd.read_csv(tmp_path / "out.csv")["label"].tolist() == list(np.array(answers["predict"])[known])


def test_numbers_that_are_no_categories_of_catboost_are_refused():
    answers = json.loads((BOOSTERS / "ctr.answers.json").read_text())
    frame = pd.DataFrame({c["name"]: c["values"] for c in answers["columns"]})
    session = onward.convert(BOOSTERS / "ctr.cbm", own_ops=True).session()
    for column in (frame["zip"].astype(float), pd.Series(["a"] + [1.5] * (len(frame) - 1), dtype=object)):
        with pytest.raises(ValueError, match="column 'zip': "):
            session.predict(frame.assign(zip=column))


def test_no_rows(frame_session, frame):
    import polars
    import pyarrow

    none = frame[:0]
    for table in (none, polars.from_pandas(none), pyarrow.Table.from_pandas(none), pyarrow.Table.from_batches([], pyarrow.Table.from_pandas(none).schema)):
        assert len(frame_session.predict(table)["label"]) == 0


def test_arrow_types_that_no_column_holds(frame_session, frame):
    import pyarrow

    table = pyarrow.Table.from_pandas(frame)
    nested = table.set_column(1, "age", pyarrow.array([[1.0]] * len(frame)))
    with pytest.raises(ValueError, match="column 'age' has the Arrow type"):
        frame_session.predict(nested)


def test_a_matrix(session, fitted, iris):
    out = session.predict(iris[0])
    assert (out["label"] == fitted.predict(iris[0])).all()
    assert (session.predict(iris[0].tolist())["label"] == out["label"]).all()
    assert (session.predict({"X": iris[0]})["label"] == out["label"]).all()
    assert (session.predict(pd.DataFrame(iris[0]))["label"] == out["label"]).all()
    assert len(session.predict(iris[0][:0])["label"]) == 0


def test_what_the_schema_refuses(frame_session, frame):
    with pytest.raises(ValueError, match="no column 'city'") as e:
        frame_session.predict(frame.rename(columns={"city": "town"}))
    assert e.value.code == 306
    with pytest.raises(ValueError, match="row 3, column 'rooms': expected int64|row 3, column 'rooms'"):
        frame_session.predict(frame.assign(rooms=frame["rooms"].astype(object).where(frame.index != 2, "many")))
    with pytest.raises(ValueError, match="column 'paid'"):
        frame_session.predict(frame.assign(paid=[object()] * len(frame)))
    with pytest.raises(ValueError, match="rows"):
        frame_session.predict({**{c: frame[c].tolist() for c in frame}, "age": [1.0]})


def test_cells_of_objects(frame_session, frame, expected):
    odd = frame.copy()
    odd["rooms"] = [decimal.Decimal(int(v)) for v in frame["rooms"]]
    odd["paid"] = odd["paid"].astype(object)
    odd["age"] = [pd.NA if v != v else v for v in frame["age"]]
    assert columns_of(frame_session.predict(odd)) == expected


def test_times():
    from graphs import model_of, tensor

    session = onward.InferenceSession(model_of([("Identity", ["t"], ["out"])], [tensor("t", "INT64", [None, 1])], [tensor("out", "INT64", [None, 1])]))
    moment = pd.Timestamp("2024-02-29 12:00:00.5")
    for times in (pd.Series([moment]), pd.Series([moment]).astype("datetime64[us]"), pd.Series([moment]).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")):
        assert session.predict(pd.DataFrame({"t": times}))["out"][0] == moment.value
        import pyarrow

        assert session.predict(pyarrow.Table.from_pandas(pd.DataFrame({"t": times})))["out"][0].as_py() == moment.value


def test_text_labels_and_text_columns():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = pd.DataFrame({"colour": ["red", "green", "blue", "red"] * 5})
    fitted = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(frame, ["yes", "no", "no", "yes"] * 5)
    session = onward.convert(fitted).session()
    out = session.predict(frame)
    assert list(out["label"]) == list(fitted.predict(frame)) and list(out)[1:] == ["probability_no", "probability_yes"]
    import polars

    assert session.predict(polars.from_pandas(frame))["label"].to_list() == list(fitted.predict(frame))
    assert session.run(["label"], {"colour": frame[["colour"]].to_numpy(str)})[0].tolist() == list(fitted.predict(frame))


def test_validate(fitted, model, iris, frame_fitted, frame, tmp_path):
    report = onward.validate(fitted, model, iris[0])
    assert report.ok and report and report.mismatched_labels == 0 and report.max_abs_error < 1e-12 and report.rows == 150
    report.save_html(tmp_path / "r.html")
    assert "<html" in (tmp_path / "r.html").read_text()
    report.save_json(tmp_path / "r.json")
    with_columns = onward.convert(frame_fitted)
    import polars

    for data in (frame, polars.from_pandas(frame), {c: frame[c].to_numpy() for c in frame}):
        assert onward.validate(frame_fitted, with_columns, data).ok
    # Another model's answers are not this one's.
    from sklearn.base import clone

    other = clone(fitted).fit(iris[0], (iris[1] + 1) % 3)
    wrong = onward.validate(other, model, iris[0])
    assert not wrong.ok and wrong.mismatched_labels > 100 and wrong.failing_rows[0] == 0
    assert onward.validate(fitted, model, iris[0].astype(np.float32).astype(np.float64), rtol=0, atol=1e-9).ok
    with pytest.raises(ValueError, match="tolerance"):
        onward.validate(fitted, model, iris[0], rtol=-1)


def test_validate_counts_rows_that_one_side_refuses(frame_fitted, frame):
    infinite = frame.copy()
    infinite.loc[5, "paid"] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = onward.validate(frame_fitted, onward.convert(frame_fitted), infinite)
    assert sum(report.to_dict()["refused"][k] for k in ("by_both", "by_source_alone")) == 1


def test_columns_of_a_matrix_are_refused_or_taken_each_for_itself():
    words = np.array([["a", "x"], ["b", "y"], [np.nan, "x"], ["a", "y"]], dtype=object)
    session = onward.convert(OneHotEncoder().fit(words)).session()
    predicted = session.predict(words)
    np.testing.assert_array_equal(np.stack(list(predicted.values()), axis=1), OneHotEncoder().fit_transform(words).toarray())
    with pytest.raises(ValueError, match="row 1, column 'x1': the value is missing"):
        session.predict(np.array([["a", None]], dtype=object))
    with pytest.raises(ValueError, match="row 2, column 'x0': 'c' is none of the 2 known values"):
        session.predict(np.array([["a", "x"], ["c", "x"]], dtype=object))


def test_gaps_that_are_filled_are_taken_beside_columns_that_have_none(iris):
    filled = make_pipeline(ColumnTransformer([("fill", SimpleImputer(), [0])], remainder="passthrough"), LinearRegression()).fit(*iris)
    session, rows = onward.convert(filled).session(), iris[0][:3].copy()
    rows[1, 0] = np.nan
    np.testing.assert_allclose(session.predict(rows)["variable"], filled.predict(rows), rtol=1e-12)
    rows[1, 1] = np.nan
    with pytest.raises(ValueError, match="row 2, column 'x1': the value is missing"):
        session.predict(rows)


def test_a_matrix_of_another_width_is_refused(session, iris, frame_session, frame):
    with pytest.raises(ValueError, match="the table has 8 columns without names, the model takes 4"):
        session.predict(np.hstack([iris[0], iris[0]]))
    with pytest.raises(ValueError, match="the table has 3 columns without names, the model takes 4"):
        session.predict(iris[0][:, :3])


def test_a_series_is_the_column_of_a_model_that_takes_one(frame_session, frame, iris):
    import polars

    session = onward.convert(LinearRegression().fit(iris[0][:, :1], iris[1])).session()
    wanted = session.predict(iris[0][:, :1])["variable"]
    for series in (pd.Series(iris[0][:, 0], name="size"), polars.Series("size", iris[0][:, 0])):
        assert (session.predict(series)["variable"] == wanted).all()
    with pytest.raises(ValueError, match="given a series"):
        frame_session.predict(frame.iloc[0])


def frames_of_every_kind(frame):
    times = pd.Series(pd.to_datetime(["2024-01-01", None] * 100))
    return {
        "mixed": frame, "one row": frame.iloc[7:8], "every third": frame.iloc[::3], "backwards": frame.iloc[::-1], "no rows": frame[:0],
        "a matrix": pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("abc")), "by columns": pd.DataFrame(np.asfortranarray(np.arange(12.0).reshape(4, 3)), columns=list("abc")),
        "narrow numbers": frame[["age"]].astype(np.float32).assign(a=np.int8(3), b=np.uint64(4), c=np.float16(0.5), d=True, e=frame["rooms"]),
        "text with gaps": frame[["city"]].where(frame["city"] != "Rome"), "objects": frame.astype(object), "objects that are nothing": frame[["city"]].astype(object).where(frame["rooms"] > 2, None),
        "nullable text": frame[["city"]].astype("string").where(frame["city"] != "Rome"), "text of Python": frame[["city"]].astype(pd.StringDtype("python", na_value=np.nan)),
        "other kinds": frame[["city"]].astype("category").assign(t=times, u=times.dt.tz_localize("Asia/Tokyo"), n=frame["rooms"].astype("Int64").where(frame["rooms"] > 2)),
        "big-endian": pd.DataFrame({"a": np.arange(3, dtype=">f8"), "b": np.arange(3, dtype=">i4")}), "chunks of text": pd.concat([frame[["city"]]] * 3),
        "names twice": pd.DataFrame(np.arange(6.0).reshape(2, 3), columns=["a", "b", "a"]), "numbered": pd.DataFrame(np.arange(6.0).reshape(2, 3)), "no columns": pd.DataFrame(index=[1, 2]),
    }


def test_frames_are_read_by_blocks_as_through_their_series(frame_session, frame, expected, monkeypatch):
    def read(frames):
        return {kind: pandas_frames.table_of(f, Inputs()).columns() for kind, f in frames.items()}

    frames = frames_of_every_kind(frame)
    by_blocks = read(frames)
    assert pandas_frames._blocks(frame) and pandas_frames._blocks(object()) == []
    monkeypatch.setattr(pandas_frames, "_blocks", lambda frame: [])
    assert columns_of(frame_session.predict(frame)) == expected
    for kind, columns in read(frames).items():
        assert [c[:2] for c in by_blocks[kind]] == [c[:2] for c in columns], kind
        for (name, _, ours), (_, _, theirs) in zip(by_blocks[kind], columns):
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{kind}: {name}")
    assert len(by_blocks["mixed"]) == 4 and by_blocks["text with gaps"][0][2][np.flatnonzero(frame["city"] == "Rome")[0]] is None


def test_gaps_of_text_keep_their_kind(monkeypatch):
    words = pd.DataFrame({"c": ["a", "b", np.nan, None, "a"]}, dtype=object)
    fitted = OneHotEncoder(handle_unknown="ignore").fit(words)
    session = onward.convert(fitted).session()
    np.testing.assert_array_equal(session.predict(words).to_numpy(), fitted.transform(words).toarray())
    nan, na = words.astype("str"), words.astype("string")
    np.testing.assert_array_equal(session.predict(nan).to_numpy(), fitted.transform(nan).toarray())
    by_blocks = session.predict(na)
    monkeypatch.setattr(pandas_frames, "_blocks", lambda frame: [])
    pd.testing.assert_frame_equal(session.predict(na), by_blocks)


def test_predictions_are_the_frame_that_pandas_makes_of_a_dict(frame_session, frame, frame_fitted, monkeypatch):
    from sklearn.linear_model import LogisticRegression

    words = onward.convert(make_pipeline(frame_fitted[:-1], LogisticRegression()).fit(frame, np.where(frame["rooms"] > 3, "many", "few"))).session()
    cases = [(s, f) for s in (frame_session, words) for f in (frame, frame.iloc[4:5], frame[:0], frame.set_index("city", drop=False))]
    by_blocks = [s.predict(f) for s, f in cases]
    by_blocks[0].columns.name = "mine"
    assert frame_session.predict(frame).columns.name is None
    by_blocks[0].columns.name = None
    monkeypatch.setattr(pandas_frames, "create_dataframe_from_blocks", None)
    for ours, (s, f) in zip(by_blocks, cases):
        pd.testing.assert_frame_equal(ours, s.predict(f))
    assert by_blocks[5].iloc[0, 0] in ("many", "few")


def test_columns_are_told_anew_where_they_are_others(frame_session, frame, expected):
    assert columns_of(frame_session.predict(frame)) == expected
    assert columns_of(frame_session.predict(frame[["paid", "city", "rooms", "age"]])) == expected
    swapped = frame.rename(columns={"age": "paid", "paid": "age"})
    assert columns_of(frame_session.predict(swapped)) != expected
    assert columns_of(frame_session.predict(frame)) == expected
