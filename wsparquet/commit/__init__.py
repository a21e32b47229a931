"""What counts in a root: commit records, and the protocols that add, replace and remove them."""

from __future__ import annotations

from wsparquet.commit.attempt import Attempt
from wsparquet.commit.index import Commits
from wsparquet.commit.protocol import Superseded
from wsparquet.commit.record import Commit, CommitFacts, Head, Part

__all__ = ["Attempt", "Commit", "CommitFacts", "Commits", "Head", "Part", "Superseded"]
