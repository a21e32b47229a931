"""Enters the would-be commits of a dry run into an index, so that the dry run recognizes copies as a real run does."""

from __future__ import annotations

from dataclasses import replace

from wsparquet.commit import CommitFacts, CommitHeader, CommitIndex
from wsparquet.commit.replaced import all_texts_before
from wsparquet.conversion.identity import Refer, Write

__all__ = ["rehearse"]

DRY_RUN = "dry-run"
"""The token and the content id of commits that exist only in an index."""


def rehearse(decision: Refer | Write, facts: CommitFacts, commits: CommitIndex, *, rows: int) -> None:
    """Enter the commit that ``decision`` would make; ``rows``: the number of rows in all tables."""
    older = decision.texts_before if isinstance(decision, Write) else ()
    made = CommitHeader(
        identity=decision.identity,
        token=DRY_RUN,
        facts=facts,
        committed_at="",
        content_id=DRY_RUN,
        row_count=rows,
        texts_before=all_texts_before(decision.before, facts, older),
    )
    match decision:
        case Refer():
            commits.put(made.identity, replace(made, row_count=0, same_as=decision.holder.identity))
        case Write():
            commits.put(made.identity, made)
            for loser in decision.yielding:
                commits.put(loser.identity, replace(loser, row_count=0, same_as=made.identity))
