"""Where everything lies in a root, and which paths found in a record may be touched.

    <root>/record_type=<table>/date=<day>/<account>.<name>.<token>.<n>.parquet
    <root>/_wsparquet/root.json
    <root>/_wsparquet/commits/<account>/<yyyy-mm>/<name>.json
    <root>/_wsparquet/intents/<account>/<name>.<token>.json
    <root>/_wsparquet/quarantine/<account>/<name>.<token>.ndjson
    <root>/_wsparquet/sync/<account>.json
    <root>/_wsparquet/checkpoint.parquet
    <root>/_wsparquet/probes/<token>    (on object stores, for an instant)
    <root>/_wsparquet/tmp/<token>/...    _wsparquet/locks/...

Every path here is relative to the root, with ``/`` between its components. An account's dots are encoded, so that a
part's name tells where it ends: no two identities have a name in common.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from wsparquet.names import encode, parse_name
from wsparquet.schema.fields import plausible_ms

__all__ = [
    "CHECKPOINT",
    "COMMITS",
    "HIVE_NULL",
    "INTENTS",
    "LOCKS",
    "PROBES",
    "QUARANTINE",
    "ROOT_FILE",
    "STATE",
    "SYNC",
    "TMP",
    "Identity",
    "Key",
    "intent_key",
    "is_own_path",
    "is_part_name",
    "is_quarantine_name",
    "is_root",
    "is_written_name",
    "part_path",
    "part_place",
]

STATE = "_wsparquet"

ROOT_FILE = "_wsparquet/root.json"
"""What makes a folder a root."""

COMMITS = f"{STATE}/commits"
INTENTS = f"{STATE}/intents"
QUARANTINE = f"{STATE}/quarantine"
TMP = f"{STATE}/tmp"  # noqa: S108 - below the root, not the system's
LOCKS = f"{STATE}/locks"
SYNC = f"{STATE}/sync"
PROBES = f"{STATE}/probes"
CHECKPOINT = f"{STATE}/checkpoint.parquet"

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
UNDATED = "undated"

_TOKEN = r"[0-9a-f]{16}"  # noqa: S105 - the form of a random part of a file name, no secret
_ACCOUNT = r"[^/.]+"
_PART = re.compile(
    rf"record_type=([a-z][a-z0-9_]*)/date=(\d{{4}}-\d\d-\d\d|{HIVE_NULL})/"
    rf"({_ACCOUNT})\.([^/]+)\.{_TOKEN}\.\d+\.parquet",
    re.ASCII,
)
_QUARANTINED = re.compile(rf"{QUARANTINE}/({_ACCOUNT})/([^/]+)\.{_TOKEN}\.ndjson", re.ASCII)
_RECORD = re.compile(rf"{COMMITS}/{_ACCOUNT}/(\d{{4}}-\d\d|{UNDATED})/[^/]+\.json", re.ASCII)
_OTHER = re.compile(rf"{PROBES}/{_TOKEN}|{SYNC}/[^/]+\.json", re.ASCII)
_INTENT = re.compile(rf"{INTENTS}/({_ACCOUNT})/([^/]+)\.({_TOKEN})\.json", re.ASCII)


def is_root(folder: str | os.PathLike[str]) -> bool:
    """Whether a local folder is a root; not if that cannot be told."""
    return os.path.isfile(os.path.join(folder, ROOT_FILE))  # noqa: PTH113, PTH118 - asked of every folder of a source


@dataclass(frozen=True)
class Key:
    """An identity as paths know it: both parts encoded, the account without dots."""

    account: str
    name: str

    @property
    def month(self) -> str:
        """The UTC month of the start in an API name as ``yyyy-mm``, else ``undated``."""
        start_ms = parse_name(self.name).start_ms
        if start_ms is None or not plausible_ms(start_ms):
            return UNDATED
        return f"{datetime.fromtimestamp(start_ms / 1000, UTC):%Y-%m}"

    @property
    def commit_path(self) -> str:
        """Where the record of this identity lies."""
        return f"{COMMITS}/{self.account}/{self.month}/{self.name}.json"

    @property
    def intents_folder(self) -> str:
        """Where the intents of this identity lie, with those of the account's other ones."""
        return f"{INTENTS}/{self.account}"

    def intent_path(self, token: str) -> str:
        """Where the intent of one attempt lies."""
        return f"{INTENTS}/{self.account}/{self.name}.{token}.json"

    def quarantine_path(self, token: str) -> str:
        """Where the quarantined text of one attempt lies."""
        return f"{QUARANTINE}/{self.account}/{self.name}.{token}.ndjson"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which source it is, as raw text: what is committed under an equal identity replaces.

    Neither part becomes a path as it stands, so both may hold anything.
    """

    account: str
    name: str

    @property
    def key(self) -> Key:
        """The identity as paths know it."""
        return Key(encode(self.account, dots=False), encode(self.name))


def part_path(key: Key, table: str, day: date | None, file: str) -> str:
    """Where a part lies; ``file`` is its ``<token>.<n>``."""
    return f"record_type={table}/date={day.isoformat() if day else HIVE_NULL}/{key.account}.{key.name}.{file}.parquet"


def intent_key(path: str) -> tuple[Key, str] | None:
    """The identity and the token that an intent's path names; None if it is no intent's path."""
    match = _INTENT.fullmatch(path)
    return (Key(match[1], match[2]), match[3]) if match else None


def part_place(path: str, key: Key) -> tuple[str, date | None] | None:
    """The table and the day of a part of ``key``; None if ``path`` cannot be one."""
    match = _PART.fullmatch(path)
    if match is None or (match[3], match[4]) != (key.account, key.name):
        return None
    try:
        return match[1], _day(match[2])
    except ValueError:
        return None


@lru_cache
def _day(text: str) -> date | None:
    return None if text == HIVE_NULL else date.fromisoformat(text)


def is_part_name(path: str) -> bool:
    """Whether ``path`` is one that a part of any source may have."""
    return _PART.fullmatch(path) is not None


def is_quarantine_name(path: str) -> bool:
    """Whether ``path`` is one that the quarantine of any source may have."""
    return _QUARANTINED.fullmatch(path) is not None


def is_written_name(path: str) -> bool:
    """Whether ``path`` is one that an object of any root on an object store may have."""
    known = (_PART, _QUARANTINED, _INTENT, _RECORD, _OTHER)
    return path in {ROOT_FILE, CHECKPOINT} or any(form.fullmatch(path) for form in known)


def is_own_path(path: str, key: Key) -> bool:
    """Whether ``path`` can be a part or the quarantine of ``key``: a root may be shared with someone hostile."""
    if part_place(path, key) is not None:
        return True
    match = _QUARANTINED.fullmatch(path)
    return match is not None and (match[1], match[2]) == (key.account, key.name)
