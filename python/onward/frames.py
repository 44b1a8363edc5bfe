"""Frames, Arrow tables, dicts of columns and matrices to onward's tables, and predictions back to what the caller uses."""
from onward import _core
from onward.errors import error_of

_NAN, _NONE, _NA = 1, 2, 3


def table_of(data, inputs=()):
    """`inputs` are the schema's: they say what a matrix without names is."""
    if isinstance(data, _core.Table):
        return data
    kind = _library(data)
    if kind == "pandas":
        return _from_pandas(data, inputs)
    if isinstance(data, dict):
        return _from_columns(data, inputs)
    if kind == "series":
        return _from_series(data, inputs)
    if hasattr(data, "__arrow_c_stream__"):
        return _core.Table.from_arrow_stream(data.__arrow_c_stream__())
    if hasattr(data, "__dataframe__") or hasattr(data, "to_arrow"):
        arrow = getattr(data, "to_arrow", None)
        if arrow:
            return table_of(arrow())
    if isinstance(data, (list, tuple)) and data and isinstance(data[0], dict):
        names = {name: None for row in data for name in row}
        return _from_columns({name: [row.get(name) for row in data] for name in names}, inputs)
    return _from_matrix(data, inputs)


def predictions_like(given, table):
    """The columns in a frame of the caller's kind, with its index; otherwise a dict of columns."""
    columns = {name: values for name, _, values in table.columns()}
    kind = _library(given)
    if kind == "pandas":
        import pandas

        return pandas.DataFrame(columns, index=given.index)
    if kind == "polars":
        import polars

        return polars.DataFrame({name: values.tolist() if values.dtype == object else values for name, values in columns.items()})
    if kind == "pyarrow":
        import pyarrow

        return pyarrow.table({name: pyarrow.array(values) for name, values in columns.items()})
    return columns


def types_of(data):
    """[(column, "float64" | "float32" | "int64" | "bool" | "string" | "datetime")] of an example."""
    return table_of(data).types()


def _library(data):
    """"pandas" for its frames, "polars" for its frames, "pyarrow" for its tables and batches, "series" for one column of a frame; else ""."""
    for cls in type(data).__mro__:
        library, _, _ = cls.__module__.partition(".")
        if (library, cls.__name__) in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"), ("pyarrow", "RecordBatch")):
            return library
        if cls.__name__ == "Series" and library in ("pandas", "polars"):
            return "series"
    return ""


def _from_pandas(frame, inputs):
    table = _core.Table(len(frame))
    # To scikit-learn numbers are no names; to XGBoost they are.
    named = any(isinstance(name, str) for name in frame.columns) or {str(name) for name in frame.columns} >= {field["name"] for field in inputs} != set()
    arrays = _column_arrays(frame)
    for place, name in enumerate(frame.columns if named else _matrix_names(inputs, frame.shape[1])):
        _add_column(table, str(name), frame, place, arrays[place] if arrays else None, inputs)
    return table


def _column_arrays(frame):
    """The columns without a Series around each, which takes longer to make than a row to predict; None where pandas does not hand them out."""
    hand_out = getattr(frame, "_iter_column_arrays", None)
    return list(hand_out()) if hand_out else None


def _add_column(table, name, frame, place, array, inputs):
    import numpy

    if isinstance(array, numpy.ndarray):
        return _add_array(table, name, array, inputs)
    if array is not None and array.dtype.name in ("str", "string"):
        return _add_objects(table, name, array.to_numpy(dtype=object).tolist(), inputs)
    _add_series(table, name, frame.iloc[:, place], inputs)


def _add_series(table, name, series, inputs):
    import numpy

    dtype = series.dtype
    if hasattr(dtype, "categories") and _said("category_codes", name, inputs, False):
        codes = series.cat.codes.to_numpy()
        return _add_array(table, name, numpy.where(codes < 0, numpy.nan, codes), inputs)
    if hasattr(dtype, "categories"):
        series = series.astype(dtype.categories.dtype) if not series.hasnans else series.astype(object)
        dtype = series.dtype
    if dtype.kind == "M" and hasattr(dtype, "tz"):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        dtype = series.dtype
    if isinstance(dtype, numpy.dtype):
        return _add_array(table, name, series.to_numpy(), inputs)
    if dtype.kind in "iufb":                             # nullable numbers: a mask beside the values
        gaps = series.isna().to_numpy()
        cells = numpy.where(gaps, numpy.uint8(_NA), numpy.uint8(0)) if gaps.any() else None
        plain = {"f": "float64", "b": "bool"}.get(dtype.kind, "int64")
        return table.add_array(name, _plain(series.fillna(False if dtype.kind == "b" else 0).to_numpy(dtype=plain), name)[0], False, cells)
    _add_objects(table, name, series.to_numpy(dtype=object).tolist(), inputs)


def _add_objects(table, name, items, inputs):
    table.add_objects(name, items, _said("numbers", name, inputs, "text"))


