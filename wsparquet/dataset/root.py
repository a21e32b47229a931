"""What can be done with a root as a whole: opened, recovered, looked into, added to, taken from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from wsparquet.commit.attempt import Attempt
from wsparquet.commit.checkpoint import Records
from wsparquet.commit.index import Commits
from wsparquet.commit.protocol import DEAD_SECONDS, CommitProtocol
from wsparquet.commit.record import Commit
from wsparquet.dataset.access import Access, open_store
from wsparquet.dataset.version import RootVersion, create_version, read_version, replace_version
from wsparquet.layout import COMMITS, INTENTS, LOCKS, QUARANTINE, ROOT_RECORD, STATE, SYNC, TMP, Identity
from wsparquet.names import encode
from wsparquet.parquet.writers import POOL, WriterPool
from wsparquet.schema import SCHEMA_VERSION
from wsparquet.store.store import Store
from wsparquet.urls import is_url

__all__ = ["Root"]

# Source text lies there; others are kept out.
PRIVATE = 0o700


class Root:
    """A folder or a part of a bucket with datasets in it. Any number of threads and processes may use one at a time."""

    def __init__(self, store: Store, protocol: CommitProtocol, pool: WriterPool) -> None:
        self._store = store
        self._protocol = protocol
        self._pool = pool

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = True,
        pool: WriterPool | None = None,
        access: Access = Access(),  # noqa: B008 - frozen
    ) -> Root:
        """The root at ``path``, made if it is missing; ``pool`` bounds its writers, by default that of the process.

        ``path`` is a folder or ``s3://bucket/…``, reached as ``access`` says.

        Raises SchemaError if it has another schema version, DatasetError if it cannot be made, written or found.
        """
        store, protocol = open_store(os.fspath(path), access)
        if create:
            make_root(store)
        read_version(store).check(store.place(ROOT_RECORD))
        return cls(store, protocol, pool or POOL)

    @classmethod
    def open_if_any(cls, path: str | os.PathLike[str], *, access: Access = Access()) -> Root | None:  # noqa: B008
        """The root at ``path``, None if there is none; nothing is written. Raises as ``open`` does."""
        store, _ = open_store(os.fspath(path), access)
        if store.read(ROOT_RECORD) is None and next(store.entries(COMMITS), None) is None:
            return None
        return cls.open(path, create=False, access=access)

    @classmethod
    def open_for_replay(cls, path: str | os.PathLike[str], *, access: Access = Access()) -> Root:  # noqa: B008 - frozen
        """The root at ``path``, also one of an older schema version, or of which not all sources are replayed yet.

        Raises SchemaError if it is of a newer version, DatasetError if it cannot be found.
        """
        store, protocol = open_store(os.fspath(path), access)
        read_version(store).check_not_newer(store.place(ROOT_RECORD))
        return cls(store, protocol, POOL)

    @property
    def version(self) -> RootVersion:
        """Which schema version it has, and which it had if it is being replayed."""
        return read_version(self._store)

    def begin_replay(self) -> None:
        """Say that the root is on its way to this software's schema version: nothing else can use it until it is."""
        version = self.version
        # A replay that was not ended began at another one, which may be 0.
        before = version.schema if version.replaying_from is None else version.replaying_from
        replace_version(self._store, RootVersion(SCHEMA_VERSION, before))

    def end_replay(self) -> None:
        """Say that all sources are of this software's schema version."""
        replace_version(self._store, RootVersion(SCHEMA_VERSION))

    @property
    def place(self) -> str:
        """Where the root is, fit for messages."""
        return self._store.place()

    @property
    def is_remote(self) -> bool:
        """Whether commits wait for a network rather than a disk."""
        return is_url(self.place)

    @property
    def store(self) -> Store:
        """The root's files."""
        return self._store

    def interrupt(self) -> None:
        """Have commits under way end at once, where they wait for a network; the next run finishes or clears them."""
        self._store.interrupt()

    def recover(self, identity: Identity | None = None, *, dead_seconds: float = DEAD_SECONDS) -> None:
        """Finish what dead attempts left half done: at one source if given, else at all, with their temporary files.

        Every run that writes does so first, and finds out whether the store can be written to by several at once. What
        live attempts have is not touched. Raises DatasetError if the store fails, or if a record or an intent
        names files that are not its own.
        """
        self._protocol.probe()
        self._protocol.settle_all(identity.key.intents_folder if identity else INTENTS, dead_seconds=dead_seconds)
        if identity is None:
            self._store.workspaces.sweep()

    def commits(self, *, keep: bool = False) -> Commits:
        """All commits; ``keep`` a copy of many new records, for whoever opens the root next.

        Raises DatasetError if a record is unreadable, or names files that are not its own.
        """
        return Commits(self._store, Records(self._store).heads(keep=keep))

    def begin(self, *, fallback_day_ms: int | None) -> Attempt:
        """A new attempt; ``fallback_day_ms`` is the file name's start, milliseconds since 1970, if it has one."""
        work = self._store.workspaces.new()
        return Attempt(self._protocol, work, self._pool, fallback_day_ms=fallback_day_ms)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A private folder for temporary files, deleted in the end, or by ``recover`` once this process is dead."""
        with self._store.workspaces.new() as work:
            yield work.folder

    def read_sync_states(self) -> dict[str, bytes]:
        """What synchronisation last wrote down, by path: one file an account."""
        return dict(self._store.read_below(SYNC))

    def read_sync_state(self, account: str) -> bytes | None:
        """What synchronisation last wrote down of an account, None if there is nothing."""
        return self._store.read(sync_path(account))

    def write_sync_state(self, account: str, data: bytes) -> None:
        """Replace what is written down of an account at once. It helps monitors, and decides nothing."""
        self._store.make_folder(SYNC)
        self._store.put(sync_path(account), data)

    def remove(self, names: Iterable[str], *, account: str | None = None) -> list[Commit]:
        """Take sources out again, and return the records that they had.

        A name is a source's file name, an identity's name, or its record's file name without suffix. Raises
        DatasetError before anything is removed if a name is unknown, or belongs to several accounts and none is given.
        """
        identities = self.commits().select(names, account=account)
        removed = []
        for identity in identities:
            with self._store.workspaces.new() as work:
                commit = self._protocol.remove(work, identity.key)
            if commit is not None:
                removed.append(commit)
        return removed


def sync_path(account: str) -> str:
    """Where the state of an account's synchronisation lies."""
    return f"{SYNC}/{encode(account)}.json"


def make_root(store: Store) -> None:
    """Make what is missing of a root; two may do so at once."""
    store.make_root()
    store.make_folder(STATE)
    for folder in (TMP, QUARANTINE):
        store.make_folder(folder, mode=PRIVATE)
    for folder in (LOCKS, INTENTS, COMMITS):
        store.make_folder(folder)
    if store.read(ROOT_RECORD) is None:
        create_version(store)
