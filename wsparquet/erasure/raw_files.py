"""Says which raw files still have ids of people. Raw files are read as text, and are never changed."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Mapping
from typing import Any

from wsparquet.erasure.certificate import RawFile
from wsparquet.errors import WsparquetError
from wsparquet.privacy.people import People
from wsparquet.privacy.quarantine import TextFinder
from wsparquet.source import Failed, Source, SourceLimits, Sources, as_list, expand

__all__ = ["search_raw_files"]


def search_raw_files(
    raw: Sources, people: People, *, root: str | os.PathLike[str], storage_options: Mapping[str, Any] | None
) -> Iterator[RawFile]:
    """Yield each raw file, and whether it has an id of the people. A file that cannot be read has the error."""
    given = as_list(raw, name="search")
    for source in expand(given, exclude=os.fspath(root), storage_options=storage_options) if given else ():
        if isinstance(source, Failed):
            yield RawFile(source.url, None, str(source.error))
            continue
        try:
            yield RawFile(source.url, _has(source, people))
        except WsparquetError as error:
            yield RawFile(source.url, None, str(error))


def _has(source: Source, people: People) -> bool:
    finder = TextFinder(people)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with source.open(SourceLimits()) as reader:
        return any(finder.has(decoder.decode(chunk), continued=True) for chunk in reader)
