"""How parsed values become a command's dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from wsparquet.cli.arguments import group, takes


@dataclass(frozen=True)
class Shared:
    """Options of several commands."""

    b: int


@dataclass(frozen=True)
class Arguments:
    """Arguments of one command."""

    a: int
    shared: Shared = field(metadata=group(Shared))


@takes(Arguments)
def command(given: Arguments) -> int:
    """The sum."""
    return given.a + given.shared.b


def test_values_fill_the_dataclass_and_its_groups() -> None:
    """Each value reaches the field of its name, in the dataclass or in one of its groups; the help text stays."""
    assert command(a=1, b=2) == 3
    assert command.__doc__ == "The sum."


def test_a_parameter_without_a_field_is_an_error() -> None:
    """A value that no field takes is an error, never ignored."""
    with pytest.raises(TypeError, match=r"a field of Arguments for each parameter, found none for \['c'\]"):
        command(a=1, b=2, c=3)


def test_a_field_without_a_parameter_is_an_error() -> None:
    """A field that click gives no value is an error, never a default."""
    with pytest.raises(KeyError, match="b"):
        command(a=1)
