"""From a fitted model to predictions: schema, convert, validate, predict."""
import csv
import io
import json
import os

import numpy as np
import onnx
import pytest
from conftest import run


def test_schema(models):
    schema = run("schema", models / "table.joblib").json
    assert [f["name"] for f in schema["inputs"]] == ["age", "home.dest", "alone"]
    assert schema["inputs"][1]["type"] == "string" and schema["inputs"][1]["unknown"] == "refuse"
    assert run("schema", models / "table.onnx").json["inputs"] == schema["inputs"]
    of_table = run("schema", models / "table.csv").json["inputs"]
    assert of_table[0]["nullable"] and of_table[1]["categories"] == ["Brest", "Lyon", "Paris"] and of_table[2]["type"] == "bool"


def test_convert_says_what_it_did(models, tmp_path):
    answer = run("convert", models / "matrix.joblib", "-o", tmp_path / "m.onnx", "--json").json
    assert answer["bytes"] == (tmp_path / "m.onnx").stat().st_size and answer["opsets"] == {"": 21, "ai.onnx.ml": 5}
    onnx.checker.check_model(onnx.load(tmp_path / "m.onnx"), full_check=True)
    assert (tmp_path / "m.onnx").read_bytes() == (models / "matrix.onnx").read_bytes()


def test_convert_to_stdout(models):
    result = run("convert", models / "matrix.joblib", "-o", "-", text=False)
    assert result.out == (models / "matrix.onnx").read_bytes()


def test_dry_run_lists_every_problem(tmp_path):
    import joblib
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.linear_model import LinearRegression

    union = FeatureUnion([("a", FunctionTransformer(np.rot90)), ("b", FunctionTransformer(np.fliplr))])
    joblib.dump(make_pipeline(union, LinearRegression()).fit(np.eye(3), [1, 2, 3]), tmp_path / "m.joblib")
    result = run("convert", tmp_path / "m.joblib", "--dry-run", "--json")
    problems = result.json["problems"]
    assert result.code == 4 and len(problems) >= 2 and all(p["message"] for p in problems)
    refused = run("convert", tmp_path / "m.joblib", "-o", tmp_path / "m.onnx")
    assert refused.code == 4 and os.listdir(tmp_path) == ["m.joblib"]


def test_dry_run_of_what_converts(models, tmp_path):
    result = run("convert", models / "matrix.joblib", "--dry-run", cwd=tmp_path)
    assert result.code == 0 and result.out == "can be converted\n" and os.listdir(tmp_path) == []


@pytest.mark.parametrize("options, code, said", [
    (["--outputs", "probabilites"], 2, "probabilites"),
    (["--opset", "99"], 2, "opset 99 of ai.onnx: expected 7 to 28"),
    (["--ml-opset", "6"], 2, "opset 6 of ai.onnx.ml: expected 1 to 5"),
    (["--schema", "no.json"], 3, "no.json"),
    (["--report", "r.html"], 2, "--report goes with --check"),
])
def test_a_refused_conversion_writes_nothing(models, tmp_path, options, code, said):
    result = run("convert", models / "matrix.joblib", "-o", tmp_path / "m.onnx", *options)
    assert result.code == code and said in result.err
    assert os.listdir(tmp_path) == []


def test_an_old_file_survives_a_failure(models, tmp_path):
    (tmp_path / "m.onnx").write_text("old")
    (tmp_path / "bad.joblib").write_bytes((models / "table.joblib").read_bytes()[:2000])
    result = run("convert", tmp_path / "bad.joblib", "-o", tmp_path / "m.onnx")
    assert result.code == 3 and "bad.joblib" in result.err
    assert (tmp_path / "m.onnx").read_text() == "old" and sorted(os.listdir(tmp_path)) == ["bad.joblib", "m.onnx"]


def test_convert_check(models, tmp_path):
    good = run("convert", models / "table.joblib", "-o", tmp_path / "m.onnx", "--check", models / "table.csv", "--trust", "--report", tmp_path / "r.html")
    assert good.code == 0 and (tmp_path / "m.onnx").exists() and "The same" in (tmp_path / "r.html").read_text()


