"""What each leaf column says about a person: the registry ``personal.csv`` has a line for each leaf of each table.

The classes are:

``direct``        names a person or a way to reach the person: an email address, a phone number, a date of birth
``pseudonymous``  an id that stands for a person, a visit or an order, and names nobody without other data
``network``       says from where a person came: IP addresses, URLs, the browser
``text``          free text, in which people and programs can write anything
``none``          describes a visit or a campaign, and identifies nobody on its own

All rows of a visit are data about a person as long as one column still leads to the person, whatever their classes are.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.schema.tables import TABLES

__all__ = ["CLASSES", "PERSONAL", "PERSONAL_FILE", "PersonalData", "personal_data", "with_personal"]

CLASSES: Final = ("direct", "pseudonymous", "network", "text", "none")

PERSONAL: Final = "personal"
"""The key in the metadata of an Arrow field under which a leaf column has its class."""

PERSONAL_FILE: Final = "personal.csv"


class PersonalData(NamedTuple):
    """A line of the registry.

    ``path`` has the names of all fields from the table down to the leaf, without ``element``. ``truncate`` is the kind
    of value that can be shortened to something less personal: ``ip``, ``url``, or empty.
    """

    table: str
    path: str
    personal: str
    truncate: str


@functools.cache
def personal_data() -> Mapping[tuple[str, str], PersonalData]:
    """Return the lines of the registry by table and path.

    Raises:
        SchemaError: a line has a class that is not in ``CLASSES``.

    """
    text = Path(__file__).with_name(PERSONAL_FILE).read_text(encoding="utf-8")
    lines = [PersonalData(*line.split(",")) for line in text.splitlines()[1:]]
    for line in lines:
        if line.personal not in CLASSES:
            raise SchemaError(
                f"{PERSONAL_FILE}: expected one of {', '.join(CLASSES)} for {line.path} of {line.table}, "
                f"found {line.personal}"
            )
    return {(line.table, line.path): line for line in lines}


@functools.cache
def with_personal(table: str) -> pa.Schema:
    """Return the schema of a table with the class of each leaf column in the column's metadata, under ``personal``."""
    schema = TABLES[table].schema
    metadata = cast("dict[bytes | str, bytes | str] | None", schema.metadata)
    return pa.schema([_classified(table, field, field.name) for field in schema], metadata=metadata)


def _classified(table: str, field: pa.Field[Any], path: str) -> pa.Field[Any]:
    data_type = field.type
    if isinstance(data_type, pa.StructType):
        children = [_classified(table, child, f"{path}.{child.name}") for child in data_type.fields]
        return field.with_type(pa.struct(children))
    if isinstance(data_type, pa.ListType):
        return field.with_type(pa.list_(_classified(table, data_type.value_field, path)))
    personal: dict[bytes | str, bytes | str] = {PERSONAL.encode(): personal_data()[table, path].personal.encode()}
    return field.with_metadata({**cast("Mapping[bytes | str, bytes | str]", field.metadata or {}), **personal})
