"""`wsparquet schema`: the tables' definitions, for people and engines."""

from __future__ import annotations

import click

from wsparquet.cli.output import say

__all__ = ["schema"]

FORMS = ("arrow", "markdown", "avro", "spark", "duckdb", "athena", "bigquery")


@click.command(short_help="Print the definition of a table, or of all.")
@click.argument("table", required=False)
@click.option("--as", "form", type=click.Choice(FORMS), default="arrow", show_default=True, help="For whom.")
def schema(table: str | None, form: str) -> int:
    """Print the definition of TABLE, or of all tables.

    \b
    Examples:
      wsparquet schema navigation --as markdown
      wsparquet schema --as athena > tables.sql
    """
    from wsparquet.render import render

    say(render(table, form), nl=False)
    return 0
