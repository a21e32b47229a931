"""Whether the tutorial works as written: commands from an empty folder on, their output, and the Python below them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.guides.pages import Command, agrees, commands, follow
from tests.guides.snippets import run_python

PAGE = "tutorial.md"


@dataclass(frozen=True)
class Followed:
    """The folder that the commands ran in, and each of them with its exit code and standard output."""

    folder: Path
    answers: list[tuple[Command, int, str]]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """A learner who types all commands of the tutorial, as they stand, into one shell in an empty folder."""
    folder = tmp_path_factory.mktemp("tutorial")
    return Followed(folder, follow(PAGE, folder))


def test_every_command_ends_well(followed: Followed) -> None:
    """Each exits with 0: none needs what the tutorial has not made by then."""
    assert [(command.text, code) for command, code, _ in followed.answers if code] == []
    assert len(followed.answers) == len(commands(PAGE)) > 15


def test_every_output_is_the_one_that_the_page_shows(followed: Followed) -> None:
    """What a learner sees is what the page shows, and a command that prints something is shown with its output."""
    for command, _, out in followed.answers:
        assert agrees(command.expected, out), f"{PAGE}:{command.line}: {command.text} printed:\n{out}"


def test_the_python_of_the_tutorial_answers(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every query finds rows in the lake that the commands made."""
    monkeypatch.chdir(followed.folder)
    assert len(run_python(PAGE)) == 3
