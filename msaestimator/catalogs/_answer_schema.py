"""Arrow's types of answers, and tables of answers as record batches of them."""

import numpy as np
import pyarrow as pa

from msaestimator.schema import StarTable
from msaestimator.tables import arrow_of_table, raw_column

__all__ = ["batch_of", "schema_of"]


def schema_of(table: StarTable) -> pa.Schema:
    """Return the schema of answers: floats as float32, save for positions.

    Units and descriptions are in the metadata twice: as astropy keeps them, and of each column.

    Parameters
    ----------
    table : StarTable
        Answers, of as many stars as one likes.
    """
    schema = arrow_of_table(table[:0]).schema
    return pa.schema([_field(field, table) for field in schema], schema.metadata)


def batch_of(table: StarTable, schema: pa.Schema) -> pa.RecordBatch:
    """Return answers as a record batch of exactly that schema."""
    arrays = [_array(table, field) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


EXACT = ("ra", "dec")
"""Floats that stay as exact as they came: float32 tells positions to 20 milliarcseconds."""


def _field(field: pa.Field, table: StarTable) -> pa.Field:
    info = table[field.name].info
    known = {"unit": str(info.unit or ""), "description": info.description or ""}
    kind = field.type if field.name in EXACT else _smaller(field.type)
    return pa.field(
        field.name, kind, metadata={name: text for name, text in known.items() if text}
    )


def _smaller(kind: pa.DataType) -> pa.DataType:
    """Return a type with float32 in place of float64."""
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_smaller(kind.value_type), kind.list_size)
    return pa.float32() if pa.types.is_float64(kind) else kind


def _array(table: StarTable, field: pa.Field) -> pa.Array:
    values, mask, _ = raw_column(table[field.name])
    inner = field.type.value_type if values.ndim > 1 else field.type
    numbers = np.ascontiguousarray(values, dtype=inner.to_pandas_dtype()).ravel()
    array = pa.array(numbers, inner, mask=mask.ravel() if mask.any() else None)
    if values.ndim > 1:
        return pa.FixedSizeListArray.from_arrays(array, type=field.type)
    return array
