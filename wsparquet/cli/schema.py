"""`wsparquet schema`: the tables' definitions, for people and engines; the server's schema, and how it differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from wsparquet.cli.api_options import api_of, api_options
from wsparquet.cli.options import output_option
from wsparquet.cli.output import make_output, say
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from wsparquet.api import Retry

__all__ = ["schema"]

FORMS = ("arrow", "markdown", "avro", "spark", "duckdb", "athena", "bigquery")
ONLY_REMOTE = {"--version", "--account", "--region", "--base-url", "--pause", "--credentials"}


@click.command(short_help="Print the definition of a table, or of all; compare the server's.")
@click.argument("table", required=False)
@click.option("--as", "form", type=click.Choice(FORMS), default="arrow", show_default=True, help="For whom.")
@click.option("--remote", is_flag=True, help="Print the schema that the Data Access API publishes instead, as JSON.")
@click.option(
    "--from", "file", type=click.Path(dir_okay=False, exists=True, allow_dash=True), help="A file with that schema."
)
@click.option("--diff", is_flag=True, help="Compare that schema with ours, field by field; exit code 1 if they differ.")
@click.option("--version", default="latest", show_default=True, help="Of the schema that the API publishes.")
@api_options(required=False)
@output_option
@click.pass_context
def schema(context: click.Context, /, table: str | None, form: str, **options: Any) -> int:
    """Print the definition of TABLE, or of all tables; or what the server publishes, and how it differs.

    A saved schema is compared by `--from schema.json --diff`, where `-` is standard input. As with diff, exit code 0
    means that nothing differs and 1 that something does, or that there was nothing to compare.

    \b
    Examples:
      wsparquet schema navigation --as markdown
      wsparquet schema --as athena > tables.sql
      wsparquet schema --remote --account 75555851 > schema.json
      wsparquet schema --remote --account 75555851 --diff
    """
    remote, file, diff, output = (options.pop(name) for name in ("remote", "file", "diff", "output"))
    _check(context)
    if not remote and file is None:
        from wsparquet.render import render

        _check_table(table)
        say(render(table, form), nl=False)
        return 0
    answer = _ask(**options) if file is None else _read(file)
    return _compare(answer, output) if diff else _print(answer)


def _check(context: click.Context) -> None:
    """Refuse options that mean nothing together: none is passed over in silence."""
    flags = {each.name: each.opts[0] for each in context.command.params if each.name is not None}
    flags["table"] = "TABLE"
    given = [flag for name, flag in flags.items() if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    whence = [flag for flag in given if flag in {"TABLE", "--remote", "--from"}]
    if len(whence) > 1:
        raise click.UsageError(f"expected one of TABLE, --remote and --from, found {' and '.join(whence)}")
    if "--diff" in given and not {"--remote", "--from"} & {*given}:
        raise click.UsageError("expected --remote or --from FILE with --diff, found neither")
    if "--remote" in given and "--account" not in given:
        raise click.UsageError("expected --account with --remote, found none")
    for flag in given:
        needed = "--diff" if flag == "--output" else "--remote" if flag in ONLY_REMOTE else None
        if needed is not None and needed not in given:
            raise click.UsageError(f"expected {needed} with {flag}, found none")
    if "--as" in given and whence not in ([], ["TABLE"]):
        raise click.UsageError(f"expected --as with our own definitions, found it with {whence[0]}")


def _check_table(table: str | None) -> None:
    """Refuse a table that there is not, and say which was meant."""
    from difflib import get_close_matches

    from wsparquet.schema import TABLES

    if table is not None and table not in TABLES:
        near = get_close_matches(table, TABLES, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise click.UsageError(f"expected a table, one of {', '.join(TABLES)}; found {printable(table)!r}{meant}")


def _ask(version: str, **options: Any) -> Any:
    import asyncio

    from wsparquet.api import Client

    account, credentials, api = api_of(options)

    async def ask() -> Any:
        async with Client(account, credentials, options=api, on_retry=_say_retry) as client:
            return await client.schema(version)

    return asyncio.run(ask())


def _say_retry(retry: Retry) -> None:
    say(printable(f"{retry.reason}; trying again in {retry.wait_seconds:.0f} s"), err=True)


def _read(file: str) -> Any:
    from wsparquet.remote_schema import parse_schema

    with click.open_file(file, "rb") as opened:
        return parse_schema(opened.read(), place="standard input" if file == "-" else file)


def _print(answer: Any) -> int:
    import json

    say(json.dumps(answer, indent=2))
    return 0


def _compare(answer: Any, output: str) -> int:
    from wsparquet.remote_schema import compare_schema

    comparison = compare_schema(answer)
    make_output(output).compared(comparison)
    return 1 if comparison.differences else 0
