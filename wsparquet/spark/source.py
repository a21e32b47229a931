"""The data source ``wsparquet``: Web Session files as a table of Spark, without a root. Needs PySpark 4.0 or newer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from wsparquet.errors import DecodeError, OptionError
from wsparquet.options import check_choice

if TYPE_CHECKING:
    import pyarrow as pa

    from wsparquet.decode import DecoderOptions
    from wsparquet.schema import Table
    from wsparquet.source import Source

__all__ = ["Reading", "make_data_source"]

OPTIONS = ("table", "path", "max_quarantined")
"""The options of a reader. Spark does not preserve their case."""


@dataclass(frozen=True)
class Reading:
    """How files are read: the storage options of URLs, and the options of the decoder."""

    storage_options: Mapping[str, Any] = field(repr=False)
    decoder: DecoderOptions = field(repr=False)

    def table_of(self, options: Mapping[str, str]) -> Table:
        """Return the table that the options name.

        Raises OptionError if the option ``table`` is missing, or if there is an unknown option.
        """
        for option in options:
            check_choice("option", option.lower(), OPTIONS)
        tables = self.decoder.schema.tables
        if "table" not in options:
            raise OptionError("table", f'expected .option("table", …), one of {", ".join(tables)}, found none')
        name = options["table"]
        check_choice("table", name, tuple(tables))
        return tables[name]


def make_data_source(how: Reading) -> type[DataSource]:
    """Return the data source, which reads files in this way.

    Storage options and the key of masks are in the pickled class, not in the options of a query, because Spark logs the
    options of queries.
    """

    class WebSessions(DataSource):
        """Web Session files as one of the tables that ``convert`` makes of them."""

        reading = how

        @classmethod
        def name(cls) -> str:
            return "wsparquet"

        def schema(self) -> StructType:
            from wsparquet.render.spark import schema

            return StructType.fromJson(schema(self.reading.table_of(self.options)))

        def reader(self, schema: StructType) -> DataSourceReader:  # noqa: ARG002 - Spark defines the parameter
            return Reader(dict(self.options), self.reading)

    return WebSessions


@dataclass(init=False)
class File(InputPartition):
    """A file to read."""

    def __init__(self, source: Source) -> None:
        self.source = source


class Reader(DataSourceReader):
    """Reads one table from files, with one partition for each file."""

    def __init__(self, options: Mapping[str, str], reading: Reading) -> None:
        self._table = reading.table_of(options).name
        self._path = options.get("path")
        self._most = limit_of(options.get("max_quarantined", "0"))
        self._reading = reading

    def partitions(self) -> list[InputPartition]:
        """List the files. Raises SourceError if the path or one of its files cannot be found."""
        from wsparquet.source import Failed, expand

        if not self._path:
            raise OptionError("path", "expected a path, a glob, a folder or a URL in load(…), found none")
        found = []
        for each in expand([self._path], storage_options=self._reading.storage_options):
            if isinstance(each, Failed):
                raise each.error
            found.append(File(each))
        return list(found)

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        """Decode a file, and yield the rows of the table.

        Raises:
            SourceError: the file cannot be read.
            DecodeError: the file is not a Web Session file, or more records and items than allowed became no row.

        """
        from wsparquet.decode import Days, make_decoder
        from wsparquet.names import parse_name
        from wsparquet.source import SourceLimits
        from wsparquet.stream import decoded

        assert isinstance(partition, File)  # noqa: S101 - Spark passes what `partitions` has returned
        source = partition.source
        days = Days.of(parse_name(source.name).start_ms)
        decoder = make_decoder(replace(self._reading.decoder, source_file=source.name, days=days), decoder="auto")
        with source.open(SourceLimits()) as reader:
            for piece in decoded(source, reader, decoder):
                for table, day, batch in piece.by_day():
                    if table == self._table:
                        yield with_date(batch, day)
        self._check(source.url, decoder.report.quarantined + decoder.report.items)

    def _check(self, url: str, quarantined: int) -> None:
        if self._most is not None and quarantined > self._most:
            raise DecodeError(
                f"{url}: expected at most {self._most} records or items that become no rows, found {quarantined}; "
                'convert the file into a root, which keeps them in quarantine, or set .option("max_quarantined", …)'
            )


def limit_of(text: str) -> int | None:
    """Return the number in the option ``max_quarantined``, or None for ``any``. Raises OptionError."""
    if text == "any":
        return None
    if not text.isascii() or not text.isdigit():
        raise OptionError("max_quarantined", f"expected a number of 0 or more, or any, found {text[:50]!r}")
    return int(text)


def with_date(batch: pa.RecordBatch, day: Any) -> pa.RecordBatch:
    """Return a batch without metadata, with the column ``date``, which the folders of a root provide."""
    import pyarrow as pa

    dates = pa.repeat(pa.scalar(day, pa.date32()), batch.num_rows)
    return pa.RecordBatch.from_arrays([*batch.columns, dates], names=[*batch.schema.names, "date"])