def test_an_onnx_file_is_not_converted_again(models):
    result = run("convert", models / "matrix.onnx", "-o", "x.onnx")
    assert result.code == 4 and "is an ONNX model already" in result.err


def test_schema_given(models, tmp_path):
    schema = run("schema", models / "table.joblib").json
    schema["inputs"][0]["range"] = [0, 100]
    schema["inputs"][0]["out_of_range"] = "refuse"
    (tmp_path / "s.json").write_text(json.dumps(schema))
    assert run("convert", models / "table.joblib", "-o", tmp_path / "m.onnx", "--schema", tmp_path / "s.json").code == 0
    result = run("predict", tmp_path / "m.onnx", "-", "-o", "-", input="age,home.dest,alone\n40,Lyon,True\n140,Lyon,True\n")
    assert result.code == 3 and "row 2" in result.err and "age" in result.err


# --- validate

def test_validate_with_the_source(models, tmp_path):
    for name in "matrix", "table":
        result = run("validate", models / f"{name}.onnx", "--source", models / f"{name}.joblib", "--data", models / f"{name}.csv", "--trust", "--json")
        report = result.json
        assert result.code == 0 and report["ok"] and report["rows"] == 300 and report["mismatched_labels"] == 0 and report["max_abs_error"] < 1e-12
        assert report["expected_by"].startswith("scikit-learn")


def test_validate_on_made_up_rows_counts_refusals(models):
    report = run("validate", models / "table.onnx", "--source", models / "table.joblib", "--data", models / "table.csv", "--trust", "--search", "500", "--json").json
    assert report["ok"] and report["rows"] == 800


def test_rows_that_both_refuse_are_no_difference(models, tmp_path):
    (tmp_path / "d.csv").write_text("age,home.dest,alone\n40,Lyon,True\n41,Oslo,False\n42,Paris,False\n")
    report = run("validate", models / "table.onnx", "--source", models / "table.joblib", "--data", tmp_path / "d.csv", "--trust", "--json").json
    assert report["ok"] and report["refused"]["by_both"] == 1 and "Oslo" in report["refused"]["why"]


def test_validate_with_recorded_outputs(models):
    result = run("validate", models / "matrix.onnx", "--expected", models / "matrix_answers.npz", "--data", models / "matrix.csv", env={"ONWARD_PYTHON": "/nonexistent"})
    assert result.code == 0 and "the same" in result.out


def damaged(models, tmp_path, amount):
    """The model with one weight moved."""
    model = onnx.load(models / "matrix.onnx")
    weights = [i for i in model.graph.initializer if i.data_type == onnx.TensorProto.DOUBLE]
    values = onnx.numpy_helper.to_array(weights[-1]).copy()
    values.flat[0] += amount
    weights[-1].CopyFrom(onnx.numpy_helper.from_array(values, weights[-1].name))
    onnx.save(model, tmp_path / "damaged.onnx")
    return tmp_path / "damaged.onnx"


def test_an_injected_error_is_found_and_its_rows_named(models, tmp_path):
    words = ["validate", damaged(models, tmp_path, 1e-3), "--source", models / "matrix.joblib", "--data", models / "matrix.csv", "--trust"]
    result = run(*words, "--report", tmp_path / "r.html")
    assert result.code == 1 and "DIFFERENT" in result.out and "worst rows" in result.out and "x0=" in result.out
    page = (tmp_path / "r.html").read_text()
    assert "Different" in page and page.count("<svg") >= 2 and "Worst rows" in page
    assert "http://" not in page and "https://" not in page and "<script" not in page and len(page) < 500_000
    report = run(*words, "--json").json
    assert not report["ok"] and report["failing_count"] == len(report["failing_rows"]) > 0
    assert report["worst"][0]["inputs"]["x0"] and 1e-6 < report["max_abs_error"] < 1e-2
    assert run(*words, "--atol", "0.1").code == (1 if report["mismatched_labels"] else 0)


