"""How wsparquet compares with what else could do the same job, and with what the job must cost at least."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.data import Data, check
from benchmarks.limits import HASH, LIMITS, STEPS, missing_parser
from benchmarks.process import BENCHMARKS, Usage, child, measured, started
from benchmarks.statistic import Series, interleaved, series

__all__ = ["CONTENDERS", "Contest", "Result", "contest", "convert_once", "missing", "versions"]

CORES = 2
"""As many as the contest is about."""

CONTENDERS = tuple(sorted(path.stem for path in (BENCHMARKS / "contenders").glob("[!_]*.py")))


def missing(contender: str) -> str | None:
    """Why a contender cannot run here; None if it can."""
    try:
        module = importlib.import_module(f"benchmarks.contenders.{contender}")
        for package in module.PACKAGES:
            version(package)
    except PackageNotFoundError as error:
        return f"{error.name} is not installed"
    except ImportError as error:
        return f"{error.name} cannot be imported: {error}"
    reason: str | None = module.missing() if hasattr(module, "missing") else None
    return reason


def versions(contenders: Sequence[str]) -> dict[str, str]:
    """The versions of all that is measured."""
    packages = {"isal", "pyarrow", "wsparquet"} | (set() if missing_parser() else {"pysimdjson"})
    for contender in contenders:
        packages.update(importlib.import_module(f"benchmarks.contenders.{contender}").PACKAGES)
    return {package: version(package) for package in sorted(packages)}


@dataclass(frozen=True)
class Result:
    """What a contender took: wall and CPU seconds, peak resident bytes."""

    wall: Series
    cpu: Series
    peak: Series

    @classmethod
    def of(cls, usages: Sequence[Usage]) -> Result:
        """The runs' figures."""
        return cls(
            series(usage.wall for usage in usages),
            series(usage.cpu for usage in usages),
            series(float(usage.peak) for usage in usages),
        )


@dataclass(frozen=True)
class Contest:
    """Every contender's result, the limits' CPU seconds, and what starting wsparquet on next to nothing takes.

    ``hash``: the CPU seconds of hashing the text, which every conversion by wsparquet includes.
    """

    results: dict[str, Result]
    limits: dict[str, Series]
    start: dict[str, Result]
    hash: Series


def convert_once(contender: str, data: Data, output: Path, *, cores: Sequence[int] = ()) -> Usage:
    """One conversion in a fresh process; its tables are counted, then removed.

    Raises:
        CommandFailed: the contender failed.
        WrongRows: its tables have other rows than the files.

    """
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    usage = measured(child("contender", contender, output, *data.sources), cores=cores)
    check(output, data.rows)
    shutil.rmtree(output)
    return usage


def limit(name: str, data: Data) -> float:
    """CPU seconds of a limit or of hashing over the files, a process for each core with its share of them.

    A core does less while the other one is busy, as it is in what is compared with this.
    """
    processes = [
        started(child("limit", name, *data.sources[index::CORES])) for index in range(min(CORES, len(data.sources)))
    ]
    return sum(float(process.usage().output) for process in processes)


def contest(contenders: Sequence[str], data: Data, tiny: Data, folder: Path, *, runs: int) -> Contest:
    """All contenders and limits over the same files, and wsparquet's over a ``tiny`` one, all interleaved."""
    starts = {f"start of {name}": name for name in contenders if name.startswith("wsparquet")}
    limits = [name for name in LIMITS if name != "parse" or missing_parser() is None]

    def one(name: str) -> Usage | float:
        if name in STEPS:
            return limit(name, data)
        return convert_once(starts.get(name, name), tiny if name in starts else data, folder / "output")

    found: dict[str, list[Any]] = interleaved([*contenders, *starts, *limits, HASH], one, runs=runs)
    return Contest(
        {name: Result.of(found[name]) for name in contenders},
        {name: series(found[name]) for name in limits},
        {starts[name]: Result.of(found[name]) for name in starts},
        series(found[HASH]),
    )
