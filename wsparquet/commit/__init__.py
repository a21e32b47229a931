"""Commit records, and the protocols that add, replace and remove them.

Only this package knows the paths of commit records and intents in a root. Other packages read both through
``CommitLog``.
"""

from __future__ import annotations

from wsparquet.commit.attempt import Attempt
from wsparquet.commit.index import CommitIndex
from wsparquet.commit.log import CommitLog
from wsparquet.commit.protocol import CommitConflict
from wsparquet.commit.record import Commit, CommitFacts, CommitHeader, Part, Sighting, Text

__all__ = [
    "Attempt",
    "Commit",
    "CommitConflict",
    "CommitFacts",
    "CommitHeader",
    "CommitIndex",
    "CommitLog",
    "Part",
    "Sighting",
    "Text",
]
