"""Those of Arrow's compute kernels that every conversion needs.

They are called by name: ``pyarrow.compute`` makes and documents a function for each of 280 kernels when it is imported,
which takes 40 ms, a tenth of what converting a small file takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pyarrow.compute import StructFieldOptions, call_function
else:
    try:
        # Where pyarrow.compute, whose names these are, has them from.
        from pyarrow._compute import StructFieldOptions, call_function
    except ImportError:
        from pyarrow.compute import StructFieldOptions, call_function

__all__ = ["list_flatten", "min_max", "struct_field"]


def list_flatten(lists: pa.Array) -> Any:
    """The elements of all lists."""
    return call_function("list_flatten", [lists])


def struct_field(structs: pa.Array, name: str) -> Any:
    """A field of all structs, null where they are."""
    return call_function("struct_field", [structs], StructFieldOptions([name]))


def min_max(values: pa.Array) -> tuple[Any, Any] | None:
    """The least and the greatest value as scalars, None where there is none but nulls."""
    bounds = call_function("min_max", [values])
    return (bounds["min"], bounds["max"]) if bounds["min"].is_valid else None
