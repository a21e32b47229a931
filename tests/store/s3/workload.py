"""Work on a root in processes of their own, which tests kill.

``python -m tests.store.s3.workload`` reads lines ``WORK URL ENDPOINT``. For each line it forks a child that does the
work, and prints the child's number at once, and its return code once it has ended. The modules are imported only once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import s3fs  # type: ignore[import-untyped]  # noqa: F401  # children find it loaded

from tests.commit.workload import WORKS
from tools.s3.server import storage_options
from wsparquet.dataset import Access, Root

REPOSITORY = Path(__file__).parents[3]


class Forks:
    """A process that forks a child for each work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, work: str, url: str, endpoint: str) -> int:
        """Begin a work, and return the number of its process."""
        self._process.stdin.write(f"{work} {url} {endpoint}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def wait(self) -> int:
        """Wait for the end of the last work, and return its return code, which is negative if a signal killed it."""
        return int(self._process.stdout.readline())


@contextmanager
def forking() -> Iterator[Forks]:
    """Run a process that forks."""
    command = [sys.executable, "-m", "tests.store.s3.workload"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield Forks(process)
        process.stdin.close()


def fork(work: str, url: str, endpoint: str) -> int:
    """Work in a child, and return its number."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            WORKS[work](Root.open(url, access=Access(storage_options(endpoint))))
            code = 0
        finally:
            os._exit(code)
    return child


if __name__ == "__main__":
    for line in sys.stdin:
        work, url, endpoint = line.rsplit(maxsplit=2)
        child = fork(work, url, endpoint)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
