"""How fast the reference decoder turns text in memory into batches, against the standard library's bare JSON parser.

Run: ``python -m benchmarks.reference_decoder [--size BYTES] [--runs N] [--form lines|document]``
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

from wsparquet.decode import DecoderOptions, make_decoder
from wsparquet.generate import GenerateOptions, generate_text

CHUNK = 1 << 20


def decode(text: bytes) -> None:
    """All of the text through the reference decoder, chunk by chunk."""
    decoder = make_decoder(DecoderOptions("benchmark"), decoder="reference")
    for start in range(0, len(text), CHUNK):
        decoder.feed(text[start : start + CHUNK])
    decoder.finish()


def parse(text: bytes) -> None:
    """The same text through ``json.loads``, container by container."""
    decoder, position, decoded = json.JSONDecoder(), 0, text.decode()
    while position < len(decoded):
        _, position = decoder.raw_decode(decoded, position)
        position += 1  # the line's end


def cpu_seconds(work: Callable[[bytes], None], text: bytes) -> float:
    """CPU seconds of this process, which has one thread at work."""
    started = time.process_time()
    work(text)
    return time.process_time() - started


def main() -> None:
    """Print medians, spread and the ratio, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=20_000_000, help="bytes of JSON")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--form", choices=["lines", "document"], default="lines")
    arguments = parser.parse_args()
    text = b"".join(generate_text(GenerateOptions(size=arguments.size, seed=1, form=arguments.form)))
    print(f"{len(text):,} bytes of {arguments.form}, seed 1, {arguments.runs} runs")
    print(f"Python {platform.python_version()}, pyarrow {version('pyarrow')}, {platform.machine()}\n")
    print("| what | MB/s of CPU time, median | slowest to fastest |\n| --- | --- | --- |")
    medians = {}
    for name, work in (("reference decoder", decode), ("json.loads alone", parse)):
        work(text)
        rates = [len(text) / 1e6 / cpu_seconds(work, text) for _ in range(arguments.runs)]
        medians[name] = statistics.median(rates)
        print(f"| {name} | {medians[name]:.1f} | {min(rates):.1f} to {max(rates):.1f} |")
    print(f"\nratio: {medians['reference decoder'] / medians['json.loads alone']:.2f}")


if __name__ == "__main__":
    main()
