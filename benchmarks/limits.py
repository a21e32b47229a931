"""What converting must cost at least: inflating, parsing and writing the same bytes, each alone, on one thread.

Every function returns CPU seconds of its own step only; what the step needs is prepared outside the clock.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
from blake3 import blake3
from isal import igzip, igzip_lib

from benchmarks.contenders.wsparquet_native import missing as missing_native

__all__ = ["HASH", "LIMITS", "STEPS", "missing_parser"]

HASH = "hash"
"""The step that tells copies of a text by, which a conversion would not need otherwise: no limit, but a cost."""

_CHUNK = 1 << 20


def missing_parser() -> str | None:
    """Why simdjson cannot parse here; None if it can."""
    return None if importlib.util.find_spec("simdjson") else "pysimdjson is not installed"


def inflate(sources: Sequence[Path]) -> float:
    """Inflate with ISA-L, chunk by chunk, keeping nothing; the files' bytes are in memory."""
    total = 0.0
    for source in sources:
        data = source.read_bytes()
        started = time.process_time()
        decompressor = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
        decompressor.decompress(data, _CHUNK)
        while not decompressor.eof:
            decompressor.decompress(b"", _CHUNK)
        total += time.process_time() - started
    return total


def parse(sources: Sequence[Path]) -> float:
    """Parse every line with simdjson, making no Python values of it; the inflated lines are in memory."""
    from simdjson import Parser

    parser, total = Parser(), 0.0
    for source in sources:
        lines = igzip.decompress(source.read_bytes()).splitlines()
        started = time.process_time()
        for line in lines:
            parser.parse(line)
        total += time.process_time() - started
    return total


def write(sources: Sequence[Path]) -> float:
    """Write the tables of each source with wsparquet's writer options, a file a table.

    The tables are in memory, each column in one piece: the smaller the batches, the longer writing takes, by half with
    those of the reference decoder.
    """
    from wsparquet import read
    from wsparquet.parquet.settings import file_schema, file_settings, writer_options

    decoder = "auto" if missing_native() else "native"
    total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for source in sources:
            found = {name: rows for name, rows in read(source, decoder=decoder).items() if rows.num_rows}
            tables = {name: rows.cast(file_schema(name)).combine_chunks() for name, rows in found.items()}
            started = time.process_time()
            for name, rows in tables.items():
                pq.write_table(rows, Path(folder) / f"{name}.parquet", **writer_options(file_settings(name)))
            total += time.process_time() - started
    return total


def hash_text(sources: Sequence[Path]) -> float:
    """Hash the inflated text with BLAKE3, chunk by chunk; the text is in memory."""
    total = 0.0
    for source in sources:
        text = memoryview(igzip.decompress(source.read_bytes()))
        started = time.process_time()
        digest = blake3()
        for start in range(0, len(text), _CHUNK):
            digest.update(text[start : start + _CHUNK])
        digest.hexdigest()
        total += time.process_time() - started
    return total


LIMITS: dict[str, Callable[[Sequence[Path]], float]] = {"inflate": inflate, "parse": parse, "write": write}

STEPS = {**LIMITS, HASH: hash_text}
"""All steps that are measured alone."""
