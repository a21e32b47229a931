"""Brings a root to an extension as a whole: ``extend``.

The root is closed meanwhile, as during an upgrade by a replay: ``root.json`` has the new extension, and what the root
had before. Each record names the extension of its parts. A record with another one is replaced once, in one commit:
first those of all sources, then those of all days. So a run that was killed is repeated from where it came to. The root
opens when all records have the new extension.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wsparquet.commit.days import DayRecord
from wsparquet.commit.protocol import CommitConflict, DayConflict
from wsparquet.commit.record import Commit
from wsparquet.dataset import Access, Root
from wsparquet.dataset.access import open_store
from wsparquet.dataset.version import read_version
from wsparquet.errors import DatasetError, SchemaError
from wsparquet.extensions.check import added_columns
from wsparquet.extensions.days import extend_day
from wsparquet.extensions.rows import Promotion
from wsparquet.extensions.sources import extend_source
from wsparquet.iceberg import publish_changes
from wsparquet.preflight import check_root
from wsparquet.progress import Listener, Progress, logged
from wsparquet.results import Result
from wsparquet.schema import DOCUMENTED, Schema
from wsparquet.schema.extended import KeptExtension, adopt, load_extension

__all__ = ["Extended", "extend", "extension_text"]

ROUNDS = 5
"""How often all records are looked at again if other runs, which began before, still commit."""


@dataclass(repr=False)
class Extended(Result):
    """The result of ``extend``.

    ``columns`` is the number of columns that the root's extension adds. ``sources`` and ``days`` count the records
    whose parts were written anew or marked. ``values`` and ``rows`` count what was promoted out of ``rescued`` and
    ``unrecognized``.

    >>> _ = Path("more.toml").write_text('structs.Navigation.fields.title = "string"')
    >>> wsparquet.extend("lake", "more.toml").columns
    1
    """

    root: str
    columns: int
    sources: int = 0
    days: int = 0
    values: int = 0
    rows: int = 0
    seconds: float = 0.0

    def facts(self) -> Mapping[str, object]:
        """Return the counts, without those that are zero."""
        counts = ("columns", "sources", "days", "values", "rows")
        return {"root": self.root, **{name: getattr(self, name) or None for name in counts}, "seconds": self.seconds}


def extend(
    root: str | os.PathLike[str],
    file: str | os.PathLike[str],
    *,
    storage_options: Mapping[str, Any] | None = None,
    single_writer: bool = False,
    on_progress: Listener | None = None,
) -> Extended:
    """Give a root an extension of the schema: columns, union branches and tables that the documentation does not have.

    Values of the new columns are promoted out of ``rescued``, and rows of new tables out of ``unrecognized``; a value
    that does not fit stays rescued. The result is what a conversion with the extension would have made. No raw files
    are needed. Later runs follow the root's extension without being told. A missing root is created.

    The root can only be opened by another ``extend`` until all its parts have the extension. After an interruption,
    call the function again with the same file. A later extension must contain the present one.

    ``root`` is a folder or ``s3://bucket/…``, and ``file`` is a TOML file. ``storage_options`` are options of s3fs.

    >>> _ = Path("more.toml").write_text('structs.Navigation.fields.title = "string"')
    >>> wsparquet.extend("lake", "more.toml")
    <Extended root=...lake, columns=1, sources=2, seconds=...>
    >>> wsparquet.open_dataset("lake").schema.tables["navigation"].ids
    {'navigationData.element.title': 10000}

    Raises:
        OptionError: a parameter has an invalid value.
        SchemaError: the extension is not valid or lacks something that the root's present one has, or the root has
            another schema version.
        DatasetError: the root cannot be written, or other runs write to it.

    """
    started = time.monotonic()
    access = Access.checked(storage_options, single_writer=single_writer)
    check_root(root)
    text = load_extension(os.fspath(file))
    adopt(text, os.fspath(file))
    opened = Root.open_to_extend(root, access=access)
    opened.recover()
    kept = _adopted(opened, text, os.fspath(file))
    result = Extended(opened.place, sum(map(len, added_columns(kept.schema).values())))
    _Run(opened, kept, result, logged(on_progress)).all()
    publish_changes(opened)
    result.seconds = time.monotonic() - started
    return result


def extension_text(root: str | os.PathLike[str], *, storage_options: Mapping[str, Any] | None = None) -> str | None:
    """Return the file of a root's extension, or None if it has none; also while ``extend`` has not finished.

    Raises DatasetError if there is no root.
    """
    access = Access.checked(storage_options)
    check_root(root)
    store, _ = open_store(os.fspath(root), access)
    kept = read_version(store).extension
    return None if kept is None else kept.text


def _adopted(root: Root, text: str, place: str) -> KeptExtension:
    """Return the extension with the ids of the root's present one. Raises SchemaError if it cannot follow that one."""
    version = root.version
    kept = adopt(text, place, version.extension)
    if version.extending is not None and kept.schema.hash != version.tables.hash:
        raise SchemaError(
            f"{root.place}: expected the file with which `wsparquet extend` began but did not finish, found another "
            f"one, {place}; run it with the first file, then with this one"
        )
    return kept