def _said(key, column, inputs, otherwise):
    """What the schema says of a column under `key`."""
    for field in inputs:
        for part in field.get("columns") or ():
            if part["name"] == column:
                return part.get(key, otherwise)
        if field["name"] == column or column in (field.get("names") or ()) or field["shape"][1:] not in ([], [1]) and not field.get("names"):
            return field.get(key, otherwise)
    return otherwise


def _add_array(table, name, values, inputs):
    if values.dtype.kind in "OUS" or values.dtype.kind == "T":
        return _add_objects(table, name, values.tolist(), inputs)
    array, datetime, cells = _plain(values, name)
    table.add_array(name, array, datetime, cells)


def _plain(values, name):
    """(float64, float32, int64 or bool array; whether it holds times; kinds of gaps or None)."""
    import numpy

    kind = values.dtype.kind
    if kind == "M":
        times = values.astype("datetime64[ns]")
        gaps = numpy.isnat(times)
        cells = numpy.where(gaps, numpy.uint8(_NAN), numpy.uint8(0)) if gaps.any() else None
        return numpy.where(gaps, numpy.int64(0), times.view(numpy.int64)), True, cells
    if kind == "b" or values.dtype in (numpy.float64, numpy.float32, numpy.int64):
        return values, False, None
    if kind == "f" and values.dtype.itemsize == 2 or values.dtype.name == "bfloat16":
        return values.astype(numpy.float32), False, None
    if kind in "iu":
        if values.dtype == numpy.uint64 and values.size and values.max() > numpy.iinfo(numpy.int64).max:
            raise error_of(306, "bad-data", f"column '{name}': a whole number beyond int64", "")
        return values.astype(numpy.int64), False, None
    raise error_of(306, "bad-data", f"column '{name}' has the type {values.dtype}, which no column holds", "cast it to numbers, booleans, text or datetime64")


def _from_columns(columns, inputs=()):
    import numpy

    arrays = {}
    for name, values in columns.items():
        if not hasattr(values, "dtype") or not hasattr(values, "shape"):
            values = list(values) if not hasattr(values, "__array__") else numpy.asarray(values)
        if hasattr(values, "ndim") and values.ndim == 2:
            values = numpy.asarray(values)
            names = [name] if values.shape[1] == 1 else _names_of(name, inputs, values.shape[1])
            arrays.update({names[k]: values[:, k] for k in range(values.shape[1])})
        else:
            arrays[name] = values
    table = _core.Table(len(next(iter(arrays.values()))) if arrays else 0)
    for name, values in arrays.items():
        if isinstance(values, list):
            _add_objects(table, str(name), values, inputs)
        elif _is_series(values):
            _add_series(table, str(name), values, inputs)
        else:
            _add_array(table, str(name), numpy.asarray(values), inputs)
    return table


def _names_of(matrix, inputs, width):
    """What the schema calls the columns of a matrix that is an input; else <matrix>_0 …"""
    for field in inputs:
        if field["name"] == matrix and len(field.get("names") or ()) == width:
            return field["names"]
    return [f"{matrix}_{k}" for k in range(width)]


def _matrix_names(inputs, width):
    """What the schema calls the columns of the model's only matrix, or its inputs in order."""
    if len(inputs) == 1 and len(inputs[0].get("names") or ()) == width:
        return inputs[0]["names"]
    if len(inputs) == width > 1:
        return [field["name"] for field in inputs]
    if len(inputs) == 1 and _width_of(inputs[0]) not in (None, width):
        raise error_of(306, "bad-data", f"the table has {width} columns without names, the model takes {_width_of(inputs[0])}",
                       "give just these columns in the order of training, or name them")
    return [f"x{k}" for k in range(width)]


def _width_of(field):
    return field["shape"][1] if len(field["shape"]) == 2 else 1


def _is_series(values):
    return any(cls.__module__.startswith("pandas") and cls.__name__ == "Series" for cls in type(values).__mro__)


def _from_series(series, inputs):
    if len(inputs) > 1 or any(_width_of(field) not in (None, 1) for field in inputs):
        raise error_of(306, "bad-data", "expected a table, given a series: it may be one row or one column", "give series.to_frame().T or series.to_frame()")
    return _from_columns({inputs[0]["name"] if inputs else series.name or "x0": series if _is_series(series) else series.to_list()}, inputs)


def _from_matrix(data, inputs):
    import numpy

    if hasattr(data, "toarray"):                         # scipy's sparse matrices
        data = data.toarray()
    matrix = numpy.asarray(data)
    if matrix.dtype.names:
        return _from_columns({name: matrix[name] for name in matrix.dtype.names}, inputs)
    if matrix.ndim == 1:
        matrix = matrix.reshape(-1, 1)
    if matrix.ndim != 2:
        raise error_of(306, "bad-data", f"expected a table, given an array of {matrix.ndim} axes", "rows by columns")
    table = _core.Table(matrix.shape[0])
    for k, name in enumerate(_matrix_names(inputs, matrix.shape[1])):
        _add_array(table, name, numpy.ascontiguousarray(matrix[:, k]), inputs)
    return table
