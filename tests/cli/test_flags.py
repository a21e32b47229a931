"""How the library's names of parameters become the options of the command line."""

from __future__ import annotations

import doctest

import pytest

from wsparquet.cli import cli, exit_codes, flags
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.flags import ODD_FLAGS, SAME_FLAGS, in_flags
from wsparquet.errors import DatasetError, PlaceError, SourceError, WsparquetError

OPTIONS = {option for command in cli.commands.values() for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("parameter", sorted({*ODD_FLAGS, *SAME_FLAGS}))
def test_every_flag_is_an_option_of_a_command(parameter: str) -> None:
    """A parameter in backticks becomes an option that some command has."""
    found = in_flags(f"expected more, found less; raise `{parameter}`")
    assert found.removeprefix("expected more, found less; raise ") in OPTIONS


@pytest.mark.parametrize("text", ["max_inflated", "see `wsparquet inspect`", "the column `rescued`", "`nope`", "a`b"])
def test_other_text_stays_as_it_is(text: str) -> None:
    """Text without a parameter in backticks is not changed."""
    assert in_flags(text) == text


def test_the_example_runs() -> None:
    """The example in the docstring prints what it says."""
    assert doctest.testmod(flags).failed == 0


def test_an_error_has_an_exit_code() -> None:
    """A wrong place, or a wrong parameter, is wrong usage; every other error is a failure."""
    wrong_parameter = WsparquetError("`jobs`: expected 1 or more, found 0")
    wrong_parameter.parameter = "jobs"  # type: ignore[attr-defined]
    assert exit_codes.of_error(wrong_parameter) is ExitCode.WRONG_USAGE
    assert exit_codes.of_error(PlaceError("x")) is ExitCode.WRONG_USAGE
    assert exit_codes.of_error(DatasetError("x")) is ExitCode.FAILED
    assert exit_codes.of_error(SourceError("x")) is ExitCode.FAILED
