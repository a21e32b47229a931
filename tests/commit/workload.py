"""Work on a root in a process of its own, which tests kill: ``python -m tests.commit.workload MODE ROOT...``.

``once WORK ROOT``: print ``ready``, wait for a line, work, print ``done``. ``steps WORK FIRST STRIDE ROOT...``: in each
root work in a forked child that kills itself just before its n-th change of the disk, n being FIRST, FIRST + STRIDE, …
``race SEED ROUNDS ROOT``: commit one identity again and again beside another process. ``small LIMIT ROOT``: commit with
files limited to LIMIT bytes.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from datetime import timedelta

from tests.dataset.helpers import API_NAME, IDENTITY, facts, make_rows
from wsparquet.commit import CommitConflict, Sighting, Text
from wsparquet.compaction import CompactOptions, compact_root
from wsparquet.dataset import Root
from wsparquet.decode.model import Quarantined
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity

TABLES = ("geo", "navigation")
CHANGES = {"os.mkdir", "os.link", "os.rename", "os.remove", "os.rmdir"}
WRITING = os.O_WRONLY | os.O_RDWR


COPY = Identity("7", "copy of the same content")
TEXT = Text("ab" * 32, 1000)


def commit_one(root: Root, identity: Identity, seed: int, *, report: int = 0, **known_too: object) -> None:
    """Commit rows of two tables over several days, and some quarantine."""
    expected = root.commits().get(identity)
    with root.begin(fallback_day_ms=None) as attempt:
        for table in TABLES:
            attempt.write(table, make_rows(table, 12, seed=seed))
        attempt.quarantine([Quarantined("item", 0, 1, None, None, None, f"odd {seed}", b"x")])
        report_values = {"long": "x" * report}
        known = facts(f"{seed:064x}", report=report_values, source_name=f"file {seed}", **known_too)
        attempt.commit(identity, known, expected=expected)


def add(root: Root) -> None:
    """Commit a new source."""
    root.recover()
    if root.commits().get(IDENTITY) is None:
        commit_one(root, IDENTITY, 1)


def redo(root: Root) -> None:
    """Replace the source by other content, on other days."""
    root.recover()
    if root.commits().get(IDENTITY).checksum != f"{2:064x}":
        commit_one(root, IDENTITY, 2)


def remove(root: Root) -> None:
    """Take the source out again."""
    root.recover()
    if root.commits().get(IDENTITY) is not None:
        root.remove([API_NAME])


def twin(root: Root) -> None:
    """Commit a source whose content a copy already has, make the copy yield, and note a third place."""
    root.recover()
    root.settle_twins(root.commits())
    if root.commits().get(IDENTITY) is None:
        commit_one(root, IDENTITY, 1, text=TEXT)
    root.settle_twins(root.commits())
    header = root.commits().get(IDENTITY)
    if header is not None and not header.also:
        root.note(root.commits(), header, Sighting("third.gz", "file:///third.gz", 10, None, "1", TEXT.blake3, {}))


OTHERS = {Identity("7", "other"): 30, Identity("75555851", "another"): 31}
"""Sources beside the one that is replaced, and their seeds; one of them is of the same account."""


def compact(root: Root) -> None:
    """Merge the files of all days, and settle what other runs have left."""
    compact_root(root, CompactOptions(min_files=2, older_than=timedelta(0)))


def redo_compacted(root: Root) -> None:
    """Replace a source whose rows are in day parts."""
    root.recover()
    root.settle(root.commits())
    if root.commits().get(IDENTITY).checksum != f"{2:064x}":
        commit_one(root, IDENTITY, 2)
    root.settle(root.commits())


def remove_compacted(root: Root) -> None:
    """Take out a source whose rows are in day parts."""
    root.recover()
    root.settle(root.commits())
    remove(root)
    root.settle(root.commits())


def prepare(root: Root, work: str) -> None:
    """Bring a root to the state from which the work starts."""
    if "compact" in work:
        for identity, seed in {IDENTITY: 1, **OTHERS}.items():
            commit_one(root, identity, seed)
        if work != "compact":
            compact(root)
        return
    if work == "twin":
        commit_one(root, COPY, 1, text=TEXT)
    elif work != "add":
        add(root)


def several(root: Root) -> None:
    """Commit five sources, then replace them all."""
    root.recover()
    for seed in (10, 20):
        for number in range(5):
            identity = Identity("7", f"source {number}")
            head = root.commits().get(identity)
            if head is None or int(head.checksum, 16) < seed:
                commit_one(root, identity, seed + number)


WORKS: dict[str, Callable[[Root], None]] = {
    "add": add,
    "redo": redo,
    "remove": remove,
    "several": several,
    "compact": compact,
    "redo compacted": redo_compacted,
    "remove compacted": remove_compacted,
    "twin": twin,
}


def once(work: str, root: str) -> None:
    """Work when told to."""
    print("ready", flush=True)
    sys.stdin.readline()
    WORKS[work](Root.open(root))
    print("done", flush=True)


def steps(work: str, first: str, stride: str, *roots: str) -> None:
    """Work in every root in a child that dies at a step of its own."""
    for index, root in enumerate(roots):
        step = int(first) + index * int(stride)
        child = os.fork()
        if child == 0:
            kill_self_at(step, root)
            WORKS[work](Root.open(root))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(step, "killed" if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status), flush=True)


def kill_self_at(step: int, root: str) -> None:
    """Have this process killed just before its n-th change of what lies below the root."""
    seen = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event in CHANGES or (event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING):
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def race(seed: str, rounds: str, path: str) -> None:
    """Commit the identity until it has succeeded so many times, looking again whenever another was first."""
    root = Root.open(path)
    print("ready", flush=True)
    sys.stdin.readline()
    won = lost = 0
    while won < int(rounds):
        try:
            commit_one(root, IDENTITY, int(seed) + won)
            won += 1
        except CommitConflict:
            lost += 1
    print(f"won {won} lost {lost}", flush=True)


def small(limit: str, path: str) -> None:
    """Commit where no file may grow beyond the limit; report the error."""
    root = Root.open(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    try:
        commit_one(root, Identity("7", "too large"), 3, report=30_000)
    except DatasetError as error:
        print(f"DatasetError {error}", flush=True)


if __name__ == "__main__":
    works: dict[str, Callable[..., None]] = {"once": once, "steps": steps, "race": race, "small": small}
    works[sys.argv[1]](*sys.argv[2:])
