"""Constructs the Arrow fields of the structs and tables, with the documentation of each field in its metadata.

``wsparquet.schema.tables`` describes the metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from wsparquet.schema.annotations import Annotations

__all__ = [
    "EARLIEST_MS",
    "LATEST_MS",
    "TIMESTAMP",
    "Struct",
    "boolean",
    "ceiling_ms",
    "double",
    "enum",
    "field",
    "floor_ms",
    "instant",
    "integer",
    "list_of",
    "long",
    "plausible_ms",
    "struct",
    "text",
    "texts",
    "union",
]

TIMESTAMP = pa.timestamp("us", tz="UTC")

EPOCH = date(1970, 1, 1)
DAY_MS = 86_400_000
DAY_US = DAY_MS * 1000

EARLIEST_MS = 946_684_800_000
"""The earliest valid timestamp: 2000-01-01, in milliseconds since 1970."""

LATEST_MS = 4_102_444_800_000
"""The first timestamp that is too late to be valid: 2100-01-01, in milliseconds since 1970."""


@dataclass(frozen=True)
class Struct:
    """A documented struct: its name on the documentation page, its fields in the page's order, and its other names."""

    name: str
    fields: tuple[pa.Field, ...]
    aliases: tuple[str, ...] = ()
    kind: str = "struct"

    @property
    def type(self) -> pa.StructType:
        """The Arrow struct type."""
        return pa.struct(self.fields)

    @property
    def names(self) -> dict[str, Any]:
        """The annotations of a field whose type is this struct."""
        kind = "" if self.kind == "struct" else self.kind
        return {"struct": self.name, "struct_aliases": self.aliases, "kind": kind}


def field(name: str, data_type: pa.DataType, doc: str, documented: str | None, **more: Any) -> pa.Field:
    """Return a nullable column with annotations.

    ``documented`` is the column's type on the page, or None if the page states no type.
    """
    metadata = Annotations(doc, documented or "", **more).to_metadata()
    return pa.field(name, data_type, nullable=True, metadata=metadata)


def _values(values: Sequence[str] | Mapping[str, str]) -> Mapping[str, str]:
    return values if isinstance(values, Mapping) else dict.fromkeys(values, "")


def text(name: str, doc: str, documented: str | None = "string", **more: Any) -> pa.Field:
    """A string column."""
    return field(name, pa.string(), doc, documented, **more)


def enum(
    name: str, doc: str, values: Sequence[str] | Mapping[str, str], documented: str | None = "string", **more: Any
) -> pa.Field:
    """A string column with documented values. Decoders keep undocumented values, and count them."""
    return field(name, pa.string(), doc, documented, values=_values(values), **more)


def integer(name: str, doc: str, **more: Any) -> pa.Field:
    """A documented ``int``: int32."""
    return field(name, pa.int32(), doc, "int", **more)


def long(name: str, doc: str, documented: str | None = "long") -> pa.Field:
    """A documented ``long``: int64."""
    return field(name, pa.int64(), doc, documented)


def double(name: str, doc: str) -> pa.Field:
    """A documented ``double``: float64."""
    return field(name, pa.float64(), doc, "double")


def boolean(name: str, doc: str) -> pa.Field:
    """A documented ``boolean``."""
    return field(name, pa.bool_(), doc, "boolean")


def instant(name: str, doc: str, documented: str | None = "long", **more: Any) -> pa.Field:
    """A point in time, documented as milliseconds or as ISO text: timestamp[us, UTC]."""
    return field(name, TIMESTAMP, doc, documented, **more)


def struct(name: str, of: Struct, doc: str, documented: str | None = "container") -> pa.Field:
    """A column of structs."""
    return field(name, of.type, doc, documented, **of.names)


def list_of(name: str, of: Struct, doc: str, documented: str | None = "container", **more: Any) -> pa.Field:
    """A column of lists of structs. In Parquet, lists have three levels, as in ``list.element``."""
    element = pa.field("element", of.type, nullable=True, metadata=Annotations(**of.names).to_metadata())
    return field(name, pa.list_(element), doc, documented, **more)


def texts(name: str, doc: str, documented: str) -> pa.Field:
    """A column of lists of strings."""
    return field(name, pa.list_(pa.field("element", pa.string(), nullable=True)), doc, documented)


def union(name: str, branches: Sequence[tuple[str, Struct]], doc: str, documented: str | None) -> pa.Field:
    """A union of structs. ``type`` is the branch's name in the source. Each branch is a nullable child."""
    tag = text("type", "The branch's name as the source wrote it, without its namespace.", None)
    children = [
        field(child, of.type, f"The value if its type is {of.name}, otherwise null.", None, **of.names)
        for child, of in branches
    ]
    return field(name, pa.struct([tag, *children]), doc, documented, kind="union")


def plausible_ms(milliseconds: int | None) -> bool:
    """Whether milliseconds since 1970 are within the valid years, 2000 to 2099."""
    return milliseconds is not None and EARLIEST_MS <= milliseconds < LATEST_MS


def floor_ms(microseconds: int) -> int:
    """Convert a timestamp from microseconds to milliseconds, rounded down."""
    return microseconds // 1000


def ceiling_ms(microseconds: int) -> int:
    """Return a timestamp in microseconds, rounded up to milliseconds."""
    return -(-microseconds // 1000)
