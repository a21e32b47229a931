"""How wsparquet scales: with cores, with a file's size, with the number of files; and how soon it starts."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contest import Result, convert_once
from benchmarks.data import Data, make_data
from benchmarks.process import child, measured, started
from benchmarks.statistic import Series, interleaved, series

__all__ = ["Cores", "cores", "costs", "first_cores", "sizes", "start_up"]

_BUSY_ROUNDS = 40_000_000


def first_cores() -> list[int]:
    """Two cores that this process may use; fewer where there are not as many or processes cannot be pinned."""
    if not hasattr(os, "sched_getaffinity") or shutil.which("taskset") is None:
        return []
    return sorted(os.sched_getaffinity(0))[:2]


@dataclass(frozen=True)
class Cores:
    """Wall seconds on one core and on two: of wsparquet, and of one busy process and two independent ones."""

    one: Series
    two: Series
    busy_one: Series
    busy_two: Series

    @property
    def speedup(self) -> float:
        """How many times faster wsparquet is on two cores."""
        return self.one.median / self.two.median

    @property
    def possible(self) -> float:
        """How many times more work two independent busy processes get done than one, in the same time."""
        return 2 * self.busy_one.median / self.busy_two.median


def _busy(on: Sequence[int]) -> float:
    """Wall seconds until as many busy processes as cores are done, each on its own."""
    command = child("busy", _BUSY_ROUNDS)
    running = [started(command, cores=[core]) for core in on]
    return max(process.usage().wall for process in running)


def cores(contender: str, data: Data, folder: Path, *, runs: int) -> Cores:
    """The same files on one core and on two, and busy processes in the same rounds."""
    pair = first_cores()
    jobs = {
        "one core": lambda: convert_once(contender, data, folder / "output", cores=pair[:1]).wall,
        "two cores": lambda: convert_once(contender, data, folder / "output", cores=pair).wall,
        "one busy process": lambda: _busy(pair[:1]),
        "two busy processes": lambda: _busy(pair),
    }
    found = interleaved(list(jobs), lambda name: jobs[name](), runs=runs)
    return Cores(*(series(found[name]) for name in jobs))


def sizes(
    contender: str, shapes: dict[str, tuple[int, int]], folder: Path, *, seed: int, runs: int
) -> dict[str, tuple[Data, Result]]:
    """Conversions of as many files of as many bytes each as the shapes say."""
    made = {
        name: make_data(folder / "sizes", files=files, size=size, seed=seed) for name, (files, size) in shapes.items()
    }
    found = interleaved(list(made), lambda name: convert_once(contender, made[name], folder / "output"), runs=runs)
    return {name: (made[name], Result.of(usages)) for name, usages in found.items()}


def costs(contender: str, made: dict[str, Data], folder: Path, *, runs: int) -> dict[str, Result]:
    """Conversions of several sets of the same size, interleaved, so that their ratios say what each property costs."""
    found = interleaved(list(made), lambda name: convert_once(contender, made[name], folder / "output"), runs=runs)
    return {name: Result.of(usages) for name, usages in found.items()}


def start_up(*, runs: int) -> dict[str, Series]:
    """Wall seconds of ``wsparquet --help``, and of a Python that does nothing."""
    script = str(Path(sys.executable).with_name("wsparquet"))
    commands = {"wsparquet --help": [script, "--help"], "python -c pass": [sys.executable, "-c", "pass"]}
    found = interleaved(list(commands), lambda name: measured(commands[name]).wall, runs=runs)
    return {name: series(walls) for name, walls in found.items()}
