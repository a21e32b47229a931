"""How something is run in a fresh process, and what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BENCHMARKS", "CommandFailed", "Usage", "child", "measured", "started"]

BENCHMARKS = Path(__file__).parent
_SHOWN = 2000
# What users install is compiled once, not anew at every start.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class CommandFailed(RuntimeError):
    """A measured command that ended with another exit code than 0; says which, and the end of what it wrote."""


@dataclass(frozen=True)
class Usage:
    """What a process took: wall and CPU seconds, peak resident bytes; and what it printed."""

    wall: float
    cpu: float
    peak: int
    output: str


def child(kind: str, *arguments: object) -> list[str]:
    """The command of a child: see ``benchmarks.child``."""
    return [sys.executable, "-m", "benchmarks.child", kind, *map(str, arguments)]


def measured(command: Sequence[str], *, cores: Sequence[int] = ()) -> Usage:
    """Run a command, on some cores alone if any are named, and return what it took. Raises CommandFailed."""
    return started(command, cores=cores).usage()


@dataclass(frozen=True)
class _Started:
    process: subprocess.Popen[str]
    report: Path
    command: Sequence[str]

    def usage(self) -> Usage:
        """Wait for the end."""
        output, errors = self.process.communicate()
        reported = self.report.read_text(encoding="utf-8")
        self.report.unlink()
        if self.process.returncode != 0:
            what = " ".join(self.command)[:_SHOWN]
            raise CommandFailed(f"{what} ended with {self.process.returncode}:\n{errors[-_SHOWN:]}")
        return Usage(**json.loads(reported), output=output)


def started(command: Sequence[str], *, cores: Sequence[int] = ()) -> _Started:
    """Start a command and return at once."""
    with tempfile.NamedTemporaryFile(prefix="measure-", suffix=".json", delete=False) as file:
        report = Path(file.name)
    pinned = ["taskset", "-c", ",".join(map(str, cores))] if cores else []
    launcher = [sys.executable, "-I", "-S", str(BENCHMARKS / "measure.py"), str(report)]
    process = subprocess.Popen(
        [*pinned, *launcher, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        cwd=BENCHMARKS.parent,
        env=_ENVIRONMENT,
    )
    return _Started(process, report, command)
