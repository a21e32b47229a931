"""The paths of all files in a root, and checks of the paths that commit records name.

    <root>/record_type=<table>/date=<day>/<account>.<name>.<token>.<n>.parquet    (the part of a source)
    <root>/record_type=<table>/date=<day>/<account>.<token>.<n>.parquet           (a day part)
    <root>/_wsparquet/root.json
    <root>/_wsparquet/erased.json    (if people were erased)
    <root>/_wsparquet/commits/<account>/<yyyy-mm>/<name>.json
    <root>/_wsparquet/intents/<account>/<name>.<token>.json
    <root>/_wsparquet/days/<account>/<day>.json
    <root>/_wsparquet/day_intents/<account>/<day>.<token>.json
    <root>/_wsparquet/quarantine/<account>/<name>.<token>.ndjson
    <root>/_wsparquet/sync/<account>.json
    <root>/_wsparquet/retired/<token>.json    (published roots only)
    <root>/_wsparquet/iceberg/<table>/metadata/...    (published roots only)
    <root>/_wsparquet/checkpoints/<checksum>
    <root>/_wsparquet/probes/<token>    (temporary, on object stores)
    <root>/_wsparquet/tmp/<token>/...    _wsparquet/locks/...

All paths are relative to the root, with ``/`` between components. Dots in an account are encoded, so the account in a
part's name extends to the first dot, and two identities never share a path. The name of a day part has no source's name
between the account and the token, so no source's part has the same name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from wsparquet.names import encode, parse_name
from wsparquet.schema.fields import plausible_ms

__all__ = [
    "CHECKPOINTS",
    "COMMITS",
    "DAYS",
    "DAY_INTENTS",
    "ERASED_FILE",
    "HIVE_NULL",
    "ICEBERG",
    "INTENTS",
    "LOCKS",
    "PARTITIONS",
    "PROBES",
    "QUARANTINE",
    "RETIRED",
    "ROOT_FILE",
    "SEVERAL_ACCOUNTS",
    "STATE",
    "SYNC",
    "TMP",
    "UNKNOWN_ACCOUNT",
    "Day",
    "DayKey",
    "Identity",
    "Key",
    "checkpoint_path",
    "column_folder",
    "day_part_path",
    "is_checkpoint_path",
    "is_day_part_path",
    "is_object_path",
    "is_own_path",
    "is_part_path",
    "is_quarantine_path",
    "is_retired_path",
    "is_root",
    "key_of_part",
    "parse_day_intent_path",
    "parse_day_part_path",
    "parse_day_record_path",
    "parse_intent_path",
    "parse_part_path",
    "part_path",
    "retired_path",
    "table_of_part",
]

STATE = "_wsparquet"

ROOT_FILE = "_wsparquet/root.json"
"""A folder that contains this file is a root."""

COMMITS = f"{STATE}/commits"
INTENTS = f"{STATE}/intents"
DAYS = f"{STATE}/days"
DAY_INTENTS = f"{STATE}/day_intents"
QUARANTINE = f"{STATE}/quarantine"
TMP = f"{STATE}/tmp"  # noqa: S108 - a folder in the root, not the system's /tmp
LOCKS = f"{STATE}/locks"
SYNC = f"{STATE}/sync"
ERASED_FILE = f"{STATE}/erased.json"
"""The list of erased people, which is there if the root requires the feature ``erased``."""

PROBES = f"{STATE}/probes"
ICEBERG = f"{STATE}/iceberg"
"""The folder of the metadata of Iceberg tables."""

RETIRED = f"{STATE}/retired"
"""The folder of lists of parts to delete after the next publication."""

CHECKPOINTS = f"{STATE}/checkpoints"
"""The folder of the checkpoint. Its Parquet files have no suffix, because the glob ``lake/**/*.parquet`` must find only
parts."""

UNKNOWN_ACCOUNT = "unknown"
"""The account of a source if neither the user, the path nor the content names an account."""

SEVERAL_ACCOUNTS = "multiple"
"""The account of a source whose containers state several accounts."""

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
UNDATED = "undated"

PARTITIONS = ("record_type", "date")
"""The columns that the folders of parts stand for."""

_TOKEN = r"[0-9a-f]{16}"  # noqa: S105 - the pattern of the random part of a file name, not a secret
_ACCOUNT = r"[^/.]+"
_DAY = rf"\d{{4}}-\d\d-\d\d|{HIVE_NULL}"
_PARTITION = rf"record_type=([a-z][a-z0-9_]*)/date=({_DAY})"
_PART = re.compile(rf"{_PARTITION}/({_ACCOUNT})\.([^/]+)\.{_TOKEN}\.\d+\.parquet", re.ASCII)
_DAY_PART = re.compile(rf"{_PARTITION}/({_ACCOUNT})\.({_TOKEN})\.\d+\.parquet", re.ASCII)
_DAY_RECORD = re.compile(rf"{DAYS}/({_ACCOUNT})/({_DAY})\.json", re.ASCII)
_DAY_INTENT = re.compile(rf"{DAY_INTENTS}/({_ACCOUNT})/({_DAY})\.({_TOKEN})\.json", re.ASCII)
_QUARANTINED = re.compile(rf"{QUARANTINE}/({_ACCOUNT})/([^/]+)\.{_TOKEN}\.ndjson", re.ASCII)
_RECORD = re.compile(rf"{COMMITS}/{_ACCOUNT}/(\d{{4}}-\d\d|{UNDATED})/[^/]+\.json", re.ASCII)
_OTHER = re.compile(rf"{PROBES}/{_TOKEN}|{SYNC}/[^/]+\.json", re.ASCII)
_CHECKPOINT = re.compile(rf"{CHECKPOINTS}/{_TOKEN}", re.ASCII)
_RETIRED = re.compile(rf"{RETIRED}/{_TOKEN}\.json", re.ASCII)
_ICEBERG = re.compile(rf"{ICEBERG}/[a-z][a-z0-9_]*/metadata/[^/]+\.(metadata\.json|avro|text)", re.ASCII)
_INTENT = re.compile(rf"{INTENTS}/({_ACCOUNT})/([^/]+)\.({_TOKEN})\.json", re.ASCII)


def column_folder(place: str, columns: Iterable[str]) -> tuple[str, str] | None:
    """Return the first folder of a path or URL that engines read as a column of a table, and the column.

    ``columns``: the names of the table's columns. The columns of partitions are always among them. Case does not matter
    to engines.

    >>> column_folder("s3://bucket/Date=2016-06-30/lake", ["visitId"])
    ('Date=2016-06-30', 'date')
    """
    found = {name.casefold(): name for name in (*columns, *PARTITIONS)}
    for folder in place.rpartition("://")[2].split("/"):
        key, equals, _ = folder.partition("=")
        if equals and (column := found.get(key.casefold())) is not None:
            return folder, column
    return None


def is_root(folder: str | os.PathLike[str]) -> bool:
    """Return whether a local folder is a root. Return False if the folder cannot be accessed."""
    return os.path.isfile(os.path.join(folder, ROOT_FILE))  # noqa: PTH113, PTH118 - os.path is fast; this runs for every folder of a source


def root_around(path: str | os.PathLike[str]) -> Path | None:
    """Return the nearest local root that contains a path, whose last part need not exist, or None if no root does."""
    return next((folder for folder in Path(os.path.realpath(path)).parents if is_root(folder)), None)


@dataclass(frozen=True)
class Key:
    """An identity as it appears in paths: account and name are encoded, and the encoded account contains no dots."""

    account: str
    name: str

    @property
    def month(self) -> str:
        """The UTC month of the start time in an API name, as ``yyyy-mm``; ``undated`` for other names."""
        name = parse_name(self.name)
        start_ms = name.start_ms
        if not name.is_api or start_ms is None or not plausible_ms(start_ms):
            return UNDATED
        return f"{datetime.fromtimestamp(start_ms / 1000, UTC):%Y-%m}"

    @property
    def record_path(self) -> str:
        """The path of this identity's commit record."""
        return f"{COMMITS}/{self.account}/{self.month}/{self.name}.json"

    @property
    def intents_folder(self) -> str:
        """The folder of all intents of the account."""
        return f"{INTENTS}/{self.account}"

    def intent_path(self, token: str) -> str:
        """Return the path of the intent of one attempt."""
        return f"{INTENTS}/{self.account}/{self.name}.{token}.json"

    def quarantine_path(self, token: str) -> str:
        """Return the path of the file with the quarantined text of one attempt."""
        return f"{QUARANTINE}/{self.account}/{self.name}.{token}.ndjson"


