"""How fast the native decoder turns lines in memory into batches, against simdjson's bare parse of the same lines.

Run: ``python -m benchmarks.native_decoder [--size BYTES] [--runs N]``. Needs pysimdjson and the native decoder. Both do
their work in turn in one process on one thread, so that a change of the machine's pace meets both.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

import simdjson

from wsparquet.decode import DecoderOptions, make_decoder
from wsparquet.generate import GenerateOptions, generate_text

TARGET = 0.7
PARSE = "simdjson's parse"


def decode(lines: list[bytes]) -> None:
    """Every line through one native decoder."""
    decoder = make_decoder(DecoderOptions("benchmark"), decoder="native")
    for line in lines:
        decoder.feed(line)
    decoder.finish()


def parse(lines: list[bytes]) -> None:
    """Every line through one simdjson parser."""
    parser = simdjson.Parser()
    for line in lines:
        parser.parse(line)


def cpu_seconds(work: Callable[[], None]) -> float:
    """CPU seconds of this process, which has one thread at work."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Print medians, spread and the ratio, as Markdown."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--size", type=int, default=50_000_000, help="bytes of JSON")
    arguments.add_argument("--runs", type=int, default=9)
    options = arguments.parse_args()
    text = b"".join(generate_text(GenerateOptions(size=options.size, seed=1)))
    lines = text.splitlines(keepends=True)
    print(
        f"{len(text):,} bytes in {len(lines)} lines, seed 1, {options.runs} runs, Python {platform.python_version()},"
    )
    print(f"pyarrow {version('pyarrow')}, pysimdjson {version('pysimdjson')}, {platform.machine()}\n")
    work = {"native decoder": lambda: decode(lines), PARSE: lambda: parse(lines)}
    rates: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(options.runs + 1):
        for name, run in work.items():
            rates[name].append(len(text) / 1e6 / cpu_seconds(run))
    print("| what | MB/s of CPU time, median | slowest to fastest |\n| --- | --- | --- |")
    medians = {}
    for name, some in rates.items():
        medians[name] = statistics.median(some[1:])  # the first run warms up
        print(f"| {name} | {medians[name]:.0f} | {min(some[1:]):.0f} to {max(some[1:]):.0f} |")
    print(f"\nratio: {medians['native decoder'] / medians[PARSE]:.2f}, target {TARGET}")


if __name__ == "__main__":
    main()
