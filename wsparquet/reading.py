"""Sources straight into Arrow tables in memory, with no dataset between."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa

from wsparquet.decode import Decoded, DecoderOptions, Limits, Quarantined, make_decoder
from wsparquet.schema import TABLES
from wsparquet.source import Failed, SourceLimits, expand
from wsparquet.stream import decoded

__all__ = ["QuarantineWarning", "read"]


class QuarantineWarning(UserWarning):
    """Some of a source could become no row and is not in the tables that ``read`` returned."""


def read(
    source: str | os.PathLike[str],
    *,
    decoder: str = "auto",
    on_quarantined: Callable[[Quarantined], None] | None = None,
    limits: Limits | None = None,
    source_limits: SourceLimits | None = None,
) -> dict[str, pa.Table]:
    """Every table by its name, in the schema's order, with the rows of all files that ``source`` names.

    ``source`` is a path, glob, directory, ``-`` or fsspec URL; the tables have to fit in memory. What becomes no row is
    handed to ``on_quarantined``; without it, a ``QuarantineWarning`` says how much there was. ``limits`` and
    ``source_limits`` bound what a file may ask for, in bytes.

    Raises:
        SourceError: a file cannot be read.
        DecodeError: a file is no Web Session file.

    """
    batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLES}
    quarantined = 0
    options = DecoderOptions(limits=limits or Limits())
    for piece in _pieces(source, decoder, options, source_limits or SourceLimits()):
        for table, batch in piece.batches:
            batches[table].append(batch)
        for entry in piece.quarantined:
            quarantined += not entry.continued
            if on_quarantined is not None:
                on_quarantined(entry)
    if quarantined and on_quarantined is None:
        warnings.warn(
            f"{quarantined} records or items of {source} could become no row; pass on_quarantined to get them",
            QuarantineWarning,
            stacklevel=2,
        )
    return {name: pa.Table.from_batches(parts, schema=TABLES[name].schema) for name, parts in batches.items()}


def _pieces(
    source: str | os.PathLike[str], decoder: str, options: DecoderOptions, source_limits: SourceLimits
) -> Iterator[Decoded]:
    for found in expand([source]):
        if isinstance(found, Failed):
            raise found.error
        with found.open(source_limits) as reader:
            active = make_decoder(replace(options, source_file=found.name), decoder=decoder)
            yield from decoded(found, reader, active)
