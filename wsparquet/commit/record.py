"""What a commit record and an intent say, and what of them can be believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from wsparquet.errors import DatasetError
from wsparquet.layout import Identity, Key, intent_key, is_own_path, part_place

__all__ = [
    "FORMAT_VERSION",
    "Commit",
    "CommitFacts",
    "Head",
    "Intent",
    "Part",
    "decode_commit",
    "decode_intent",
    "encode_json",
    "named_intent",
]

FORMAT_VERSION = 1
"""Of the records themselves; raised when a reader of today could not read them any more."""


class Part(NamedTuple):
    """One published data file.

    ``path`` is relative to the root, ``date`` the partition's UTC day, None for Hive's default one. The times are the
    earliest and latest own timestamps in milliseconds since 1970, None where there are none. ``checksum`` is the hex
    SHA-256 of the file, None in records of before there was one.
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
    """What is known of a source beside its rows.

    ``checksum`` is the hex SHA-256 of its bytes as they were read, ``size`` their number. ``url`` has no user info,
    query or fragment. ``etag`` and ``mtime`` are compared only, whatever their form. ``report`` holds JSON values.
    ``listing`` is what the API's listing said of a source that was synchronised, as written; else it is empty.
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
class Head:
    """A commit without what is large: its parts, and its report, which is empty here."""

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
    """What a source became; ``token`` is of the attempt that made it and differs between any two commits.

    ``obsolete`` are the paths that this commit replaced. ``removed`` marks a source whose rows are being taken out.
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
    def head(self) -> Head:
        """The commit without what is large."""
        return Head(self.identity, self.token, replace(self.facts, report={}), self.committed_at)

    @property
    def checksum(self) -> str:
        """The hex SHA-256 of the source's bytes."""
        return self.facts.checksum

    @property
    def path(self) -> str:
        """Where the record lies, relative to the root."""
        return self.identity.key.commit_path

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that count because of this record: its parts and its quarantine."""
        return (*(part.path for part in self.parts), *((self.quarantine,) if self.quarantine else ()))

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        rows: dict[str, int] = {}
        for part in self.parts:
            rows[part.table] = rows.get(part.table, 0) + part.rows
        return rows

    def tombstone(self, token: str) -> Commit:
        """The record that says that the source is taken out, and what is to be deleted therefore."""
        return replace(self, token=token, parts=(), quarantine=None, obsolete=self.paths, removed=True)

    def to_json(self) -> bytes:
        """The record as its file holds it."""
        values = {
            "format_version": FORMAT_VERSION,
            "identity": asdict(self.identity),
            "token": self.token,
            **asdict(self.head.facts),
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
    """All paths that an attempt is about to publish, and the token of the record that it is to replace, if any."""

    identity: Identity
    token: str
    paths: tuple[str, ...]
    expected: str | None

    @classmethod
    def of(cls, record: Commit, *, expected: Commit | None) -> Intent:
        """The intent to write a record in the place of ``expected``."""
        return cls(record.identity, record.token, record.paths, expected.token if expected else None)

    def to_json(self) -> bytes:
        """The intent as its file holds it."""
        return encode_json({"format_version": FORMAT_VERSION, **asdict(self)})


def encode_json(values: Mapping[str, Any]) -> bytes:
    """Compact ASCII JSON: lone surrogates in names survive it."""
    return json.dumps(values, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _part_to_dict(part: Part) -> dict[str, Any]:
    return part._asdict() | {"date": part.date.isoformat() if part.date else None}


# --- Reading: a record may come from another version, or from someone who shares the root -----------------------------


class _Reader:
    """Takes typed values out of a JSON object; ``path`` is named in errors."""

    def __init__(self, values: object, path: str) -> None:
        self.path = path
        if not isinstance(values, dict):
            raise self.error("an object", values)
        self.values: dict[str, Any] = values

    def error(self, expected: str, found: object, key: str = "the record") -> DatasetError:
        return DatasetError(
            f"{self.path}: expected {expected} as {key}, found {str(found)[:100]!r}; "
            "somebody else has written there: move the file away and convert the source again"
        )

    def take(self, key: str, *types: type) -> Any:
        value = self.values.get(key)
        # A bool is an int to isinstance, but not to a reader of records.
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
            f"{path}: expected a JSON object, found {len(data)} bytes that are none ({error}); "
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
    """The intent in ``data``. Raises DatasetError if it is none, or names paths that are not its own."""
    reader = _load(data, path)
    # Intents of the first releases, which wrote to local disks only, have neither identity nor expectation.
    expected = reader.take("expected", str, type(None)) if "expected" in reader.values else None
    if "identity" in reader.values:
        values = _Reader(reader.take("identity", dict), path)
        identity = Identity(values.take("account", str), values.take("name", str))
        if identity.key != owner:
            raise reader.error(f"the identity {owner.account}.{owner.name}", identity, "identity")
    else:
        identity = Identity(owner.account, owner.name)
    return Intent(identity, reader.take("token", str), reader.paths("paths", owner), expected)


def named_intent(path: str) -> tuple[Key, str]:
    """The identity and the token that an intent's path names. Raises DatasetError if it is no intent's path."""
    found = intent_key(path)
    if found is None:
        raise DatasetError(
            f"{path}: expected an intent's file name, found {path.rpartition('/')[2]!r}; "
            "somebody else has written there: move the file away"
        )
    return found


def decode_commit(data: bytes, path: str) -> Commit:
    """The record in ``data``. Raises DatasetError if it is none, lies elsewhere, or names paths not its own."""
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


def decode_head(data: bytes, path: str) -> Head | None:
    """What a record says of its source, quicker than all of it; None if the source is being removed.

    Raises DatasetError if it is no record or lies elsewhere; which files it names is not looked at.
    """
    reader = _load(data, path)
    if reader.take("removed", bool):
        return None
    facts = _decode_facts(reader, report=False)
    return Head(_decode_identity(reader), reader.take("token", str), facts, reader.take("committed_at", str))


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
    # Records of before there was synchronisation have none.
    values = _Reader(reader.values.get("listing", {}), reader.path)
    return {key: values.take(key, str) for key in values.values}


# Types are compared all at once: a root has hundreds of thousands of parts.
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
    # The path is what engines go by, so table and date are read from it, too.
    where = found[0]
    place = part_place(where, key)
    if place is None:
        raise reader.error(f"a part of {key.account}.{key.name} in this root", where, "path")
    return Part(where, *place, *found[1:])
