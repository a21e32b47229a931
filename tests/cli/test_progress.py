"""What is seen while a conversion runs: a bar on a terminal, plain lines elsewhere, nothing if quiet."""

from __future__ import annotations

import os
import pty
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Files
from tests.cli.program import api_environment, forked, run
from tests.support.forked import start
from wsparquet.cli.progress import _Minutes
from wsparquet.emulator import EmulatorOptions, serving
from wsparquet.progress import Progress

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(*arguments: object, **variables: str) -> tuple[int, str, str]:
    """Exit code and standard output of a command whose standard error is a terminal, and what that one shows."""
    ours, theirs = pty.openpty()
    # A terminal of any kind but a dumb one, on which rich draws nothing.
    variables = {**os.environ, "COLUMNS": "200", "TERM": "xterm", **variables}
    with Path(os.devnull).open("rb") as nothing, tempfile.TemporaryFile() as out:
        streams = (nothing.fileno(), out.fileno(), theirs)
        command = start(arguments, streams, folder=Path.cwd(), variables=variables)
        os.close(theirs)
        shown = b""
        # Linux answers EIO, macOS nothing, when the other end is closed.
        with suppress(OSError):
            while piece := os.read(ours, 1 << 16):
                shown += piece
        os.close(ours)
        code = command.wait(timeout=60)
        out.seek(0)
        return code, out.read().decode(), shown.decode()


def test_a_terminal_gets_a_bar(good: Files, tmp_path: Path) -> None:
    """On a terminal there is a bar with files, bytes, rate and rows, which ends complete and is wiped away."""
    code, out, shown = on_a_terminal("convert", good.folder, "--to", tmp_path / "lake")
    text = CONTROL.sub("", shown)
    assert code == 0
    assert out.startswith("2 sources: 2 converted")
    assert "\x1b" in shown
    assert "2/2 files" in text
    assert f"{good.records} rows" in text
    assert re.search(r"([0-9.]+)/\1 KiB", text), "all bytes are read"
    assert re.search(r"([KMG]i)?B/s", text)
    assert "committed" not in text


def test_skipped_sources_complete_the_bar(good: Files, tmp_path: Path) -> None:
    """Sources that need no reading count as read: the bar reaches its end."""
    root = tmp_path / "lake"
    assert run("convert", good.folder, "--to", root).code == 0
    code, out, shown = on_a_terminal("convert", good.folder, "--to", root)
    text = CONTROL.sub("", shown)
    assert (code, out.splitlines()[0]) == (0, "2 sources: 0 converted, 2 skipped, 0 failed")
    assert "2/2 files" in text
    assert re.search(r"([0-9.]+)/\1 KiB", text)


@pytest.mark.parametrize(("command", "rows"), [(("sync", "--to"), 3), (("fetch", "--into"), 0)])
def test_synchronisation_has_a_bar_of_files(tmp_path: Path, command: tuple[str, ...], rows: int) -> None:
    """It counts files, downloaded bytes and rows to the end, and what is tried again is said above it."""
    arguments = (*command, tmp_path / "there", "--account", "75555851", "--pause", "0.01")
    with serving(EmulatorOptions(hours=3, size=20_000, faults={"500": 1.0}, most_faults=1)) as emulator:
        code, out, shown = on_a_terminal(*arguments, **api_environment(emulator))
    text = CONTROL.sub("", shown)
    assert (code, "3 downloaded" in out) == (0, True)
    assert "0/3 files" in text
    assert "3/3 files" in text
    assert re.search(r"[0-9.]+ KiB downloaded, [0-9,]+ rows", text)
    assert (len({*re.findall(r"([1-9][0-9]*) rows", text)}) > 0) == (rows > 0)
    assert text.count("retried: WebSession.") == 3


def test_checks_have_a_bar_of_commits(good: Files, tmp_path: Path) -> None:
    """`verify` counts commits and rows, and what is wrong is said once, by the result."""
    root = tmp_path / "lake"
    assert run("convert", good.folder, "--to", root).code == 0
    code, out, shown = on_a_terminal("verify", root)
    text = CONTROL.sub("", shown)
    assert (code, "verified" in out) == (0, True)
    assert "2/2 files" in text
    assert f"{good.records} rows" in text
    next(root.rglob("*.parquet")).unlink()
    code, out, shown = on_a_terminal("verify", root)
    assert (code, out.count("missing: "), "1 problem" in out) == (1, 1, True)
    assert "missing" not in CONTROL.sub("", shown)


