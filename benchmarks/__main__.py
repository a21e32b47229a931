"""How fast wsparquet is: measures, prints Markdown, writes JSON. See benchmarks/README.md.

Run: ``python -m benchmarks [--quick | --full] [SECTION ...]``
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.compacting import compacting
from benchmarks.contest import CONTENDERS, contest, missing, versions
from benchmarks.data import COSTS, SETS, Data, make_data
from benchmarks.decoding import decoding
from benchmarks.limits import missing_parser
from benchmarks.masking import masking
from benchmarks.opening import opening
from benchmarks.publishing import publishing
from benchmarks.querying import querying
from benchmarks.scaling import cores, costs, first_cores, sizes, start_up
from benchmarks.syncing import FILE_SIZE, LATENCY_MS, syncing

MB = 1_000_000
_TINY = 10_000


@dataclass(frozen=True)
class Scale:
    """How much is measured: files of the contest and MB in each, MB of text to decode, and the sizes of scaling."""

    files: int
    size: int
    decode: int
    sizes: tuple[int, ...]
    small_files: int
    sync_files: int
    commits: int
    sources: int
    runs: int


QUICK = Scale(
    files=4, size=10, decode=20, sizes=(10, 100), small_files=100, sync_files=100, commits=2000, sources=150, runs=3
)
FULL = Scale(
    files=8,
    size=50,
    decode=100,
    sizes=(10, 100, 1000),
    small_files=1000,
    sync_files=1000,
    commits=30_000,
    sources=1500,
    runs=5,
)
_STARTS = 20


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast wsparquet is.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all if none")
    parser.add_argument("--quick", action="store_true", help="small sizes, about ten minutes (the default)")
    parser.add_argument("--full", action="store_true", help="8 files of 50 MB, up to 1 GB in one; an hour or more")
    parser.add_argument("--contenders", help=f"comma-separated, of {', '.join(CONTENDERS)}")
    parser.add_argument("--sets", default=",".join(SETS), help=f"comma-separated, of {', '.join(SETS)}; all if none")
    parser.add_argument("--files", type=int, help="files of the contest")
    parser.add_argument("--size", type=int, help="MB of JSON in each")
    parser.add_argument("--decode", type=int, help="MB of text to decode")
    parser.add_argument("--sizes", type=_numbers, help="MB of single files, comma-separated")
    parser.add_argument("--small-files", type=int, help="how many files of 100 kB")
    parser.add_argument("--sync-files", type=int, help="how many files to synchronise")
    parser.add_argument("--commits", type=int, help="of a root that is opened or published")
    parser.add_argument("--sources", type=int, help="of a root that is queried, two for each hour")
    parser.add_argument("--runs", type=int, help="of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go; else they are printed last")
    arguments = parser.parse_args()
    for section in arguments.sections:
        if section not in SECTIONS:
            parser.error(f"no section {section!r}; those are {', '.join(SECTIONS)}")
    for name in arguments.sets.split(","):
        if name not in SETS:
            parser.error(f"no set {name!r}; those are {', '.join(SETS)}")
    return arguments


def _scale(arguments: argparse.Namespace) -> Scale:
    preset = FULL if arguments.full else QUICK
    return Scale(*(getattr(arguments, name) or getattr(preset, name) for name in Scale.__dataclass_fields__))


def _chosen(asked: str | None) -> tuple[list[str], dict[str, str]]:
    """The contenders that can run here, and why others cannot."""
    names = asked.split(",") if asked else list(CONTENDERS)
    for name in names:
        if name not in CONTENDERS:
            raise SystemExit(f"no contender {name!r}; those are {', '.join(CONTENDERS)}")
    reasons = {name: missing(name) for name in names}
    return [name for name in names if reasons[name] is None], {name: why for name, why in reasons.items() if why}


class _Suite:
    """The sections, and what they found."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        self.scale = _scale(arguments)
        self.seed: int = arguments.seed
        self.sets: list[str] = arguments.sets.split(",")
        self.folder = folder
        self._data: dict[str, Data] = {}
        self.contenders, self.skipped = _chosen(arguments.contenders)
        self.ours = "wsparquet_reference" if missing("wsparquet_native") else "wsparquet_native"
        if (reason := missing_parser()) is not None:
            self.skipped["pysimdjson"] = reason
        if report.native_build() == "checked":
            print("warning: the native module has checks and is slow; run `make release` first", file=sys.stderr)
        self.found: dict[str, Any] = {
            "machine": report.machine(),
            "versions": versions(self.contenders),
            "scale": report.plain(self.scale),
            "seed": self.seed,
            "skipped": self.skipped,
        }

    def data(self, kind: str) -> Data:
        """The files of a set, made once."""
        if kind not in self._data:
            scale = self.scale
            made = make_data(self.folder, files=scale.files, size=scale.size * MB, seed=self.seed, kind=kind)
            self._data[kind] = made
        return self._data[kind]

    def _of_each_set(self, section: str, measure: Callable[[str], tuple[Any, str]]) -> str:
        """Measure each set, keep what was found below the section and the set, and return the sets' texts."""
        texts = []
        for kind in self.sets:
            found, text = measure(kind)
            self.found.setdefault(section, {})[kind] = found
            texts.append(text)
        return "\n\n".join(texts)

    def contest(self) -> str:
        """Contenders and limits."""
        return self._of_each_set("contest", self._contest)

    def _contest(self, kind: str) -> tuple[Any, str]:
        data = self.data(kind)
        tiny = make_data(self.folder / "tiny", files=1, size=_TINY, seed=self.seed, kind=kind)
        result = contest(self.contenders, data, tiny, self.folder, runs=self.scale.runs)
        files = f"{len(data.sources)} files, {data.size / MB:.0f} MB of JSON, {data.stored / MB:.1f} MB gzip'd"
        text = f"## Conversion of the {kind} set: {files}\n\n{report.contest_tables(result, data)}"
        return report.plain(result) | {"data": report.plain(data)}, text

    def costs(self) -> str:
        """What each property of hard files costs."""
        made = {name: self.data(name) for name in COSTS}
        result = costs(self.ours, made, self.folder, runs=self.scale.runs)
        self.found["costs"] = report.plain(result)
        return f"## What makes files hard: {self.ours}\n\n{report.costs_table(made, result)}"

    def decode(self) -> str:
        """Decoders alone."""
        return self._of_each_set("decode", self._decode)

    def _decode(self, kind: str) -> tuple[Any, str]:
        size = self.scale.decode * MB
        result = decoding(size=size, seed=self.seed, kind=kind, runs=self.scale.runs)
        heading = f"## Decoding alone, the {kind} set: {self.scale.decode} MB of lines"
        return report.plain(result), f"{heading}\n\n{report.decoding_table(result, size=size)}"

    def cores(self) -> str:
        """One core and two."""
        if len(first_cores()) < 2:
            self.skipped["cores"] = "two cores and taskset are needed"
            return "## Cores\n\nskipped: two cores and taskset are needed"
        return self._of_each_set("cores", self._cores)

    def _cores(self, kind: str) -> tuple[Any, str]:
        result = cores(self.ours, self.data(kind), self.folder, runs=self.scale.runs)
        ratios = {"speedup": result.speedup, "possible": result.possible, "ratio": result.speedup / result.possible}
        return report.plain(result) | ratios, f"## Cores, the {kind} set: {self.ours}\n\n{report.cores_table(result)}"

    def sizes(self) -> str:
        """Large files and many small ones."""
        shapes = {f"1 of {size} MB": (1, size * MB) for size in self.scale.sizes}
        shapes[f"{self.scale.small_files} of 100 kB"] = (self.scale.small_files, 100_000)
        result = sizes(self.ours, shapes, self.folder, seed=self.seed, runs=self.scale.runs)
        self.found["sizes"] = report.plain(result)
        return f"## Sizes: {self.ours}\n\n{report.sizes_table(result)}"

    def start(self) -> str:
        """Start-up."""
        result = start_up(runs=_STARTS)
        self.found["start"] = report.plain(result)
        return f"## Start-up, {_STARTS} runs\n\n{report.start_table(result)}"

    def sync(self) -> str:
        """Synchronisation against conversion."""
        files = self.scale.sync_files
        result = syncing(self.folder, files=files, seed=self.seed, runs=self.scale.runs)
        self.found["sync"] = report.plain(result)
        what = f"{files} files of {FILE_SIZE / MB} MB, {LATENCY_MS} ms each way"
        return f"## Synchronisation: {what}\n\n{report.sync_table(result)}"

    def opening(self) -> str:
        """Opening a root with many commits."""
        found = opening(self.folder, commits=self.scale.commits)
        self.found["opening"] = found
        return f"## Opening a root with {self.scale.commits:,} commits\n\n{report.opening_table(found)}"

    def query(self) -> str:
        """Queries of a month, with wsparquet and by hand."""
        found = querying(self.folder, sources=self.scale.sources, seed=self.seed, runs=self.scale.runs)
        self.found["query"] = report.plain(found)
        return f"## Queries of a root with {found['parts']:,} parts\n\n{report.query_table(found)}"

    def compact(self) -> str:
        """A compaction, and queries before and after it."""
        found = compacting(self.folder, sources=self.scale.sources, seed=self.seed, runs=self.scale.runs)
        self.found["compact"] = report.plain(found)
        return f"## Compaction of {self.scale.sources:,} sources\n\n{report.compact_tables(found)}"

    def masks(self) -> str:
        """Conversions with and without masks."""
        size = self.scale.size * MB
        found = masking(self.folder, size=size, seed=self.seed, runs=self.scale.runs)
        self.found["masks"] = report.plain(found)
        return f"## Masks: files of {size // MB} MB\n\n{report.masks_table(found)}"

    def publishing(self) -> str:
        """Publishing a root with many commits."""
        found = publishing(self.folder, commits=self.scale.commits)
        self.found["publishing"] = found
        return f"## Publishing a root with {self.scale.commits:,} commits\n\n{report.opening_table(found)}"


