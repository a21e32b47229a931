"""The types of the native module, which is written in Rust (native/src/python/).

Arrow arrays and schemas are passed between Python and Rust through the Arrow C data interface, without a copy. Each
class may be used by one thread at a time, except ``CompiledPlan``.
"""

from os import PathLike
from typing import Any, Self

CHECKED: bool
"""Whether the module was compiled with checks, for tests: such a module is slower than the module in a wheel."""

class Refused(Exception):
    """Raised if the source is not a Web Session file, if it exceeds a limit, or if the plan is not valid."""

class Exported:
    """An Arrow array to be imported by Python from ``address``.

    An array that was not imported is released together with this object.
    """

    address: int

class CompiledPlan:
    """The decoding plan of all tables, which is compiled once and shared by the decoders of all sources."""

    def __new__(cls, text: str) -> Self:
        """Compile a plan from JSON text. Raises Refused if the plan is not valid."""

    def schemas(self) -> list[tuple[str, object]]:
        """Return, for each table, its name and a capsule with the Arrow schema of its record batches."""

class CompiledMasks:
    """The masks of all tables, which are compiled once and shared by the decoders of all sources."""

    def __new__(cls, plan: CompiledPlan, text: str, key: bytes | None) -> Self:
        """Compile masks from JSON text. ``key`` is the secret key of hashes. Raises Refused if they are not valid."""

class Machine:
    """A push decoder of one source. The decoder expects the decompressed text, in chunks of any size."""

    def __new__(
        cls,
        plan: CompiledPlan,
        source_file: str,
        limits: dict[str, int],
        by_day: bool,
        fallback: int | None,
        masks: CompiledMasks | None = None,
    ) -> Self:
        """Create a decoder.

        It writes ``source_file`` to every row. ``limits`` maps the fields of ``Limits`` to values in bytes. With
        ``by_day``, each batch has the rows of one day; ``fallback`` is the day of the source in days since 1970.
        ``masks`` mask the values of all rows.
        """

    def feed(self, data: bytes) -> dict[str, Any]:
        """Decode the next bytes. Return the record batches and quarantined texts that are now complete.

        Raises Refused if the source cannot be decoded.
        """

    def finish(self) -> dict[str, Any]:
        """Decode the rest of the text. Return the same values as ``feed``, and the report.

        Raises Refused if the source cannot be decoded.
        """

class Imported:
    """Memory into which Python exports an Arrow array. The exporter writes the array to ``address``."""

    def __new__(cls) -> Self:
        """Allocate empty memory for one array."""

    address: int

class ParquetLayout:
    """What all Parquet files of a table have in common: their schema, and their settings."""

    def __new__(cls, schema: object, settings: str) -> Self:
        """Prepare files. ``schema`` is a capsule with their Arrow schema; ``settings`` is JSON text with all settings.

        Raises ValueError if the schema or the settings are not valid.
        """

class ParquetFile:
    """A Parquet file that is being written. The file is complete after ``close``."""

    def __new__(cls, path: str | PathLike[str], layout: ParquetLayout) -> Self:
        """Prepare the file at ``path``, which is created when its first row group ends."""

    def write(self, batch: Imported) -> tuple[int, int, int, int]:
        """Add a record batch to the unfinished row group. Raises OSError.

        Return the memory in bytes of the row group's rows as they came, and of its compressed rows; the number of
        finished row groups, and their size in bytes.
        """

    def pack(self) -> tuple[int, int, int, int]:
        """Compress the rows of the unfinished row group. Return the same as ``write``. Raises OSError."""

    def end_row_group(self) -> tuple[int, int, int, int]:
        """Write the unfinished row group to the file, if it has rows. Return the same as ``write``. Raises OSError."""

    def close(self) -> tuple[int, int, tuple[int, int] | None, bytes] | None:
        """Write the footer and close the file. Raises OSError.

        Return the file's rows, its size in bytes, its earliest and its latest own timestamp in microseconds since 1970
        (None if there are none), and its SHA-256. A second call returns None.
        """

def row_groups_with_bloom(path: str | PathLike[str], column: int, values: list[str]) -> list[int]:
    """Return the row groups that may have one of the values in a column of text, by the column's Bloom filters.

    ``column`` counts Parquet columns from 0. A row group without a Bloom filter may have any value. Raises OSError.
    """
