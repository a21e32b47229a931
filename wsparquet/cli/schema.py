"""`wsparquet schema`: print the definitions of the tables, or compare them with the server's schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from wsparquet.cli.api_options import ServerOptions, api_options
from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import output_option
from wsparquet.cli.output import present, say
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from wsparquet.api import Retry

__all__ = ["schema"]

FORMS = ("arrow", "markdown", "avro", "spark", "duckdb", "athena", "bigquery")
ONLY_REMOTE = {"--version", "--account", "--region", "--base-url", "--pause", "--credentials", "--profile"}


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet schema`; ``file`` is a saved schema of the server."""

    table: str | None
    form: str
    remote: bool
    file: str | None
    diff: bool
    version: str
    output: str
    server: ServerOptions = field(metadata=group(ServerOptions))


@click.command(short_help="Print table definitions; compare the server's schema.")
@click.argument("table", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice(FORMS),
    default="arrow",
    show_default=True,
    help="Form of the definition.",
)
@click.option("--remote", is_flag=True, help="Print the schema that the Data Access API publishes, as JSON.")
@click.option(
    "--from",
    "file",
    type=click.Path(dir_okay=False, exists=True, allow_dash=True),
    help="A file with a saved schema of the Data Access API, or - for standard input.",
)
@click.option(
    "--diff", is_flag=True, help="Compare the API's schema with ours, field by field; exit code 1 if they differ."
)
@click.option("--version", default="latest", show_default=True, help="Version of the API's schema.")
@api_options(required=False)
@output_option
@takes(Arguments)
def schema(given: Arguments) -> int:
    """Print the definition of TABLE, or of all tables.

    With --remote, print the server's schema instead; with --diff, compare it with these definitions.

    To compare a saved schema, use `--from schema.json --diff`. The exit codes of --diff are those of the program diff:
    0 means no difference; 1 means a difference, or that there was nothing to compare.

    \b
    Examples:
      wsparquet schema navigation --as markdown
      wsparquet schema --as athena > tables.sql
      wsparquet schema --remote --account 75555851 > schema.json
      wsparquet schema --remote --account 75555851 --diff
    """
    _check(click.get_current_context())
    if not given.remote and given.file is None:
        from wsparquet.render import render

        _check_table(given.table)
        say(render(given.table, given.form), nl=False)
        return ExitCode.DONE
    answer = _ask(given) if given.file is None else _read(given.file)
    return _compare(answer, given.output) if given.diff else _print(answer)


def _check(context: click.Context) -> None:
    """Reject options that contradict each other, instead of ignoring one of them."""
    flags = {each.name: each.opts[0] for each in context.command.params if each.name is not None}
    flags["table"] = "TABLE"
    given = [flag for name, flag in flags.items() if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    whence = [flag for flag in given if flag in {"TABLE", "--remote", "--from"}]
    if len(whence) > 1:
        raise click.UsageError(f"expected one of TABLE, --remote and --from, found {' and '.join(whence)}")
    if "--diff" in given and not {"--remote", "--from"} & {*given}:
        raise click.UsageError("expected --remote or --from FILE with --diff, found neither")
    if "--remote" in given and context.params["account"] is None:
        raise click.UsageError("expected --account with --remote, found none")
    for flag in given:
        needed = "--diff" if flag == "--output" else "--remote" if flag in ONLY_REMOTE else None
        if needed is not None and needed not in given:
            raise click.UsageError(f"expected {needed} with {flag}, found none")
    if "--as" in given and whence not in ([], ["TABLE"]):
        raise click.UsageError(f"expected --as with our own definitions, found it with {whence[0]}")


def _check_table(table: str | None) -> None:
    """Reject an unknown table, and suggest the most similar name."""
    from difflib import get_close_matches

    from wsparquet.schema import TABLES

    if table is not None and table not in TABLES:
        near = get_close_matches(table, TABLES, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise click.UsageError(f"expected a table, one of {', '.join(TABLES)}; found {printable(table)!r}{meant}")


def _ask(given: Arguments) -> Any:
    import asyncio

    from wsparquet.api import Client

    api, credentials = given.server.api(), given.server.loaded_credentials()

    async def ask() -> Any:
        async with Client(given.server.account, credentials, options=api, on_retry=_say_retry) as client:
            return await client.schema(given.version)

    return asyncio.run(ask())


def _say_retry(retry: Retry) -> None:
    say(printable(f"{retry.reason}; retrying in {retry.wait_seconds:.0f} s"), err=True)


def _read(file: str) -> Any:
    from wsparquet.remote_schema import parse_schema

    with click.open_file(file, "rb") as opened:
        return parse_schema(opened.read(), place="standard input" if file == "-" else file)


def _print(answer: Any) -> int:
    import json

    say(json.dumps(answer, indent=2))
    return ExitCode.DONE


def _compare(answer: Any, output: str) -> int:
    from wsparquet.remote_schema import compare_schema

    comparison = compare_schema(answer)
    present(comparison, output)
    return ExitCode.FAILED if comparison.differences else ExitCode.DONE
