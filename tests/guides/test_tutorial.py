"""Whether the tutorial works as written: commands from an empty folder on, their output, and the Python below them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guides.pages import agrees, commands, follow
from tests.guides.snippets import run_python

PAGE = "tutorial.md"


@pytest.mark.long
def test_the_tutorial_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A learner who types all commands into one shell sees what the page shows; then each Python block finds rows.

    One test, since all of it needs the folder that the commands make.
    """
    answers = follow(PAGE, tmp_path)
    assert len(answers) == len(commands(PAGE)) > 15
    assert [(command.text, code) for command, code, _ in answers if code] == []
    for command, _, out in answers:
        assert agrees(command.expected, out), f"{PAGE}:{command.line}: {command.text} printed:\n{out}"
    monkeypatch.chdir(tmp_path)
    assert len(run_python(PAGE)) == 3
