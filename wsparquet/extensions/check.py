"""Checks the file of an extension, and says what it adds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wsparquet.render.markdown import column_paths, type_text
from wsparquet.results import Result
from wsparquet.schema import TABLES, UNRECOGNIZED, Schema, Table
from wsparquet.schema.extended import read_extension

__all__ = ["CheckedExtension", "added_columns", "check_extension"]


@dataclass(frozen=True, repr=False)
class CheckedExtension(Result):
    """What an extension adds: the paths and the Arrow types of new columns, by table.

    ``tables`` are the new tables.

    >>> _ = Path("more.toml").write_text('structs.Navigation.fields.title = "string"')
    >>> wsparquet.check_extension("more.toml").columns
    {'navigation': {'navigationData[].title': 'string'}}
    """

    file: str
    tables: tuple[str, ...]
    columns: Mapping[str, Mapping[str, str]]

    def facts(self) -> Mapping[str, object]:
        """Return the file, the new tables, and the number of new columns."""
        number = sum(map(len, self.columns.values()))
        return {"file": self.file, "tables": ", ".join(self.tables), "columns": number}


def check_extension(file: str | os.PathLike[str]) -> CheckedExtension:
    """Check the TOML file of an extension, and return what it adds to the documented schema.

    >>> _ = Path("more.toml").write_text('structs.Navigation.fields.title = "string"')
    >>> wsparquet.check_extension("more.toml")
    <CheckedExtension file=more.toml, columns=1>

    Raises:
        SchemaError: the file cannot be read, is not valid, or contradicts the documented schema; the message names the
            line and the key.

    """
    schema = read_extension(os.fspath(file))
    new = tuple(name for name in schema.tables if name not in TABLES)
    return CheckedExtension(os.fspath(file), new, added_columns(schema))


def added_columns(schema: Schema) -> dict[str, dict[str, str]]:
    """Return the paths and the types of the columns that an extension adds, by table."""
    found = {name: dict(_added(schema.tables[name])) for name in schema.tables}
    return {name: columns for name, columns in found.items() if columns}


def _added(table: Table) -> Iterator[tuple[str, str]]:
    known = TABLES.get(table.name)
    if table is known:
        return
    documented = {path for path, _ in _columns(known or UNRECOGNIZED)} - ({"tag", "record"} if known is None else set())
    yield from ((path, kind) for path, kind in _columns(table) if path not in documented)


def _columns(table: Table) -> Iterator[tuple[str, str]]:
    for field in table.schema:
        yield from ((path, type_text(each.type)) for path, each in column_paths(field))
