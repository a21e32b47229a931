"""How fast text in memory becomes batches, on one thread, against parsers that make no batches of it."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.data import SETS
from benchmarks.limits import missing_parser
from benchmarks.process import child, measured
from benchmarks.statistic import Series, interleaved, series
from wsparquet.decode import DecoderOptions, make_decoder
from wsparquet.generate import GenerateOptions, generate_text
from wsparquet.schema import DOCUMENTED, Schema
from wsparquet.schema.extended import read_extension

__all__ = ["DECODERS", "cpu_seconds", "decoding"]

_CHUNK = 1 << 20
_TIMES = 5


EXTENSION = Path(__file__).parents[1] / "tests/extensions.toml"
"""An extension that adds at every kind of place, and that the text has nothing of."""


def _work(text: bytes, decoder: str, schema: Schema = DOCUMENTED) -> Callable[[], None]:
    # Cut outside the clock, as the lines of the parsers are: a source's bytes come in such pieces.
    chunks = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]

    def work() -> None:
        decoding = make_decoder(DecoderOptions("benchmark", schema=schema), decoder=decoder)
        for chunk in chunks:
            decoding.feed(chunk)
        decoding.finish()

    return work


def _native(text: bytes) -> Callable[[], None]:
    return _work(text, "native")


def _reference(text: bytes) -> Callable[[], None]:
    return _work(text, "reference")


def _native_extended(text: bytes) -> Callable[[], None]:
    return _work(text, "native", read_extension(EXTENSION))


def _reference_extended(text: bytes) -> Callable[[], None]:
    return _work(text, "reference", read_extension(EXTENSION))


def _simdjson(text: bytes) -> Callable[[], None]:
    from simdjson import Parser

    parser, lines = Parser(), text.splitlines()

    def work() -> None:
        for line in lines:
            parser.parse(line)

    return work


def _json(text: bytes) -> Callable[[], None]:
    lines = text.splitlines()

    def work() -> None:
        for line in lines:
            json.loads(line)

    return work


DECODERS = {
    "native": _native,
    "native, extended": _native_extended,
    "reference": _reference,
    "reference, extended": _reference_extended,
    "pysimdjson": _simdjson,
    "json.loads": _json,
}
"""What prepares the work on a text, by name; the work itself is what is timed."""


def cpu_seconds(name: str, *, size: int, seed: int, kind: str) -> float:
    """CPU seconds of the process for ``size`` bytes of lines of a set: the median of some times, after a first."""
    work = DECODERS[name](b"".join(generate_text(GenerateOptions(size=size, seed=seed, **SETS[kind]))))
    work()
    return statistics.median(_timed(work) for _ in range(_TIMES))


def _timed(work: Callable[[], None]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def decoding(*, size: int, seed: int, kind: str, runs: int) -> dict[str, Series]:
    """CPU seconds of every decoder and parser that is here, for text of one of the sets."""
    from benchmarks.contenders.wsparquet_native import missing

    reasons = {"native": missing(), "native, extended": missing(), "pysimdjson": missing_parser()}
    names = [name for name in DECODERS if reasons.get(name) is None]
    found = interleaved(names, lambda name: float(measured(child("decode", name, size, seed, kind)).output), runs=runs)
    return {name: series(seconds) for name, seconds in found.items()}
