"""The tabular benchmark says what its figures mean: what was aimed at and missed, who was not measured; and each section keeps to its place."""
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import measuring  # noqa: E402
import tabular  # noqa: E402
import tabular_document  # noqa: E402
import tabular_models  # noqa: E402
import tabular_picture  # noqa: E402


def times(median):
    return {"median": median, "low": median * 0.9, "high": median * 1.1, "calls": 9}


@pytest.fixture
def measured():
    """w5, whose targets are 6 for a row and 16 for 10,000, beside lleaves, of which 6 is aimed at."""
    python = {"onward": times(100), "onward exact": times(150), "ONNX Runtime": times(1000), "lleaves": times(700)}
    return [{"name": "w5", "title": "trees", "export": {"refusal": None}, "differences": {"ONNX Runtime": 1e-6}, "batches": [
        {"rows": 1, "python": python, "c": {"onward": times(1), "onward exact": times(2), "ONNX Runtime": times(7)}}, {"rows": 10_000, "python": python}],
        "contenders": {"onward": {"version": "1.2", "loading": {"seconds": 0.01, "bytes": 1e6}}, "ONNX Runtime": {"version": "3.4", "loading": {"seconds": 0.05, "bytes": 9e6}},
                       "oneDAL": {"refusal": "not installed"}, "CatBoost": {"refusal": "for other models", "unsuited": True}}}]


def row_of(text, *begin):
    return next([c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| " + " | ".join(begin) + " |"))


def test_one_row_is_judged_from_c_and_batches_from_python(measured):
    text = tabular_document.section(measured)
    assert row_of(text, "w5 trees", "1")[5:] == ["7.00", "6", "3.50"]
    assert row_of(text, "w5 trees", "10,000")[5:] == ["10.00", "16, missed", "6.67"]
    assert "16 aimed at: missed" in tabular_document.shown(measured[0])


def test_others_are_judged_on_large_batches(measured):
    text = tabular_document.section(measured)
    assert row_of(text, "w5", "lleaves", "1")[4:] == ["7.00", ""]
    assert row_of(text, "w5", "lleaves", "10,000")[4:] == ["7.00", "6"]


def test_loading_versions_and_who_is_missing(measured):
    text = tabular_document.section(measured)
    assert row_of(text, "w5", "onward") == ["w5", "onward", "10.0 (5.0)", "1.0 (9.0)", "0"]
    assert "onward 1.2, ONNX Runtime 3.4" in text
    assert "- oneDAL (w5): not installed" in text and "CatBoost" not in text


def test_distances_are_from_the_library_where_it_is_measured():
    assert tabular.distances({"onward": np.array([1.0, 2]), "LightGBM": np.array([1.0, 2.5])}) == {"onward": 0.5}
    assert tabular.distances({"onward": np.array([1.0, 2]), "oneDAL": np.array([1.0, 2.5])}) == {}


def test_the_picture_has_a_bar_for_each_of_our_rows(measured):
    picture = tabular_picture.picture(measured, tabular_document.ratio, tabular_document.target)
    assert picture.count("height='6'") == 2 and picture.count("<circle") == 2 and "lleaves" in picture


def test_a_section_takes_the_place_of_its_former_self(tmp_path):
    document = tmp_path / "performance.md"
    first, second, *_ = measuring.SECTIONS
    for heading, words in ((first, "a\n\n## From C\n\nb"), (second, "c"), (first, "d"), (second, "e"), (first, "f")):
        measuring.put(document, heading, f"{heading}\n\n{words}\n")
    assert document.read_text() == f"{first}\n\nf\n\n{second}\n\ne\n"


def test_texts_are_stored_and_read_as_they_were(tmp_path):
    rows = tabular_models.mixed_frame(1, 20)
    tabular_models.save_rows(tmp_path / "rows.npz", rows, y=rows["n0"])
    read, y = tabular_models.load_rows(tmp_path / "rows.npz")
    assert list(read) == list(rows) and read["s0"].dtype == object and (read["s0"] == rows["s0"]).all() and len(y) == 20
