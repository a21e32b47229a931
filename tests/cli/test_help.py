"""What the program says of itself, and that every example in its help texts runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import PROGRAM, api_environment, run
from tests.support.forked import folder_for_path
from wsparquet.cli import cli
from wsparquet.emulator import Emulator, EmulatorOptions, serving
from wsparquet.generate import GenerateOptions, generate

COMMANDS = tuple(sorted(cli.commands))


def help_of(command: str | None) -> str:
    """A help text, on standard output with exit code 0."""
    ran = run(*filter(None, [command]), "--help")
    assert (ran.code, ran.err) == (0, "")
    return ran.out


def examples(command: str | None) -> list[str]:
    """The lines behind `Example:` in a help text."""
    block = re.search(r"^ *Examples?:\n((?: {4}\S.*\n)+)", help_of(command), re.MULTILINE)
    return [line.strip() for line in block[1].splitlines()] if block else []


def test_the_commands_are_those_of_the_program() -> None:
    """The program lists every command with a line of help."""
    text = help_of(None)
    assert COMMANDS == (
        "changes", "clean", "compact", "convert", "drift", "erase", "expire", "extend", "fetch", "generate", "inspect",
        "list", "publish", "remove", "replay", "report", "schema", "serve", "sql", "status", "sync", "verify", "views",
    )  # fmt: skip
    for command in COMMANDS:
        assert re.search(rf"^  {command} +[A-Z].*\.$", text, re.MULTILINE)


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_help_has_an_example_and_explains_every_option(command: str | None) -> None:
    """Each help text has an example with the program's name, and no option is without help."""
    assert examples(command)
    assert all("wsparquet " in line for line in examples(command))
    for parameter in (cli if command is None else cli.commands[command]).params:
        if parameter.param_type_name == "option":
            assert getattr(parameter, "help", None), parameter.name


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all files that the examples name, and a root that some of them work on."""
    folder = tmp_path_factory.mktemp("template")
    options = GenerateOptions(files=2, records=20)
    files = [path for name in ("downloads", "raw") for path in generate(folder / name, options)]
    (folder / "session.gz").write_bytes(files[0].read_bytes())
    (folder / "ids.txt").write_text("visitor A1B2C3D4E5")
    (folder / "more.toml").write_text('[structs.Navigation.fields]\ntitle = "string"\n')
    assert run("convert", folder / "downloads", "--to", folder / "lake").code == 0
    assert run("changes", folder / "lake", "--next", folder / "load.token").code == 0
    return folder


@pytest.fixture
def prepared(template: Path, tmp_path: Path) -> Path:
    """A copy of the template, which an example may change."""
    return shutil.copytree(template, tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    """A server for the examples that speak with one."""
    with serving(EmulatorOptions(hours=2, size=20_000)) as emulator:
        yield emulator


@pytest.mark.parametrize(("command", "line"), [(name, line) for name in (None, *COMMANDS) for line in examples(name)])
def test_an_example_runs(prepared: Path, served: Emulator, command: str | None, line: str) -> None:
    """An example, as it stands, runs in a shell and ends with exit code 0."""
    # Ten megabytes a file take the generator some seconds; the example is the same with less.
    shorter = line.replace("--size 10M", "--size 100k")
    path = os.pathsep.join([str(folder_for_path()), str(PROGRAM.parent), os.environ["PATH"]])
    environment = {**os.environ, **api_environment(served), "PATH": path, "WSPARQUET_KEY": "5e" * 32}
    shell = ["bash", "-o", "pipefail", "-c", shorter]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(shell, cwd=prepared, env=environment, start_new_session=True, **pipes) as process:
        first = b""
        if "wsparquet serve" in line:
            # A server runs until it is stopped, and ends well then. It is ready once it says where it is.
            first = process.stdout.readline()
            os.killpg(process.pid, signal.SIGTERM)
        rest, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    assert first + rest or ">" in line


def test_the_version_says_which_decoder_is_active() -> None:
    """`--version` prints the version of the package and the decoder."""
    ran = run("--version")
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(rf"wsparquet {re.escape(version('wsparquet'))} \((native|reference) decoder\)\n", ran.out)


def test_h_is_help() -> None:
    """`-h` is the same as `--help`."""
    assert run("-h").out == help_of(None)
    assert run("convert", "-h").out == help_of("convert")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("convrt",),
        ("--nope",),
        ("convert",),
        ("convert", "x"),
        ("convert", "--to", "lake"),
        ("convert", "x", "--to", "lake", "--jobs", "0"),
        ("convert", "x", "--to", "lake", "--jobs", "two"),
        ("convert", "x", "--to", "lake", "--max-quarantined", "-1"),
        ("convert", "x", "--to", "lake", "--decoder", "fast"),
        ("convert", "x", "--to", "lake", "--output", "xml"),
        ("convert", "x", "--to", "lake", "--max-ratio", "0"),
        ("convert", "x", "--to", "lake", "--max-record", "1.5M"),
        ("extend",),
        ("extend", "lake", "--check", "more.toml"),
        ("inspect",),
        ("inspect", "x", "--samples", "-1"),
        ("remove",),
        ("remove", "lake"),
        ("remove", "lake", "--before", "soon"),
        ("expire",),
        ("expire", "lake"),
        ("expire", "lake", "--older-than", "1d", "--stop"),
        ("schema", "geo", "navigation"),
        ("generate",),
        ("sync", "--account", "1"),
        ("sync", "--to", "lake"),
        ("fetch", "--account", "1"),
        ("list",),
        ("status",),
        ("serve", "--fault", "500"),
        ("sql",),
        ("sql", "lake"),
        ("sql", "lake", "FROM geo", "--tables"),
        ("sql", "lake", "FROM geo", "--format", "parquet"),
        ("changes",),
        ("views", "lake"),
        ("report", "lake"),
        ("report", "lake", "--html", "x.html", "--samples", "-1"),
        ("drift", "lake", "--by", "week"),
        ("changes", "lake", "--since", "no such file"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong usage says on standard error what is wrong and how to get help, and does nothing."""
    monkeypatch.chdir(tmp_path)
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Usage: wsparquet" in ran.err
    assert not list(tmp_path.iterdir())


def test_the_help_says_how_to_complete() -> None:
    """The line of the help makes bash complete commands, options and tables."""
    (line,) = [line.strip() for line in help_of(None).splitlines() if "_WSPARQUET_COMPLETE" in line]
    script = f"""{line}
    complete -p wsparquet
    for words in "wsparquet conv" "wsparquet convert --verb" "wsparquet schema --as duck" "wsparquet schema nav"; do
        COMP_WORDS=($words); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        COMPREPLY=(); _wsparquet_completion wsparquet; echo "${{COMPREPLY[@]}}"
    done"""
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--norc", "-c", script]
    ran = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    first, *found = ran.stdout.decode().splitlines()
    assert first == "complete -o nosort -F _wsparquet_completion wsparquet"
    assert found == ["convert", "--verbose", "duckdb", "navigation"]
