"""What counts, as a reader finds it who reads records one after the other while other runs change them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commit import workload
from tests.dataset.helpers import IDENTITY
from wsparquet.commit import Commit
from wsparquet.commit.log import LOOKS, CommitLog
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError


class Interrupted(CommitLog):
    """Reads commit records, and then lets another run work before it reads the day records."""

    def __init__(self, root: Root, work: Callable[[Root], object], times: int) -> None:
        super().__init__(root.store)
        self._place = root.place
        self._work = work
        self._left = times
        self.readings = 0

    def counting_commits(self) -> list[Commit]:
        """Return the commits that count before the other run."""
        found = super().counting_commits()
        self.readings += 1
        if self._left:
            self._left -= 1
            self._work(Root.open(self._place))
        return found


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root whose days are compacted."""
    made = Root.open(tmp_path / "lake")
    workload.prepare(made, "compact")
    workload.compact(made)
    return made


def assert_whole(root: Root, log: CommitLog) -> None:
    """All parts that count for this reader exist, and they are the parts that count for a later reader."""
    parts = [each.part.path for each in log.counting().parts()]
    assert root.store.missing(parts) == set()
    assert sorted(parts) == sorted(each.part.path for each in root.log.counting().parts())


@pytest.mark.parametrize("work", [workload.redo_compacted, workload.remove_compacted])
def test_a_source_of_a_compacted_day_changes_meanwhile(root: Root, work: Callable[[Root], object]) -> None:
    """Its own parts are long gone, and must not count though no day record lists it any more."""
    log = Interrupted(root, work, times=1)
    assert_whole(root, log)
    assert log.readings == 2


def test_other_changes_are_no_reason_to_read_again(root: Root) -> None:
    """A compaction changes day records only; a source that has own parts beside day parts is as it was."""
    root.remove([IDENTITY.name])
    root.settle(root.commits())
    workload.commit_one(root, IDENTITY, 1)
    log = Interrupted(root, workload.compact, times=1)
    assert_whole(root, log)
    assert log.readings == 1


def test_records_that_never_rest_are_an_error(root: Root) -> None:
    """It says so after some readings, and what to do."""
    seeds = iter(range(50, 50 + LOOKS))

    def compact_and_redo(other: Root) -> None:
        workload.compact(other)
        workload.commit_one(other, IDENTITY, next(seeds))
        other.settle(other.commits())

    with pytest.raises(DatasetError, match="open the root again"):
        Interrupted(root, compact_and_redo, times=LOOKS).counting()
