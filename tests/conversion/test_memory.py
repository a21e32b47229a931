"""wsparquet/conversion/memory.py: how a run divides its memory, and what it says if there is not enough."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import wsparquet
from tests.dataset.helpers import data_files
from wsparquet import ConvertOptions, Progress
from wsparquet.conversion.memory import DEFAULT_MEMORY, LEAST_MEMORY, MemoryPlan, plan_memory
from wsparquet.decode import Limits
from wsparquet.errors import OptionError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.parquet.writers import shared_pool

MEBIBYTE = 1 << 20


@pytest.mark.parametrize("decoder", ["native", "reference"])
@pytest.mark.parametrize("memory", [LEAST_MEMORY, 200 * MEBIBYTE, DEFAULT_MEMORY, 4 << 30])
@pytest.mark.parametrize("jobs", [1, 2, 3, 16, 1000])
def test_a_plan_uses_what_it_may(memory: int, jobs: int, decoder: str) -> None:
    """Each plan has a job, and not more than wanted, and enough for writers; more memory makes no plan smaller."""
    plan = plan_memory(memory, jobs=jobs, decoder=decoder)
    assert 1 <= plan.jobs <= jobs
    assert 0 < plan.batch_bytes <= Limits().batch_bytes
    assert 16 * MEBIBYTE <= plan.writers < memory
    more = plan_memory(memory + 50 * MEBIBYTE, jobs=jobs, decoder=decoder)
    assert more.jobs >= plan.jobs
    if more.jobs == plan.jobs:
        assert (more.batch_bytes, more.writers) >= (plan.batch_bytes, plan.writers)


def test_two_jobs_have_full_batches_by_default() -> None:
    """The default memory suffices for two jobs without any loss of speed, and most of it makes row groups large."""
    plan = plan_memory(DEFAULT_MEMORY, jobs=2, decoder="native")
    assert plan == MemoryPlan(2, Limits().batch_bytes, plan.writers)
    assert plan.writers > DEFAULT_MEMORY // 2


def test_too_little_memory_is_refused() -> None:
    """The message says how much is needed."""
    with pytest.raises(OptionError, match=r"expected 172 MiB or more, found 1.0 MiB"):
        ConvertOptions(memory=MEBIBYTE)
    with pytest.raises(OptionError, match="whole number"):
        ConvertOptions(memory="1 GiB")  # type: ignore[arg-type]
    assert ConvertOptions(memory=LEAST_MEMORY).memory == LEAST_MEMORY


def told(folder: Path, root: Path, **options: object) -> list[Progress]:
    """The events of a conversion that say that it has fewer jobs than wanted."""
    events: list[Progress] = []
    wsparquet.convert(folder, root, options=ConvertOptions(**options), on_progress=events.append).raise_for_failures()  # type: ignore[arg-type]
    return [event for event in events if event.kind == "limited"]


def test_fewer_jobs_are_said(tmp_path: Path) -> None:
    """A run that has memory for fewer jobs says so once; one with enough, or with few sources, says nothing."""
    generate(tmp_path / "in", GenerateOptions(files=5, size=5_000))
    (event,) = told(tmp_path / "in", tmp_path / "small", jobs=64, memory=LEAST_MEMORY, decoder="reference")
    assert event.reason == "1 instead of 5, because `memory` is not enough for more"
    assert told(tmp_path / "in", tmp_path / "large", jobs=64, memory=1 << 30) == []
    assert told(tmp_path / "in", tmp_path / "one", jobs=1, memory=LEAST_MEMORY) == []


def test_a_source_is_one_file_a_table_and_day_with_one_row_group(tmp_path: Path) -> None:
    """However many batches a source has, and whatever decoder reads it; afterwards nothing is left in memory."""
    (source,) = generate(tmp_path / "in", GenerateOptions(size=1_000_000, seed=5, preset="hard"))
    for decoder in ("auto", "reference"):
        root = tmp_path / decoder
        options = ConvertOptions(decoder=decoder, limits=Limits(batch_bytes=1 << 10))
        wsparquet.convert(source, root, options=options).raise_for_failures()
        groups = row_groups(root)
        assert {len(rows) for rows in groups.values()} == {1}
        assert len({path.rpartition("/")[0] for path in groups}) == len(groups) > 7
        assert shared_pool().taken == 0


def row_groups(root: Path) -> dict[str, list[int]]:
    """The rows of each row group, by file."""
    found = {}
    for path in data_files(root):
        footer = pq.read_metadata(root / path)
        found[path] = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
    return found
