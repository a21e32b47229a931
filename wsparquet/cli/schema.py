"""`wsparquet schema`: the tables' definitions, for people and engines; the server's schema, and how it differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wsparquet.cli.api_options import api_of, api_options
from wsparquet.cli.options import output_option
from wsparquet.cli.output import make_output, say

__all__ = ["schema"]

FORMS = ("arrow", "markdown", "avro", "spark", "duckdb", "athena", "bigquery")


@click.command(short_help="Print the definition of a table, or of all.")
@click.argument("table", required=False)
@click.option("--as", "form", type=click.Choice(FORMS), default="arrow", show_default=True, help="For whom.")
@click.option("--remote", is_flag=True, help="Print the schema that the Data Access API publishes instead, as JSON.")
@click.option("--from", "file", type=click.Path(dir_okay=False, exists=True), help="A file with that schema.")
@click.option("--diff", is_flag=True, help="Compare that schema with ours, field by field; exit code 1 if they differ.")
@click.option("--version", default="latest", show_default=True, help="Of the schema that the API publishes.")
@api_options(required=False)
@output_option
def schema(table: str | None, form: str, **options: Any) -> int:
    """Print the definition of TABLE, or of all tables; or what the server publishes, and how it differs.

    \b
    Examples:
      wsparquet schema navigation --as markdown
      wsparquet schema --as athena > tables.sql
      wsparquet schema --remote --account 75555851 > remote.json
    """
    remote, file, diff, output = (options.pop(name) for name in ("remote", "file", "diff", "output"))
    if not remote and file is None:
        if diff:
            raise click.UsageError("expected --remote or --from FILE with --diff, found neither")
        from wsparquet.render import render

        say(render(table, form), nl=False)
        return 0
    if table is not None or (remote and file is not None):
        raise click.UsageError("expected either TABLE, --remote or --from, found more than one of them")
    answer = _ask(**options) if file is None else _read(Path(file))
    return _compare(answer, output) if diff else _print(answer)


def _ask(version: str, **options: Any) -> Any:
    import asyncio

    from wsparquet.api import Client

    if options["account"] is None:
        raise click.UsageError("expected --account with --remote, found none")
    account, credentials, api = api_of(options)

    async def ask() -> Any:
        async with Client(account, credentials, options=api) as client:
            return await client.schema(version)

    return asyncio.run(ask())


def _read(path: Path) -> Any:
    from wsparquet.remote_schema import parse_schema

    return parse_schema(path.read_bytes(), place=str(path))


def _print(answer: Any) -> int:
    import json

    say(json.dumps(answer, indent=2))
    return 0


def _compare(answer: Any, output: str) -> int:
    from wsparquet.remote_schema import compare_schema

    comparison = compare_schema(answer)
    make_output(output).compared(comparison)
    return 1 if comparison.differences else 0
