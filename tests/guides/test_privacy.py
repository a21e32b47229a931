"""Whether the page on privacy is true: its commands run in one folder, from the key to the certificate."""

from __future__ import annotations

import json
from pathlib import Path

from tests.guides.pages import agrees, commands, follow, page
from wsparquet.schema import TABLES
from wsparquet.schema.leaves import leaf_columns

PAGE = "privacy.md"


def test_the_commands_work_as_written(tmp_path: Path) -> None:
    """Each ends with 0 and prints what the page shows; the first two need a root, which a later block makes."""
    assert len(commands(PAGE)) > 7
    assert follow_from(tmp_path) == []
    assert json.loads((tmp_path / "certificate.json").read_text())["dry_run"] is False


def follow_from(folder: Path) -> list[str]:
    """The commands that fail or print something else than the page, in a folder that has a root already."""
    from tests.cli.program import run

    assert run("generate", folder / "first", "--files", 1, "--size", "20k").code == 0
    assert run("convert", folder / "first", "--to", folder / "lake").code == 0
    wrong = []
    for command, code, out in follow(PAGE, folder):
        if (code, agrees(command.expected, out)) != (0, True):
            wrong.append(f"{command.line}: {command.text}: {code}\n{out}")
    return wrong


def test_every_personal_column_is_a_column() -> None:
    """The names in the table of personal columns are names of the schema."""
    known = {step for table in TABLES.values() for leaf in leaf_columns(table.schema) for step in leaf.steps if step}
    (table,) = [part for part in page(PAGE).split("\n\n") if part.startswith("| table | columns |")]
    named = {each for each in table.split("`")[1::2] if not each.islower() or "_" not in each}
    assert named - {*TABLES} <= known
