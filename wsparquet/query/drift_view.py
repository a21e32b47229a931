"""Gives DuckDB the drift of a root as a view: a file that is created in memory when a query first reads the file.

Drift needs the report of every commit record, which takes long in a large root. A connection must therefore not read
the reports before a query uses the view. DuckDB opens a file of lines of JSON only when a query runs, if its columns
are given.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

from wsparquet.query.drift import Finding, findings_of, reported_commits
from wsparquet.query.opening import opened_root
from wsparquet.render.duckdb import TYPES, quoted_name, quoted_text
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.flat_views import ViewColumn

__all__ = ["DRIFT", "DRIFT_DOC", "DriftFile", "drift_view"]

DRIFT_DOC = "One row for each day and each thing that sources have and that the documentation does not have."

DRIFT: tuple[ViewColumn, ...] = (
    ViewColumn("day", pa.date32(), "The UTC day on which the source's first container starts; null if it is unknown."),
    ViewColumn(
        "kind",
        pa.string(),
        "rescued: values without a column; undocumented: values of an enum; unrecognized: records of an unknown type; "
        "container value: values of containers without a column; quarantined: records that are not valid; item: "
        "damaged text outside of records.",
    ),
    ViewColumn("record_type", pa.string(), "The table that has the records, or null if the kind has no table."),
    ViewColumn("path", pa.string(), "The path of the values, or null if the kind has no paths."),
    ViewColumn("occurrences", pa.int64(), "The number of values, records or texts."),
    ViewColumn("sources", pa.int64(), "The number of sources that have them."),
    ViewColumn("first_seen", TIMESTAMP, "The earliest start of the containers of these sources."),
    ViewColumn("last_seen", TIMESTAMP, "The latest end of the containers of these sources."),
)
"""The columns of the view ``drift``."""

_numbers = itertools.count()


def drift_view(file: DriftFile, *, catalog: str) -> str:
    """Return the statement that creates or replaces the view ``drift`` in the main schema of a catalog."""
    columns = ", ".join(f"{quoted_name(column.name)}: {quoted_text(TYPES[column.type])}" for column in DRIFT)
    return (
        f"CREATE OR REPLACE VIEW {quoted_name(catalog)}.main.drift AS\n"
        f"FROM read_json({quoted_text(file.url)}, format = 'newline_delimited', columns = {{{columns}}})"
    )


class DriftFile(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system with one file, the drift of a root as lines of JSON, under its own protocol."""

    cachable = False

    def __init__(self, root: str | os.PathLike[str], storage_options: Mapping[str, Any]) -> None:
        super().__init__()
        self.protocol = f"wsdrift{next(_numbers)}"
        self._root = root
        self._storage_options = storage_options
        self._data: bytes | None = None
        self._changes = 0
        self._reading = threading.Lock()

    @property
    def folder(self) -> str:
        """The URL of the folder that has the file."""
        return f"{self.protocol}://root/"

    @property
    def url(self) -> str:
        """The URL of the file."""
        return f"{self.folder}drift.json"

    def forget(self) -> None:
        """Read the commit records again when the next query reads the file."""
        with self._reading:
            self._data = None
            self._changes += 1

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the path itself."""
        return [path]

    def exists(self, path: str, **_: Any) -> bool:
        """Return whether this is the file."""
        return path == self.url

    def isfile(self, path: str) -> bool:
        """Return whether this is the file."""
        return path == self.url

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return the size of the file."""
        return {"name": path, "size": len(self._whole()), "type": "file"}

    def modified(self, _: str) -> datetime:
        """Return a time that only a refresh changes, by which DuckDB knows whether its cached data are current."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=self._changes)

    def open(self, path: str, mode: str = "rb", **_: Any) -> io.BytesIO:
        """Open the file to read. Raises PermissionError for another mode."""
        if mode != "rb":
            raise PermissionError(f"{path}: drift is only read here")
        return io.BytesIO(self._whole())

    def _whole(self) -> bytes:
        with self._reading:
            if self._data is None:
                root = opened_root(self._root, self._storage_options)
                lines = _lines(findings_of(reported_commits(root), "day"))
                self._data = "".join(lines).encode("utf-8", "replace")
            return self._data


def _lines(findings: tuple[Finding, ...]) -> Iterator[str]:
    for each in findings:
        times = (None if time is None else time.isoformat() for time in (each.first, each.last))
        values = (each.period, each.kind, each.table, each.path, each.count, each.sources, *times)
        row = dict(zip((column.name for column in DRIFT), values, strict=True))
        yield json.dumps(row, ensure_ascii=False) + "\n"
