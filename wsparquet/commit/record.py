"""Commit records and intents: their content, and the validation of that content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from wsparquet.errors import DatasetError
from wsparquet.layout import Identity, Key, is_own_path, parse_part_path

__all__ = [
    "FORMAT_VERSION",
    "Commit",
    "CommitFacts",
    "CommitHeader",
    "Intent",
    "Part",
    "decode_commit",
    "decode_header",
    "decode_intent",
    "encode_json",
]

FORMAT_VERSION = 1
"""The format version of records and intents; a change that older versions cannot read increments it."""


class Part(NamedTuple):
    """One published data file.

    ``path`` is relative to the root. ``date`` is the partition's UTC day, or None for Hive's default partition.
    ``min_time`` and ``max_time`` are the earliest and the latest timestamp of the rows, rounded down and up to
    milliseconds since 1970, or None if no row has a timestamp. ``checksum`` is the hex SHA-256 of the file, or None in
    records of early versions.
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
    ``report`` contains JSON values. ``listing`` is the source's entry in the API's listing, unchanged, or empty if the
    source was not synchronised.
    """

    checksum: str
    size: int | None
    url: str | None
    etag: str | None
    mtime: str | None
    source_name: str
    report: Mapping[str, Any] = field(default_factory=dict)
    listing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommitHeader:
    """A commit with its parts omitted and its report empty, since both can be large."""

    identity: Identity
    token: str
    facts: CommitFacts
    committed_at: str

    @property
    def checksum(self) -> str:
        """The hex SHA-256 of the source's bytes."""
        return self.facts.checksum


@dataclass(frozen=True)
class Commit:
    """The result of converting one source.

    ``token`` identifies the attempt that made the commit; no two commits share a token. ``obsolete`` has the paths of
    the files that this commit replaced. ``removed`` marks the tombstone of a source.
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
    removed: bool = False

    @property
    def header(self) -> CommitHeader:
        """The commit without its parts and its report."""
        return CommitHeader(self.identity, self.token, replace(self.facts, report={}), self.committed_at)

    @property
    def checksum(self) -> str:
        """The hex SHA-256 of the source's bytes."""
        return self.facts.checksum

    @property
    def path(self) -> str:
        """The record's path, relative to the root."""
        return self.identity.key.commit_path

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all files of this commit: its parts and its quarantine."""
        return (*(part.path for part in self.parts), *((self.quarantine,) if self.quarantine else ()))

    @property
    def rows(self) -> dict[str, int]:
        """The number of rows by table."""
        rows: dict[str, int] = {}
        for part in self.parts:
            rows[part.table] = rows.get(part.table, 0) + part.rows
        return rows

    def tombstone(self, token: str) -> Commit:
        """Return the tombstone: a record that marks the source as removed and names the files to delete."""
        return replace(self, token=token, parts=(), quarantine=None, obsolete=self.paths, removed=True)

    def to_json(self) -> bytes:
        """Return the content of the record's file."""
        values = {
            "format_version": FORMAT_VERSION,
            "identity": asdict(self.identity),
            "token": self.token,
            **asdict(self.header.facts),
            "removed": self.removed,
            "parts": [_part_to_dict(part) for part in self.parts],
            "quarantine": self.quarantine,
            "obsolete": self.obsolete,
            "software": self.software,
            "schema_version": self.schema_version,
            "committed_at": self.committed_at,
            "report": self.facts.report,
        }
        return encode_json(values)


@dataclass(frozen=True)
class Intent:
    """The paths that an attempt will publish, and the token of the record that it will replace, if any."""

    identity: Identity
    token: str
    paths: tuple[str, ...]
    expected: str | None

    @classmethod
    def of(cls, record: Commit, *, expected: Commit | None) -> Intent:
        """Return the intent to replace the record ``expected`` with ``record``."""
        return cls(record.identity, record.token, record.paths, expected.token if expected else None)

    def to_json(self) -> bytes:
        """Return the content of the intent's file."""
        return encode_json({"format_version": FORMAT_VERSION, **asdict(self)})


