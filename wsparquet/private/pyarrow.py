"""The C data interface of pyarrow by address, and Arrow's functions without the import of ``pyarrow.compute``.

Tried with pyarrow 26.0.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from inspect import signature
from typing import Any

import pyarrow as pa

__all__ = ["call_function", "export_batch", "import_batch", "import_schema", "writes_bloom_filters"]


def call_function(name: str, arguments: Sequence[pa.Array], *, fields: Sequence[str] = ()) -> Any:
    """Call one of Arrow's functions; ``fields`` are the fields that ``struct_field`` returns."""
    compute = _compute()
    options = compute.StructFieldOptions(list(fields)) if fields else None
    return compute.call_function(name, list(arguments), options)


@cache
def _compute() -> Any:
    """Import Arrow's functions when they are first used; the native decoder and writer need none of them."""
    try:
        # pyarrow.compute imports them from this module, and creates 280 functions besides, which takes 40 ms.
        return import_module("pyarrow._compute")
    except ImportError:
        return import_module("pyarrow.compute")


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


@cache
def writes_bloom_filters() -> bool:
    """Return whether pyarrow's Parquet writer has the option ``bloom_filter_options``, which older versions lack."""
    import pyarrow.parquet as pq

    return "bloom_filter_options" in signature(pq.ParquetWriter.__init__).parameters
