"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from wsparquet.decode import Limits
    from wsparquet.source import SourceLimits

__all__ = [
    "BYTES",
    "conversion_options",
    "decoder_option",
    "limit_options",
    "limits",
    "output_option",
    "quiet_option",
    "single_writer_option",
    "storage_option",
]

Command = TypeVar("Command", bound=Callable[..., Any])
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class _Bytes(click.ParamType):
    """A number of bytes, 1 or more: ``1500000``, ``64M``, ``2GiB``; units are powers of 1024."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number."""
        match = re.fullmatch(r"\s*(0*[1-9][0-9]*)\s*([kmgt]?)(?:i?b)?\s*", str(value), re.IGNORECASE)
        if match is None:
            self.fail(f"expected a number of bytes such as 1500000, 64M or 2GiB, found {value!r}", param, ctx)
        return int(match[1]) * int(1024 ** _UNITS[match[2].lower()])


BYTES = _Bytes()

output_option = click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or programs.",
)
quiet_option = click.option("--quiet", is_flag=True, help="No progress.")
decoder_option = click.option(
    "--decoder",
    type=click.Choice(["auto", "native", "reference"]),
    default="auto",
    show_default=True,
    help="auto is the native one, where this installation has it, else the reference.",
)


def _storage_options(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, object]:
    """The pairs of ``--storage-option KEY=VALUE``."""
    pairs = [value.partition("=") for value in values]
    for key, equals, _value in pairs:
        if not key or not equals:
            found = f"{_shown(key)} without =" if key else "nothing before ="
            raise click.BadParameter(f"expected KEY=VALUE, found {found}", param=parameter)
    return {key: _storage_value(value) for key, _equals, value in pairs}


def _shown(text: str) -> str:
    """``text`` if it can be a key; anything else may be a secret."""
    return repr(text) if re.fullmatch("[A-Za-z_.]{1,30}", text) else "text"


def _storage_value(text: str) -> object:
    """Text as it stands, but for what can be no other text's form: true, false, a JSON object or list."""
    if text not in {"true", "false"} and text[:1] not in {"{", "["}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


storage_option = click.option(
    "--storage-option",
    "storage",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_storage_options,
    help="For fsspec and s3fs, such as endpoint_url or profile; http(s) sources get those that they know. true, false "
    "and JSON are values.",
)
single_writer_option = click.option(
    "--single-writer", is_flag=True, help="No other run writes ROOT meanwhile; for stores that cannot keep two apart."
)


def limit_options(command: Command) -> Command:
    """The options that bound what one source may ask for."""
    options = (
        ("--max-inflated", BYTES, "64GiB", "Inflated bytes of one source."),
        ("--max-ratio", click.IntRange(min=1), None, "Inflated bytes for each stored one."),
        ("--max-record", BYTES, "64MiB", "Bytes of one record."),
        ("--max-line", BYTES, "256MiB", "Bytes of one stretch outside any readable container."),
    )
    for name, kind, default, text in reversed(options):
        full = f"{text} Past it the source fails."
        command = click.option(name, type=kind, default=default, show_default=default is not None, help=full)(command)
    return command


def conversion_options(command: Command) -> Command:
    """The options of every command that converts into a root: how, from where, to where, and what is said."""
    options = (decoder_option, limit_options, storage_option, single_writer_option, output_option, quiet_option)
    for option in reversed(options):
        command = option(command)
    return command


def limits(options: dict[str, Any]) -> tuple[SourceLimits, Limits]:
    """The limits that ``limit_options`` gave, taken out of ``options``."""
    from wsparquet.decode import Limits
    from wsparquet.source import SourceLimits

    inflated, ratio = options.pop("max_inflated"), options.pop("max_ratio")
    source_limits = SourceLimits(max_inflated=inflated, **({"max_ratio": ratio} if ratio else {}))
    return source_limits, Limits(max_record=options.pop("max_record"), max_line=options.pop("max_line"))
