"""Answers one query that only reads, in a connection that can open no file outside of the root."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from wsparquet.errors import DatasetError, OptionError
from wsparquet.query.connection import connect, folders_of, imported_duckdb, schema_of
from wsparquet.render.duckdb import quoted_text

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from wsparquet.schema import Schema

__all__ = ["Answer", "Asking", "answering", "asking"]

ROWS_AT_ONCE = 1000
NESTED = ("STRUCT", "MAP", "UNION")


class Answer:
    """The rows of one query; each method runs the query. ``rows`` counts the rows that were read.

    Methods raise DatasetError if the query fails while it runs.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, query: str) -> None:
        self._connection = connection
        self.rows = 0
        # A comment at the end of the query must not hide the bracket.
        self._from = f"FROM ({query}\n) AS answer"
        with _translated():
            self._columns = connection.execute(f"SELECT * {self._from} LIMIT 0").description

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [column[0] for column in self._columns]

    def texts(self) -> Iterator[tuple[str | None, ...]]:
        """Yield each row as texts; lists and structs are JSON, null is None."""
        shown = ", ".join(_as_text(number, str(column[1])) for number, column in enumerate(self._columns))
        # Columns are counted, since two may have the same name.
        names = ", ".join(f"c{number}" for number in range(len(self._columns)))
        return self._rows(f"SELECT {shown} {self._from}({names})")

    def objects(self) -> Iterator[dict[str, Any]]:
        """Yield each row as an object with JSON values; a number that JSON does not have is None."""
        for (text,) in self._rows(f"SELECT to_json(answer) {self._from}"):
            yield json.loads(text, parse_constant=lambda _: None)

    @property
    def arrow_schema(self) -> pa.Schema:
        """The columns with their Arrow types."""
        schema: pa.Schema = self._reader().schema
        return schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows as Arrow batches."""
        reader = self._reader()
        while True:
            with _translated():
                batch = next(reader, None)
            if batch is None:
                return
            self.rows += batch.num_rows
            yield batch

    def _reader(self) -> Any:
        with _translated():
            relation = self._connection.sql(f"SELECT * {self._from}")
            # Versions of DuckDB have different names for this method.
            read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
            return read(ROWS_AT_ONCE)

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        with _translated():
            cursor = self._connection.execute(query)
        while True:
            with _translated():
                rows = cursor.fetchmany(ROWS_AT_ONCE)
            if not rows:
                return
            self.rows += len(rows)
            yield from rows


def _as_text(number: int, data_type: str) -> str:
    nested = data_type.startswith(NESTED) or data_type.endswith("]")
    return f"CAST(to_json(c{number}) AS VARCHAR)" if nested else f"CAST(c{number} AS VARCHAR)"


@contextmanager
def answering(
    root: str | os.PathLike[str], query: str, *, storage_options: Mapping[str, Any] | None = None
) -> Iterator[Answer]:
    """Open a root, and prepare the answer to a query over its tables. Times of the answer are in UTC.

    Raises:
        WsparquetError: DuckDB is not installed.
        OptionError: the query is not exactly one query that reads, or DuckDB does not understand it.
        DatasetError: there is no root, or a commit record is unreadable.
        SchemaError: the root has another schema version, or DuckDB cannot read files at its path.

    """
    with asking(root, storage_options=storage_options) as ask:
        yield ask(query)


@contextmanager
def asking(root: str | os.PathLike[str], *, storage_options: Mapping[str, Any] | None = None) -> Iterator[Asking]:
    """Open a root as it is now, to ask any number of queries. Raises the errors of ``answering``."""
    with connect(root, storage_options=storage_options) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET python_enable_replacements = false")
        folders = ", ".join(map(quoted_text, folders_of(connection)))
        connection.execute(f"SET allowed_directories = [{folders}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield Asking(connection)


class Asking:
    """An opened root. Call it with a query: it prepares the answer, or raises the errors about a query."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    @property
    def schema(self) -> Schema:
        """The tables of the root."""
        return schema_of(self._connection)

    def __call__(self, query: str) -> Answer:
        """Prepare the answer to a query."""
        return Answer(self._connection, _only_query(query))


def _only_query(text: str) -> str:
    """Return the only statement of a text without its semicolon.

    Raises OptionError if the statement does more than read.
    """
    duckdb = imported_duckdb()
    with _translated():
        statements = duckdb.extract_statements(text)
    kinds = [each.type.name for each in statements]
    if kinds != ["SELECT"]:
        found = " and ".join(kinds) or "none"
        raise OptionError("query", f"expected one query that reads, such as SELECT or DESCRIBE, found {found}")
    return _without_semicolon(str(statements[0].query))


def _without_semicolon(query: str) -> str:
    """Return a query without the semicolon at its end, after which there may be comments."""
    extract = imported_duckdb().extract_statements
    while (end := query.rfind(";")) != -1:
        with suppress(imported_duckdb().Error):
            if not extract(query[end + 1 :]) and len(extract(query[:end])) == 1:
                query = query[:end]
                continue
        break
    return query


@contextmanager
def _translated() -> Iterator[None]:
    duckdb = imported_duckdb()
    try:
        yield
    except (duckdb.ProgrammingError, duckdb.NotSupportedError) as error:
        raise OptionError(
            "query", f"expected a query that DuckDB can run, found: {_reason(error)}; SHOW TABLES lists the tables"
        ) from error
    except duckdb.Error as error:
        raise DatasetError(
            f"the query failed: {_reason(error)}; if a later commit has replaced files, run the query again"
        ) from error


def _reason(error: Exception) -> str:
    """Return DuckDB's message in one line, without the query that it quotes, because this module changed the query."""
    said = str(error).partition("\n\nLINE ")[0]
    return " ".join(line.strip() for line in said.splitlines() if line.strip())
