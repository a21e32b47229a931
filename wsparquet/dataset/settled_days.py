"""Day records that a run has found settled, so that the run does not read them again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wsparquet.commit.days import DayRecord
from wsparquet.commit.index import CommitIndex
from wsparquet.commit.log import CommitLog

__all__ = ["SettledDays"]


class _Settled(NamedTuple):
    """The version of a day record in a listing, and the content ids of its members."""

    version: str
    contents: tuple[str, ...]


class SettledDays:
    """The settled days of one root. A day is settled if its parts have rows of current contents only.

    It stays settled as long as its record has the same version, and a commit has each of its members' contents.
    """

    def __init__(self) -> None:
        self._days: dict[str, _Settled] = {}

    def add(self, record: DayRecord, version: str | None) -> None:
        """Note that a day is settled. ``version`` is from a listing before the record was read.

        If the record was changed in between, the next listing has another version.
        """
        if version is not None:
            contents = tuple(member.content_id for member in record.members.values())
            self._days[record.path] = _Settled(version, contents)

    def others(self, log: CommitLog, commits: CommitIndex) -> Iterator[tuple[str | None, DayRecord]]:
        """Yield the records of all other days, each with its version. Raises DatasetError if one is unreadable."""
        versions = log.day_versions()
        paths = [path for path, version in versions.items() if not self._is_settled(path, version, commits)]
        for record in log.days_at(paths):
            yield versions[record.path], record

    def _is_settled(self, path: str, version: str | None, commits: CommitIndex) -> bool:
        found = self._days.get(path)
        return found is not None and found.version == version and all(map(commits.has_content, found.contents))
