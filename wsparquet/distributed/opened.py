"""The root of a job and the index of its commits, opened once for all tasks of the job that one process runs."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field

from wsparquet.commit import CommitIndex
from wsparquet.dataset import Root
from wsparquet.distributed.shared_root import SharedRoot
from wsparquet.distributed.tasks import Work

__all__ = ["RootWork"]


class _Last:
    """The root that this process opened last. Opening a root again would cost 0.1 s, and more with many commits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._job = ""
        self._found: tuple[Root | None, CommitIndex] | None = None

    def opened(self, job: str, shared: SharedRoot) -> tuple[Root | None, CommitIndex]:
        """Return the root of a job and its index.

        An index may be outdated: a commit compares the current record, not the index.
        """
        with self._lock:
            if self._found is None or self._job != job:
                root = shared.open()
                commits = CommitIndex.empty() if root is None else root.commits()
                self._job, self._found = job, (root, commits)
            return self._found


_LAST = _Last()


@dataclass(frozen=True, kw_only=True)
class RootWork(Work):
    """The work of tasks that use the commits of a root. ``job`` is a random text that identifies the job."""

    root: SharedRoot
    job: str = field(default_factory=lambda: secrets.token_hex(8))

    def opened(self) -> tuple[Root | None, CommitIndex]:
        """Return the root, or None in a dry run without a root, and the index of its commits.

        Raises:
            DatasetError: this process runs on another machine, sees another root, or cannot open the root.

        """
        return _LAST.opened(self.job, self.root)