SECTIONS: dict[str, Callable[[_Suite], str]] = {
    "contest": _Suite.contest,
    "costs": _Suite.costs,
    "decode": _Suite.decode,
    "cores": _Suite.cores,
    "sizes": _Suite.sizes,
    "start": _Suite.start,
    "sync": _Suite.sync,
    "opening": _Suite.opening,
    "query": _Suite.query,
    "compact": _Suite.compact,
    "publishing": _Suite.publishing,
    "masks": _Suite.masks,
}


def _heading(suite: _Suite) -> str:
    facts = suite.found["machine"] | suite.found["versions"]
    lines = [", ".join(f"{name} {value}" for name, value in facts.items())]
    lines.append(f"seed {suite.seed}, {suite.scale.runs} runs, medians (least to greatest)")
    lines += [f"skipped: {name}: {why}" for name, why in suite.skipped.items()]
    return "\n\n".join(lines)


def main() -> None:
    """Measure what is asked for."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="wsparquet-benchmarks-") as folder:
        suite = _Suite(arguments, Path(folder))
        print(f"# Benchmarks\n\n{_heading(suite)}", flush=True)
        for name in arguments.sections or SECTIONS:
            print(f"{name} ...", file=sys.stderr, flush=True)
            print(f"\n{SECTIONS[name](suite)}", flush=True)
        suite.found["machine"]["load_after"] = round(os.getloadavg()[0], 2)
    text = json.dumps(suite.found, indent=2)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    else:
        print(f"\n## Figures\n\n```json\n{text}\n```")


if __name__ == "__main__":
    main()
