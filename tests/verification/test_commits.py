"""wsparquet/verification/commits.py: a record that others replace while it is checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dataset.helpers import IDENTITY, facts, make_rows
from wsparquet.commit import CommitLog
from wsparquet.dataset import Root
from wsparquet.store.local import LocalDisk
from wsparquet.verification.commits import LOOKS, check_commit
from wsparquet.verification.doubles import Doubles


class Busy(LocalDisk):
    """A disk on which another run replaces the record after each of the first readings."""

    def __init__(self, root: Path, times: int, change: Callable[[], object]) -> None:
        super().__init__(root)
        self.left, self.change = times, change

    def read(self, path: str) -> bytes | None:
        """Read, and replace what was read."""
        found = super().read(path)
        if "/commits/" in path and self.left:
            self.left -= 1
            self.change()
        return found


def replace(root: Root, seed: int) -> None:
    """Commit other rows of the same source."""
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 20, seed=seed))
        report = {"records": 20, "rows": {"geo": 20}}
        attempt.commit(IDENTITY, facts(f"{seed:064x}", report=report), expected=root.commits().get(IDENTITY))


@pytest.mark.parametrize("times", range(LOOKS + 1))
def test_a_record_that_is_replaced_again_and_again(tmp_path: Path, times: int) -> None:
    """A record is looked at three times: if the third one is replaced, too, what it lacked then is a problem."""
    assert LOOKS == 3
    root, seeds = Root.open(tmp_path), iter(range(1, 9))
    replace(root, next(seeds))
    store = Busy(tmp_path, times, lambda: replace(root, next(seeds)))
    data = store.read(path := IDENTITY.key.record_path)
    assert data is not None
    found = check_commit(CommitLog(store), store, path, data, Doubles())
    assert {problem.kind for problem in found.problems} == ({"missing"} if times == LOOKS else set())
    assert root.commits().get(IDENTITY) is not None
