"""The program as a process: its exit codes, its streams, its start, and what becomes of it when it is interrupted."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Files, make
from tests.cli.program import PROGRAM, run, spawn, start
from tests.support.at_rest import assert_at_rest
from wsparquet.generate import GenerateOptions

HEAVY = ("pyarrow", "rich", "fsspec", "isal", "aiohttp", "duckdb", "polars", "numpy")


@pytest.mark.parametrize(("source", "code"), [("good", 0), ("corrupt", 1), ("odd", 3)])
def test_the_exit_code_is_that_of_the_process(
    request: pytest.FixtureRequest, tmp_path: Path, source: str, code: int
) -> None:
    """A process ends with 0, 1 or 3 as the summary has it, the result alone on standard output."""
    given = request.getfixturevalue(source)
    ran = spawn("convert", getattr(given, "folder", given), "--to", tmp_path / "lake", "--output", "json")
    assert (ran.code, ran.err) == (code, "")
    assert ran.json["sources"] == len(ran.json["committed"]) + len(ran.json["failed"])


def test_convert_inspect_and_remove_work_together(good: Files, tmp_path: Path) -> None:
    """The commands, each a process of its own, agree on records and names."""
    root = tmp_path / "lake"
    stored = good.paths[0].read_bytes()
    converted = spawn("convert", "-", *good.paths[1:], "--to", root, "--output", "json", stdin=stored)
    assert (converted.code, converted.json["records"]) == (0, good.records)
    inspected = spawn("inspect", good.folder, "--output", "json")
    assert sum(found["records"] for found in inspected.json["sources"]) == good.records
    removed = spawn("remove", root, "--yes", "stdin", good.names[1], "--output", "json")
    assert (removed.code, sum(each["rows"] for each in removed.json["removed"])) == (0, good.records)
    assert_at_rest(root)


def test_a_process_without_standard_input_says_so(tmp_path: Path) -> None:
    """`-` with standard input closed is a failed source, not a traceback."""
    command = f"exec {PROGRAM} convert - --to {tmp_path / 'lake'} <&-"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith(b"failed: stdin: ")
    assert ran.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("schema", "--as", "avro"),
        ("--help",),
        ("--version",),
        ("inspect", "GOOD", "--samples", "9"),
        ("convert", "GOOD", "--to", "LAKE", "--verbose"),
        ("convert", "GOOD", "--to", "LAKE", "--output", "json"),
        ("generate", "LAKE"),
    ],
)
def test_a_reader_who_has_gone_is_no_traceback(good: Files, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A pipe that nobody reads any more ends a command quietly, with the exit code of programs that SIGPIPE ends."""
    given = [{"GOOD": good.folder, "LAKE": tmp_path / "lake"}.get(each, each) for each in arguments]
    for both, unbuffered in ((False, ""), (True, ""), (True, "1")):
        reader, writer = os.pipe()
        os.close(reader)
        pipes: dict[str, Any] = {"stdout": writer, "stderr": writer if both else subprocess.PIPE}
        ran = spawn(*given, env={"PYTHONUNBUFFERED": unbuffered}, **pipes)
        os.close(writer)
        assert ran.code == 141
        if not both:
            assert not [line for line in ran.err.splitlines() if not line.startswith("committed: ")]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_head_ends_a_long_output_quietly(unbuffered: str) -> None:
    """A reader that takes one line of more than a pipe holds gets the line, and nothing follows on standard error.

    Without a buffer, Python takes a write that `head` cut short for a complete one.
    """
    piped = f"{PROGRAM} schema --as bigquery | head -n 1"
    variables = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", piped], env=variables, capture_output=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (141, b"{\n", b"")


def test_output_without_a_buffer_is_whole_and_comes_at_once() -> None:
    """With PYTHONUNBUFFERED, all of a long output arrives, and a reader gets each line before the command ends."""
    long = spawn("schema", "--as", "bigquery", env={"PYTHONUNBUFFERED": "1"})
    assert (long.code, long.out) == (0, run("schema", "--as", "bigquery").out)
    with start("serve", stdout=subprocess.PIPE, env={"PYTHONUNBUFFERED": "1"}) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith(b"http://")
        server.terminate()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_no_room_for_the_result_is_one_line(good: Files, tmp_path: Path) -> None:
    """A result that cannot be written is one line of error; the conversion itself stands."""
    root = tmp_path / "lake"
    with Path("/dev/full").open("wb") as full:
        ran = spawn("convert", good.folder, "--to", root, stdout=full)
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert "standard output" in ran.err
    assert run("convert", good.folder, "--to", root, "--output", "json").json["skipped"] == good.names


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["--version"], ["inspect", "--help"], ["schema", "geo"]])
def test_no_room_for_any_output_is_one_line(arguments: list[str], unbuffered: str) -> None:
    """The help and the version, which the command line's library prints, fail in the same way, whatever the buffer."""
    with Path("/dev/full").open("wb") as full:
        ran = spawn(*arguments, stdout=full, env={"PYTHONUNBUFFERED": unbuffered})
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert "standard output" in ran.err


