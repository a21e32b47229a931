"""Work that goes wrong on purpose. Executors import this module."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsparquet.commit.conditional import ConditionalProtocol
from wsparquet.commit.locking import LockingProtocol
from wsparquet.distributed.compactions import CompactWork
from wsparquet.distributed.conversions import ConversionWork, Converted


def happened_before(folder: str, name: str) -> bool:
    """Whether some process has already come here; notes that this one has."""
    try:
        os.close(os.open(Path(folder) / name, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return True
    return False


def kill_executor() -> None:
    """End the executor of this task at once: the JVM, which is the parent of the daemon that forks the workers."""
    daemon = os.getppid()
    jvm = int(Path(f"/proc/{daemon}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(jvm, signal.SIGKILL)
    os.kill(daemon, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def see_or_not(lake: str, _: object) -> None:
    """Let the first executor see the lake in its own working folder, and each other executor another root."""
    import wsparquet.dataset

    time.sleep(0.05)
    if not happened_before(".", "seen"):
        if happened_before(str(Path(lake).parent), "given"):
            wsparquet.dataset.Root.open("lake")
        else:
            Path("lake").symlink_to(lake)


@dataclass(frozen=True, kw_only=True)
class KillingWork(ConversionWork):
    """Kills the executor once for each entry of ``kills``: the name of a source, and before, within or after."""

    kills: dict[str, str]
    flags: str

    def run(self, items: tuple[Any, ...]) -> Converted:
        """Convert, or die."""
        due = {self.kills[s.name] for _, s in items if s.name in self.kills and not happened_before(self.flags, s.name)}
        if "before" in due:
            kill_executor()
        if "within" in due:
            for protocol in (LockingProtocol, ConditionalProtocol):
                # The parts and the intent are there then, and the record is not.
                protocol._write_record = _killed  # type: ignore[method-assign, assignment]
        found = super().run(items)
        if "after" in due:
            kill_executor()
        return found


def _killed(*_: Any, **__: Any) -> Any:
    kill_executor()


@dataclass(frozen=True, kw_only=True)
class FailingWork(ConversionWork):
    """Raises an error that nobody expects, each time that it meets a source with this name."""

    bad: str

    def run(self, items: tuple[Any, ...]) -> Converted:
        """Convert, or fail."""
        if any(source.name == self.bad for _, source in items):
            raise MemoryError("this one is too much")
        return super().run(items)


@dataclass(frozen=True, kw_only=True)
class LateWork(FailingWork):
    """Raises that error when all sources of the task are converted."""

    def run(self, items: tuple[Any, ...]) -> Converted:
        """Convert, and then fail."""
        found = ConversionWork.run(self, items)
        FailingWork.run(self, tuple(item for item in items if item[1].name == self.bad))
        return found


@dataclass(frozen=True, kw_only=True)
class SlowWork(ConversionWork):
    """Is slow when a source with this name is converted for the first time, so that Spark begins a second attempt."""

    slow: str
    flags: str

    def run(self, items: tuple[Any, ...]) -> Converted:
        """Convert, and wait in the middle of it."""
        if any(source.name == self.slow for _, source in items):
            if happened_before(self.flags, "first"):
                happened_before(self.flags, "second")
            else:
                wait_for((Path(self.flags) / "second").exists)
        return super().run(items)


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)


@dataclass(frozen=True, kw_only=True)
class KillingCompactWork(CompactWork):
    """Kills the executor once, after it has merged the days of a task."""

    flags: str

    def run(self, items: tuple[Any, ...]) -> Any:
        """Merge, and die the first time."""
        merged = super().run(items)
        if not happened_before(self.flags, "merged"):
            kill_executor()
        return merged
