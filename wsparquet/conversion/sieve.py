"""Leaves out what a root must not get: rows of days that have expired, and rows and texts of people who were erased."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import BinaryIO, Self

import pyarrow as pa

from wsparquet.commit import Attempt
from wsparquet.dataset import Root
from wsparquet.dataset.erased import people_of
from wsparquet.dataset.version import ERASED
from wsparquet.decode import Decoded, Report
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.people import People
from wsparquet.privacy.quarantine import copy_without, count_kinds, find_texts
from wsparquet.schema.fields import EPOCH

__all__ = ["Rules", "Sieve"]


@dataclass(frozen=True)
class Rules:
    """What a root must not get.

    ``expired``: the first day that did not expire, by table. ``people``: the erased people, or None if nobody was
    erased. ``marks``: the counter of the list with these people.
    """

    expired: Mapping[str, date]
    people: People | None = None
    marks: int = 0

    @classmethod
    def of(cls, root: Root | None, key: Callable[[], SecretKey | None]) -> Self:
        """Return the rules of a root. Raises OptionError if people were erased and the key is not theirs."""
        if root is None or not root.exists:
            return cls({})
        version = root.version
        # Most roots have no list, and then it is not asked for.
        erased = people_of(root.store, key) if ERASED in version.requires else None
        people, found = erased or (None, None)
        return cls(version.expired, people, found.marks if found else 0)

    def sieve(self) -> Sieve | None:
        """Return a sieve for one source, or None if everything may pass, so that no row needs a look."""
        return Sieve(self) if self.expired or self.people else None


class Sieve:
    """Takes the rows of one source out of what the decoder returns, and counts them."""

    def __init__(self, rules: Rules) -> None:
        self._people = rules.people
        self._first_days = {table: (day - EPOCH).days for table, day in rules.expired.items()}
        self._expired = Counter[str]()
        self._erased = Counter[str]()
        self._texts = Counter[str]()

    def sift(self, piece: Decoded) -> Decoded:
        """Return a piece without the rows that are left out. Each of its batches must have one day."""
        kept = list(self._kept(piece))
        return Decoded(
            tuple((table, batch) for table, batch, _ in kept), piece.quarantined, tuple(day for *_, day in kept)
        )

    def _kept(self, piece: Decoded) -> Iterator[tuple[str, pa.RecordBatch, int | None]]:
        for (table, batch), day in zip(piece.batches, piece.days, strict=True):
            if day is not None and day < self._first_days.get(table, day):
                self._expired[table] += batch.num_rows
                continue
            left = batch if self._people is None else self._people.others(batch)
            self._erased[table] += batch.num_rows - left.num_rows
            if left.num_rows:
                yield table, left, day

    def settle(self, report: Report, attempt: Attempt | None) -> None:
        """Take people's texts out of the quarantine of the attempt, and move all that is left out to ``left_out``.

        Call this once, after the end of the source. Without an attempt, quarantined text is not searched.
        """
        if self._people is not None:
            if attempt is not None and (report.quarantined or report.items):
                attempt.replace_quarantine(partial(self._keep_texts, self._people))
            report.container_values, _ = self._people.without(report.container_values)
        gone = self._expired + self._erased
        report.rows = {table: rows - gone[table] for table, rows in report.rows.items()}
        report.quarantined -= self._texts["record"]
        report.items -= self._texts["item"]
        counts = {
            "erased": self._erased.total() + self._texts["record"],
            "erased_items": self._texts["item"],
            "expired": self._expired.total(),
        }
        report.left_out = {name: count for name, count in counts.items() if count}

    def _keep_texts(self, people: People, path: Path, to: BinaryIO) -> int:
        with path.open("rb") as lines:
            found = find_texts(lines, people, str(path))
        self._texts = count_kinds(found)
        with path.open("rb") as lines:
            return copy_without(lines, found, to, str(path))
