"""Runs actors on one root in a chosen order: each operation of the store waits until its actor's turn.

The actors run the real code of commits, compactions and readers on a store in memory. A schedule says which actor does
the next operation, and after which operation an actor is killed. After every operation, a reader of that instant must
see the rows of each source's current content exactly once, and no file that it needs may be gone.
"""

from __future__ import annotations

import io
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.dataset.helpers import facts
from tests.support.memory import MemoryStore
from wsparquet.commit import CommitConflict, CommitLog, Text
from wsparquet.commit.conditional import ConditionalProtocol
from wsparquet.compaction import CompactOptions, compact_root
from wsparquet.dataset import Root
from wsparquet.dataset.access import retired_parts
from wsparquet.dataset.version import create_version
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity
from wsparquet.parquet.settings import file_schema
from wsparquet.parquet.writers import shared_pool

DAY = date(2016, 6, 30)
SOURCES = tuple(Identity("7", f"source {number}") for number in range(3))
TABLE = "geo"

Rows = Counter[tuple[str, str]]
Actor = Callable[[Root], None]
Choice = Callable[[Sequence[int]], tuple[int, bool]]
"""Picks one of the running actors, and says whether it dies now."""


class Killed(BaseException):
    """An actor that is killed does nothing more to the store."""


class Stepped:
    """A store whose every operation is one step of an actor. Operations on several files are one step a file."""

    def __init__(self, store: MemoryStore, step: Callable[[], None]) -> None:
        self._store = store
        self._step = step
        self.workspaces = store.workspaces

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name in {"place", "make_root", "make_folder", "interrupt"}:
            return found

        def call(*arguments: Any, **keywords: Any) -> Any:
            self._step()
            return found(*arguments, **keywords)

        return call

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Read one file a step."""
        for path in list(paths):
            self._step()
            yield from self._store.read_all([path])

    def read_below(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """List, then read one file a step."""
        self._step()
        yield from self.read_all([entry.path for entry in self._store.entries(folder)])

    def publish(self, moves: Iterable[tuple[Path, str]]) -> None:
        """Publish one file a step."""
        for move in moves:
            self._step()
            self._store.publish([move])

    def delete(self, paths: Iterable[str]) -> None:
        """Delete one file a step."""
        for path in paths:
            self._step()
            self._store.delete([path])


class Thread:
    """An actor in a thread of its own, which runs only while the schedule says so."""

    def __init__(self, store: MemoryStore, actor: Actor) -> None:
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._killed = False
        self.ended = False
        self.error: BaseException | None = None
        root = opened(Stepped(store, self._step))
        self._thread = threading.Thread(target=self._run, args=(actor, root), daemon=True)
        self._thread.start()
        self._stopped.acquire()

    def _run(self, actor: Actor, root: Root) -> None:
        try:
            self._step()
            actor(root)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by the schedule
            self.error = error
        finally:
            self.ended = True
            self._stopped.release()

    def _step(self) -> None:
        """Wait for the next turn."""
        if self._killed:
            raise Killed
        self._stopped.release()
        self._go.acquire()
        if self._killed:
            raise Killed

    def advance(self, *, kill: bool = False) -> None:
        """Do the next operation, or die before it."""
        self._killed = kill
        self._go.release()
        self._stopped.acquire()
        if self.error is not None:
            raise self.error


def opened(store: Any) -> Root:
    """A root in a store, without the requests that probe the store."""
    protocol = ConditionalProtocol(store, retired_parts(store), single_writer=False)
    protocol._probed = True
    return Root(store, protocol, shared_pool())


# --- Actors -----------------------------------------------------------------------------------------------------------

COPY_OF = "copy of "
"""How the versions of copies begin; the version of the copied source follows."""

versions: dict[str, str] = {}
"""The version of the rows of each content id."""


def commit(root: Root, identity: Identity, version: str, *, text: Text | None = None) -> None:
    """Commit one row, which tells its source and its version."""
    expected = root.commits().get(identity)
    row = {"visitId": version, "source_file": identity.name, "record_number": 0}
    with root.begin(fallback_day_ms=None) as attempt, suppress(CommitConflict):
        versions[attempt.token] = version
        attempt.write_day(TABLE, DAY, pa.RecordBatch.from_pylist([row], schema=file_schema(TABLE)))
        known = facts(source_name=identity.name, text=text) if text else facts(source_name=identity.name)
        attempt.commit(identity, known, expected=expected)


def redo(number: int, version: str) -> Actor:
    """Replace the content of a source, then settle."""

    def run(root: Root) -> None:
        commit(root, SOURCES[number], version)
        root.settle(root.commits())

    return run


def remove(number: int) -> Actor:
    """Remove a source, then settle."""

    def run(root: Root) -> None:
        with suppress(DatasetError):
            root.remove([SOURCES[number].name])
        root.settle(root.commits())

    return run


def copy(number: int) -> Actor:
    """Commit a copy of a source under a name that counts less, then settle: one of the two yields."""

    def run(root: Root) -> None:
        head = root.commits().get(SOURCES[number])
        if head is not None and head.text is not None and head.row_count:
            commit(root, Identity("unknown", f"copy {number}"), COPY_OF + versions[head.content_id], text=head.text)
        root.settle(root.commits())

    return run


def recover(root: Root) -> None:
    """Take every attempt for dead, as a run does days later."""
    root.recover(dead_seconds=-1)


def settle(root: Root) -> None:
    """Settle what other runs have left."""
    root.settle(root.commits())


def compact(root: Root) -> None:
    """Merge whatever can be merged, without a recovery: that is another actor."""
    options = CompactOptions(min_files=2, older_than=timedelta(0))
    compact_root(WithoutRecovery(root), options)  # type: ignore[arg-type]


def compact_and_keep(root: Root) -> None:
    """Merge, but leave the deletion of replaced files to a later run."""
    options = CompactOptions(min_files=2, older_than=timedelta(0), keep=timedelta(seconds=0.02))
    compact_root(WithoutRecovery(root), options)  # type: ignore[arg-type]


class WithoutRecovery:
    """A root whose ``recover`` does nothing, so that a compaction or a publisher takes no other actor for dead."""

    def __init__(self, root: Root) -> None:
        self._root = root

    def __getattr__(self, name: str) -> Any:
        return getattr(self._root, name)

    def recover(self) -> None:
        """Do nothing."""


# --- Readers ----------------------------------------------------------------------------------------------------------


def rows_now(store: MemoryStore) -> tuple[Rows, Rows]:
    """Return the rows that a reader of this instant sees, and those that it should see: source and version."""
    counting = CommitLog(store).counting()
    seen: Rows = Counter()
    for part, void in counting.parts():
        data = store.read(part.path)
        assert data is not None, f"{part.path} is gone, although its rows count"
        seen.update(row for row in rows_in(data) if row[0] not in void)
    expected = Counter(
        (commit.facts.source_name, versions[commit.content_id]) for commit in counting.commits if commit.parts
    )
    return seen, expected


def rows_in_folder(store: MemoryStore) -> Rows:
    """Return all rows below the tables' folders."""
    found: Rows = Counter()
    for path, (data, _) in store.files.items():
        if path.startswith("record_type="):
            found.update(rows_in(data))
    return found


