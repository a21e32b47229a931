"""The Arrow compute kernels that small runs need.

This module calls the kernels by name, without ``pyarrow.compute``. Importing that module takes 40 ms, a tenth of the
time to convert a small file, because it creates and documents functions for 280 kernels.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from wsparquet.private.pyarrow import call_function

__all__ = ["count_values", "list_flatten", "min_max", "struct_field"]


def list_flatten(lists: pa.Array) -> Any:
    """Return the elements of all lists as one array."""
    return call_function("list_flatten", [lists])


def struct_field(structs: pa.Array, name: str) -> Any:
    """Return one field of all structs; the value is null if the struct is null."""
    return call_function("struct_field", [structs], fields=[name])


def min_max(values: pa.Array) -> tuple[Any, Any] | None:
    """Return the minimum and the maximum as scalars, or None if all values are null."""
    bounds = call_function("min_max", [values])
    return (bounds["min"], bounds["max"]) if bounds["min"].is_valid else None


def count_values(array: pa.Array) -> Counter[Any]:
    """Return how often each value occurs in an array, null included."""
    found = call_function("value_counts", [array])
    values, counts = found.field("values").to_pylist(), found.field("counts").to_pylist()
    return Counter(dict(zip(values, counts, strict=True)))
