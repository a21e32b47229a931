"""The command line as tests run it: in this process or in a forked one for the many cases, started for the few."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click
from click.testing import CliRunner

from tests.support.forked import run_to_end
from wsparquet.api.credentials import VARIABLES
from wsparquet.cli import main
from wsparquet.emulator import Emulator

PROGRAM = Path(sys.executable).with_name("wsparquet")

# click before 8.2 mixes standard error into standard output unless it is told not to.
_SEPARATE: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which has to be one JSON object in ASCII."""
        assert self.out.isascii()
        found = json.loads(self.out)
        assert type(found) is dict
        return found


class _Main:
    """The program's entry point in the form that click's runner calls."""

    name = "wsparquet"

    def main(self, args: Sequence[str], prog_name: str) -> None:
        given, sys.argv = sys.argv, [prog_name, *args]
        try:
            main()
        finally:
            sys.argv = given


def run(*arguments: object, stdin: bytes = b"") -> Ran:
    """Run a command in this process; what it raises beside its exit is a failure of the test."""
    found = CliRunner(**_SEPARATE).invoke(
        cast("click.Command", _Main()), [str(each) for each in arguments], stdin, catch_exceptions=False
    )
    return Ran(found.exit_code, found.stdout, found.stderr)


def start(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """A command as a process of its own, in a terminal 200 columns wide should it have one."""
    environment = {**os.environ, "COLUMNS": "200", "PYTHONWARNINGS": "error", **options.pop("env", {})}
    return subprocess.Popen([PROGRAM, *map(str, arguments)], env=environment, **options)


def spawn(*arguments: object, stdin: bytes = b"", **options: Any) -> Ran:
    """Run a command as a process of its own, to its end."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with start(*arguments, **{**pipes, **options}) as process:
        out, err = process.communicate(stdin, timeout=60)
    return Ran(process.returncode, (out or b"").decode(), (err or b"").decode())


def forked(*arguments: object, stdin: bytes = b"", cwd: object = ".", env: Mapping[str, str] | None = None) -> Ran:
    """Run a command in a forked process, to its end. It is ``spawn`` for tests that are not about starts."""
    variables = {**os.environ, "COLUMNS": "200", **(env or {})}
    code, out, err = run_to_end(arguments, stdin=stdin, folder=cwd, variables=variables)
    return Ran(code, out.decode(), err.decode())


def api_environment(emulator: Emulator) -> dict[str, str]:
    """The variables with which commands speak with an emulator and no other server."""
    secrets = {variable: getattr(emulator.options.credentials, name) for name, variable in VARIABLES.items()}
    return {"WSPARQUET_BASE_URL": emulator.base_url, **secrets}


def tree(folder: Path) -> Mapping[str, tuple[int, int]]:
    """Every file and folder below a folder, itself included, with size and time of change."""
    paths = [folder, *folder.rglob("*")] if folder.exists() else []
    return {str(path): ((status := path.lstat()).st_size, status.st_mtime_ns) for path in paths}
