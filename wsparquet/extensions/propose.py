"""Proposes an extension from the values that were rescued, and the records that were not recognized."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, cast

import pyarrow as pa

from wsparquet.dataset import Access, LakeDataset, Root
from wsparquet.decode import Days, DecoderOptions, make_decoder
from wsparquet.decode.reference.records import body_of, record_reader
from wsparquet.decode.reference.rescue import Path, Rescue
from wsparquet.decode.reference.stored import parse_record, parse_rescued
from wsparquet.errors import OptionError, SchemaError
from wsparquet.extensions.places import Place, has_column, place_of, place_of_column, shown
from wsparquet.extensions.seen import Conflict, LeftOut, Seen
from wsparquet.extensions.toml_edit import spelled, with_entry
from wsparquet.extensions.toml_text import Entry, branch_text, field_text, table_text, values_text
from wsparquet.layout import is_root
from wsparquet.names import parse_name
from wsparquet.options import check_kind
from wsparquet.redaction import printable
from wsparquet.results import Result
from wsparquet.schema import DOCUMENTED, UNRECOGNIZED, Schema
from wsparquet.schema.extended import extended
from wsparquet.schema.extension import parse_extension
from wsparquet.schema.keys import last_part, normalise, short_tag
from wsparquet.source import Failed, SourceLimits, as_list, expand
from wsparquet.stream import decoded

__all__ = ["Body", "Found", "Proposal", "propose_extension"]

HEAD = """\
# An extension of wsparquet's documented schema, proposed from what files have and the documentation lacks.
# Read it, correct names and types, add descriptions (doc = "..."), and remove what you do not want as columns.
# Then: wsparquet extend ROOT FILE
"""
LEFT_OUT = "Left out of the proposal:"
_LEFT_OUT = re.compile(rf"^# {LEFT_OUT}\n(?:# .*\n?)*", re.MULTILINE)


@dataclass(frozen=True, repr=False)
class Proposal(Result):
    """A proposed extension. ``text`` is the TOML file, ``left_out`` says what could not be proposed, and why.

    ``additions`` is the number of fields, branches and tables.

    >>> wsparquet.propose_extension("lake").additions
    0
    """

    text: str
    additions: int
    left_out: tuple[str, ...]

    def facts(self) -> Mapping[str, object]:
        """Return the numbers of additions and of what was left out."""
        return {"additions": self.additions, "left_out": len(self.left_out)}


def propose_extension(
    places: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    storage_options: Mapping[str, Any] | None = None,
) -> Proposal:
    """Propose an extension of the schema from a root, or from sources.

    ``places`` is one root, or one or several sources: a path, glob, folder or fsspec URL, or a list of them. Types come
    from Avro's tags, or from the values if they have none. Comments say how often a value was seen, and from which day
    to which. If the root has an extension, the text begins with it, and adds to it, also in what it has added. Nothing
    is written.

    >>> wsparquet.propose_extension("downloads/")
    <Proposal additions=0, left_out=0>

    Raises:
        OptionError: a parameter has an invalid value.
        SourceError: a source cannot be read.
        DecodeError: a source is not a Web Session file.
        DatasetError: the root cannot be read.

    """
    check_kind("storage_options", storage_options, Mapping, "a dictionary", optional=True)
    given = as_list(places, name="places")
    roots = [root for each in given if (root := _root_at(each, storage_options)) is not None]
    if roots and len(given) > 1:
        raise OptionError("places", f"expected one root, or only sources; found a root among {len(given)} places")
    found = Found()
    for root in roots:
        kept = root.version.extension
        found.schema, found.text = root.schema, kept.text if kept is not None else ""
        for table, day, batch in _rows_of_root(LakeDataset(root)):
            found.add(table, day, batch)
    if not roots:
        for table, day, batch in _rows_of_sources(given, storage_options):
            found.add(table, day, batch)
    return found.proposal()


def _root_at(place: str | os.PathLike[str], storage_options: Mapping[str, Any] | None) -> Root | None:
    """Open the root at a place. Return None if the place has sources, or anything else."""
    remote = os.fspath(place).startswith("s3://")
    access = Access(storage_options or {})
    return Root.open_if_exists(place, access=access) if remote or is_root(place) else None


def _rows_of_root(lake: LakeDataset) -> Iterator[tuple[str, date | None, pa.RecordBatch]]:
    import pyarrow.compute as pc

    for table in lake.tables:
        raw = table == UNRECOGNIZED.name
        columns = ["date", "tag", "record"] if raw else ["date", "rescued"]
        wanted = None if raw else cast("pc.Expression", pc.field("rescued").is_valid())
        for batch in lake.table(table).to_batches(columns=columns, filter=wanted):
            days = batch.column("date").to_pylist()
            for day in dict.fromkeys(days):
                yield table, day, batch.filter(pa.array([each == day for each in days]))


def _rows_of_sources(
    given: Iterable[str | os.PathLike[str]], storage_options: Mapping[str, Any] | None
) -> Iterator[tuple[str, date | None, pa.RecordBatch]]:
    for source in expand(list(given), storage_options=storage_options):
        if isinstance(source, Failed):
            raise source.error
        days = Days.of(parse_name(source.name).start_ms)
        with source.open(SourceLimits()) as reader:
            decoder = make_decoder(DecoderOptions(source.name, days=days))
            for piece in decoded(source, reader, decoder):
                yield from piece.by_day()


@dataclass
class Body:
    """The records of one unknown body tag: how many, and what was seen under each key of the body."""

    tag: str
    records: Seen = field(default_factory=Seen)
    keys: dict[str, tuple[str, Seen]] = field(default_factory=dict)


class Found:
    """What was rescued, by place, and what was not recognized, by body tag."""

    def __init__(self, schema: Schema = DOCUMENTED) -> None:
        self.schema = schema
        self.text = ""
        self.fields: dict[tuple[Place, str], tuple[str, Seen]] = {}
        self.branches: dict[tuple[str, str], tuple[str, Seen]] = {}
        self.bodies: dict[str, Body] = {}
        self.others: dict[tuple[str, str], Seen] = {}
        self.symbols: dict[tuple[Place, str], dict[str, None]] = {}
        self.masked = 0

    def add(self, table: str, day: date | None, batch: pa.RecordBatch) -> None:
        """Add the rows of a table and day."""
        if table == UNRECOGNIZED.name:
            for record in batch.column("record").to_pylist():
                if record is None:
                    self.masked += 1
                else:
                    self._add_record(parse_record(record), day)
            return
        for rescued in batch.column("rescued").to_pylist():
            for path, value in parse_rescued(rescued) if rescued is not None else ():
                self._add_value(table, path, value, day)

    def add_seen(self, table: str | None, path: Path, seen: Seen) -> None:
        """Add the values of an unknown field, given as what was seen."""
        place = None if table is None else place_of(self.schema, table, path)
        if place is None or place.union:
            self._other(table, path, seen)
            return
        known = self.fields.setdefault((place, normalise(path[1])), (path[1], seen))[1]
        if known is not seen:
            known.merge(seen)

    def add_symbols(self, table: str | None, path: Path, symbols: Sequence[str]) -> None:
        """Add further values of an enum that has a column."""
        place = None if table is None else place_of_column(self.schema, table, path)
        if place is None:
            self._other(table, path, Seen(kinds=Counter({"enum with further values": 0})))
        else:
            self.symbols.setdefault((place, path[1]), {}).update(dict.fromkeys(symbols))

    def add_branch(self, table: str | None, path: Path, tag: str, seen: Seen) -> None:
        """Add an unknown branch of the union at a path."""
        place = None if table is None else place_of(self.schema, table, path)
        if place is None or not place.union:
            self._other(table, path, seen)
        else:
            self.branches.setdefault((place.name, normalise(tag)), (tag, seen))

    def _other(self, table: str | None, path: Path, seen: Seen) -> Seen:
        """Return what was seen at a path to which nothing can be added, beginning with ``seen``."""
        known = table is not None and has_column(self.schema, table, path)
        why = "does not fit its column" if known else "no extension can add it"
        return self.others.setdefault((shown(path), why), seen)

    def _add_value(self, table: str, path: Path, value: Any, day: date | None) -> None:
        place = place_of(self.schema, table, path)
        if place is None:
            self._other(table, path, Seen()).add(value, day)
        elif place.union:
            ((tag, inner),) = value if type(value) is tuple and len(value) == 1 else (("", None),)
            name = last_part(tag)
            if not name:
                self._other(table, path, Seen()).add(value, day)
                return
            _, seen = self.branches.setdefault((place.name, normalise(name)), (name, Seen()))
            seen.add(inner, day, tagged=True)
            seen.count += 1
        else:
            key = path[1]
            _, seen = self.fields.setdefault((place, normalise(key)), (key, Seen()))
            seen.add(value, day)

    def _add_record(self, record: Any, day: date | None) -> None:
        rescue: Rescue = []
        tag, inner = body_of(record, rescue)
        rescue += record_reader(self.schema).read(record).header_rescue
        for path, value in rescue:
            self._add_value(UNRECOGNIZED.name, path, value, day)
        found = self.bodies.setdefault(short_tag(tag), Body(last_part(tag)))
        found.records.add(None, day)
        for key, value in inner if type(inner) is tuple else ():
            if normalise(key) != "header":
                _, seen = found.keys.setdefault(normalise(key), (key, Seen()))
                seen.add(value, day)

    # --- The text -----------------------------------------------------------------------------------------------------

    def proposal(self) -> Proposal:
        """Return the proposal: each addition that the schema accepts."""
        # What an earlier proposal left out is looked at again.
        text, additions = (_LEFT_OUT.sub("", self.text).rstrip("\n") + "\n" if self.text else HEAD), 0
        left_out: list[str] = []
        for name, count, make in self._additions():
            try:
                entry = make()
                new = with_entry(text, entry)
                extended(parse_extension(new, "the proposal"))
            except (Conflict, SchemaError) as error:
                left_out.append(_line(name, LeftOut("", count, _reason(error))))
                continue
            text, additions = new, additions + 1
            left_out += [_line(name, each) for each in entry.left_out]
        left_out += self._elsewhere()
        comments = "".join(f"# {line}\n" for line in (LEFT_OUT, *left_out)) if left_out else ""
        return Proposal(text + ("\n" + comments if comments else ""), additions, tuple(left_out))

    def _elsewhere(self) -> Iterator[str]:
        """Yield what is left out because it belongs to nothing that can be added."""
        for (path, why), seen in self.others.items():
            yield _line(path, LeftOut("", seen.count, f"{why}; {seen.described()}"))
        if self.masked:
            yield _line(UNRECOGNIZED.name, LeftOut("", self.masked, "masks have dropped the text of the record"))

    def _additions(self) -> Iterator[tuple[str, int, Callable[[], Entry]]]:
        for (place, _), (key, seen) in self.fields.items():
            yield f"{place.name}, {key}", seen.count, partial(field_text, spelled(self.text, place.keys), key, seen)
        for (place, name), symbols in self.symbols.items():
            yield f"{place.name}, {name}", 0, partial(values_text, (*place.keys, name), list(symbols))
        for (union, _), (tag, seen) in self.branches.items():
            yield f"{union}, {tag}", seen.count, partial(branch_text, union, tag, seen)
        for short, body in self.bodies.items():
            make = partial(table_text, short, body.tag, body.records, list(body.keys.values()))
            yield f"body {body.tag}", body.records.count, make


def _line(name: str, left_out: LeftOut) -> str:
    # Keys may have line breaks, which would end the comment.
    return printable(f"{name}{left_out.path} ({left_out.number:,}): {left_out.reason}")


def _reason(error: Exception) -> str:
    """Return the reason of an error without the place in the proposal, which has lines that nobody sees."""
    return str(error).partition(": ")[2] if isinstance(error, SchemaError) else str(error)