@dataclass(frozen=True)
class DayKey:
    """A day of an account, as paths contain it. ``day`` is None for the rows without a day."""

    account: str
    day: date | None

    @property
    def name(self) -> str:
        """The name of the day's lock. No source's name contains a slash."""
        return f"days/{_folder_of(self.day)}"

    @property
    def record_path(self) -> str:
        """The path of the day record."""
        return f"{DAYS}/{self.account}/{_folder_of(self.day)}.json"

    @property
    def intents_folder(self) -> str:
        """The folder of all day intents of the account."""
        return f"{DAY_INTENTS}/{self.account}"

    def intent_path(self, token: str) -> str:
        """Return the path of the intent of one attempt."""
        return f"{self.intents_folder}/{_folder_of(self.day)}.{token}.json"


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day of an account, the unit of compaction.

    With ``day`` None, it stands for the account's rows without a day.
    """

    account: str
    day: date | None

    @property
    def key(self) -> DayKey:
        """The day as it appears in paths."""
        return DayKey(encode(self.account, dots=False), self.day)

    def to_dict(self) -> dict[str, str | None]:
        """Return the day as JSON values."""
        return {"account": self.account, "day": self.day.isoformat() if self.day else None}


@dataclass(frozen=True, slots=True)
class Identity:
    """The account and the name that identify a source; a commit replaces an earlier commit with the same identity.

    Account and name may contain any characters: they are encoded in paths.
    """

    account: str
    name: str

    @property
    def key(self) -> Key:
        """The identity as it appears in paths."""
        return Key(encode(self.account, dots=False), encode(self.name))

    def to_dict(self) -> dict[str, str | None]:
        """Return the identity as JSON values."""
        return {"account": self.account, "name": self.name}


def part_path(key: Key, table: str, day: date | None, file: str) -> str:
    """Return the path of a part; ``file`` is ``<token>.<n>``."""
    return f"record_type={table}/date={_folder_of(day)}/{key.account}.{key.name}.{file}.parquet"


def day_part_path(key: DayKey, table: str, file: str) -> str:
    """Return the path of a day part; ``file`` is ``<token>.<n>``."""
    return f"record_type={table}/date={_folder_of(key.day)}/{key.account}.{file}.parquet"


def _folder_of(day: date | None) -> str:
    return day.isoformat() if day else HIVE_NULL


def parse_intent_path(path: str) -> tuple[Key, str] | None:
    """Return the identity and the token in an intent's path, or None if ``path`` has another form."""
    match = _INTENT.fullmatch(path)
    return (Key(match[1], match[2]), match[3]) if match else None


