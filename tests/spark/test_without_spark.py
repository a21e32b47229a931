"""What of wsparquet/spark/ works without PySpark: its import, its help, and its messages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from wsparquet.cli import cli
from wsparquet.spark.__main__ import LEFT_OUT, program

WITHOUT = "import sys; sys.modules['pyspark'] = None; "


def python(code: str) -> str:
    """What an interpreter without PySpark prints."""
    return subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True, check=True).stdout


def test_the_package_can_be_imported_without_pyspark() -> None:
    """Importing names no missing module; using it names the remedy."""
    assert (
        python("import wsparquet.spark as s; print(*s.__all__)")
        == "compact convert register replay sync verify views\n"
    )
    call = "import wsparquet.spark\ntry: wsparquet.spark.{}\nexcept wsparquet.WsparquetError as error: print(error)"
    for function in ("compact(None, 'b')", "convert(None, 'a', to='b')", "views(None, 'b')", "register(None)"):
        assert "install it with `pip install 'wsparquet[spark]'`" in python(f"exec({call.format(function)!r})")


def test_the_program_fails_in_one_line_without_pyspark(tmp_path: Path) -> None:
    """As any expected failure: exit code 1, no traceback."""
    code = WITHOUT + "from wsparquet.spark.__main__ import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "convert", "a", "--to", tmp_path / "lake"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr.startswith("wsparquet: expected PySpark, found none")) == (1, True)
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["compact", "convert", "replay", "sync", "verify"])
def test_a_command_has_the_options_of_its_namesake(name: str) -> None:
    """All but those that Spark's settings or a scheduler replace, each with its variable and help."""
    local = {each.name: each for each in cli.commands[name].params}
    assert {each.name for each in program.commands[name].params} == {*local} - LEFT_OUT
    assert {"jobs"} <= {*local} & LEFT_OUT
    assert {each.name for each in program.commands[name].params if each is not local[each.name]} <= {"downloads"}
    shown = CliRunner().invoke(program, [name, "--help"])
    assert (shown.exit_code, "--jobs" in shown.output, "--every" in shown.output) == (0, False, False)


def test_a_task_downloads_one_file_at_once_unless_told() -> None:
    """Tasks run side by side, and the server sees the downloads of all of them; the local command keeps its default."""
    for group, default in ((program, 1), (cli, 4)):
        assert [each.default for each in group.commands["sync"].params if each.name == "downloads"] == [default]


def test_a_wrong_option_is_wrong_usage() -> None:
    """Options are checked as `wsparquet` does."""
    shown = CliRunner().invoke(program, ["convert", "a", "--to", "b", "--jobs", "2"])
    assert (shown.exit_code, "No such option" in shown.output) == (2, True)