def test_a_terminal_of_another_encoding_gets_escapes() -> None:
    """What the terminal's encoding cannot show is escaped, and nothing fails."""
    plain = run("schema", "navigation", "--as", "markdown")
    other = spawn("schema", "navigation", "--as", "markdown", env={"PYTHONIOENCODING": "latin-1"})
    assert (other.code, other.err) == (0, "")
    assert "\u2019" in plain.out
    assert other.out == plain.out.encode("latin-1", "backslashreplace").decode()


def stopped(arguments: Sequence[object], sent: signal.Signals) -> tuple[str, int, str, str]:
    """Send a command a signal when it has said something: its first line, its exit code, and the rest of its output."""
    with start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        first = process.stderr.readline().decode()
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    return first, process.returncode, out.decode(), err.decode()


def test_an_interrupt_says_so_and_leaves_a_root_that_goes_on(tmp_path: Path) -> None:
    """Ctrl-C ends with 130 and a summary; what is committed stands, and the same command finishes the rest."""
    files = make(tmp_path / "in", GenerateOptions(files=3, records=1500))
    root = tmp_path / "lake"
    arguments = ("convert", files.folder, "--to", root, "--jobs", "1", "--verbose")
    first, code, out, err = stopped(arguments, signal.SIGINT)
    assert first.startswith("committed: ")
    assert code == 130
    counted = re.match(r"3 sources: ([12]) converted, 0 skipped, 0 failed, ([12]) not begun\n", out)
    assert counted is not None, out
    assert int(counted[1]) + int(counted[2]) == 3
    assert err.strip().splitlines()[-1] == "wsparquet: interrupted; run the same command again to continue"
    assert "Traceback" not in err
    assert_at_rest(root)
    again = spawn(*arguments[:-1], "--output", "json")
    assert again.code == 0
    assert files.names[0] in again.json["skipped"]
    assert sorted(again.json["skipped"] + again.json["committed"]) == sorted(files.names)
    assert again.json["committed"]


def test_an_interrupted_replay_has_its_summary(tmp_path: Path) -> None:
    """It counts what is replaced already, and what the same command still has to do."""
    kinds = ("unknown_metadata_field",)
    files = make(tmp_path / "in", GenerateOptions(files=3, records=1500, defects=True, only=kinds))
    root = tmp_path / "lake"
    spawn("convert", files.folder, "--to", root, "--quiet")
    arguments = ("replay", root, files.folder, "--again", "--jobs", "1", "--verbose", "--output", "json")
    first, code, out, err = stopped(arguments, signal.SIGTERM)
    assert first.startswith("replaced: ")
    summary = json.loads(out)
    assert (code, summary["failed"]) == (130, []), err
    assert len(summary["committed"]) + summary["not_begun"] == summary["sources"] == 3
    assert 0 < summary["not_begun"] < 3
    assert_at_rest(root)


def test_many_interrupts_in_a_row_show_no_traceback(tmp_path: Path) -> None:
    """Whatever the process is doing when the next Ctrl-C comes, it ends with 130, and the root can be used again."""
    files = make(tmp_path / "in", GenerateOptions(files=3, records=1500))
    arguments = ("convert", files.folder, "--to", tmp_path / "lake", "--jobs", "1", "--verbose")
    with start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
        err = process.stderr.read()
    assert first.startswith(b"committed: ")
    # While Python itself ends, its default handler is in force again; a shell reports 130 for it, too.
    assert process.returncode in {130, -signal.SIGINT}
    assert b"Traceback" not in err, err
    assert b"KeyboardInterrupt" not in err, err
    assert spawn(*arguments).code == 0
    assert_at_rest(tmp_path / "lake")


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("convert", "--help"), ("inspect", "--help"), ("generate", "--help"), ("nope",)],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    """A help text, and an answer to wrong usage, wait for no heavy library."""
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print(sorted(set(sys.modules) & set({HEAVY!r})), file=sys.stderr))\n"
        f"sys.argv = ['wsparquet', *{arguments!r}]\n"
        "from wsparquet.cli import main\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert ran.stderr.decode().splitlines()[-1] == "[]"


def test_ctrl_c_while_the_program_is_imported_shows_no_traceback(tmp_path: Path) -> None:
    """The process ends by the signal before there is anything that could print a message."""
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nraise SystemExit(7)\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-m", "wsparquet", "--version"]
    ran = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (-signal.SIGINT, b"", b"")
    (tmp_path / "click.py").unlink()
    ran = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)
    assert ran.stdout.startswith(b"wsparquet ")


def test_help_answers_at_once() -> None:
    """`wsparquet --help` takes under 0.3 s of processor time, in the best of a few runs: others use the cores, too."""
    used = []
    for _ in range(4):
        before = os.times()
        assert spawn("--help").code == 0
        after = os.times()
        used.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(used) < 0.3


def test_streaming_input_is_read_as_it_comes(good: Files, tmp_path: Path) -> None:
    """Standard input may come in pieces, slowly."""
    stored = good.paths[0].read_bytes()
    root = tmp_path / "lake"
    with start("convert", "-", "--to", root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for at in range(0, len(stored), 1 + len(stored) // 4):
            process.stdin.write(stored[at : at + 1 + len(stored) // 4])
            process.stdin.flush()
            time.sleep(0.02)
        process.stdin.close()
        out = process.stdout.read()
    assert process.returncode == 0
    assert f"{good.expected[0].records} records".encode() in out
