"""One run of pytest in a tree, in a group of processes of its own that ends with the run."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil

from tools.mutants.tree import Tree

__all__ = ["Limits", "Session", "run_pytest"]

ALL_PASSED = 0
OUT_OF_TIME = {None, -signal.SIGXCPU, -signal.SIGKILL}


@dataclass(frozen=True)
class Limits:
    """Seconds of CPU time that each process of a run may use, and seconds that the run may take."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Session:
    """What a run of pytest did: ``code`` is its exit code, or None if it took too long.

    ``passed`` has the seconds of each test that passed. ``failed`` has the ids of tests, and of files that could not
    be imported, in the order of the run.
    """

    code: int | None
    failed: tuple[str, ...]
    passed: dict[str, float]
    output: str


def run_pytest(
    tree: Tree,
    targets: Sequence[str],
    *,
    options: Sequence[str] = (),
    selected: Sequence[str] | None = None,
    limits: Limits | None = None,
    variables: Mapping[str, str] | None = None,
) -> Session:
    """Run the tests of ``targets`` (files or folders), or those of ``selected`` in their order.

    What is left of its group of processes at the end is killed.
    """
    folder = tree.path.parent
    record, selection = folder / "record.json", folder / "selected.json"
    record.unlink(missing_ok=True)
    environment = {**tree.environment, "MUTANTS_RECORD": str(record), **(variables or {})}
    if selected is not None:
        selection.write_text(json.dumps(selected))
        environment["MUTANTS_SELECTED"] = str(selection)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "mutants_plugin"]
    command += [f"--basetemp={tree.temporary}", f"--rootdir={tree.path}", *_same_chance(), *options, *targets]
    code, output = _finish(command, tree, environment, limits)
    shutil.rmtree(tree.path / ".hypothesis", ignore_errors=True)
    # A run that was killed, or could not start, has no record.
    found = json.loads(record.read_text()) if record.exists() else {"failed": [], "passed": {}}
    return Session(code, tuple(found["failed"]), found["passed"], output)


def _same_chance() -> list[str]:
    """Have property tests draw the same examples in each run, if there is Hypothesis."""
    return ["--hypothesis-seed=0"] if find_spec("hypothesis") else []


def _finish(
    command: Sequence[str], tree: Tree, environment: Mapping[str, str], limits: Limits | None
) -> tuple[int | None, str]:
    """Run a command to its end or until time runs out, and kill what is left of its group."""
    output = tree.path.parent / "output.txt"
    if limits:
        command = ["sh", "-c", f'ulimit -t {ceil(limits.cpu)} && exec "$@"', "sh", *command]
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=tree.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(limits.wall if limits else None)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code, output.read_text(errors="replace")
