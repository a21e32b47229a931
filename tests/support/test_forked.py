"""tests/support/forked.py: a forked command is as one that was started."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.support.forked import folder_for_path, run_to_end, start


def test_a_command_has_its_own_streams_folder_variables_and_exit_code(tmp_path: Path) -> None:
    """It reads the input that it is given, writes below its folder, and knows the environment of its caller alone."""
    ended = run_to_end(["convert", "-", "--to", "lake"], stdin=b"no sessions", folder=tmp_path)
    assert ended[0] == 1
    assert ended[2].startswith(b"failed: stdin: ")
    variables = {**os.environ, "WSPARQUET_TO": "other", "COLUMNS": "40"}
    assert run_to_end(["convert", "nothing.gz"], folder=tmp_path, variables=variables)[0] == 1
    assert run_to_end(["convert", "nothing.gz"], folder=tmp_path)[0] == 2


def test_a_shell_finds_the_program(tmp_path: Path) -> None:
    """In a pipe and with its exit code."""
    path = os.pathsep.join([str(folder_for_path()), os.environ["PATH"]])
    script = "wsparquet --version | head -n 1; wsparquet nope 2> errors; echo $?"
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, env={**os.environ, "PATH": path}, stdout=-1, check=True)
    first, code = ran.stdout.splitlines()
    assert (first[:10], code) == (b"wsparquet ", b"2")
    assert b"No such command 'nope'" in (tmp_path / "errors").read_bytes()


def test_a_signal_ends_a_command(tmp_path: Path) -> None:
    """The exit code tells which one."""
    with Path(os.devnull).open("r+b") as nothing:
        streams = (nothing.fileno(),) * 3
        process = start(["serve"], streams, folder=tmp_path, variables=os.environ)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(timeout=60) == -signal.SIGKILL
