"""Frames, Arrow tables, dicts of columns and matrices to onward's tables, and predictions back to what the caller uses."""
import functools

from onward import _core
from onward.columns import Inputs, add, width_of
from onward.errors import error_of


def table_of(data, inputs=None):
    """`inputs` are the schema's: they say what a matrix without names is."""
    if isinstance(data, _core.Table):
        return data
    inputs = inputs or Inputs()
    try:
        return _whole_table(data, inputs)
    except (ValueError, TypeError):                      # a column's type, which matters where the model takes that column
        asked = _asked_alone(data, inputs)
        if asked is None:
            raise
        return _whole_table(asked, inputs)


def _asked_alone(data, inputs):
    """The table without the columns that the model does not take; None where there are none."""
    kind = library_of(type(data))
    if not kind and not isinstance(data, dict) or kind == "series":
        return None
    names = list(data if isinstance(data, dict) else data.column_names if kind == "pyarrow" else data.columns)
    asked = [place for place, name in enumerate(names) if inputs.may_take(str(name))]
    if not 0 < len(asked) < len(names):
        return None
    if isinstance(data, dict):
        return {names[place]: data[names[place]] for place in asked}
    return data.iloc[:, asked] if kind == "pandas" else data.select([names[place] for place in asked])


def _whole_table(data, inputs):
    kind = library_of(type(data))
    if kind == "pandas":
        from onward import pandas_frames

        return pandas_frames.table_of(data, inputs)
    if isinstance(data, dict):
        return _from_columns(data, inputs)
    if kind == "series":
        return _from_series(data, inputs)
    if hasattr(data, "__arrow_c_stream__"):
        return _core.Table.from_arrow_stream(data.__arrow_c_stream__())
    if hasattr(data, "__dataframe__") or hasattr(data, "to_arrow"):
        arrow = getattr(data, "to_arrow", None)
        if arrow:
            return table_of(arrow(), inputs)
    if isinstance(data, (list, tuple)) and data and isinstance(data[0], dict):
        names = {name: None for row in data for name in row}
        return _from_columns({name: [row.get(name) for row in data] for name in names}, inputs)
    return _from_matrix(data, inputs)


def predictions_like(given, table):
    """The columns in a frame of the caller's kind, with its index; otherwise a dict of columns."""
    kind = library_of(type(given))
    if kind == "pandas":
        from onward import pandas_frames

        return pandas_frames.frame_of(table, given.index)
    columns = {name: values for name, _, values in table.columns()}
    if kind == "polars":
        import polars

        return polars.DataFrame([polars.Series(name, values.tolist() if values.dtype == object else values) for name, values in columns.items()])
    if kind == "pyarrow":
        import pyarrow

        return pyarrow.Table.from_arrays([pyarrow.array(values) for values in columns.values()], names=list(columns))
    return columns


def types_of(data):
    """[(column, "float64" | "float32" | "int64" | "bool" | "string" | "datetime")] of an example."""
    return table_of(data).types()


@functools.lru_cache(maxsize=64)
def library_of(kind):
    """"pandas" for its frames, "polars" for its frames, "pyarrow" for its tables and batches, "series" for one column of a frame; else ""."""
    for cls in kind.__mro__:
        library, _, _ = cls.__module__.partition(".")
        if (library, cls.__name__) in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"), ("pyarrow", "RecordBatch")):
            return library
        if cls.__name__ == "Series" and library in ("pandas", "polars"):
            return "series"
    return ""


def _from_columns(columns, inputs):
    arrays = {}
    for name, values in columns.items():
        if isinstance(values, (list, tuple)):
            arrays[name] = values
            continue
        if not hasattr(values, "dtype") or not hasattr(values, "shape"):
            values = _asarray(values) if hasattr(values, "__array__") else list(values)
        if getattr(values, "ndim", 1) == 2:
            values = _asarray(values)
            names = [name] if values.shape[1] == 1 else inputs.names_of(name, values.shape[1])
            arrays.update({names[k]: values[:, k] for k in range(values.shape[1])})
        else:
            arrays[name] = values
    table = _core.Table(len(next(iter(arrays.values()))) if arrays else 0)
    for name, values in arrays.items():
        if _is_series(values):
            from onward import pandas_frames

            pandas_frames.add_series(table, str(name), values, inputs)
        else:
            add(table, str(name), values if isinstance(values, (list, tuple)) else _asarray(values), inputs)
    return table


def _asarray(values):
    import numpy

    return numpy.asarray(values)


def _is_series(values):
    return library_of(type(values)) == "series" and hasattr(values, "iloc")


def _from_series(series, inputs):
    fields = inputs.fields
    if len(fields) > 1 or any(width_of(field) not in (None, 1) for field in fields):
        raise error_of(306, "bad-data", "expected a table, given a series: it may be one row or one column", "give series.to_frame().T or series.to_frame()")
    return _from_columns({fields[0]["name"] if fields else series.name or "x0": series if _is_series(series) else series.to_list()}, inputs)


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
    for k, name in enumerate(inputs.matrix_names(matrix.shape[1])):
        add(table, name, matrix[:, k], inputs)
    return table