def encode_json(values: Mapping[str, Any]) -> bytes:
    """Encode compact ASCII JSON, which can represent lone surrogates in names."""
    return json.dumps(values, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _part_to_dict(part: Part) -> dict[str, Any]:
    return part._asdict() | {"date": part.date.isoformat() if part.date else None}


# --- Reading: another version of wsparquet, or anyone who can write to the root, may have written the file ------------


class _Reader:
    """Reads typed values from a JSON object; errors name ``path``."""

    def __init__(self, values: object, path: str) -> None:
        self.path = path
        if not isinstance(values, dict):
            raise self.error("an object", values)
        self.values: dict[str, Any] = values

    def error(self, expected: str, found: object, key: str = "the record") -> DatasetError:
        return DatasetError(
            f"{self.path}: expected {expected} as {key}, found {str(found)[:100]!r}; "
            "wsparquet did not write this file: move it away and convert the source again"
        )

    def take(self, key: str, *types: type) -> Any:
        value = self.values.get(key)
        # isinstance treats a bool as an int, but a record with a bool instead of a number is not valid.
        if type(value) not in types:
            raise self.error(" or ".join(kind.__name__ for kind in types), value, key)
        return value

    def paths(self, key: str, owner: Key) -> tuple[str, ...]:
        return tuple(self.own_path(path, owner, key) for path in self.take(key, list))

    def own_path(self, path: object, owner: Key, key: str) -> str:
        if not isinstance(path, str) or not is_own_path(path, owner):
            raise self.error(f"a path of {owner.account}.{owner.name} in this root", path, key)
        return path


def _load(data: bytes, path: str) -> _Reader:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DatasetError(
            f"{path}: expected a JSON object, found {len(data)} bytes that are not valid JSON ({error}); "
            "move the file away and convert the source again"
        ) from error
    reader = _Reader(values, path)
    version = reader.take("format_version", int)
    if version != FORMAT_VERSION:
        raise DatasetError(
            f"{path}: expected format version {FORMAT_VERSION}, found {version}; "
            "use the version of wsparquet that wrote it, or a newer one"
        )
    return reader


def decode_intent(data: bytes, path: str, owner: Key) -> Intent:
    """Return the intent in ``data``.

    Raises DatasetError if the intent is not valid, or names paths of another source.
    """
    reader = _load(data, path)
    # The first releases wrote intents without an identity and an expected token.
    expected = reader.take("expected", str, type(None)) if "expected" in reader.values else None
    if "identity" in reader.values:
        values = _Reader(reader.take("identity", dict), path)
        identity = Identity(values.take("account", str), values.take("name", str))
        if identity.key != owner:
            raise reader.error(f"the identity {owner.account}.{owner.name}", identity, "identity")
    else:
        identity = Identity(owner.account, owner.name)
    return Intent(identity, reader.take("token", str), reader.paths("paths", owner), expected)


def decode_commit(data: bytes, path: str) -> Commit:
    """Return the record in ``data``.

    Raises DatasetError if the record is not valid, does not belong at ``path``, or names paths of another source.
    """
    reader = _load(data, path)
    identity = _decode_identity(reader)
    key = identity.key
    quarantine = reader.take("quarantine", str, type(None))
    return Commit(
        identity=identity,
        token=reader.take("token", str),
        facts=_decode_facts(reader),
        parts=tuple(_decode_part(values, path, key) for values in reader.take("parts", list)),
        quarantine=None if quarantine is None else reader.own_path(quarantine, key, "quarantine"),
        obsolete=reader.paths("obsolete", key),
        software=reader.take("software", str),
        schema_version=reader.take("schema_version", int),
        committed_at=reader.take("committed_at", str),
        removed=reader.take("removed", bool),
    )


def decode_header(data: bytes, path: str) -> CommitHeader | None:
    """Return the header of the record in ``data``, or None if the source is removed.

    This is faster than ``decode_commit``, because the parts are not checked. Raises DatasetError if the record is not
    valid or does not belong at ``path``.
    """
    reader = _load(data, path)
    if reader.take("removed", bool):
        return None
    facts = _decode_facts(reader, report=False)
    return CommitHeader(_decode_identity(reader), reader.take("token", str), facts, reader.take("committed_at", str))


def _decode_identity(reader: _Reader) -> Identity:
    values = _Reader(reader.take("identity", dict), reader.path)
    identity = Identity(values.take("account", str), values.take("name", str))
    if identity.key.commit_path != reader.path:
        raise reader.error("the identity that the record's path names", identity, "identity")
    return identity


def _decode_facts(reader: _Reader, *, report: bool = True) -> CommitFacts:
    return CommitFacts(
        checksum=reader.take("checksum", str),
        size=reader.take("size", int, type(None)),
        url=reader.take("url", str, type(None)),
        etag=reader.take("etag", str, type(None)),
        mtime=reader.take("mtime", str, type(None)),
        source_name=reader.take("source_name", str),
        report=reader.take("report", dict) if report else {},
        listing=_decode_listing(reader),
    )


def _decode_listing(reader: _Reader) -> dict[str, str]:
    # Records of early versions have no listing.
    values = _Reader(reader.values.get("listing", {}), reader.path)
    return {key: values.take(key, str) for key in values.values}


# One comparison checks all types, for speed: a root has hundreds of thousands of parts.
_PART_KEYS = ("path", "rows", "bytes", "min_time", "max_time", "checksum")
_PART_TYPES = {
    (str, int, int, *times, checksum)
    for times in ((int, int), (type(None), type(None)))
    for checksum in (str, type(None))
}


def _decode_part(values: object, path: str, key: Key) -> Part:
    reader = _Reader(values, path)
    found: list[Any] = [reader.values.get(name) for name in _PART_KEYS]
    if tuple(map(type, found)) not in _PART_TYPES:
        raise reader.error(f"a part with {', '.join(_PART_KEYS)}", values, "part")
    # Query engines take the table and the date from the path, so the path determines them here too.
    where = found[0]
    place = parse_part_path(where, key)
    if place is None:
        raise reader.error(f"a part of {key.account}.{key.name} in this root", where, "path")
    return Part(where, *place, *found[1:])
