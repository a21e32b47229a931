"""pyarrow's C data interface for memory addresses, and two names of ``pyarrow.compute`` without importing that module.

Tried with pyarrow 26.0.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyarrow.compute import StructFieldOptions, call_function
else:
    try:
        # pyarrow.compute imports these two names from the same module, but also creates 280 functions in 40 ms.
        from pyarrow._compute import StructFieldOptions, call_function
    except ImportError:
        from pyarrow.compute import StructFieldOptions, call_function

__all__ = ["StructFieldOptions", "call_function", "export_batch", "import_batch", "import_schema"]


def import_batch(address: int, schema: pa.Schema) -> pa.RecordBatch:
    """Return the record batch in the ``ArrowArray`` struct at an address.

    pyarrow's public method uses a pair of capsules, which would export and import the complete schema for every batch.
    """
    return pa.RecordBatch._import_from_c(address, schema)  # noqa: SLF001


def export_batch(batch: pa.RecordBatch, address: int) -> None:
    """Move a record batch, without its schema, into the ``ArrowArray`` struct at an address."""
    batch._export_to_c(address)  # noqa: SLF001


def import_schema(capsule: object) -> pa.Schema:
    """Return the schema in a capsule. ``pyarrow.schema`` accepts objects that create capsules, but not capsules."""
    return pa.Schema._import_from_c_capsule(capsule)  # noqa: SLF001