@lru_cache(maxsize=4096)
def rows_in(data: bytes) -> tuple[tuple[str, str], ...]:
    """Return the source and the version of each row of a file."""
    rows = pq.ParquetFile(io.BytesIO(data)).read(columns=["source_file", "visitId"]).to_pylist()
    return tuple((row["source_file"], row["visitId"]) for row in rows)


class LaterReader:
    """A reader that lists first and reads later. It reads the records again if a file is gone."""

    def __init__(self) -> None:
        self.seen: Rows | None = None
        self.history: list[Rows] = []
        self._reading = False

    def note(self, current: Rows) -> None:
        """Note what counts after an operation of any actor."""
        if self._reading:
            self.history.append(current)

    def __call__(self, root: Root) -> None:
        """Read until no file is gone."""
        for _ in range(20):
            self.history, self._reading = self.history[-1:], True
            found: Rows = Counter()
            for part, void in root.log.counting().parts():
                data = root.store.read(part.path)
                if data is None:
                    break
                found.update(row for row in rows_in(data) if row[0] not in void)
            else:
                self.seen, self._reading = found, False
                return
        self._reading = False

    def check(self) -> None:
        """Assert that each source's rows are those of one moment while this reader read.

        A copy has no rows if the reader saw its text under the other name: the reader can see that name's record before
        a redo, and the copy's record after it.
        """
        if self.seen is None:
            return
        texts = {version for _, version in self.seen}
        for source in {name for rows in (*self.history, self.seen) for name, _ in rows}:
            seen = {row: count for row, count in self.seen.items() if row[0] == source}
            moments = [{row: count for row, count in rows.items() if row[0] == source} for rows in self.history]
            counted_elsewhere = any(row[1].removeprefix(COPY_OF) in texts for rows in moments for row in rows)
            assert seen in moments or (not seen and counted_elsewhere), (source, seen, moments)


