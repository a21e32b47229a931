"""Replaces the commit of one source by one without the rows and texts of people.

The new commit has a new ``content_id``. So an attempt, or a compaction, that has read the rows before cannot bring them
back: its rows are void. Rows in day parts move to own parts of the source, and become void in the day parts. Own parts
without a row of the people stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from wsparquet.commit import Attempt, Commit, Part
from wsparquet.commit.days import Counting
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import PartsGone, WrongRows, part_rows, rows_of_source
from wsparquet.decode.model import add_counts
from wsparquet.erasure.finding import Hits
from wsparquet.errors import DatasetError
from wsparquet.privacy.people import People
from wsparquet.privacy.quarantine import copy_without, count_kinds, find_texts

__all__ = ["RewrittenSource", "rewrite"]


@dataclass
class RewrittenSource:
    """What was left out of a commit: rows by table, quarantined records and items, and values of containers."""

    rows: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    container_values: int = 0


def rewrite(root: Root, commit: Commit, counting: Counting, hits: Hits, people: People) -> RewrittenSource:
    """Replace a commit by one without rows and texts of people, and return what was left out.

    Raises:
        CommitConflict: another run has changed the commit.
        PartsGone: another run has replaced a part of it.
        ErasedMeanwhile: people have been added to the list of erased people.
        SchemaError: the root has got another extension since it was opened.
        WrongRows: the parts do not have the rows that the record says.

    """
    return _Rewriting(root, commit, counting, people).run(hits)


class _Rewriting:
    def __init__(self, root: Root, commit: Commit, counting: Counting, people: People) -> None:
        self._root = root
        self._commit = commit
        self._counting = counting
        self._people = people
        self._done = RewrittenSource()

    def run(self, hits: Hits) -> RewrittenSource:
        """Do what ``rewrite`` says."""
        # Checked again with the commit, but rows of an extended part could not even be written.
        self._root.check_extension()
        with self._root.begin(fallback_day_ms=None) as attempt:
            with self._root.scratch() as scratch:
                for part in self._counting.own_parts(self._commit):
                    if part.path in hits.own:
                        self._write(part, part_rows(self._root.store, part, scratch / "part"), attempt)
                    else:
                        self._copy(part, scratch / "part", attempt)
                for part in self._counting.day_parts(self._commit):
                    self._write(part, self._own_rows(part, scratch / "part"), attempt)
            if hits.texts:
                attempt.replace_quarantine(self._keep_texts)
            self._check(Counter(attempt.close()))
            attempt.rewrite(
                self._commit,
                replace(self._commit.facts, report=self._report()),
                quarantine=None if hits.texts else self._commit.quarantine,
            )
        return self._done

    def _own_rows(self, part: Part, copy: Path) -> Iterator[pa.RecordBatch]:
        for batch in part_rows(self._root.store, part, copy):
            yield rows_of_source(batch, self._commit.facts.source_name)

    def _copy(self, part: Part, copy: Path, attempt: Attempt) -> None:
        """Take a part as it is. It must not be shared: a compaction may delete it at any moment."""
        file = self._root.store.local_copy(part.path, copy)
        if file is None:
            raise PartsGone(part.path)
        try:
            attempt.copy(part, file)
        except DatasetError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise PartsGone(part.path) from error
            raise
        # The copy of the next part must not replace the content of this one, which may have two names now.
        copy.unlink(missing_ok=True)

    def _write(self, part: Part, batches: Iterator[pa.RecordBatch], attempt: Attempt) -> None:
        for batch in batches:
            left = self._people.others(batch)
            self._done.rows[part.table] += batch.num_rows - left.num_rows
            if left.num_rows:
                attempt.write_day(part.table, part.date, left)

    def _keep_texts(self, path: Path, to: BinaryIO) -> int:
        del path
        where = self._commit.quarantine or ""
        data = self._root.store.read(where)
        if data is None:
            raise PartsGone(where)
        lines = data.splitlines(keepends=True)
        found = find_texts(lines, self._people, where)
        self._done.texts = count_kinds(found)
        return copy_without(lines, found, to, where)

    def _check(self, written: Counter[str]) -> None:
        """Raise WrongRows unless each row of the commit is in a part of the new one, or was left out."""
        found = written + self._done.rows
        if +found != +Counter(self._commit.rows):
            raise WrongRows(
                f"{self._root.store.place(self._commit.path)}: expected the rows {self._commit.rows}, found "
                f"{dict(+found)}; nothing was changed. See what is wrong with `wsparquet verify`"
            )

    def _report(self) -> dict[str, Any]:
        """Return the report of the commit with counts of what is left, and of what was left out."""
        report = dict(self._commit.facts.report)
        done, texts = self._done, self._done.texts
        report["rows"] = {table: rows - done.rows[table] for table, rows in report.get("rows", {}).items()}
        for name, kind in (("quarantined", "record"), ("items", "item")):
            if texts[kind]:
                report[name] = report.get(name, 0) - texts[kind]
        erased = {"erased": done.rows.total() + texts["record"], "erased_items": texts["item"]}
        report |= add_counts({name: report.get(name, 0) for name in erased}, erased)
        if values := report.get("container_values"):
            report["container_values"], self._done.container_values = self._people.without(values)
        return report
