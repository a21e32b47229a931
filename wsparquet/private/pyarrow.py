"""The C data interface of pyarrow by address, and two of its names without the import of ``pyarrow.compute``.

Tried with pyarrow 26.0.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyarrow.compute import StructFieldOptions, call_function
else:
    try:
        # pyarrow.compute imports them from this module, and creates 280 functions besides, which takes 40 ms.
        from pyarrow._compute import StructFieldOptions, call_function
    except ImportError:
        from pyarrow.compute import StructFieldOptions, call_function

__all__ = ["StructFieldOptions", "call_function", "export_batch", "import_batch", "import_schema"]


def import_batch(address: int, schema: pa.Schema) -> pa.RecordBatch:
    """Return the record batch in the ``ArrowArray`` struct at an address.

    The public way, a pair of capsules, would export and import the whole schema for every batch.
    """
    return pa.RecordBatch._import_from_c(address, schema)  # noqa: SLF001


def export_batch(batch: pa.RecordBatch, address: int) -> None:
    """Move a record batch, without its schema, into the ``ArrowArray`` struct at an address."""
    batch._export_to_c(address)  # noqa: SLF001


def import_schema(capsule: object) -> pa.Schema:
    """Return the schema in a capsule. ``pyarrow.schema`` takes only objects that make capsules."""
    return pa.Schema._import_from_c_capsule(capsule)  # noqa: SLF001
