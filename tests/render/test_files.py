"""``schemas/`` holds what the schema says now, and the module's command writes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wsparquet.render import FORMS, files
from wsparquet.render.views import VIEW_FORMS
from wsparquet.schema import TABLES

SCHEMAS = Path(__file__).parents[2] / "schemas"
REMEDY = "run: python -m wsparquet.render schemas"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The module's command."""
    return subprocess.run(
        [sys.executable, "-m", "wsparquet.render", *arguments], capture_output=True, text=True, check=False
    )


def content(folder: Path) -> dict[str, str]:
    """Every file below a folder by its path."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in paths}


def test_every_table_has_a_file_of_every_form() -> None:
    """There is one file for each form and table, and for each form of the views, whose text ends with one newline."""
    texts = files()
    assert len(texts) == len(FORMS) * len(TABLES) + len(VIEW_FORMS)
    assert {tuple(path.rsplit(".", 1)[0].split("/")) for path in texts} == {
        *((form, name) for form in FORMS for name in TABLES),
        *(("views", form) for form in VIEW_FORMS),
    }
    assert [path for path, text in texts.items() if not text.endswith("\n") or text.endswith("\n\n")] == []


def test_the_folder_is_current() -> None:
    """The folder's files are the renderings, no more and no fewer, beside its README."""
    found, expected = content(SCHEMAS), files()
    assert set(found) - {"README.md"} == set(expected), REMEDY
    assert [path for path, text in expected.items() if found[path] != text] == [], REMEDY


def test_the_readme_tells_every_form() -> None:
    """The folder's README has a line for each form."""
    text = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    assert [form for form in FORMS if f"`{form}/" not in text] == []


def test_the_command_writes_all_files(tmp_path: Path) -> None:
    """The command writes what ``files`` has, also over older files."""
    folder = tmp_path / "new" / "schemas"
    for _ in range(2):
        done = run(str(folder))
        assert (done.returncode, done.stderr) == (0, "")
        assert content(folder) == files()


@pytest.mark.parametrize("arguments", [[], ["a", "b"]])
def test_the_command_refuses_wrong_usage(arguments: list[str]) -> None:
    """The command takes one folder."""
    assert run(*arguments).returncode == 2


def test_the_command_says_what_it_could_not_write(tmp_path: Path) -> None:
    """A folder below a file is an error of one line."""
    (tmp_path / "file").touch()
    done = run(str(tmp_path / "file" / "schemas"))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert str(tmp_path / "file") in done.stderr
