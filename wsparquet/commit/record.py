"""Commit records and intents: what they contain, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple, Protocol

from wsparquet.layout import Day, Identity
from wsparquet.names import parse_name

__all__ = [
    "FORMAT_VERSION",
    "MOST_COPIES",
    "MOST_TEXTS",
    "Commit",
    "CommitFacts",
    "CommitHeader",
    "Intent",
    "Part",
    "Sighting",
    "Text",
    "encode_json",
    "part_to_dict",
]

FORMAT_VERSION = 2
"""The format version of records and intents. Each change that older versions cannot read increments this number."""

MOST_COPIES = 32
"""How many other places of its text a record lists. Further places are not noted, so every run reads them again.

Files in the API's listing are always noted: otherwise every synchronization would download them.
"""

MOST_TEXTS = 100
"""How many replaced texts a record lists. The oldest texts are dropped first."""


class Text(NamedTuple):
    """The inflated text of a source, identified by its BLAKE3 hash in hex and its length in bytes.

    Two sources with the same text have the same rows, however they are named and compressed.
    """

    blake3: str
    length: int


class Sighting(NamedTuple):
    """A place at which a run found a text that a commit already covers. Most fields are as in ``CommitFacts``.

    ``text`` is the hash of the text at that place: the commit's own text, or a text that the commit has replaced.
    ``listing`` is the place's entry in the API's listing, as in ``CommitFacts``.
    """

    name: str
    url: str
    size: int | None
    etag: str | None
    mtime: str | None
    text: str
    listing: Mapping[str, str]


class Part(NamedTuple):
    """One published data file.

    ``path`` is relative to the root. ``date`` is the partition's UTC day, or None for Hive's default partition.
    ``min_time`` and ``max_time`` are the earliest and the latest timestamp of the rows in milliseconds since 1970, the
    first rounded down and the second rounded up. Both are None if no row has a timestamp. ``checksum`` is the hex
    SHA-256 of the file, or None in records of early versions.
    """

    path: str
    table: str
    date: date | None
    rows: int
    bytes: int
    min_time: int | None
    max_time: int | None
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """The metadata of a source.

    ``checksum`` is the hex SHA-256 of the source's stored bytes, and ``size`` is their number. ``url`` has no user
    info, query or fragment. ``etag`` and ``mtime`` may have any format, because they are only compared for equality.
    ``text`` identifies the inflated text; only the tombstone of a source that was never committed has no text.
    ``report`` contains JSON values. ``listing`` is the source's entry in the API's listing, unchanged, or empty if the
    source did not come from the API. ``seconds`` is the wall time from opening the source to its commit, or None if it
    is not known; nothing depends on it.
    """

    checksum: str
    size: int | None
    url: str | None
    etag: str | None
    mtime: str | None
    source_name: str
    text: Text | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    listing: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class CommitHeader:
    """A commit without its parts and its report, which can be large. ``row_count`` is the number of all rows."""

    identity: Identity
    token: str
    facts: CommitFacts
    committed_at: str
    content_id: str
    row_count: int = 0
    texts_before: tuple[str, ...] = ()
    also: tuple[Sighting, ...] = ()
    same_as: Identity | None = None

    @property
    def checksum(self) -> str:
        """The hex SHA-256 of the source's bytes."""
        return self.facts.checksum

    @property
    def text(self) -> Text | None:
        """The text of the source."""
        return self.facts.text

    def places(self) -> Iterator[Sighting]:
        """Yield the place of the source itself, then the other places that the record lists."""
        facts, text = self.facts, self.facts.text.blake3 if self.facts.text else ""
        yield Sighting(facts.source_name, facts.url or "", facts.size, facts.etag, facts.mtime, text, facts.listing)
        yield from self.also

    def listings(self) -> Iterator[Mapping[str, str]]:
        """Return the entries in the API's listing that this commit covers.

        A source that was never listed gets an entry with its file name, because the server may list it later.
        """
        yield self.facts.listing or {"name": self.facts.source_name}
        yield from (each.listing for each in self.also if each.listing)

    @property
    def has_api_name(self) -> bool:
        """Whether the identity's name is an API name."""
        return parse_name(self.identity.name).is_api