# --- Schedules --------------------------------------------------------------------------------------------------------


def run_schedule(
    store: MemoryStore,
    actors: Sequence[Actor],
    choose: Choice,
    watch: Callable[[Rows], object] = lambda _: None,
) -> int:
    """Run actors to their ends.

    ``watch`` is told after each operation which rows count. Returns the number of operations.
    """
    threads = [Thread(store, actor) for actor in actors]
    readers = [actor for actor in actors if isinstance(actor, LaterReader)]
    running = list(range(len(threads)))
    operations = 0
    seen, expected = rows_now(store)
    while running:
        for reader in readers:
            reader.note(expected)
        number, kill = choose(running)
        threads[number].advance(kill=kill)
        operations += 1
        seen, expected = rows_now(store)
        assert seen == expected, (seen, expected)
        watch(expected)
        if threads[number].ended:
            running.remove(number)
    for reader in readers:
        reader.note(expected)
        reader.check()
    return operations


def preempted(points: Sequence[int], first: int) -> Choice:
    """Choose one of two actors until the first point, then the other until the next point, and so on."""
    step = 0

    def choose(running: Sequence[int]) -> tuple[int, bool]:
        nonlocal step
        turn = (first + sum(point <= step for point in points)) % 2
        step += 1
        return (turn if turn in running else running[0]), False

    return choose


def try_preemptions(run: Callable[[Choice], int], chance: random.Random, *, singles: bool, sampled: int) -> None:
    """Run two actors without a preemption, which tells how many operations they have, and then with up to three.

    ``run`` returns the number of operations. ``singles`` tries each preemption alone, whichever actor is first. The
    other schedules are a sample. Conflicts make actors do more, so the longest run so far says how late a preemption
    can be.
    """
    lengths = {first: run(preempted([], first)) for first in ((0, 1) if singles else (chance.randrange(2),))}
    for first, length in lengths.items() if singles else ():
        for point in range(1, length):
            run(preempted([point], first))
    longest = max(lengths.values())
    for number in range(sampled):
        points = chance.sample(range(1, longest), chance.randrange(2 if singles else 1, 4))
        longest = max(longest, run(preempted(points, number % 2)))


def check_end(store: MemoryStore) -> None:
    """Assert that one unrelated run leaves exactly the rows that count in the folders, and nothing half done."""
    root = opened(store)
    root.recover(dead_seconds=-1)
    root.settle(root.commits())
    seen, expected = rows_now(store)
    assert rows_in_folder(store) == seen == expected
    named = {part.path for part, _ in root.log.counting().parts()}
    assert {path for path in store.files if path.startswith("record_type=")} == named
    assert not [path for path in store.files if "intents/" in path]


def prepared(work: Path, *, compacted: bool) -> MemoryStore:
    """A store with three sources, merged or not."""
    (work / "tmp").mkdir(parents=True, exist_ok=True)
    store = MemoryStore(work)
    create_version(store)
    root = opened(store)
    for identity in SOURCES:
        commit(root, identity, f"{identity.name} first")
    if compacted:
        compact(root)
        assert len([path for path in store.files if path.startswith("record_type=")]) == 1
    return store
