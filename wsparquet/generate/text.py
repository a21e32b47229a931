"""Streams the text of a file, in the form of real files or of the documentation's example, and counts its contents.

The form ``lines`` has one compact container on each line, with tags around ``metaData`` and ``recordCollection``, like
real files. The form ``document`` is a single pretty-printed container without these tags, like the documentation's
example.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from wsparquet.generate.defects import DEFECTS, Defect, metadata, opening
from wsparquet.generate.options import GenerateOptions
from wsparquet.generate.shapes import NAMESPACE
from wsparquet.generate.stamper import Stamper
from wsparquet.generate.templates import Template, template

__all__ = ["Expected", "expected", "generate_text"]

_PIECE = 1 << 16
_FIRST_GAP = 2
_LATER_GAP = 200


@dataclass
class Expected:
    """The report that a decoder must return for a text, in which ``records = rows + quarantined``.

    ``rescued``, ``undocumented``: the number of values by table, then by path with ``[*]`` for indices.
    ``container_values``: the number of values by path.
    """

    size: int = 0
    containers: int = 0
    records: int = 0
    quarantined: int = 0
    items: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    rescued: dict[str, Counter[str]] = field(default_factory=dict)
    undocumented: dict[str, Counter[str]] = field(default_factory=dict)
    container_values: Counter[str] = field(default_factory=Counter)

    def add_row(self, table: str) -> None:
        """Count a record that becomes a row without rescued values."""
        self.records += 1
        self.rows[table] += 1

    def add_defect(self, defect: Defect) -> None:
        """Count everything that a defect adds."""
        self.containers += defect.containers
        self.records += defect.records
        self.quarantined += defect.quarantined
        self.items += defect.items
        self.rows.update(defect.rows)
        for table, paths in defect.rescued.items():
            self.rescued.setdefault(table, Counter()).update(paths)
        if defect.undocumented:
            self.undocumented.setdefault(next(iter(defect.rows)), Counter()).update(defect.undocumented)
        if defect.outcome == "container value":
            self.container_values.update(defect.paths)


@dataclass(frozen=True)
class _Layout:
    """The text around the records of a container."""

    head: Template
    first: bytes
    between: bytes
    tail: bytes


def _document_head(file_number: int) -> str:
    end = "null" if _open_ended(file_number) else '{\n      "long": "{{#until}}"\n    }'
    return (
        f'{{\n  "dataType": {{\n    "{NAMESPACE}DataTypeEnum": "WebSession"\n  }},\n'
        '  "metaData": {\n    "accountId": {\n      "string": "{{account}}"\n    },\n'
        '    "schemaVersion": "1.0.0.22",\n    "startTime": {\n      "long": "{{#hour}}"\n    },\n'
        f'    "endTime": {end}\n  }},\n  "recordCollection": ['
    )


def _open_ended(file_number: int) -> bool:
    # The documentation's example has no endTime, so some files have none, either.
    return file_number % 3 == 2


def _layout(form: str, file_number: int) -> _Layout:
    if form == "document":
        return _Layout(template(_document_head(file_number)), b"\n    ", b",\n    ", b"\n  ]\n}\n")
    meta = metadata(end="null") if _open_ended(file_number) else metadata()
    return _Layout(template(opening(meta) + '{"array":['), b"", b",", b"]}}\n")


class _Records:
    """The records of one file in order, correct ones and defects, until the file is large enough."""

    def __init__(self, options: GenerateOptions, stamper: Stamper, counts: Expected) -> None:
        self._options = options
        self._stamper = stamper
        self._counts = counts
        # The first visit of a file shows every field, so that small files show the whole schema too.
        self._visit = iter(stamper.full_visit().records)
        self._next = next(self._visit, None)
        self._since_defect = 0
        chosen = [DEFECTS[name] for name in options.only or DEFECTS] if options.defects else []
        self._defects = _Cycle([(defect, template(defect.text)) for defect in chosen if defect.place == "record"])
        self.between = _Cycle([(defect, template(defect.text)) for defect in chosen if defect.place == "between"])
        self.visits = 0

    @property
    def enough(self) -> bool:
        """Whether the file is large enough and has shown every kind of defect that replaces a record."""
        wanted = self._options.records
        reached = self._counts.size >= self._options.size if wanted is None else self._counts.records >= wanted
        return reached and self._defects.shown

    def next_good(self) -> bytes:
        """Return the next correct record. ``visits`` counts the visits that are complete."""
        if self._next is None:
            self._visit = iter(self._stamper.next_visit().records)
            self._next = next(self._visit)
        record = self._next
        self._next = next(self._visit, None)
        self.visits += self._next is None
        self._since_defect += 1
        self._counts.add_row(record.table)
        return self._stamper.fill(record)

    def defect_if_due(self) -> bytes | None:
        """Return a defect instead of a record if one is due.

        Defects are frequent until each kind has appeared, and rare afterwards.
        """
        gap = _LATER_GAP if self._defects.shown else _FIRST_GAP
        if self._since_defect < gap or not self._defects.entries:
            return None
        self._since_defect = 0
        return self.defect(self._defects)

    def defect(self, kinds: _Cycle) -> bytes:
        """Count the next kind of defect and return its text."""
        defect, text = kinds.take()
        self._counts.add_defect(defect)
        return self._stamper.fill(text)


class _Cycle:
    """Cycles through the kinds of defects."""

    def __init__(self, entries: list[tuple[Defect, Template]]) -> None:
        self.entries = entries
        self._taken = 0

    @property
    def shown(self) -> bool:
        """Whether each kind was returned at least once."""
        return self._taken >= len(self.entries)

    def take(self) -> tuple[Defect, Template]:
        """Return the next kind."""
        self._taken += 1
        return self.entries[(self._taken - 1) % len(self.entries)]


class _Writer:
    """Writes the text of one file and counts its contents."""

    def __init__(self, options: GenerateOptions, counts: Expected, *, file_number: int) -> None:
        self._options = options
        self._counts = counts
        self._visits = options.mix.visits
        key = (options.seed << 40) | (1 << 39) | file_number << 1
        self._stamper = Stamper(Random(key), options, file_number=file_number)
        self._aside = Stamper(Random(key | 1), replace(options, form="lines"), file_number=file_number)
        self._records = _Records(options, self._stamper, counts)
        self._layout = _layout(options.form, file_number)
        self._line = _layout("lines", file_number)

    def text(self) -> Iterator[bytes]:
        """Yield the complete text, in pieces of at most one record."""
        one_container = self._options.form == "document"
        while True:
            yield from self._container(endless=one_container)
            if self._records.enough:
                break
            if not self._records.between.shown:
                yield from self._between()
        while not self._records.between.shown:
            yield from self._between()

    def _container(self, *, endless: bool) -> Iterator[bytes]:
        layout, records = self._layout, self._records
        size, visits = self._counts.size, records.visits
        self._counts.containers += 1
        yield self._stamper.fill(layout.head)
        separator = layout.first
        while True:
            defect = records.defect_if_due()
            if defect is not None:
                yield separator + defect
                separator = layout.between
            yield separator + records.next_good()
            separator = layout.between
            if records.enough or (not endless and self._is_full(size, visits)):
                break
        yield layout.tail

    def _is_full(self, size: int, visits: int) -> bool:
        """Return whether a container that began at a size and a number of visits should end."""
        if self._visits is None:
            return self._counts.size - size >= self._options.line_size
        return self._records.visits - visits >= self._visits

    def _between(self) -> Iterator[bytes]:
        """Yield text outside of containers, followed by a small correct container."""
        yield self._records.defect(self._records.between)
        record = self._aside.next_visit().records[0]
        self._counts.containers += 1
        self._counts.add_row(record.table)
        yield self._stamper.fill(self._line.head) + self._aside.fill(record) + self._line.tail


def generate_text(options: GenerateOptions, *, file_number: int = 0, counts: Expected | None = None) -> Iterator[bytes]:
    """Return the text of one file in pieces of about 64 KiB. Memory use does not depend on the size of the file.

    The iteration updates ``counts``, which is complete at the end.

    Raises:
        ValueError: ``options.only`` names a defect that does not exist.

    """
    unknown = [name for name in options.only if name not in DEFECTS]
    if unknown:
        raise ValueError(f"only must name defects, found {unknown[0]!r}; the defects are: {', '.join(DEFECTS)}")
    counts = Expected() if counts is None else counts
    return _gathered(_Writer(options, counts, file_number=file_number).text(), counts)


def _gathered(pieces: Iterator[bytes], counts: Expected) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        counts.size += len(piece)
        size += len(piece)
        held.append(piece)
        if size >= _PIECE:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def expected(options: GenerateOptions, *, file_number: int = 0) -> Expected:
    """Return the counts that a decoder must find in a file.

    To determine the counts, the function generates the text.
    """
    counts = Expected()
    for _ in generate_text(options, file_number=file_number, counts=counts):
        pass
    return counts
