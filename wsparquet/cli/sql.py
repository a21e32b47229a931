"""`wsparquet sql`: answer a query over the tables of a root."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wsparquet.cli.answers import FORMATS, write_answer
from wsparquet.cli.arguments import takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import storage_option
from wsparquet.cli.shell import run_shell
from wsparquet.cli.target_file import check_target
from wsparquet.cli.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wsparquet.schema import Schema

__all__ = ["sql"]

ASKED = ("QUERY", "--from", "--tables", "--describe")
SUFFIXES = {".csv": "csv", ".json": "json", ".parquet": "parquet"}


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet sql`; ``file`` has the query, and ``into`` gets the answer."""

    root: str
    query: str | None
    file: str | None
    form: str | None
    into: str | None
    tables: bool
    described: str | None
    storage: Mapping[str, Any] = field(repr=False)

    def __post_init__(self) -> None:
        """Reject options that contradict each other."""
        found = self._given
        if not self.shell and len(found) != 1:
            raise click.UsageError(f"expected one of {', '.join(ASKED)}, found {' and '.join(found) or 'none'}")
        if self.format == "parquet" and self.into is None:
            raise click.UsageError("expected --into FILE with --format parquet, found none")

    @property
    def _given(self) -> list[str]:
        """What says what to ask."""
        values = (self.query, self.file, self.tables, self.described)
        return [name for name, value in zip(ASKED, values, strict=True) if value]

    @property
    def shell(self) -> bool:
        """Whether to start the shell: no query is given, and a person sits at the terminal."""
        return not self._given and self.into is None and is_terminal()

    @property
    def format(self) -> str:
        """The format that the user gave, or else the format of the file's suffix."""
        suffix = Path(self.into).suffix.lower() if self.into else ""
        return self.form or SUFFIXES.get(suffix, "table" if self.into is None else "csv")

    def asked(self, schema: Schema) -> str:
        """Return the query to a root with this schema."""
        from wsparquet.query.catalog import describing, listing

        if self.tables:
            return listing(schema)
        if self.described is not None:
            return describing(self.described, schema)
        if self.file is None:
            return self.query or ""
        with click.open_file(self.file, "rb") as opened:
            data = opened.read()
        try:
            return str(data, "utf-8-sig")
        except UnicodeDecodeError as error:
            raise click.UsageError(f"{self.file}: expected a query in UTF-8, found other bytes") from error


@click.command(short_help="Answer a SQL query over the tables.")
@click.argument("root")
@click.argument("query", required=False)
@click.option(
    "--from",
    "file",
    type=click.Path(dir_okay=False, exists=True, allow_dash=True),
    help="A file with the query, or - for standard input.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Form of the answer; parquet needs --into.  [default: by the suffix of --into, otherwise table]",
)
@click.option(
    "--into", type=click.Path(dir_okay=False), metavar="FILE", help="The file that gets the answer; it is replaced."
)
@click.option(
    "--tables",
    is_flag=True,
    help="Do not answer a query, but list the tables and views, and what one row of each is.",
)
@click.option(
    "--describe",
    "described",
    metavar="TABLE",
    help="Do not answer a query, but list the columns of a table or view, with types and descriptions.",
)
@storage_option
@takes(Arguments)
def sql(given: Arguments) -> int:
    """Answer QUERY, in the SQL of DuckDB, over the tables of ROOT.

    Each table has exactly the rows that count. The flat views, such as page_views and visits, have one row for each
    element of a list, or for each visit. The view drift has what `wsparquet drift` finds, by day. The query can only
    read, and cannot open other files. Times are in UTC. The form table shows at most 1000 rows; the other forms have
    all rows. Without a query, the command is a small shell if it runs on a terminal. This command needs DuckDB: pip
    install 'wsparquet[duckdb]'.

    \b
    Examples:
      wsparquet sql lake "SELECT country, count(*) AS reports FROM geo GROUP BY ALL"
      wsparquet sql lake "SELECT landing_page, count(*) AS visits FROM visits GROUP BY ALL"
      wsparquet sql lake "FROM navigation" --into navigation.parquet
      wsparquet sql lake "SELECT * FROM session_info" --format csv > sessions.csv
      echo "SELECT count(*) FROM geo" | wsparquet sql lake --from -
      wsparquet sql lake --describe page_views
    """
    from wsparquet.query.answer import asking

    if given.shell:
        run_shell(given.root, storage_options=given.storage, form=given.format)
        return ExitCode.DONE
    if given.into is not None:
        check_target("--into", given.into)
    with asking(given.root, storage_options=given.storage) as ask:
        write_answer(ask(given.asked(ask.schema)), given.format, given.into)
    return ExitCode.DONE
