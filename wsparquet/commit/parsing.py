"""Parses and validates commit records and intents.

A file may be the work of another version of wsparquet, or of anyone who can write to the root.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import Any

from wsparquet.commit.days import DayRecord, Member
from wsparquet.commit.record import FORMAT_VERSION, Commit, CommitFacts, CommitHeader, Intent, Part, Sighting, Text
from wsparquet.errors import DatasetError
from wsparquet.layout import Day, DayKey, Identity, Key, is_own_path, parse_day_part_path, parse_part_path

__all__ = ["decode_commit", "decode_day", "decode_header", "decode_intent", "remedy_for"]


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
            "wsparquet did not write this file: restore it from a copy, or move it away and convert the source again"
        )

    def take(self, key: str, *types: type) -> Any:
        value = self.values.get(key)
        # isinstance treats a bool as an int, but a record with a bool instead of a number is not valid.
        if type(value) not in types:
            raise self.error(" or ".join(kind.__name__ for kind in types), value, key)
        return value

    def paths(self, key: str, owner: Key | DayKey) -> tuple[str, ...]:
        return tuple(self.own_path(path, owner, key) for path in self.take(key, list))

    def own_path(self, path: object, owner: Key | DayKey, key: str) -> str:
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
        raise DatasetError(f"{path}: expected format version {FORMAT_VERSION}, found {version}; {remedy_for(version)}")
    return reader


def remedy_for(version: int) -> str:
    """Return the remedy for a file of another format version."""
    if version > FORMAT_VERSION:
        return "upgrade wsparquet"
    return "convert the raw files into a new root; no release wrote this version"


def decode_intent(data: bytes, path: str, owner: Key | DayKey) -> Intent:
    """Return the intent in ``data``.

    Raises DatasetError if the intent is not valid, or names paths of another source or day.
    """
    reader = _load(data, path)
    identity = _identity(reader, "identity") if isinstance(owner, Key) else _day(reader)
    if identity.key != owner:
        raise reader.error(f"the identity {owner.account}.{owner.name}", identity, "identity")
    expected = reader.take("expected", str, type(None))
    return Intent(identity, reader.take("token", str), reader.paths("paths", owner), expected)


def decode_commit(data: bytes, path: str) -> Commit:
    """Return the record in ``data``.

    Raises DatasetError if the record is not valid, does not belong at ``path``, or names paths of another source.
    """
    reader = _load(data, path)
    identity = _decode_identity(reader)
    key = identity.key
    quarantine = reader.take("quarantine", str, type(None))
    commit = Commit(
        identity=identity,
        token=reader.take("token", str),
        facts=_decode_facts(reader),
        parts=tuple(_decode_part(values, path, key) for values in reader.take("parts", list)),
        quarantine=None if quarantine is None else reader.own_path(quarantine, key, "quarantine"),
        obsolete=reader.paths("obsolete", key),
        software=reader.take("software", str),
        schema_version=reader.take("schema_version", int),
        committed_at=reader.take("committed_at", str),
        content_id=reader.take("content_id", str),
        texts_before=_decode_texts(reader),
        also=_decode_also(reader),
        same_as=_decode_same_as(reader),
        removed=reader.take("removed", bool),
        extension=reader.take("extension", str, type(None)),
    )
    if reader.take("row_count", int) != commit.row_count:
        raise reader.error(f"the sum of its parts' rows, {commit.row_count},", reader.values["row_count"], "row_count")
    if commit.same_as is not None and commit.paths:
        raise reader.error("no files in a record that refers to another", len(commit.paths), "parts")
    return commit


def decode_header(data: bytes, path: str) -> CommitHeader | None:
    """Return the header of the record in ``data``, or None if the source is removed.

    This function is faster than ``decode_commit``, because it does not check the parts. Raises DatasetError if the
    record is not valid or does not belong at ``path``.
    """
    reader = _load(data, path)
    if reader.take("removed", bool):
        return None
    return CommitHeader(
        identity=_decode_identity(reader),
        token=reader.take("token", str),
        facts=_decode_facts(reader, report=False),
        committed_at=reader.take("committed_at", str),
        content_id=reader.take("content_id", str),
        row_count=reader.take("row_count", int),
        texts_before=_decode_texts(reader),
        also=_decode_also(reader),
        same_as=_decode_same_as(reader),
    )


def _identity(reader: _Reader, key: str) -> Identity:
    values = _Reader(reader.take(key, dict), reader.path)
    return Identity(values.take("account", str), values.take("name", str))


def _decode_identity(reader: _Reader) -> Identity:
    identity = _identity(reader, "identity")
    if identity.key.record_path != reader.path:
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
        text=_decode_text(reader),
        report=reader.take("report", dict) if report else {},
        listing=_decode_listing(reader),
        seconds=reader.take("seconds", float, int, type(None)),
    )


def _decode_listing(reader: _Reader) -> dict[str, str]:
    values = _Reader(reader.take("listing", dict), reader.path)
    return {key: values.take(key, str) for key in values.values}


def _decode_text(reader: _Reader) -> Text | None:
    if reader.take("text", dict, type(None)) is None:
        return None
    values = _Reader(reader.values["text"], reader.path)
    return Text(values.take("blake3", str), values.take("length", int))


def _decode_texts(reader: _Reader) -> tuple[str, ...]:
    texts = reader.take("texts_before", list)
    if not all(type(text) is str for text in texts):
        raise reader.error("hashes as text", texts, "texts_before")
    return tuple(texts)


def _decode_also(reader: _Reader) -> tuple[Sighting, ...]:
    return tuple(_decode_sighting(_Reader(values, reader.path)) for values in reader.take("also", list))


def _decode_sighting(reader: _Reader) -> Sighting:
    return Sighting(
        name=reader.take("name", str),
        url=reader.take("url", str),
        size=reader.take("size", int, type(None)),
        etag=reader.take("etag", str, type(None)),
        mtime=reader.take("mtime", str, type(None)),
        text=reader.take("text", str),
        listing=_decode_listing(reader),
    )


def _decode_same_as(reader: _Reader) -> Identity | None:
    return None if reader.take("same_as", dict, type(None)) is None else _identity(reader, "same_as")


# One comparison checks all types, for speed: a root has hundreds of thousands of parts.
_PART_KEYS = ("path", "rows", "bytes", "min_time", "max_time", "checksum")
_PART_TYPES = {
    (str, int, int, *times, checksum)
    for times in ((int, int), (type(None), type(None)))
    for checksum in (str, type(None))
}


def _part_values(reader: _Reader) -> list[Any]:
    found: list[Any] = [reader.values.get(name) for name in _PART_KEYS]
    if tuple(map(type, found)) not in _PART_TYPES:
        raise reader.error(f"a part with {', '.join(_PART_KEYS)}", reader.values, "part")
    return found


def _decode_part(values: object, path: str, key: Key) -> Part:
    reader = _Reader(values, path)
    found = _part_values(reader)
    # Query engines take the table and the date from the path, so wsparquet takes them from the path, too.
    where = found[0]
    place = parse_part_path(where, key)
    if place is None:
        raise reader.error(f"a part of {key.account}.{key.name} in this root", where, "path")
    return Part(where, *place, *found[1:])


# --- Day records ------------------------------------------------------------------------------------------------------


def decode_day(data: bytes, path: str) -> DayRecord:
    """Return the day record in ``data``.

    Raises DatasetError if the record is not valid, does not belong at ``path``, or names paths of another day.
    """
    reader = _load(data, path)
    day = _day(reader)
    key = day.key
    if key.record_path != path:
        raise reader.error("the account and the day that the record's path names", day, "identity")
    record = DayRecord(
        identity=day,
        token=reader.take("token", str),
        members=_decode_members(reader),
        parts=tuple(_decode_day_part(values, path, key) for values in reader.take("parts", list)),
        obsolete=reader.paths("obsolete", key),
        software=reader.take("software", str),
        schema_version=reader.take("schema_version", int),
        compacted_at=reader.take("compacted_at", str),
        content_id=reader.take("content_id", str),
        keep_until=reader.take("keep_until", float, int, type(None)),
        extension=reader.take("extension", str, type(None)),
    )
    _check_rows(reader, record)
    return record


def _day(reader: _Reader) -> Day:
    values = _Reader(reader.take("identity", dict), reader.path)
    text = values.take("day", str, type(None))
    try:
        return Day(values.take("account", str), None if text is None else date.fromisoformat(text))
    except ValueError:
        raise reader.error("a day as YYYY-MM-DD", text, "day") from None


def _decode_members(reader: _Reader) -> dict[str, Member]:
    found = {}
    for name in (members := _Reader(reader.take("members", dict), reader.path)).values:
        values = _Reader(members.take(name, dict), reader.path)
        rows = _Reader(values.take("rows", dict), reader.path)
        counts = {table: rows.take(table, int) for table in rows.values}
        found[name] = Member(values.take("content_id", str), values.take("source_file", str), counts)
    if len({member.source_file for member in found.values()}) != len(found):
        raise reader.error("members with different source files", "one twice", "members")
    return found


def _decode_day_part(values: object, path: str, key: DayKey) -> Part:
    reader = _Reader(values, path)
    found = _part_values(reader)
    table = parse_day_part_path(found[0], key)
    if table is None:
        raise reader.error(f"a day part of {path}", found[0], "path")
    return Part(found[0], table, key.day, *found[1:])


def _check_rows(reader: _Reader, record: DayRecord) -> None:
    """Check that the parts have as many rows of each table as the members."""
    parts: Counter[str] = Counter()
    members: Counter[str] = Counter()
    for part in record.parts:
        parts[part.table] += part.rows
    for member in record.members.values():
        members.update(member.rows)
    if +parts != +members:
        raise reader.error(f"members with the rows of the parts, {dict(+parts)},", dict(+members), "members")
