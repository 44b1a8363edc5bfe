"""Frames of pandas to onward's tables, and predictions back. A frame keeps its columns in blocks, one for each type; a Series around each
column, and a frame out of a dict of columns, take many times as long to make as one row takes to predict."""
import functools

import numpy
import pandas

from onward import _core
from onward.columns import NA, NAN, add, plain

try:
    from pandas.api.internals import create_dataframe_from_blocks
except ImportError:                                      # before pandas 3
    create_dataframe_from_blocks = None


def table_of(frame, inputs):
    table = _core.Table(len(frame))
    names, numbers = _names_and_numbers(frame.columns, inputs)
    table.add_blocks(names, numbers, _blocks(frame), lambda place: add_series(table, names[place], frame.iloc[:, place], inputs))
    return table


def _names_and_numbers(columns, inputs):
    """What the columns are called, and what becomes of numbers among texts in each."""
    seen = inputs.seen
    if seen is not None and columns.is_(seen[0]):        # slices of one frame share theirs
        return seen[1:]
    given = columns.tolist()
    names = [str(name) for name in given]
    # To scikit-learn numbers are no names; to XGBoost they are.
    if not any(isinstance(name, str) for name in given) and not set(names) >= inputs.names != set():
        names = inputs.matrix_names(len(names))
    inputs.seen = columns, names, [inputs.said("numbers", name, "text") for name in names]
    return inputs.seen[1:]


def _blocks(frame):
    """[(values, the places of their columns)]. pandas promises nothing of them: a column that is in none is read through its Series."""
    try:
        return [(_readable(block.values), block.mgr_locs.as_array) for block in frame._mgr.blocks]
    except AttributeError:
        return []


def _readable(values):
    """An array as it is, text in Arrow's memory as a stream; None for other kinds."""
    if isinstance(values, numpy.ndarray):
        return values
    dtype = values.dtype
    if getattr(dtype, "storage", None) != "pyarrow":
        return None
    return values.__arrow_array__().__arrow_c_stream__(), NAN if isinstance(dtype.na_value, float) else NA


def add_series(table, name, series, inputs):
    dtype = series.dtype
    if hasattr(dtype, "categories") and inputs.said("category_codes", name, False):
        codes = series.cat.codes.to_numpy()
        return table.add_array(name, numpy.where(codes < 0, numpy.nan, codes))
    if hasattr(dtype, "categories"):
        series = series.astype(dtype.categories.dtype) if not series.hasnans else series.astype(object)
        dtype = series.dtype
    if dtype.kind == "M" and hasattr(dtype, "tz"):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        dtype = series.dtype
    if isinstance(dtype, numpy.dtype):
        return add(table, name, series.to_numpy(), inputs)
    if dtype.kind in "iufb":                             # nullable numbers: a mask beside the values
        gaps = series.isna().to_numpy()
        cells = numpy.where(gaps, numpy.uint8(NA), numpy.uint8(0)) if gaps.any() else None
        kind = {"f": "float64", "b": "bool"}.get(dtype.kind, "int64")
        return table.add_array(name, plain(series.fillna(False if dtype.kind == "b" else 0).to_numpy(dtype=kind), name)[0], False, cells)
    add(table, name, series.to_numpy(dtype=object), inputs)


def frame_of(table, index):
    """Predictions, under the index of the frame that they are for."""
    blocks = table.blocks() if create_dataframe_from_blocks else None
    names = table.names()
    if not blocks or not len(index) or len(set(names)) < len(names):
        return pandas.DataFrame({name: values for name, _, values in table.columns()}, index=index)
    columns, text = _columns_and_text(names)
    blocks = [(_texts(values, text) if values.ndim == 1 else values, places) for values, places in blocks]
    return create_dataframe_from_blocks(blocks, index, columns.view())   # a view: the names' own name may be changed


def _texts(values, dtype):
    return values[None] if dtype == object else pandas.array(values, dtype=dtype)


@functools.lru_cache(maxsize=64)
def _columns_and_text(names):
    """What pandas makes of the names of columns, and the type that it gives columns of text."""
    sample = pandas.DataFrame({name: ["text"] for name in names})
    return sample.columns, sample.dtypes.iloc[0]
