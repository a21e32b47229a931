"""How a run is killed at a chosen moment, and which moments are chosen."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.system.helpers import SECONDS, STATE

POLL_SECONDS = 0.0005


@dataclass(frozen=True)
class Moment:
    """When to kill: after a ``fraction`` of the time from the first temporary file to the end of the run.

    With ``source``, the ordinal of a source, after a fraction of the time that its intent is there.
    """

    fraction: float
    source: int | None = None


@dataclass(frozen=True)
class Pace:
    """How many seconds an undisturbed run writes, and for how many the intent of one of its sources is there."""

    writing: float
    publishing: float


def moments(count: int, *, seed: int, sources: int) -> list[Moment]:
    """Random ones, every other one while a source is being committed."""
    chance = random.Random(seed)
    return [Moment(chance.random(), chance.randrange(sources) if number % 2 else None) for number in range(count)]


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """The command as a process with nobody listening."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def watch(command: Sequence[str], root: Path, *, code: int = 0) -> Pace:
    """Run a command undisturbed; its pace."""
    process = start(command)
    wait_for(process, root, None)
    began = time.monotonic()
    first: dict[str, float] = {}
    last: dict[str, float] = {}
    while process.poll() is None:
        now = time.monotonic()
        for name in intents(root):
            first.setdefault(name, now)
            last[name] = now
        time.sleep(POLL_SECONDS)
    assert process.returncode == code
    return Pace(time.monotonic() - began, median(last[name] - first[name] for name in first))


def kill_at(moment: Moment, command: Sequence[str], root: Path, *, pace: Pace) -> bool:
    """Run a command of about this pace, kill it, and return whether that cut it short."""
    process = start(command)
    wait_for(process, root, moment.source)
    time.sleep(moment.fraction * (pace.writing if moment.source is None else pace.publishing))
    process.send_signal(signal.SIGKILL)
    return process.wait(SECONDS) == -signal.SIGKILL


def wait_for(process: subprocess.Popen[bytes], root: Path, source: int | None) -> None:
    """Wait until the process writes, or commits its ``source``-th source, or ends."""
    seen = set(intents(root))
    left, deadline = source, time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if left is None:
            if any(workspaces(root)):
                return
        else:
            new = set(intents(root)) - seen
            seen |= new
            left -= len(new)
            if left < 0:
                return
        time.sleep(POLL_SECONDS)


def workspaces(root: Path) -> Iterator[str]:
    """The folders of attempts that are under way or dead."""
    yield from names(root / STATE / "tmp")


def intents(root: Path) -> Iterator[str]:
    """The intents of attempts that are being committed or died then."""
    for account in names(root / STATE / "intents"):
        yield from names(root / STATE / "intents" / account)


def names(folder: Path) -> Iterator[str]:
    """What is in a folder, if there is one."""
    try:
        yield from (path.name for path in folder.iterdir())
    except FileNotFoundError:
        return
