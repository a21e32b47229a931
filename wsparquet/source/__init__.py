"""Where bytes come from: any path, URL or standard input, inflated in bounded chunks, and what a source is called."""

from __future__ import annotations

from wsparquet.source.expand import expand
from wsparquet.source.reader import SourceLimits, SourceReader
from wsparquet.source.sources import Failed, Source

__all__ = ["Failed", "Source", "SourceLimits", "SourceReader", "expand"]
