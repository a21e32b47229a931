"""What can be done with a root as a whole: opened, recovered, looked into, added to, taken from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from wsparquet.dataset.attempt import Attempt, software_version
from wsparquet.dataset.commits import Commits, all_heads
from wsparquet.dataset.layout import COMMITS, INTENTS, LOCKS, QUARANTINE, ROOT_RECORD, STATE, SYNC, TMP, Identity
from wsparquet.dataset.local import LocalDisk
from wsparquet.dataset.protocol import remove, settle_all
from wsparquet.dataset.records import FORMAT_VERSION, Commit, encode_json
from wsparquet.dataset.writer import POOL, WriterPool
from wsparquet.errors import DatasetError, SchemaError
from wsparquet.names import encode
from wsparquet.schema import SCHEMA_VERSION

__all__ = ["Root"]

# Source text lies there; others are kept out.
PRIVATE = 0o700


class Root:
    """A folder on a local disk with datasets in it. Any number of threads and processes may use one at a time."""

    def __init__(self, disk: LocalDisk, pool: WriterPool) -> None:
        self._disk = disk
        self._pool = pool

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, create: bool = True, pool: WriterPool | None = None) -> Root:
        """The root at ``path``, made if it is missing; ``pool`` bounds its writers, by default that of the process.

        Raises SchemaError if it has another schema version, DatasetError if it cannot be made, written or found.
        """
        if "://" in os.fspath(path):
            raise DatasetError(f"{os.fspath(path)}: expected a folder on a local disk, found a URL; give a path")
        disk = LocalDisk(Path(path).absolute())
        if create:
            make_root(disk)
        check_version(disk)
        return cls(disk, pool or POOL)

    @property
    def path(self) -> Path:
        """The root's folder."""
        return self._disk.root

    @property
    def disk(self) -> LocalDisk:
        """The root's files."""
        return self._disk

    def recover(self, identity: Identity | None = None) -> None:
        """Finish what dead attempts left half done: at one source if given, else at all, with their temporary files.

        What live attempts have is not touched. Raises DatasetError if the disk fails, or if a record or an intent
        names files that are not its own.
        """
        settle_all(self._disk, identity.key.intents_folder if identity else INTENTS)
        if identity is None:
            self._disk.workspaces.sweep()

    def commits(self) -> Commits:
        """All commits. Raises DatasetError if a record is unreadable, or names files that are not its own."""
        return Commits(self._disk, all_heads(self._disk))

    def begin(self, *, fallback_day_ms: int | None) -> Attempt:
        """A new attempt; ``fallback_day_ms`` is the file name's start, milliseconds since 1970, if it has one."""
        return Attempt(self._disk, self._pool, fallback_day_ms=fallback_day_ms)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder for temporary files, deleted in the end, or by ``recover`` once this process is dead."""
        with self._disk.workspaces.new() as work:
            yield work.folder

    def read_sync_states(self) -> dict[str, bytes]:
        """What synchronisation last wrote down, by path: one file an account."""
        return dict(self._disk.read_below(SYNC))

    def read_sync_state(self, account: str) -> bytes | None:
        """What synchronisation last wrote down of an account, None if there is nothing."""
        return self._disk.read(sync_path(account))

    def write_sync_state(self, account: str, data: bytes) -> None:
        """Replace what is written down of an account at once. It helps monitors, and decides nothing."""
        self._disk.make_folder(SYNC)
        with self._disk.workspaces.new() as work:
            self._disk.replace(work.write("sync.json", data), sync_path(account))

    def remove(self, names: Iterable[str], *, account: str | None = None) -> list[Commit]:
        """Take sources out again, and return the records that they had.

        A name is a source's file name, an identity's name, or its record's file name without suffix. Raises
        DatasetError before anything is removed if a name is unknown, or belongs to several accounts and none is given.
        """
        identities = self.commits().select(names, account=account)
        removed = []
        for identity in identities:
            with self._disk.workspaces.new() as work:
                commit = remove(self._disk, work, identity.key)
            if commit is not None:
                removed.append(commit)
        return removed


def sync_path(account: str) -> str:
    """Where the state of an account's synchronisation lies."""
    return f"{SYNC}/{encode(account)}.json"


def make_root(disk: LocalDisk) -> None:
    """Make what is missing of a root; two may do so at once."""
    disk.make_root()
    disk.make_folder(STATE)
    for folder in (TMP, QUARANTINE):
        disk.make_folder(folder, mode=PRIVATE)
    for folder in (LOCKS, INTENTS, COMMITS):
        disk.make_folder(folder)
    if disk.read(ROOT_RECORD) is None:
        write_root_record(disk)


def write_root_record(disk: LocalDisk) -> None:
    """Say which schema version the root has, unless it is said already."""
    commit = next(disk.walk(COMMITS), None)
    if commit is not None:
        raise DatasetError(
            f"{disk.root / ROOT_RECORD}: expected the root's schema version, found no file, though there is {commit}; "
            "restore the file from a copy, or convert into a new root"
        )
    values = {
        "format_version": FORMAT_VERSION,
        "schema_version": SCHEMA_VERSION,
        "software": software_version(),
        "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
    with disk.workspaces.new() as work:
        disk.create(work.write("root.json", encode_json(values)), ROOT_RECORD)


def check_version(disk: LocalDisk) -> None:
    """Raise unless the root has this software's schema version."""
    where = disk.root / ROOT_RECORD
    data = disk.read(ROOT_RECORD)
    if data is None:
        raise DatasetError(f"{disk.root}: expected a root with {ROOT_RECORD}, found none; check the path")
    try:
        values = json.loads(data)
        formats, version = values["format_version"], values["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DatasetError(f"{where}: expected a JSON object with schema_version, found {data[:100]!r}") from error
    if type(version) is not int or formats != FORMAT_VERSION or version > SCHEMA_VERSION:
        raise SchemaError(
            f"{where}: expected schema version {SCHEMA_VERSION}, found {version} (format {formats}); upgrade wsparquet"
        )
    if version < SCHEMA_VERSION:
        raise SchemaError(
            f"{where}: expected schema version {SCHEMA_VERSION}, found the older {version}; bring the root up to date "
            f"with `wsparquet replay`, or go on with --schema-version {version}"
        )
