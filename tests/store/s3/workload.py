"""Work on a root in processes of their own, which tests kill.

``python -m tests.store.s3.workload MODULE...`` reads lines ``WORK URL ENDPOINT``. For each line it forks a child that
does the work, and prints the child's number at once, and its return code once it has ended. The modules are imported
only once.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path

import s3fs  # type: ignore[import-untyped]  # noqa: F401  # children find it loaded

import wsparquet
from tests.commit.workload import WORKS as COMMITTING
from tools.s3.proxy import Proxy
from tools.s3.server import storage_options
from wsparquet.dataset import Access, Root
from wsparquet.iceberg import publish_changes

REPOSITORY = Path(__file__).parents[3]


def publish(root: Root) -> None:
    """Publish some tables of a root."""
    from tests.support.tables import few_tables

    with few_tables():
        publish_changes(root)


WORKS: dict[str, Callable[[Root], object]] = {**COMMITTING, "publish": publish}


def extend(url: str, endpoint: str) -> object:
    """Extend a root, which only this function may open until it has ended."""
    from tests.drift import EXTENSION

    return wsparquet.extend(url, EXTENSION, storage_options=storage_options(endpoint))


BY_URL: dict[str, Callable[[str, str], object]] = {"extend": extend}


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
def forking(*modules: str) -> Iterator[Forks]:
    """Run a process that imports modules and then forks."""
    command = [sys.executable, "-m", "tests.store.s3.workload", *modules]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield Forks(process)
        process.stdin.close()


@contextmanager
def killing(proxy: Proxy, step: int, moment: str, *, but: Container[str] = ()) -> Iterator[Future[int]]:
    """Kill a process, whose number is given later, before or after the n-th request from now on.

    Requests with a method in ``but`` are not counted.
    """
    seen = 0
    number: Future[int] = Future()

    def kill(method: str, _path: str) -> None:
        nonlocal seen
        counts = method not in but
        seen += counts
        if counts and seen == step:
            os.kill(number.result(), signal.SIGKILL)
            until_gone(number.result())

    setattr(proxy.settings, moment, kill)
    yield number
    setattr(proxy.settings, moment, None)


def until_gone(process: int) -> None:
    """Wait until a process has ended and its parent has noticed."""
    with suppress(ProcessLookupError):
        while True:
            os.kill(process, 0)
            time.sleep(0.001)


def fork(work: str, url: str, endpoint: str) -> int:
    """Work in a child, and return its number."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if work in BY_URL:
                BY_URL[work](url, endpoint)
            else:
                WORKS[work](Root.open(url, access=Access(storage_options(endpoint))))
            code = 0
        finally:
            os._exit(code)
    return child


if __name__ == "__main__":
    for name in sys.argv[1:]:
        importlib.import_module(name)
    for line in sys.stdin:
        work, url, endpoint = line.rsplit(maxsplit=2)
        child = fork(work, url, endpoint)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
