"""Operations on a complete root: open it, recover it, read its commits, begin commits, remove sources."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from wsparquet.commit.attempt import Attempt
from wsparquet.commit.days import Counting, DayRecord
from wsparquet.commit.index import CommitIndex
from wsparquet.commit.log import CommitLog
from wsparquet.commit.protocol import DEAD_SECONDS, CommitConflict, CommitProtocol, DayConflict
from wsparquet.commit.record import Commit, CommitHeader, Sighting
from wsparquet.commit.retired import RetiredParts
from wsparquet.commit.twins import has_rows_of
from wsparquet.dataset.access import Access, open_store, retired_parts
from wsparquet.dataset.day_parts import DayChange, MergeLimits, PartsGone, Transform, WrongRows, settled, write_day
from wsparquet.dataset.erased import ErasedMeanwhile, people_of, state_of
from wsparquet.dataset.masking import check_not_masked, check_same, masking_of, masks_of_root, wanted_masks
from wsparquet.dataset.settled_days import SettledDays
from wsparquet.dataset.version import (
    EXTENDED,
    Extending,
    Masking,
    RootVersion,
    change_version,
    check_new,
    create_version,
    has_version,
    read_version,
)
from wsparquet.errors import DatasetError, SchemaError
from wsparquet.layout import LOCKS, QUARANTINE, RETIRED, STATE, SYNC, TMP, Identity, key_of_part
from wsparquet.log import LOGGER
from wsparquet.names import encode
from wsparquet.parquet.writers import WriterPool, shared_pool
from wsparquet.schema import DOCUMENTED, SCHEMA_VERSION, Schema
from wsparquet.schema.extended import KeptExtension
from wsparquet.store.store import Store
from wsparquet.store.workspace import Workspace
from wsparquet.urls import is_url

if TYPE_CHECKING:
    from wsparquet.decode.masks import Masks

__all__ = ["Root"]

# These folders contain text of sources, which other users of the machine must not read.
PRIVATE = 0o700
FENCE_SECONDS = -3600.0
"""All attempts in a bucket are fenced off, even if the clock of the store is up to an hour ahead."""
TRIES = 50
"""How often a run creates the folders for temporary files again if other runs delete them."""


class Root:
    """A folder, or a prefix of a bucket, that contains datasets.

    Threads and processes may use one root concurrently.
    """

    def __init__(
        self,
        store: Store,
        protocol: CommitProtocol,
        pool: WriterPool,
        *,
        made: bool = True,
        schema: Schema = DOCUMENTED,
        access: Access = Access(),  # noqa: B008 - frozen
    ) -> None:
        self._store = store
        self._access = access
        self._protocol = protocol
        self._pool = pool
        self._made = made
        self.schema = schema
        self._making = threading.Lock()
        self._settled_days = SettledDays()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        create: bool = True,
        pool: WriterPool | None = None,
        access: Access = Access(),  # noqa: B008 - frozen
    ) -> Root:
        """Open the root at ``path``. If the root is missing and ``create`` is true, create it.

        ``path`` is a folder or ``s3://bucket/…``, and ``access`` says how to access it. ``pool`` bounds the memory of
        the root's writers; by default all roots of the process share one pool.

        Raises SchemaError if the root has another schema version, DatasetError if the root is missing or cannot be
        created.
        """
        store, protocol = open_store(os.fspath(path), access)
        if create:
            make_root(store, masking_of(wanted_masks(access)))
        schema = read_version(store).checked(store)
        return cls(store, protocol, pool or shared_pool(), schema=schema, access=access)

    @classmethod
    def open_to_write(cls, path: str | os.PathLike[str], *, access: Access = Access()) -> Root:  # noqa: B008 - frozen
        """Open the root at ``path`` to add commits; the first commit creates the root if it is missing.

        A run in which every source fails, for example because of a mistyped folder, therefore leaves no root.

        Raises the same errors as ``open``.
        """
        store, protocol = open_store(os.fspath(path), access)
        made, schema = has_version(store), DOCUMENTED
        if made:
            schema = read_version(store).checked(store)
        else:
            check_new(store)
        return cls(store, protocol, shared_pool(), made=made, schema=schema, access=access)

    @classmethod
    def open_if_exists(cls, path: str | os.PathLike[str], *, access: Access = Access()) -> Root | None:  # noqa: B008
        """Open the root at ``path`` without writing. Return None if there is no root, and one can be created there.

        Raises the same errors as ``open_to_write``, also if no root can be created there.
        """
        store, _ = open_store(os.fspath(path), access)
        if not has_version(store):
            check_new(store)
            return None
        return cls.open(path, create=False, access=access)

    @classmethod
    def open_for_replay(cls, path: str | os.PathLike[str], *, access: Access = Access()) -> Root:  # noqa: B008 - frozen
        """Open the root at ``path``, which may have an older schema version or an unfinished replay.

        Raises SchemaError if the root has a newer schema version, DatasetError if the root is missing.
        """
        store, protocol = open_store(os.fspath(path), access)
        version = read_version(store)
        version.check_not_newer(store)
        version.check_extended(store)
        return cls(store, protocol, shared_pool(), schema=version.tables, access=access)

    @classmethod
    def open_to_extend(cls, path: str | os.PathLike[str], *, access: Access = Access()) -> Root:  # noqa: B008 - frozen
        """Open the root at ``path``, which may have an unfinished extension; create the root if it is missing.

        Raises SchemaError if the root has another schema version, DatasetError if it cannot be created.
        """
        store, protocol = open_store(os.fspath(path), access)
        make_root(store)
        version = read_version(store)
        replace(version, extending=None).check(store)
        check_not_masked(store.place(), version.masking)
        return cls(store, protocol, shared_pool(), schema=version.tables)

    def begin_extension(self, extension: KeptExtension) -> None:
        """Give the root an extension, and close it until ``end_extension``: only ``open_to_extend`` can open it."""

        def begun(version: RootVersion) -> RootVersion:
            extending = version.extending or Extending(version.extension)
            requires = tuple(sorted({*version.requires, EXTENDED}))
            return replace(version, extension=extension, extending=extending, requires=requires)

        change_version(self._store, begun)
        self.schema = extension.schema
        self.fence()

    def end_extension(self) -> None:
        """Open the root again: all its parts have the extension."""
        change_version(self._store, lambda version: replace(version, extending=None))

    @property
    def version(self) -> RootVersion:
        """The root's schema version and, during a replay, the version from which it started."""
        return read_version(self._store)

    @cached_property
    def masks(self) -> Masks | None:
        """The masks of all rows of the root: those of its own policy, or of the policy to create it with.

        Raises DatasetError if the root has another policy or key than the caller, OptionError if a new root needs a
        key.
        """
        return masks_of_root(self.place, self.version.masking, self._access) if self._made else self._wanted

    def check_masks(self) -> None:
        """Check that this run can mask rows as the root's policy wants it. Raises like ``masks``."""
        _ = self.masks

    def check_privacy(self) -> None:
        """Check that this run can mask rows, and can tell whose rows it must leave out, before it does anything.

        Raises like ``masks``, and OptionError if people were erased and the key is missing or is not theirs.
        """
        self.check_masks()
        if self._made:
            people_of(self._store, lambda: self._access.key)

    @cached_property
    def _wanted(self) -> Masks | None:
        return wanted_masks(self._access)

    def begin_replay(self) -> None:
        """Mark the root as being replayed to this software's schema version, so that only a replay can open it."""

        def begun(version: RootVersion) -> RootVersion:
            # A resumed replay keeps the version from which it first started, which may be 0.
            before = version.schema if version.replaying_from is None else version.replaying_from
            return replace(version, schema=SCHEMA_VERSION, replaying_from=before)

        change_version(self._store, begun)

    def end_replay(self) -> None:
        """Mark all sources as converted with this software's schema version."""
        change_version(self._store, lambda version: replace(version, schema=SCHEMA_VERSION, replaying_from=None))

    @property
    def place(self) -> str:
        """The root's path or URL without credentials, for messages."""
        return self._store.place()

    @property
    def location(self) -> str:
        """The root's URL, or its absolute path without symbolic links, as Iceberg metadata has it.

        Iceberg metadata has absolute paths, so the same folder must not have two of them.
        """
        return self.place if self.is_remote else os.path.realpath(self.place)

    @property
    def exists(self) -> bool:
        """Whether this object has found or made the root."""
        return self._made

    @property
    def is_remote(self) -> bool:
        """Whether the root is on an object store."""
        return is_url(self.place)

    @property
    def store(self) -> Store:
        """The store with the root's files."""
        return self._store

    @property
    def retired(self) -> RetiredParts:
        """The object that deletes parts that may have counted. No other code may delete such parts."""
        return retired_parts(self._store)

    def delete_waiting(self, waiting: Mapping[str, Sequence[str]]) -> None:
        """Delete the parts of the lists ``waiting`` (see ``RetiredParts.waiting``), which no reader may open any more.

        Raises DatasetError, and deletes nothing, if one of the parts counts: its list is forged.
        """
        paths = {path for paths in waiting.values() for path in paths}
        if wrong := sorted(paths & self._counting_among(paths)):
            raise DatasetError(
                f"{self.place}: expected lists of parts that do not count in {RETIRED}, found {wrong[0]}, which counts"
                "; wsparquet did not write this list: move it away"
            )
        self.retired.finish(waiting, paths)

    def _counting_among(self, paths: Iterable[str]) -> set[str]:
        """Return the parts that count, of the sources and days that have the parts ``paths``."""
        days = self.log.days() if paths else {}
        counting = {path for record in days.values() for path in record.paths}
        keys = {key for path in paths if (key := key_of_part(path)) is not None}
        commits = (commit for commit in map(self.log.record_of, keys) if commit is not None)
        counting.update(part.path for commit in commits for part in Counting((), days).own_parts(commit))
        return counting

    def interrupt(self) -> None:
        """Abort all requests to an object store, and thus all commits. The next run finishes or undoes the commits."""
        self._store.interrupt()

    def recover(self, identity: Identity | None = None, *, dead_seconds: float = DEAD_SECONDS) -> None:
        """Finish or undo the commits of dead attempts and delete their temporary files; live attempts are not affected.

        With ``identity``, only the sources of that identity's account are recovered, and temporary files are kept.
        Every run that writes calls this method first. The method also checks that the store supports concurrent
        writers. Raises DatasetError if the store fails, or if a record or an intent names files of another source.
        """
        self._protocol.probe()
        self._protocol.recover(identity, dead_seconds=dead_seconds)
        if identity is None:
            self._store.workspaces.sweep()

    def check_extension(self) -> None:
        """Raise SchemaError if the root has got another extension than the rows of this run have."""
        if self.version.tables.hash != self.schema.hash:
            raise SchemaError(
                f"{self.place}: expected the extension with which this run began, found that `wsparquet extend` has "
                "given the root another one meanwhile; run again"
            )

    def fence(self) -> None:
        """Finish or fence off all attempts with an intent, also live ones.

        An attempt checks the root after its intent exists. So if a fact that it checks has changed before this call,
        no attempt commits any more that has not seen the change, except those that this call has finished.
        """
        self.recover(dead_seconds=FENCE_SECONDS)

    @property
    def log(self) -> CommitLog:
        """The root's commit records and intents."""
        return CommitLog(self._store)

    def commits(self, *, write_checkpoint: bool = False) -> CommitIndex:
        """Return an index of all commits. After many new commits, ``write_checkpoint`` speeds up later calls.

        Raises DatasetError if a record is unreadable.
        """
        return self.log.index(write_checkpoint=write_checkpoint)

    def settle_twins(self, commits: CommitIndex) -> None:
        """Make commits yield to their twins, so that the rows of each text count once, and update the index.

        Two concurrent runs can each commit one of two twins without seeing the other twin, but the run that reads the
        records last sees both. If another run changes a commit at the same time, this method leaves that commit to the
        next run. Only twins in ``commits`` are found.
        """
        for loser, winner in commits.twins():
            current = self.log.read(winner.identity)
            if has_rows_of(current, loser):
                self.yield_to(commits, loser, winner.identity)

    def settle(self, commits: CommitIndex) -> None:
        """Make twins yield, and remove void rows from day parts, so that the rows in the folder are those that count.

        Every run calls this method at its start and at its end.
        """
        self.settle_twins(commits)
        self.settle_days(commits)

    def settle_days(self, commits: CommitIndex) -> None:
        """Remove void rows from day parts: the rows of sources that were replaced or removed after a compaction.

        A killed run may leave void rows, so each later run looks for them. If another run changes a day at the same
        time, this method leaves the day to the next run. A day whose parts do not have the rows that they should
        have is left, too, with a warning: readers leave out void rows, and `verify` says what is wrong.

        A day record is read again only if it has changed since an earlier call found it settled, or if one of its
        members has changed.
        """
        for version, record in self._settled_days.others(self.log, commits):
            try:
                change = settled(self._store, self.log, record, commits)
                if change is not None:
                    self.replace_day(change, MergeLimits())
                else:
                    self._settled_days.add(record, version)
            except (PartsGone, DayConflict):
                continue
            except WrongRows as error:
                LOGGER.warning("%s", error)

    def replace_day(
        self,
        change: DayChange,
        limits: MergeLimits,
        *,
        transform: Transform | None = None,
        erased: tuple[int, int] | None = None,
    ) -> DayRecord:
        """Write new day parts and replace a day record. Raises like ``write_day``.

        ``erased``: the counters of the list of erased people before the commit records were read. If they have changed,
        another run may have replaced commits whose rows are merged here, and this method raises ErasedMeanwhile.
        """
        check = self.check_extension if erased is None else partial(self._check, erased)
        store, schema = self._store, self.schema
        return write_day(store, self._protocol, change, limits, schema=schema, transform=transform, check=check)

    def yield_to(self, commits: CommitIndex, loser: CommitHeader, to: Identity) -> None:
        """Make the commit of ``loser`` yield to ``to``, unless another run has changed it, and update the index."""
        with suppress(CommitConflict), self._new_workspace() as work:
            commits.put(loser.identity, self._protocol.yield_to(work, loser, to))

    def shrink(self, identity: Identity, change: Callable[[Commit, str], Commit]) -> None:
        """Replace the record of a source by one with fewer parts; ``change`` gets the record and the new token.

        If another run changes the record at the same time, this method tries again, and what remains is up to the next
        call.
        """
        for _ in range(TRIES):
            with self._new_workspace() as work:
                record = self._protocol.shrink(work, identity.key, change)
            if record is None or record.token == work.token or change(record, work.token) is record:
                return

    def note(self, commits: CommitIndex, header: CommitHeader, sighting: Sighting) -> None:
        """Record another place of a commit's text, so that later runs skip it without reading."""
        with self._new_workspace() as work:
            noted = self._protocol.note(work, header, [sighting])
        if noted is not None:
            commits.put(noted.identity, noted)

    def begin(self, *, fallback_day_ms: int | None, marks: int | None = None) -> Attempt:
        """Begin an attempt.

        ``fallback_day_ms`` (milliseconds since 1970) gives the date of rows without a timestamp. ``marks``: the counter
        of the list of erased people, when the attempt's rows were chosen; by default now. The commit raises
        ErasedMeanwhile if people have been added to the list since.
        """
        if marks is None:
            marks = self.erased_state()[0]
        work = self._new_workspace()
        return Attempt(
            self._protocol,
            work,
            self._pool,
            fallback_day_ms=fallback_day_ms,
            before_commit=self._make,
            schema=self.schema,
            check=partial(self._check, (marks, None)),
        )

    def erased_state(self) -> tuple[int, int]:
        """Return the counters of the list of erased people, see ``erased``. Both are 0 if nobody was erased."""
        return state_of(self._store)

    def _check(self, erased: tuple[int, int | None]) -> None:
        """Check what may have changed since the rows of an attempt were chosen.

        Raises SchemaError like ``check_extension``, and ErasedMeanwhile unless the counters of the list of erased
        people are still those in ``erased``. A counter that is None there is not compared.
        """
        self.check_extension()
        found = self.erased_state()
        if any(before not in {None, now} for before, now in zip(erased, found, strict=True)):
            raise ErasedMeanwhile(f"{self.place}: people were erased from the root meanwhile; run again")

    def _make(self) -> None:
        """Create the root, unless this or another process has created it."""
        with self._making:
            if not self._made:
                wanted = masking_of(self._wanted)
                make_root(self._store, wanted)
                version = read_version(self._store)
                schema = version.checked(self._store)
                check_same(self.place, version.masking, wanted)
                if schema.hash != self.schema.hash:
                    raise DatasetError(
                        f"{self.place}: expected a root without an extension, found one that another process has just "
                        "made with an extension; run again"
                    )
                self._made = True

    def _new_workspace(self) -> Workspace:
        tries = 0
        while True:
            try:
                if not self._made or tries:
                    make_work_folders(self._store)
                return self._store.workspaces.new()
            except DatasetError as error:
                # Another run that has committed nothing may have just deleted the folders.
                tries += 1
                if not isinstance(error.__cause__, FileNotFoundError) or tries > TRIES:
                    raise

    def discard_if_unmade(self) -> None:
        """Delete what ``open_to_write`` and attempts have created if no commit has created the root.

        Do nothing in a bucket, which has no folders: a run that was interrupted must not ask a silent store.
        """
        if self.is_remote or self._made:
            return
        # An error here would hide the error of the run or of its sources.
        with suppress(DatasetError):
            if not has_version(self._store):
                self._store.remove_work_folders()

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield a private folder for temporary files.

        The folder is deleted on exit, or by ``recover`` if this process dies.
        """
        with self._new_workspace() as work:
            yield work.folder

    def read_sync_states(self) -> dict[str, bytes]:
        """Return the saved synchronization state of each account, by path."""
        return dict(self._store.read_below(SYNC))

    def read_sync_state(self, account: str) -> bytes | None:
        """Return the saved synchronization state of an account, or None if no state is saved."""
        return self._store.read(sync_path(account))

    def write_sync_state(self, account: str, data: bytes) -> None:
        """Replace the saved synchronization state of an account atomically.

        The state is for monitoring only; no commit depends on it.
        """
        self._make()
        self._store.make_folder(SYNC)
        self._store.put(sync_path(account), data)

    def remove(self, names: Iterable[str], *, account: str | None = None) -> list[Commit]:
        """Remove sources and return their last records.

        A name is a source's file name, an identity's name, or a commit record's file name without suffix. Raises
        DatasetError, and removes nothing, if a name is unknown, or if sources of several accounts have a name and
        ``account`` is not given.
        """
        return self.remove_all(self.commits().select(names, account=account))

    def remove_all(self, identities: Iterable[Identity]) -> list[Commit]:
        """Remove sources, in this order, and return their last records."""
        removed = []
        for identity in identities:
            with self._new_workspace() as work:
                commit = self._protocol.remove(work, identity.key)
            if commit is not None:
                removed.append(commit)
        return removed


def sync_path(account: str) -> str:
    """Return the path of an account's synchronization state."""
    return f"{SYNC}/{encode(account)}.json"


def make_work_folders(store: Store) -> None:
    """Create the missing folders for temporary files; a folder that contains only these is not a root."""
    store.make_root()
    store.make_folder(STATE)
    # The folder of locks comes first: without it, no process can sweep temporary files.
    store.make_folder(LOCKS)
    store.make_folder(TMP, mode=PRIVATE)


def make_root(store: Store, masking: Masking | None = None) -> None:
    """Create the missing files and folders of a root; several processes may do so concurrently.

    Raises DatasetError, and creates nothing, if a new root cannot be created here.
    """
    new = not has_version(store)
    if new:
        check_new(store)
    make_work_folders(store)
    store.make_folder(QUARANTINE, mode=PRIVATE)
    CommitLog(store).make_folders()
    if new:
        create_version(store, masking)
