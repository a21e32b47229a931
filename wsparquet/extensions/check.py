"""Checks the file of an extension, and says what it adds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from wsparquet.results import Result
from wsparquet.schema import TABLES, Schema
from wsparquet.schema.extended import read_extension
from wsparquet.schema.field_ids import field_paths, registry

__all__ = ["CheckedExtension", "added_columns", "check_extension"]


@dataclass(frozen=True, repr=False)
class CheckedExtension(Result):
    """What an extension adds: the paths of new columns by table. A new table has all of its own columns.

    ``tables`` are the new tables.

    >>> _ = Path("more.toml").write_text('structs.Navigation.fields.title = "string"')
    >>> wsparquet.check_extension("more.toml").columns
    {'navigation': ('navigationData.element.title',)}
    """

    file: str
    tables: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]

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


def added_columns(schema: Schema) -> dict[str, tuple[str, ...]]:
    """Return the paths of the columns that an extension adds, by table."""
    found = {name: tuple(_added(schema, name)) for name in schema.tables}
    return {name: paths for name, paths in found.items() if paths}


def _added(schema: Schema, name: str) -> Iterator[str]:
    table = schema.tables[name]
    if table is TABLES.get(name):
        return
    known = {line.path for line in registry() if line.table == name}
    if name not in TABLES:
        known = {path for path in field_paths(TABLES["unrecognized"]) if path not in {"tag", "record"}}
    yield from (path for path in field_paths(table) if path not in known and not path.endswith(".element"))
