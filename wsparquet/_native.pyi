"""The types of the native module, which is written in Rust (native/src/python/).

Arrow arrays and schemas pass the border by the Arrow C data interface, without a copy. Each class may be used by one
thread at a time, except ``CompiledPlan``.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Self

class Refused(Exception):
    """The source is not a Web Session file or exceeds a limit, or the plan is not valid; the message says which."""

class Exported:
    """An Arrow array on its way to Python, at ``address``; if nobody imports the array, this object releases it."""

    address: int

class CompiledPlan:
    """The decoding plan of all tables, compiled once; the decoders of many sources share it."""

    def __new__(cls, text: str) -> Self:
        """Compile the plan in JSON ``text``. Raises Refused if the plan is not valid."""

    def schemas(self) -> list[tuple[str, object]]:
        """The name of each table, with a capsule of the Arrow schema of its record batches."""

class Machine:
    """The decoder of one source; the caller pushes the bytes of the inflated text."""

    def __new__(cls, plan: CompiledPlan, source_file: str, limits: dict[str, int]) -> Self:
        """A decoder that writes ``source_file`` into its rows; ``limits`` are the fields of ``Limits``, in bytes."""

    def feed(self, data: bytes) -> dict[str, Any]:
        """Decode the next bytes, and return the record batches and quarantined texts that they complete.

        Raises Refused if the source cannot be decoded.
        """

    def finish(self) -> dict[str, Any]:
        """Decode what is left at the end of the text, and return the same values as ``feed``, with the report.

        Raises Refused if the source cannot be decoded.
        """

class Imported:
    """Memory for an Arrow array on its way from Python; the exporter writes the array to ``address``."""

    def __new__(cls) -> Self:
        """Empty memory for one array."""

    address: int

class ParquetFile:
    """A Parquet file that is being written; ``close`` completes it."""

    def __new__(cls, path: str | PathLike[str], schema: object, settings: str) -> Self:
        """Create the file at ``path``; ``schema`` is a capsule of its Arrow schema, ``settings`` all settings as JSON.

        Raises OSError if the file cannot be written, and ValueError if the settings are not valid.
        """

    def write(self, batches: Sequence[Imported]) -> None:
        """Write record batches as one row group, or as several if there are too many rows. Raises OSError."""

    def close(self) -> None:
        """Write the footer and close the file; a second call does nothing. Raises OSError."""
