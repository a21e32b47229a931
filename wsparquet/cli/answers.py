"""Writes the answer to a query as a table for people, or as CSV, JSON or Parquet."""

from __future__ import annotations

import io
import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from wsparquet.cli.output import say
from wsparquet.cli.target_file import written_whole
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from pathlib import Path

    from wsparquet.query.answer import Answer

__all__ = ["FORMATS", "write_answer"]

FORMATS = ("table", "csv", "json", "parquet")
SHOWN_ROWS = 1000
LINES_AT_ONCE = 1000
WIDE = 100_000
"""The width in characters of a table that no terminal shows."""


def write_answer(answer: Answer, form: str, into: str | None) -> None:
    """Write an answer to standard output, or to a file, which appears when it is complete.

    Raises ClickException if the file cannot be written.
    """
    if into is None:
        texts = iter(_texts(answer, form))
        # Each call of ``say`` flushes.
        while chunk := "".join(itertools.islice(texts, LINES_AT_ONCE)):
            say(chunk, nl=False)
        return
    with written_whole(into) as temporary:
        _write_file(answer, form, temporary)
    say(printable(f"{into}: {answer.rows} rows"))


def _write_file(answer: Answer, form: str, path: Path) -> None:
    if form == "parquet":
        import pyarrow.parquet as pq

        with pq.ParquetWriter(path, answer.arrow_schema, compression="zstd") as writer:
            for batch in answer.batches():
                writer.write_batch(batch)
        return
    with path.open("x", encoding="utf-8", newline="") as file:
        file.writelines(_texts(answer, form))


def _texts(answer: Answer, form: str) -> Iterable[str]:
    match form:
        case "csv":
            return _csv(answer)
        case "json":
            return _json(answer)
        case _:
            return [_table(answer)]


def _csv(answer: Answer) -> Iterator[str]:
    for row in itertools.chain([answer.columns], answer.texts()):
        yield ",".join(map(_cell, row)) + "\n"


def _cell(value: str | None) -> str:
    """Return a cell of CSV: null becomes an empty cell, and an empty text becomes two quotes."""
    if value is None:
        return ""
    if value == "" or any(character in value for character in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def _json(answer: Answer) -> Iterator[str]:
    """Yield a list of objects, in ASCII, with an object on each line."""
    separator = "[\n"
    for row in answer.objects():
        yield separator + json.dumps(row)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def _table(answer: Answer) -> str:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = list(itertools.islice(answer.texts(), SHOWN_ROWS + 1))
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for name in answer.columns:
        table.add_column(Text(printable(name)), overflow="fold")
    for row in rows[:SHOWN_ROWS]:
        table.add_row(*(Text("" if value is None else printable(value)) for value in row))
    width = None if sys.stdout.isatty() else WIDE
    written = io.StringIO()
    Console(file=written, width=width, no_color=True, highlight=False).print(table)
    lines = [line.rstrip() for line in written.getvalue().splitlines()]
    if len(rows) > SHOWN_ROWS:
        lines.append(f"the first {SHOWN_ROWS} rows; --format csv or --into FILE has all of them")
    return "\n".join(lines) + "\n"
