"""Sources: paths, URLs, and standard input, read and decompressed in chunks of limited size."""

from __future__ import annotations

from wsparquet.source.arguments import Sources, as_list
from wsparquet.source.expand import expand
from wsparquet.source.interruption import interruptible
from wsparquet.source.reader import SourceLimits, SourceReader
from wsparquet.source.sources import Failed, Source

__all__ = ["Failed", "Source", "SourceLimits", "SourceReader", "Sources", "as_list", "expand", "interruptible"]
