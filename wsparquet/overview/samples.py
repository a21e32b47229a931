"""Reads the beginnings of quarantined texts, for users who want samples."""

from __future__ import annotations

from itertools import islice

from wsparquet.commit import Commit
from wsparquet.dataset import Root
from wsparquet.verification.quarantine import quarantine_entries

__all__ = ["samples_of"]

LONGEST = 300
"""How many characters of a text are shown."""


def samples_of(root: Root, commit: Commit, most: int) -> tuple[str, ...]:
    """Return the beginnings of at most ``most`` quarantined texts of a source, in the order of the source.

    The result is empty if a later commit has replaced the file. Raises DatasetError if the file is unreadable: only its
    owner and administrators can read it.
    """
    if commit.quarantine is None or not most:
        return ()
    data = root.store.read(commit.quarantine)
    if data is None:
        return ()
    entries = (entry for entry in quarantine_entries(data, commit.quarantine) if not entry.continued)
    return tuple(_beginning(entry.data) for entry in islice(entries, most))


def _beginning(data: bytes) -> str:
    # A character of UTF-8 has at most four bytes.
    text = data[: 4 * LONGEST].decode("utf-8", "replace")
    return text if len(text) <= LONGEST and len(data) <= 4 * LONGEST else f"{text[:LONGEST]}…"
