"""Columns on their way into onward's tables: what a schema says of them, and arrays as types that columns have."""
from onward.errors import error_of

NAN, NA = 1, 3  # kinds of gaps, as onward.h numbers them


class Inputs:
    """A schema's inputs, asked by the names of a table's columns."""

    def __init__(self, fields=()):
        self.fields = list(fields)
        self.names = {field["name"] for field in self.fields}
        self.seen = None                                 # of the last frame of pandas: its columns, and what was found out about them
        self._parts, self._others = {}, {}
        for field in self.fields:
            for part in field.get("columns") or ():
                self._parts.setdefault(part["name"], part)
            for name in (field["name"], *(field.get("names") or ())):
                self._parts.setdefault(name, field)
            if field["shape"][1:] not in ([], [1]) and not field.get("names"):
                self._others = field                     # a matrix that takes columns of any name
                break

    def said(self, key, column, otherwise):
        """What the schema says of a column under `key`."""
        return self._parts.get(column, self._others).get(key, otherwise)

    def may_take(self, column):
        """Whether the model may take a column of this name; of a model whose columns have none, any."""
        if not self.fields or self._others or len(self.fields) == 1 == len(self._parts):
            return True
        # LightGBM writes "_" for blanks, and columns that have no names are counted.
        return not self._parts.keys().isdisjoint((column, column.replace(" ", "_"), f"x{column}"))

    def matrix_names(self, width):
        """What the schema calls the columns of the model's only matrix, or its inputs in order."""
        fields = self.fields
        if len(fields) == 1 and len(fields[0].get("names") or ()) == width:
            return fields[0]["names"]
        if len(fields) == width > 1:
            return [field["name"] for field in fields]
        if len(fields) == 1 and width_of(fields[0]) not in (None, width):
            raise error_of(306, "bad-data", f"the table has {width} columns without names, the model takes {width_of(fields[0])}",
                           "give just these columns in the order of training, or name them")
        return [f"x{k}" for k in range(width)]

    def names_of(self, matrix, width):
        """What the schema calls the columns of a matrix that is an input; else <matrix>_0 …"""
        for field in self.fields:
            if field["name"] == matrix and len(field.get("names") or ()) == width:
                return field["names"]
        return [f"{matrix}_{k}" for k in range(width)]


def width_of(field):
    return field["shape"][1] if len(field["shape"]) == 2 else 1


def add(table, name, values, inputs):
    """A list, a tuple, or an array of one axis."""
    if not table.add(name, values, inputs.said("numbers", name, "text")):
        _add_array(table, name, values, inputs)


def _add_array(table, name, values, inputs):
    if values.dtype.kind in "UST":
        return table.add(name, values.tolist(), inputs.said("numbers", name, "text"))
    array, datetime, cells = plain(values, name)
    table.add_array(name, array, datetime, cells)


def plain(values, name):
    """(float64, float32, int64 or bool array; whether it holds times; kinds of gaps or None)."""
    import numpy

    kind = values.dtype.kind
    if kind == "M":
        times = values.astype("datetime64[ns]")
        gaps = numpy.isnat(times)
        cells = numpy.where(gaps, numpy.uint8(NAN), numpy.uint8(0)) if gaps.any() else None
        return numpy.where(gaps, numpy.int64(0), times.view(numpy.int64)), True, cells
    if kind == "b" or values.dtype in (numpy.float64, numpy.float32, numpy.int64):
        return values, False, None
    if kind == "f" and values.dtype.itemsize in (4, 8):  # in the other byte order
        return values.astype(values.dtype.newbyteorder("=")), False, None
    if kind == "f" and values.dtype.itemsize == 2 or values.dtype.name == "bfloat16":
        return values.astype(numpy.float32), False, None
    if kind in "iu":
        if values.dtype == numpy.uint64 and values.size and values.max() > numpy.iinfo(numpy.int64).max:
            raise error_of(306, "bad-data", f"column '{name}': a whole number beyond int64", "")
        return values.astype(numpy.int64), False, None
    raise error_of(306, "bad-data", f"column '{name}' has the type {values.dtype}, which no column holds", "cast it to numbers, booleans, text or datetime64")
