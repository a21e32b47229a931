"""Signals at the worst moments: a process ends with 130, and never with a traceback."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest

BEGIN = """
    import io, os, signal, sys
    from wsparquet.cli.signals import as_interrupts, stopping

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def hit(number=signal.SIGINT):
        os.kill(os.getpid(), number)
"""
CLEANUP = """
    try:
        with as_interrupts():
            try:
                hit(signal.{first})
            finally:
                hit(signal.{second})
    finally:
        print("more work")
"""
MESSAGE = """
    try:
        with as_interrupts():
            hit(signal.{first})
    except KeyboardInterrupt:
        hit(signal.{second})
        print("more work")
"""
AT_EXIT = """
    import atexit

    atexit.register(hit, signal.{second})
    try:
        with as_interrupts():
            hit(signal.{first})
    except KeyboardInterrupt:
        sys.exit(130)
"""
FILES = """
    try:
        with as_interrupts(), stopping() as stop:
            stop.has_files = True
            hit(signal.{first})
            assert stop.asked
            try:
                hit(signal.{second})
            finally:
                hit(signal.{second})
    finally:
        print("more work")
"""


def ran(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    text = dedent(BEGIN) + dedent(code)
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("first", "second"), [("SIGINT", "SIGINT"), ("SIGTERM", "SIGTERM")])
@pytest.mark.parametrize("code", [CLEANUP, MESSAGE, AT_EXIT, FILES], ids=["cleanup", "message", "at exit", "files"])
def test_a_signal_while_the_command_ends(code: str, first: str, second: str) -> None:
    """The next signal ends the process at once, whatever it is doing, and nothing but wsparquet's own line is shown."""
    found = ran(code.format(first=first, second=second))
    own = "wsparquet: finishing the current files; interrupt again to stop at once\n" if code is FILES else ""
    assert (found.returncode, found.stdout, found.stderr) == (130, "", own)


def test_a_signal_in_the_middle_of_a_line() -> None:
    """The first signal may interrupt a write to standard error: both the line and the message appear."""
    found = ran("""
        class Stream(io.FileIO):
            def write(self, data):
                hit()
                return super().write(data)

        sys.stderr = io.TextIOWrapper(io.BufferedWriter(Stream(2, "wb", closefd=False)), line_buffering=True)
        with as_interrupts(), stopping() as stop:
            stop.has_files = True
            print("a line", file=sys.stderr)
            assert stop.asked
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    """)
    assert (found.returncode, found.stderr.splitlines()) == (
        0,
        ["wsparquet: finishing the current files; interrupt again to stop at once", "a line"],
    )


def test_a_command_in_the_background_of_a_script_ignores_ctrl_c() -> None:
    """Where SIGINT is ignored, it stays ignored, and the handlers of the caller are restored."""
    found = ran("""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with as_interrupts():
            hit()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        print("done")
    """)
    assert (found.returncode, found.stdout, found.stderr) == (0, "done\n", "")
