"""Publishing in processes of their own, which tests kill: ``python -m tests.iceberg.workload MODE ROOT...``.

``steps WORK ROOT``: for each number n on standard input, work in a forked child that kills itself just before its n-th
change of the disk. ``race ROUNDS NAME ROOT``: replace a source and publish, again and again, beside other processes.
``compact ROUNDS ROOT``: merge and publish, again and again. ``read ROOT``: count the rows of a published table until
standard input ends.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import wsparquet
from tests.commit.workload import kill_self_at
from tests.iceberg.helpers import published, put
from wsparquet import publish
from wsparquet.dataset import Root
from wsparquet.iceberg import publish_changes
from wsparquet.layout import Identity


def changes(root: str) -> None:
    """Publish what was changed before, as the next run does."""
    opened = Root.open(root)
    opened.recover()
    publish_changes(opened)


def begin(root: str) -> None:
    """Publish a root for the first time."""
    publish(root)


def stop(root: str) -> None:
    """End a publication."""
    publish(root, stop=True)


WORKS = {"changes": changes, "begin": begin, "stop": stop}


def steps(work: str, root: str) -> None:
    """For each number on standard input, work in a child that dies just before so many changes of the disk."""
    for step in sys.stdin:
        child = os.fork()
        if child == 0:
            kill_self_at(int(step), root)
            WORKS[work](root)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status), flush=True)


def race(rounds: str, name: str, root: str) -> None:
    """Replace the rows of one source by as many others, and publish, again and again."""
    print("ready", flush=True)
    sys.stdin.readline()
    for seed in range(int(rounds)):
        opened = Root.open(root)
        put(opened, Identity("7", name), seed=seed, count=10)
        publish_changes(opened)
    print("done", flush=True)


def compact(rounds: str, root: str) -> None:
    """Merge whatever can be merged, and publish, again and again; print how many days were merged."""
    print("ready", flush=True)
    sys.stdin.readline()
    merged = sum(wsparquet.compact(root, min_files=2, older_than=timedelta(0)).days for _ in range(int(rounds)))
    print("done", merged, flush=True)


def read(root: str) -> None:
    """Count rows and distinct rows until told to stop; print every count that differs from the one before."""
    print("ready", flush=True)
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    seen, readings, retries = set(), 0, 0
    while not ended.is_set():
        try:
            rows = published(root, "geo").scan(selected_fields=("source_file", "record_number")).to_arrow()
        except FileNotFoundError:
            # A run has published and deleted between the plan and the reading: the query fails, and is repeated.
            retries += 1
            continue
        readings += 1
        seen.add((rows.num_rows, len(set(map(str, rows.to_pylist())))))
    print(sorted(seen), readings, retries, flush=True)


MODES: dict[str, Callable[..., None]] = {"steps": steps, "race": race, "compact": compact, "read": read}

if __name__ == "__main__":
    MODES[sys.argv[1]](*sys.argv[2:])