class _Run:
    """One call of ``extend``."""

    def __init__(self, root: Root, kept: KeptExtension, result: Extended, tell: Listener) -> None:
        self._root = root
        self._kept = kept
        self._hash = kept.schema.hash
        self._result = result
        self._tell = tell
        self._before: dict[str | None, Schema] = {}
        self._promotions: dict[str | None, Promotion] = {}

    def all(self) -> None:
        """Extend all records, and open the root again."""
        root, version = self._root, self._root.version
        if version.extending is None:
            root.settle(root.commits())
            self._check_settled()
            if version.extension == self._kept and not self._late():
                return
        before = version.tables if version.extending is None else version.extending.tables
        self._before = {schema.hash: schema for schema in (DOCUMENTED, before)}
        root.begin_extension(self._kept)
        for _ in range(ROUNDS):
            self._sources()
            self._days()
            if not self._late():
                root.end_extension()
                return
        raise DatasetError(
            f"{root.place}: expected that no other run writes during `wsparquet extend`, found new commits again and "
            "again; stop the other runs, and run it again with the same file"
        )

    def _check_settled(self) -> None:
        if any(each.void for each in self._root.log.counting().parts()):
            raise DatasetError(
                f"{self._root.place}: expected day parts without rows of replaced sources, found some; run again, or "
                "see what is wrong with `wsparquet verify`"
            )

    def _late(self) -> bool:
        """Return whether a record with parts does not have the extension yet."""
        counting = self._root.log.counting()
        days = (record for record in counting.days.values() if record.parts)
        return any(self._is_late(each) for each in counting.commits) or any(
            record.extension != self._hash for record in days
        )

    def _is_late(self, commit: Commit) -> bool:
        return bool(commit.parts) and commit.extension != self._hash

    def _promotion(self, record: Commit | DayRecord) -> Promotion:
        """Return the promotion of the parts of a record. Raises DatasetError if their extension is not known."""
        before = self._before.get(record.extension)
        if before is None:
            raise DatasetError(
                f"{self._root.place}: expected parts with the extension that the root had, found {record.path} with "
                "another one; convert its source again into a new root"
            )
        if before.hash not in self._promotions:
            self._promotions[before.hash] = Promotion(before, self._kept.schema)
        return self._promotions[before.hash]

    def _sources(self) -> None:
        counting = self._root.log.counting()
        for cached in counting.commits:
            if not self._is_late(cached):
                continue
            commit = self._root.log.read(cached.identity)
            if commit is None or not self._is_late(commit):
                continue
            try:
                counts = extend_source(self._root, self._promotion(commit), commit, counting.days)
            except CommitConflict:
                continue
            self._result.sources += 1
            self._result.values += counts.promoted
            self._result.rows += sum(max(count, 0) for count in counts.rows.values())
            self._tell(Progress("committed", commit.facts.source_name, commit.facts.url or "", rows=commit.row_count))

    def _days(self) -> None:
        for record in self._root.log.days().values():
            if record.parts and record.extension != self._hash:
                try:
                    extend_day(self._root, self._promotion(record), record)
                except DayConflict:
                    continue
                self._result.days += 1