@dataclass(frozen=True)
class Commit:
    """The result of converting one source.

    ``token`` is new each time the record is written or rewritten. ``content_id`` identifies the rows: it is the token
    of the attempt that wrote them, and it stays the same if the record is rewritten with the same parts. The content id
    is never derived from the content, because the same content can be removed and committed again. ``obsolete`` has the
    paths of the files that this commit replaced. ``texts_before`` has the hashes of the source's replaced texts, oldest
    first. ``also`` has the other places of these texts and of the current text. In a record without parts, ``same_as``
    names the source that has this source's rows. ``removed`` marks the tombstone of a source. ``extension`` is the
    hash of the extension with which the parts were written, or None if there was none.
    """

    identity: Identity
    token: str
    facts: CommitFacts
    parts: tuple[Part, ...]
    quarantine: str | None
    obsolete: tuple[str, ...]
    software: str
    schema_version: int
    committed_at: str
    content_id: str
    texts_before: tuple[str, ...] = ()
    also: tuple[Sighting, ...] = ()
    same_as: Identity | None = None
    removed: bool = False
    extension: str | None = None

    @property
    def header(self) -> CommitHeader:
        """The commit without its parts and its report."""
        return CommitHeader(
            identity=self.identity,
            token=self.token,
            facts=replace(self.facts, report={}),
            committed_at=self.committed_at,
            content_id=self.content_id,
            row_count=self.row_count,
            texts_before=self.texts_before,
            also=self.also,
            same_as=self.same_as,
        )

    @property
    def checksum(self) -> str:
        """The hex SHA-256 of the source's bytes."""
        return self.facts.checksum

    @property
    def path(self) -> str:
        """The record's path, relative to the root."""
        return self.identity.key.record_path

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all files of this commit: its parts and its quarantine."""
        return (*(part.path for part in self.parts), *((self.quarantine,) if self.quarantine else ()))

    @property
    def published(self) -> tuple[str, ...]:
        """The paths of the files that the attempt of this record has written.

        These are all files of the commit, unless the attempt has replaced only some parts, as ``extend`` does.
        """
        return tuple(path for path in self.paths if f".{self.token}." in path)

    def replaceable(self) -> tuple[str, ...]:
        """The paths of the files that a successor replaces."""
        return self.paths

    def after(self, found: Commit | None, obsolete: Iterable[str]) -> Commit:
        """Return this record as the successor of ``found``, with the files that it replaces."""
        kept = {*self.paths}
        obsolete = tuple(path for path in obsolete if path not in kept)
        return replace(self, obsolete=obsolete, also=found.also if found else ())

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows by table."""
        rows: dict[str, int] = {}
        for part in self.parts:
            rows[part.table] = rows.get(part.table, 0) + part.rows
        return rows

    @property
    def row_count(self) -> int:
        """The number of rows in all tables."""
        return sum(part.rows for part in self.parts)

    def tombstone(self, token: str) -> Commit:
        """Return the tombstone: a record that marks the source as removed and names the files to delete."""
        facts = replace(self.facts, report={})
        empty = replace(self, facts=facts, parts=(), quarantine=None, texts_before=(), also=(), same_as=None)
        return replace(empty, token=token, content_id=token, obsolete=self.paths, removed=True)

    def shrunk(self, token: str, parts: Iterable[Part], report: Mapping[str, Any]) -> Commit:
        """Return the record with only some of its parts. The content id stays, since the rows in them are the same."""
        kept = tuple(parts)
        paths = {part.path for part in kept}
        obsolete = tuple(part.path for part in self.parts if part.path not in paths)
        facts = replace(self.facts, report=report)
        return replace(self, token=token, facts=facts, parts=kept, obsolete=obsolete)

    def sighted(self, token: str, sightings: Iterable[Sighting]) -> Commit:
        """Return the record with more places. A new sighting of a URL replaces an older sighting.

        A record that lists the maximum number of places keeps them: otherwise, in every run, each new place would only
        displace another place. Places in the API's listing are always added. If nothing is new, the record itself is
        returned.
        """
        also = {each.url: each for each in self.also}
        for each in sightings:
            if each.listing or each.url in also or len(also) < MOST_COPIES:
                also[each.url] = each
        noted = tuple(also.values())
        return self if noted == self.also else replace(self, token=token, also=noted)

    def yielded(self, token: str, to: Identity) -> Commit:
        """Return a record without rows that refers to the source ``to``, whose text is the same."""
        empty = replace(self, facts=replace(self.facts, report={}), parts=(), quarantine=None)
        return replace(empty, token=token, content_id=token, obsolete=self.paths, same_as=to)

    def to_json(self) -> bytes:
        """Return the content of the record's file."""
        values = {
            "format_version": FORMAT_VERSION,
            "identity": self.identity.to_dict(),
            "token": self.token,
            "content_id": self.content_id,
            **asdict(self.header.facts),
            "text": self.facts.text._asdict() if self.facts.text else None,
            "texts_before": self.texts_before,
            "also": [each._asdict() for each in self.also],
            "same_as": self.same_as.to_dict() if self.same_as else None,
            "row_count": self.row_count,
            "removed": self.removed,
            "parts": [part_to_dict(part) for part in self.parts],
            "quarantine": self.quarantine,
            "obsolete": self.obsolete,
            "software": self.software,
            "schema_version": self.schema_version,
            "extension": self.extension,
            "committed_at": self.committed_at,
            "report": self.facts.report,
        }
        return encode_json(values)


class Published(Protocol):
    """What an intent contains about the record that an attempt will write, which is a commit or a day record."""

    @property
    def identity(self) -> Identity | Day:
        """The source of the commit, or the day."""

    @property
    def token(self) -> str:
        """The record's token."""

    @property
    def published(self) -> tuple[str, ...]:
        """The paths of the files that the attempt publishes."""


@dataclass(frozen=True)
class Intent:
    """The paths that an attempt will publish, and the token of the record that the attempt will replace, if any.

    ``identity`` is the source of a commit, or the day of a day record.
    """

    identity: Identity | Day
    token: str
    paths: tuple[str, ...]
    expected: str | None

    @classmethod
    def of(cls, record: Published, *, expected: Published | None) -> Intent:
        """Return the intent to replace the record ``expected`` with ``record``."""
        return cls(record.identity, record.token, record.published, expected.token if expected else None)

    def to_json(self) -> bytes:
        """Return the content of the intent's file."""
        values = {"token": self.token, "paths": self.paths, "expected": self.expected}
        return encode_json({"format_version": FORMAT_VERSION, "identity": self.identity.to_dict(), **values})


def encode_json(values: Mapping[str, Any]) -> bytes:
    """Encode compact ASCII JSON, which can represent lone surrogates in names."""
    return json.dumps(values, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def part_to_dict(part: Part) -> dict[str, Any]:
    """Return a part as JSON values."""
    return part._asdict() | {"date": part.date.isoformat() if part.date else None}
