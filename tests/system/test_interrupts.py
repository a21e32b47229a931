"""Ctrl-C and SIGTERM while a server is silent, and what they leave on a terminal, with real servers and processes."""

from __future__ import annotations

import itertools
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import wsparquet
from tests.support.at_rest import assert_at_rest
from tests.system.helpers import COMMAND, SECONDS
from wsparquet.api.credentials import VARIABLES
from wsparquet.emulator import DEMO, EmulatorOptions, serving
from wsparquet.generate import GenerateOptions, generate

ENVIRONMENT = {**os.environ, **{variable: getattr(DEMO, name) for name, variable in VARIABLES.items()}}
AT_ONCE = 10.0
"""In seconds: far less than any client waits for a silent server, far more than a loaded machine needs."""
ACCOUNT = ("--account", "75555851")


class Silent:
    """A TCP server that accepts every connection and never answers. ``accepted`` is set at the first one."""

    def __init__(self) -> None:
        self.accepted = threading.Event()
        self._connections: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self._connections.append(self._socket.accept()[0])
            except OSError:
                return
            self.accepted.set()

    def close(self) -> None:
        """End the server and its connections."""
        for each in (self._socket, *self._connections):
            each.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    """Run a silent server."""
    server = Silent()
    yield server
    server.close()


def silent_commands(port: int, folder: Path) -> dict[str, list[str]]:
    """Commands that wait for a silent server, by what they wait for."""
    api = ["--base-url", f"http://127.0.0.1:{port}", *ACCOUNT]
    options = (f"endpoint_url=http://127.0.0.1:{port}", "key=a", "secret=b")
    s3 = [part for option in options for part in ("--storage-option", option)]
    return {
        "the list of the API": ["sync", *api, "--to", str(folder / "lake")],
        "the list of the API, to fetch": ["fetch", *api, "--into", str(folder / "raw")],
        "a list of a bucket": ["convert", "s3://bucket/in/", "--to", str(folder / "lake"), *s3],
        "an object": ["convert", "s3://bucket/in/a.gz", "--to", str(folder / "lake"), *s3],
        "a root in a bucket": ["sync", *api, "--to", "s3://bucket/lake", *s3],
        "a file of a web server": ["inspect", f"http://127.0.0.1:{port}/a.gz"],
    }