def parse_part_path(path: str, key: Key) -> tuple[str, date | None] | None:
    """Return the table and the day in the path of a part of ``key``, or None if ``path`` has another form."""
    match = _PART.fullmatch(path)
    if match is None or (match[3], match[4]) != (key.account, key.name):
        return None
    try:
        return match[1], _day(match[2])
    except ValueError:
        return None


def parse_day_part_path(path: str, key: DayKey) -> str | None:
    """Return the table in the path of a day part of ``key``, or None if ``path`` has another form."""
    match = _DAY_PART.fullmatch(path)
    if match is None or (match[2], match[3]) != (_folder_of(key.day), key.account):
        return None
    return match[1]


def parse_day_record_path(path: str) -> DayKey | None:
    """Return the day that a day record's path names, or None if ``path`` has another form."""
    match = _DAY_RECORD.fullmatch(path)
    return _day_key(match) if match else None


def parse_day_intent_path(path: str) -> tuple[DayKey, str] | None:
    """Return the day and the token in the path of a day intent, or None if ``path`` has another form."""
    match = _DAY_INTENT.fullmatch(path)
    key = _day_key(match) if match else None
    return (key, match[3]) if match and key else None


def _day_key(match: re.Match[str]) -> DayKey | None:
    try:
        return DayKey(match[1], _day(match[2]))
    except ValueError:
        return None


@lru_cache
def _day(text: str) -> date | None:
    return None if text == HIVE_NULL else date.fromisoformat(text)


def is_part_path(path: str) -> bool:
    """Return whether ``path`` has the form of the path of a source's part or of a day part."""
    return _PART.fullmatch(path) is not None or is_day_part_path(path)


def is_day_part_path(path: str) -> bool:
    """Return whether ``path`` has the form of a day part's path."""
    return _DAY_PART.fullmatch(path) is not None


def table_of_part(path: str) -> str | None:
    """Return the table of a part's path, or None if ``path`` has another form."""
    match = _PART.fullmatch(path) or _DAY_PART.fullmatch(path)
    return match[1] if match else None


def key_of_part(path: str) -> Key | None:
    """Return the identity in the path of a source's own part, or None if ``path`` has another form."""
    match = _PART.fullmatch(path)
    return Key(match[3], match[4]) if match else None


def is_quarantine_path(path: str) -> bool:
    """Return whether ``path`` has the form of a quarantine file's path."""
    return _QUARANTINED.fullmatch(path) is not None


def checkpoint_path(name: str) -> str:
    """Return the path of a file of the checkpoint."""
    return f"{CHECKPOINTS}/{name}"


def is_checkpoint_path(path: str) -> bool:
    """Return whether ``path`` has the form of the path of a file of the checkpoint."""
    return _CHECKPOINT.fullmatch(path) is not None


def retired_path(token: str) -> str:
    """Return the path of a list of retired parts."""
    return f"{RETIRED}/{token}.json"


def is_retired_path(path: str) -> bool:
    """Return whether ``path`` has the form of the path of a list of retired parts."""
    return _RETIRED.fullmatch(path) is not None


def is_object_path(path: str) -> bool:
    """Return whether ``path`` has the form of a path that wsparquet writes to in an object store."""
    records = (_INTENT, _DAY_INTENT, _RECORD, _DAY_RECORD, _RETIRED, _CHECKPOINT, _ICEBERG, _OTHER)
    forms = (_PART, _DAY_PART, _QUARANTINED, *records)
    return path in {ROOT_FILE, ERASED_FILE} or any(form.fullmatch(path) for form in forms)


def is_own_path(path: str, key: Key | DayKey) -> bool:
    """Return whether ``path`` has the form of the path of a part, day part or quarantine file of ``key``.

    This function validates records, because anyone who can write to the root can forge a record.
    """
    if isinstance(key, DayKey):
        return parse_day_part_path(path, key) is not None
    if parse_part_path(path, key) is not None:
        return True
    match = _QUARANTINED.fullmatch(path)
    return match is not None and (match[1], match[2]) == (key.account, key.name)
