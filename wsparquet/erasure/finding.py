"""Finds the parts and quarantine files with rows or texts of people. Only columns with ids or JSON text are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.commit import Commit, Part
from wsparquet.commit.days import Counting, DayRecord
from wsparquet.compute import count_values
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import PartsGone
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity
from wsparquet.parquet.lookup import row_groups_with
from wsparquet.privacy.ids import Kind
from wsparquet.privacy.people import People, id_columns, text_columns
from wsparquet.privacy.quarantine import Group, find_texts
from wsparquet.store.disk_errors import translated

__all__ = ["Finder", "Findings", "Hits"]

BATCH_ROWS = 1 << 16
TRIES = 10
"""How often a search begins again if other runs replace the files that it reads."""


@dataclass
class Hits:
    """What one source has of the people: the paths of its own parts and of day parts, texts, and container values.

    ``content_id`` is that of its commit.
    """

    content_id: str = ""
    own: set[str] = field(default_factory=set)
    merged: set[str] = field(default_factory=set)
    texts: list[Group] = field(default_factory=list)
    container_values: int = 0

    def __bool__(self) -> bool:
        return bool(self.own or self.merged or self.texts or self.container_values)


@dataclass
class Findings:
    """The sources with rows or texts of the people, and counts of what was searched.

    ``rows``: the number of rows by table. ``visits``: the ids of the visits in which one of the customers was
    recognized.
    """

    sources: dict[Identity, Hits] = field(default_factory=dict)
    rows: Counter[str] = field(default_factory=Counter)
    visits: set[str] = field(default_factory=set)
    commits: int = 0
    parts: int = 0
    skipped: int = 0
    quarantine_files: int = 0

    def of(self, identity: Identity, content_id: str) -> Hits:
        """Return the hits of a source, to which the caller adds."""
        return self.sources.setdefault(identity, Hits(content_id))


class Finder:
    """Searches a root. Parts, texts and reports in which nothing was found are not searched again.

    ``values``: the ids by kind if they are known, with which row groups can be excluded; otherwise None.
    """

    def __init__(self, root: Root, people: People, values: Mapping[Kind, Collection[str]] | None) -> None:
        self._root = root
        self._people = people
        self._values = values
        self._clean = set[str]()

    def find(self) -> Findings:
        """Search all rows that count, all quarantined text, and all values of containers.

        Raises DatasetError if the store fails, or if other runs keep replacing files that are to be read.
        """
        for _ in range(TRIES):
            with suppress(PartsGone):
                return self._found()
        raise DatasetError(
            f"{self._root.place}: expected files that stay while they are read, found that other runs replaced them in "
            f"each of {TRIES} searches; run the same command again"
        )

    def _found(self) -> Findings:
        found = Findings()
        log = self._root.log
        counting = log.counting()
        rescued: dict[Identity, set[str]] = {}
        for listed in counting.commits:
            commit = log.read(listed.identity)
            # The other run that has changed the commit is found by the next search.
            if commit is not None and commit.content_id == listed.content_id:
                found.commits += 1
                rescued[commit.identity] = {*_rescued(commit)}
                self._search(commit, counting, found)
        for record in counting.days.values():
            self._search_day(record, rescued, found)
        found.sources = {identity: hits for identity, hits in found.sources.items() if hits}
        return found

    def _search(self, commit: Commit, counting: Counting, found: Findings) -> None:
        hits = found.of(commit.identity, commit.content_id)
        for part in counting.own_parts(commit):
            texts = part.table in _rescued(commit)
            if self._rows(part, found, texts=texts):
                hits.own.add(part.path)
        if commit.quarantine is not None and commit.quarantine not in self._clean:
            found.quarantine_files += 1
            hits.texts = self._texts(commit.quarantine)
        _, hits.container_values = self._people.without(commit.facts.report.get("container_values", ()))

    def _search_day(self, record: DayRecord, rescued: Mapping[Identity, set[str]], found: Findings) -> None:
        for part in record.parts:
            members = [name for name, member in record.members.items() if part.table in member.rows]
            account = record.identity.account
            texts = any(part.table in rescued.get(Identity(account, name), {part.table}) for name in members)
            sources = self._rows(part, found, texts=texts)
            for name, member in record.members.items():
                if sources[member.source_file]:
                    found.of(Identity(account, name), member.content_id).merged.add(part.path)

    def _rows(self, part: Part, found: Findings, *, texts: bool) -> Counter[str | None]:
        """Return how many rows of the people a part has of each source file, and add them to ``found``."""
        sources = Counter[str | None]()
        if part.path in self._clean:
            return sources
        found.parts += 1
        path, filesystem = self._opened(part)
        with translated("read", self._root.store.place(part.path)):
            try:
                file = pq.ParquetFile(path, filesystem=filesystem)
            except FileNotFoundError as error:
                raise PartsGone(part.path) from error
            with file:
                groups = self._groups(part, file, texts=texts)
                found.skipped += not groups
                for batch in _batches(file, groups):
                    rows = self._people.rows(batch)
                    if rows is not None:
                        matched = batch.filter(rows)
                        sources.update(count_values(matched.column("source_file")))
                        found.visits |= self._people.visits_of_customers(matched)
        if sources:
            found.rows[part.table] += sources.total()
        else:
            self._clean.add(part.path)
        return sources

    def _opened(self, part: Part) -> tuple[str, pa.fs.FileSystem | None]:
        if not self._root.is_remote:
            return str(Path(self._root.place) / part.path), None
        filesystem, base = self._root.store.arrow({part.path: part.bytes})
        return f"{base}/{part.path}", filesystem

    def _groups(self, part: Part, file: pq.ParquetFile, *, texts: bool) -> Sequence[int]:
        """Return the row groups that may have an id, by Bloom filters and statistics of the columns with ids."""
        every = range(file.num_row_groups)
        columns = id_columns(file.schema_arrow)
        if self._values is None or texts or "record" in text_columns(file.schema_arrow):
            return every
        possible = set[int]()
        for kind, leaf in columns:
            values = sorted(self._values.get(kind, ()))
            if values and not pa.types.is_string(leaf.field.type):
                return every
            if values:
                path = None if self._root.is_remote else Path(self._root.place) / part.path
                possible |= row_groups_with(file, path, leaf, values)
        return sorted(possible)

    def _texts(self, path: str) -> list[Group]:
        data = self._root.store.read(path)
        if data is None:
            raise PartsGone(path)
        found = find_texts(data.splitlines(keepends=True), self._people, path)
        if not found:
            self._clean.add(path)
        return found


def _rescued(commit: Commit) -> Mapping[str, object]:
    found = commit.facts.report.get("rescued", {})
    if not isinstance(found, Mapping):
        raise DatasetError(f"{commit.path}: expected counts of rescued values, found others; run `wsparquet verify`")
    return found


def _batches(file: pq.ParquetFile, groups: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Yield the columns with ids, with JSON text, and with the source of each row."""
    columns = [
        ".".join("list.element" if step is None else step for step in leaf.steps)
        for _, leaf in id_columns(file.schema_arrow)
    ]
    names = [*columns, *text_columns(file.schema_arrow), "source_file"]
    if groups:
        yield from file.iter_batches(BATCH_ROWS, row_groups=list(groups), columns=names)
