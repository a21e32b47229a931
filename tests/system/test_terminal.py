"""What reaches a terminal, and what Ctrl-C does."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.at_rest import assert_at_rest
from tests.system.helpers import (
    COMMAND,
    SECONDS,
    Rows,
    assert_each_whole,
    assert_same,
    convert,
    convert_command,
    make_sources,
    rows_on_disk,
    run,
)
from tests.system.kills import wait_for
from wsparquet.generate import GenerateOptions, generate

# Sets a terminal's title, clears it, and turns the order of text around.
HOSTILE = "a\x1b]0;pwned\x07b\x1b[2Jc\u202ed"
TAMED = "a\ufffd]0;pwned\ufffdb\ufffd[2Jc\ufffdd"


def on_terminal(command: list[str]) -> tuple[int, str]:
    """Run a command whose three streams are a terminal; its exit code and all that the terminal was sent."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200", "LINES": "50"}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    sent = bytearray()
    try:
        while data := os.read(master, 65536):
            sent += data
    except OSError:
        # Linux says so when the other end is closed; other systems end the stream.
        pass
    finally:
        os.close(master)
    return process.wait(SECONDS), sent.decode()


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files whose names and fields are meant for the terminal: one converts, one fails."""
    folder = tmp_path_factory.mktemp("odd")
    kinds = ("markup_field", "control_field", "unknown_metadata_field", "garbage_bytes")
    (path,) = generate(folder, GenerateOptions(records=20, defects=True, only=kinds))
    path.rename(folder / f"{HOSTILE}.gz")
    (folder / f"[red]{HOSTILE}.json").write_text(f"{HOSTILE} [/x]")
    return folder


def plain(odd: Path, root: Path) -> list[str]:
    """The command line of a conversion that answers in text."""
    return [str(COMMAND), "convert", str(odd), "--to", str(root)]


def assert_tame(text: str) -> None:
    """Nothing that a source chose can act on a terminal, and all of it can be read."""
    for control in ("\x1b]0", "\x1b[2J", "\x07", "\u202e", "\x00", "\x9c"):
        assert control not in text
    assert "$.navigationData[*]['[/x]']" in text
    assert "$.navigationData[*]['\\u001b[31mred']" in text
    assert f"[red]{TAMED}.json" in text
    assert TAMED in text


def test_summary_on_a_terminal(odd: Path, tmp_path: Path) -> None:
    """On a terminal, a field named ``[/x]`` is text like any other, and control characters never get through."""
    code, sent = on_terminal(plain(odd, tmp_path / "lake"))
    assert code == 1
    assert "Traceback" not in sent
    assert "\x1b[" in sent, "a terminal gets a progress bar"
    assert_tame(sent)


def test_summary_in_a_pipe(odd: Path, tmp_path: Path) -> None:
    """In a pipe there is no control character at all but line ends, and no progress bar."""
    ended = run([*plain(odd, tmp_path / "lake"), "--verbose"])
    assert ended.code == 1
    assert_tame(ended.stdout + ended.stderr)
    assert f"committed: {TAMED}.gz" in ended.stderr
    assert f"failed: [red]{TAMED}.json" in ended.stderr
    assert [c for c in ended.stdout + ended.stderr if c < " " and c != "\n"] == []


def test_quiet_says_nothing_on_the_way(odd: Path, tmp_path: Path) -> None:
    """With ``--quiet`` nothing but the failure and the summary is sent, on a terminal too."""
    code, sent = on_terminal([*plain(odd, tmp_path / "lake"), "--quiet"])
    assert code == 1
    assert "\x1b" not in sent
    assert_tame(sent)


def test_json_is_ascii(odd: Path, tmp_path: Path) -> None:
    """``--output json`` names everything exactly, in ASCII."""
    ended = run(convert_command(tmp_path / "lake", odd))
    assert ended.stdout.isascii()
    assert [c for c in ended.stdout if c < " " and c != "\n"] == []
    assert ended.summary["committed"] == [f"{HOSTILE}.gz"]
    assert ended.summary["failed"] == [f"[red]{HOSTILE}.json"]
    assert ended.summary["rescued"]["navigation"]["$.navigationData[*]['[/x]']"] > 0


def test_root_that_cannot_be_with_an_odd_name(odd: Path, tmp_path: Path) -> None:
    """An error about a path is tame as well."""
    (tmp_path / HOSTILE).write_text("")
    ended = run(plain(odd, tmp_path / HOSTILE / "lake"))
    assert (ended.code, ended.stdout) == (1, "")
    assert TAMED in ended.stderr
    assert [c for c in ended.stderr if c < " " and c != "\n"] == []


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def interruptible(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """Two files that take a while, small ones behind them, and the rows of all."""
    folder = tmp_path_factory.mktemp("interruptible")
    sources = make_sources(folder / "in", dirty=False)
    generate(sources, GenerateOptions(files=2, size=2_000_000, account="4711"))
    convert(folder / "lake", sources)
    return sources, rows_on_disk(folder / "lake")


@pytest.mark.parametrize("source", [None, 0], ids=["writing", "committing"])
def test_interrupted(source: int | None, interruptible: tuple[Path, Rows], tmp_path: Path) -> None:
    """Ctrl-C ends a run with its summary and exit code 130: each source is whole or not there; again, all are."""
    sources, expected = interruptible
    root, last = tmp_path / "lake", max(sources.iterdir())
    # A root that is there already: making one is in itself a moment to be interrupted in, and not the one meant.
    convert(root, last)

    process = subprocess.Popen(convert_command(root, sources), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(process, root, source)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=SECONDS)

    assert process.returncode == 130, stderr
    summary = json.loads(stdout)
    assert (summary["sources"], summary["errors"], summary["gave_up"]) == (len(expected), [], False)
    done = {*summary["committed"], *summary["skipped"]}
    assert 0 < summary["not_begun"] == len(expected) - len(done)
    assert stderr.decode().split("\n") == ["", "wsparquet: interrupted; run the same command again to continue", ""]
    assert_at_rest(root)
    found = rows_on_disk(root)
    assert last.name in found
    assert done <= set(found)
    assert len(found) < len(expected)
    assert_each_whole(found, expected, {})
    convert(root, sources)
    assert_same(rows_on_disk(root), expected)
    assert_at_rest(root)


def test_ctrl_c_is_tested_also_where_it_is_ignored() -> None:
    """A run of the tests that is started with SIGINT ignored, as by `nohup`, still interrupts what it starts."""
    test = "tests/cli/test_generate.py::test_an_interrupted_file_leaves_nothing"
    pytest_command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test]
    ended = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *pytest_command],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (ended.returncode, "1 passed" in ended.stdout) == (0, True), ended.stdout