def test_a_source_is_not_loaded_without_leave(models, tmp_path):
    result = run("validate", models / "matrix.onnx", "--source", models / "matrix.joblib", "--data", models / "matrix.csv")
    assert result.code == 2 and "--trust" in result.err and "--expected" in result.err


def test_what_python_says_is_passed_on(models, tmp_path):
    (tmp_path / "broken.joblib").write_bytes(b"not a model at all")
    result = run("validate", models / "matrix.onnx", "--source", tmp_path / "broken.joblib", "--data", models / "matrix.csv", "--trust")
    assert result.code == 3 and "broken.joblib" in result.err


def test_nothing_to_compare_with(models):
    result = run("validate", models / "matrix.onnx")
    assert result.code == 2 and "--expected" in result.err


# --- predict

def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_predict_gives_what_scikit_learn_gives(models, tmp_path):
    assert run("predict", models / "matrix.onnx", models / "matrix.csv", "-o", tmp_path / "out.csv").code == 0
    rows = rows_of((tmp_path / "out.csv").read_text())
    wanted = np.load(models / "matrix_answers.npz")
    assert [int(r["label"]) for r in rows] == wanted["label"].tolist()
    assert np.allclose([[float(r["probability_0"]), float(r["probability_1"])] for r in rows], wanted["probabilities"], rtol=0, atol=1e-12)


def test_batches_and_threads_change_nothing(models):
    words = ["predict", models / "table.onnx", models / "table.csv", "-o", "-"]
    whole = run(*words).out
    assert whole.count("\n") == 301
    for more in (["--batch", "1"], ["--batch", "7", "--threads", "1"], ["--threads", "2"]):
        assert run(*words, *more).out == whole


def test_standard_input_and_kept_columns(models):
    result = run("predict", models / "table.onnx", "-", "-o", "-", "--keep", "id,age", input="id,alone,age,home.dest\n7,True,,Paris\n8,False,30.5,Lyon\n")
    assert result.code == 0, result.err
    assert [list(r.values())[:3] for r in rows_of(result.out)] == [["7", "", "yes"], ["8", "30.5", "no"]]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "npz"])
def test_tables_out(models, tmp_path, suffix):
    result = run("predict", models / "table.onnx", models / "table.csv", "-o", tmp_path / f"out.{suffix}", "--json")
    assert result.code == 0 and result.json["rows"] == 300 and (tmp_path / f"out.{suffix}").stat().st_size > 1000


@pytest.mark.parametrize("data, said", [
    ("age,alone\n1,True\n", "home.dest"),
    ("age,home.dest,alone\n1,Paris,True\nold,Lyon,True\n", "line 3"),
    ("age,home.dest,alone\n1,Paris,True\n2,Oslo,True\n", "row 2"),
    ("age,home.dest,alone\n1,Paris,True\n2,Lyon,True,9\n", "line 3"),
])
def test_data_that_does_not_fit(models, tmp_path, data, said):
    result = run("predict", models / "table.onnx", "-", "-o", tmp_path / "out.csv", input=data)
    assert result.code == 3 and said in result.err and os.listdir(tmp_path) == []


def test_a_fitted_model_where_an_onnx_model_belongs(models):
    result = run("predict", models / "matrix.joblib", models / "matrix.csv", "-o", "-")
    assert result.code == 3 and "`onward convert` makes an ONNX model of it" in result.err and result.err.count("matrix.joblib") == 1


def test_an_array_of_another_width_is_refused(models, tmp_path):
    np.save(tmp_path / "wide.npy", np.ones((3, 9)))
    result = run("predict", models / "matrix.onnx", tmp_path / "wide.npy", "-o", "-")
    assert result.code == 3 and "the table has 9 columns without names, the model takes" in result.err


def test_unknown_tables_and_providers(models):
    assert run("predict", models / "table.onnx", models / "table.csv", "-o", "out.parquet").code == 4
    result = run("predict", models / "table.onnx", models / "table.csv", "-o", "-", "--provider", "cuda")
    assert result.code == 2 and "cuda" in result.err
    result = run("predict", models / "table.onnx", models / "table.csv", "-o", "-", "--keep", "agee")
    assert result.code == 3 and "did you mean 'age'" in result.err