def test_a_failure_is_said_above_the_bar_with_markup_as_it_is(tmp_path: Path) -> None:
    """A failed source is named at once, and its name is neither markup nor control sequence."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "[bold]\x1b[31m.gz").write_bytes(b"")
    code, out, shown = on_a_terminal("convert", folder, "--to", tmp_path / "lake")
    assert (code, ".gz" in out) == (1, False)
    assert "failed: [bold]\ufffd[31m.gz: " in CONTROL.sub("", shown)
    assert "\x1b[31m.gz" not in shown


@pytest.mark.parametrize("option", [("--quiet",), ("--output", "json")])
def test_quiet_and_json_show_nothing(good: Files, tmp_path: Path, option: tuple[str, ...]) -> None:
    """With `--quiet`, and for programs, not a byte is shown on a terminal."""
    code, out, shown = on_a_terminal("convert", good.folder, "--to", tmp_path / "lake", *option)
    assert (code, shown) == (0, "")
    assert bool(out) == (option != ("--quiet",))


def test_elsewhere_there_are_plain_lines(good: Files, odd: Files, corrupt: Path, tmp_path: Path) -> None:
    """Without a terminal `--verbose` writes one plain line for each source as it ends, on standard error."""
    root = tmp_path / "lake"
    assert run("convert", good.paths[0], "--to", root).code == 0
    ran = forked("convert", *good.paths, odd.folder, corrupt, "--to", root, "--jobs", "1", "--verbose")
    assert ran.code == 1
    lines = ran.err.splitlines()
    assert len(lines) == 4
    assert lines[0] == f"skipped: {good.names[0]}"
    assert lines[1] == f"committed: {good.names[1]} ({good.expected[1].records} rows)"
    assert lines[2].startswith(f"committed: {odd.names[0]} (")
    assert lines[3].startswith(f"failed: {corrupt.name}: {corrupt}")
    assert "\x1b" not in ran.err


def test_a_terminal_gets_a_line_for_each_source_if_asked(good: Files, tmp_path: Path) -> None:
    """`--verbose` adds the lines above the bar."""
    code, _, shown = on_a_terminal("convert", good.folder, "--to", tmp_path / "lake", "--verbose")
    text = CONTROL.sub("", shown)
    assert (code, text.count("committed: "), "2/2 files" in text) == (0, 2, True)


@pytest.mark.parametrize("options", [(), ("--quiet",), ("--verbose",), ("--log-format", "json"), ("--output", "json")])
def test_no_failure_is_said_twice(options: tuple[str, ...], tmp_path: Path) -> None:
    """A file that cannot be downloaded and one that cannot be converted are each written once, whatever the form."""
    with serving(EmulatorOptions(hours=3, size=20_000)) as emulator:
        one, other, _ = emulator.catalogue.files()
        emulator.catalogue.put(one, b"<html>")
        emulator.catalogue.delete(other)
        emulator.catalogue.put("WebSession.1.2.part-00000-0.gz", b"\x1f\x8b no gzip")
        arguments = ("sync", "--account", "75555851", "--pause", "0.01", "--to", tmp_path / "lake")
        ran = forked(*arguments, *options, env=api_environment(emulator))
    assert ran.code == 1
    for name in (one, "WebSession.1.2.part-00000-0.gz"):
        said = [line for line in (ran.out + ran.err).splitlines() if name in line and "retried" not in line]
        # In JSON the failure has a name, a URL and an error, in the download's list or in that of the conversion.
        errors = [line for line in said if "expected" in line]
        assert len(errors) == 1, said


def test_a_long_run_says_where_it_is(good: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal, a run writes a line at intervals, with files, failures and rows, and none after its end."""
    events = [Progress("found", "", files=3), Progress("committed", "a", "a", rows=1200), Progress("failed", "b", "b")]
    with _Minutes(last="committed", seconds=0.05) as minutes:
        for event in events:
            minutes(event)
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert set(lines) == {"after 0 min: 2 of 3 files, 1 failed, 1,200 rows"}
    assert len(lines) > 1
    assert run("convert", good.folder, "--to", tmp_path / "lake").err == ""
