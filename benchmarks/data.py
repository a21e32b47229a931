"""What is converted: sets of generated files, easy and hard, and how many rows each table must have of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from wsparquet.generate import Expected, GenerateOptions, generate_text
from wsparquet.generate.files import compressed, write_file

__all__ = ["COSTS", "SETS", "Data", "WrongRows", "check", "make_data"]

SETS: dict[str, dict[str, Any]] = {"easy": {"preset": "easy"}, "hard": {"preset": "hard"}}
"""The sets of files, as options of the generator: values that repeat, on one day, in containers of 1 MB; and values
that hardly repeat, sessions over midnight, and one visit in each container."""

_HARD = GenerateOptions(preset="hard").mix
COSTS: dict[str, dict[str, Any]] = SETS | {
    "easy, sessions over midnight": {"preset": "easy", "midnight": _HARD.midnight},
    "easy, one visit in a container": {"preset": "easy", "visits": _HARD.visits},
    "easy, values hardly repeat": {"preset": "easy", "distinct": _HARD.distinct},
    "hard, on one day": {"preset": "hard", "midnight": 0.0, "session_minutes": 5},
}
"""The sets, and what lies between them: each adds a part of what makes the one harder than the other."""


class WrongRows(RuntimeError):
    """A contender whose tables have other row counts than the files hold."""


@dataclass(frozen=True)
class Data:
    """Files, the bytes of JSON in them, their bytes as stored, and their rows by table."""

    sources: tuple[Path, ...]
    size: int
    stored: int
    rows: dict[str, int]


def make_data(folder: Path, *, files: int, size: int, seed: int, kind: str = "easy") -> Data:
    """Generate files of ``size`` bytes of JSON into a folder of their own, and count what is in them on the way.

    ``kind``: a name in ``COSTS``.
    """
    options = GenerateOptions(files=files, size=size, seed=seed, **COSTS[kind])
    target = folder / f"{kind.replace(' ', '-').replace(',', '')}-{files}x{size}-{seed}"
    sources, rows, total = [], Counter[str](), 0
    for number in range(files):
        counts, path = Expected(), target / options.file_name(number)
        text = generate_text(options, file_number=number, counts=counts)
        sources.append(write_file(path, compressed(text, options, size=size)))
        rows.update(counts.rows)
        total += counts.size
    return Data(tuple(sources), total, sum(source.stat().st_size for source in sources), dict(rows))


def _rows(output: Path) -> dict[str, int]:
    rows = Counter[str]()
    for part in output.glob("record_type=*/**/*.parquet"):
        table = part.relative_to(output).parts[0].partition("=")[2]
        rows[table] += pq.read_metadata(part).num_rows
    return dict(rows)


def check(output: Path, expected: dict[str, int]) -> None:
    """Hold the written tables' row counts against those generated. Raises WrongRows."""
    found = _rows(output)
    if found != expected:
        raise WrongRows(f"{output}: expected rows {expected}, found {found}")
