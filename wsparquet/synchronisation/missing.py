"""Keeps track of missing files during a run and saves the result for later runs and monitors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Self

from wsparquet.api import ListedFile, Listing
from wsparquet.commit import CommitIndex
from wsparquet.dataset import Root
from wsparquet.synchronisation.listed import committed, expires
from wsparquet.synchronisation.state import Missing, State

__all__ = ["Ledger"]

REMEMBERED = timedelta(days=30)
"""How long the reports keep mentioning a file that the server has deleted."""


class Ledger:
    """The missing files of an account: as the last run saved them, then updated by this run."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._before = dict(state.files)
        self._now = datetime.now(UTC)

    @classmethod
    def open(cls, root: Root, account: str) -> Self:
        """Read the state of an account. Raises DatasetError if the root's state file is malformed."""
        return cls(State.read(root, account))

    def write(self, root: Root) -> None:
        """Save the state in the root."""
        self.state.write(root)

    def has_failed(self, name: str) -> bool:
        """Return whether the file failed in the last run."""
        before = self._before.get(name)
        return before is not None and before.error is not None

    def begin(
        self, listing: Listing, wanted: Sequence[ListedFile], commits: CommitIndex, *, since: datetime | None
    ) -> None:
        """Record the files that are missing now.

        The run did not ask the server for files that start before ``since``.
        """
        listed = {file.name for file in listing.files}
        files = {name: each for name, each in self._before.items() if name not in listed}
        files = {
            name: self._unlisted(each, since)
            for name, each in files.items()
            if not committed(commits, self.state.account, name, unfinished=True) and not self._forgotten(each)
        }
        for file in wanted:
            files[file.name] = self._before.get(file.name) or _missing(file)
        for refusal in listing.refused:
            known = self._before.get(refusal.name) or Missing(refusal.name, refused=True)
            files[refusal.name] = known.failed(refusal.error, now=self._now, gone=False)
        self.state.files = files
        self.state.listed_at = self._now.isoformat()

    def _unlisted(self, each: Missing, since: datetime | None) -> Missing:
        """Mark a missing file as gone if the run requested its time range and the server did not list it."""
        asked = since is None or (each.start is not None and datetime.fromisoformat(each.start) >= since)
        return replace(each, gone_at=self._now.isoformat()) if asked and each.gone_at is None else each

    def _forgotten(self, each: Missing) -> bool:
        if each.refused:
            return True
        return each.gone_at is not None and self._now - datetime.fromisoformat(each.gone_at) > REMEMBERED

    def failed(self, name: str, error: str, *, gone: bool) -> None:
        """Record that a file could not be downloaded or converted."""
        self.state.files[name] = self.state.files[name].failed(error, now=datetime.now(UTC), gone=gone)

    def taken(self, name: str) -> None:
        """Remove a file that is now committed."""
        self.state.files.pop(name, None)


def _missing(file: ListedFile) -> Missing:
    start, end, until = (time.isoformat() if time else None for time in (file.start, file.end, expires(file.end)))
    return Missing(file.name, start, end, until)