def test_the_first_signal_ends_a_wait_for_a_silent_server(silent: Silent, tmp_path: Path) -> None:
    """Whatever a command lists or reads first: one signal ends it at once, with one line and exit code 130."""
    processes = {}
    for what, arguments in silent_commands(silent.port, tmp_path).items():
        silent.accepted.clear()
        processes[what] = subprocess.Popen(
            [str(COMMAND), *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert silent.accepted.wait(SECONDS), what
    for (what, process), number in zip(processes.items(), itertools.cycle((signal.SIGINT, signal.SIGTERM))):
        process.send_signal(number)
        out, err = process.communicate(timeout=AT_ONCE)
        assert (process.returncode, out) == (130, b""), (what, err)
        assert err.decode().strip() == "wsparquet: interrupted; run the same command again to continue", what
    if (tmp_path / "lake").exists():
        assert_at_rest(tmp_path / "lake")


# --- Terminals --------------------------------------------------------------------------------------------------------


def interrupted_on_terminal(command: Sequence[str], sign: str, *, numbers: Sequence[int]) -> tuple[int, str]:
    """Run a command on a terminal, send it signals when it has shown ``sign``; its exit code and all that it sent."""
    master, slave = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "COLUMNS": "200", "LINES": "50"}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    sent, left, end = bytearray(), list(numbers), time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                if not (data := os.read(master, 65536)):
                    break
                sent += data
            if left and re.search(sign, sent.decode(errors="replace")):
                process.send_signal(left.pop(0))
    except OSError:
        # Linux says so when the other end is closed; other systems end the stream.
        pass
    finally:
        os.close(master)
    return process.wait(SECONDS), sent.decode()


def screen(sent: str) -> list[str]:
    """The lines that remain visible: carriage returns, erased lines and cursor movements are carried out."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", sent):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part[0] not in "\x1b\r":
            lines[row] += part
    return [line for line in lines if line]


def assert_clean(sent: str) -> None:
    """The cursor is visible, and nothing is left of the bar."""
    assert sent.rfind("\x1b[?25h") > sent.rfind("\x1b[?25l") >= 0
    assert not [line for line in screen(sent) if "\u2501" in line], screen(sent)


def test_an_interrupted_conversion_leaves_a_clean_terminal(tmp_path: Path) -> None:
    """The bar goes, the cursor comes back, and the summary counts the sources in progress as not begun."""
    # With the native crate of a release, few files would be converted before the signal arrives.
    generate(tmp_path / "in", GenerateOptions(files=8, size=4_000_000, account="4711"))
    command = [str(COMMAND), "convert", str(tmp_path / "in"), "--to", str(tmp_path / "lake"), "--jobs", "1"]
    code, sent = interrupted_on_terminal(command, r"[1-9][0-9,]* rows", numbers=[signal.SIGTERM])
    assert code == 130
    assert_clean(sent)
    first, *_, last = screen(sent)
    counted = re.fullmatch("8 sources: ([0-7]) converted, 0 skipped, 0 failed, ([1-8]) not begun", first)
    assert counted is not None, first
    assert int(counted[1]) + int(counted[2]) == 8
    assert last == "wsparquet: interrupted; run the same command again to continue"
    assert "failed:" not in sent
    assert_at_rest(tmp_path / "lake")


def test_an_interrupted_verification_has_the_problems_so_far(tmp_path: Path) -> None:
    """What was found is not lost, and nothing is called verified."""
    generate(tmp_path / "in", GenerateOptions(files=2, size=2_000_000, account="4711"))
    wsparquet.convert(tmp_path / "in", tmp_path / "lake")
    for path in (tmp_path / "lake/record_type=geo").rglob("*.parquet"):
        path.unlink()
    command = [str(COMMAND), "verify", str(tmp_path / "lake"), str(tmp_path / "in"), "--jobs", "1"]
    code, sent = interrupted_on_terminal(command, "1/2 files", numbers=[signal.SIGINT])
    assert code == 130
    assert_clean(sent)
    *lines, verdict, last = screen(sent)
    found = [line for line in lines if line.startswith(("missing: record_type=geo", "values: record_type=geo"))]
    assert found
    assert re.fullmatch(f"interrupted: {len(found)} problems? so far", verdict)
    assert last == "wsparquet: interrupted; run the same command again to continue"


def test_an_interrupted_synchronisation_counts_what_was_not_begun(tmp_path: Path) -> None:
    """The first Ctrl-C finishes the files in progress; the summary, below a clean bar, counts the others."""
    with serving(EmulatorOptions(hours=40, size=40_000, latency_seconds=0.05)) as emulator:
        command = [str(COMMAND), "sync", "--to", str(tmp_path / "lake"), "--base-url", emulator.base_url, *ACCOUNT]
        code, sent = interrupted_on_terminal(command, r"[1-9]/40 files", numbers=[signal.SIGINT])
    assert code == 130
    assert_clean(sent)
    lines = screen(sent)
    assert "finishing the current files; interrupt again to stop at once" in lines[0]
    (left,) = [int(found[1]) for line in lines if (found := re.match("interrupted, ([0-9]+) files not begun", line))]
    (done,) = [int(found[1]) for line in lines if (found := re.match("40 sources: ([0-9]+) converted", line))]
    assert 0 < left < 40
    assert done + left == 40
    assert f"{left} not begun" in "\n".join(line for line in lines if line.startswith("40 sources"))
    assert_at_rest(tmp_path / "lake")
