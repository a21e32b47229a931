"""wsparquet/verification/part_files.py: a part that is verified is never in memory as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from tests.dataset.helpers import IDENTITY, data_files, facts, make_rows, put
from wsparquet.dataset import Root
from wsparquet.layout import Identity

ROWS, BATCHES, BYTES = 100, 12, 20_000
"""Random text that does not compress: the part has some 24 MB."""

PROGRAM = """
import resource, sys, wsparquet
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
found = wsparquet.verify(sys.argv[1], jobs=1)
before = peak()
found = wsparquet.verify(sys.argv[2], jobs=1)
print(peak() - before, found.bytes, [problem.kind for problem in found.problems if problem.kind != "sums"])
"""


def commit_large(root: Root, identity: Identity) -> None:
    """Commit rows of one table with random text in one column."""
    with root.begin(fallback_day_ms=0) as attempt:
        for number in range(BATCHES):
            batch = make_rows("geo", ROWS, seed=number)
            index = batch.schema.get_field_index("rescued")
            text = pa.array([f'{{"x":"{os.urandom(BYTES // 2).hex()}"}}' for _ in range(ROWS)])
            attempt.write_day("geo", None, batch.set_column(index, batch.schema.field(index), text))
        attempt.commit(identity, facts(), expected=None)


def test_a_large_part_needs_little_memory(tmp_path: Path) -> None:
    """The peak grows by less than half of the part's size, measured in a process of its own."""
    small, large = Root.open(tmp_path / "small"), Root.open(tmp_path / "large")
    put(small, IDENTITY)
    commit_large(large, IDENTITY)
    (part,) = data_files(tmp_path / "large")
    size = (tmp_path / "large" / part).stat().st_size
    assert size > 10_000_000
    command = [sys.executable, "-c", PROGRAM, small.place, large.place]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, checked, problems = done.stdout.split(maxsplit=2)
    assert (int(checked), problems.strip()) == (size, "[]")
    assert int(grown) < size // 2
