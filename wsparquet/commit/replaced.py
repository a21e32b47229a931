"""What a commit keeps of the commit that it replaces: the hashes of older texts."""

from __future__ import annotations

from collections.abc import Sequence

from wsparquet.commit.record import MOST_TEXTS, Commit, CommitFacts, CommitHeader

__all__ = ["all_texts_before"]


def all_texts_before(
    expected: Commit | CommitHeader | None, facts: CommitFacts, older: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the hashes of all texts that a commit with these facts replaces, oldest first.

    ``expected``: the replaced commit. ``older``: the hashes of texts that ``expected`` does not list.
    """
    texts = dict.fromkeys(older)
    if expected is not None:
        texts |= dict.fromkeys(expected.texts_before)
        if expected.facts.text is not None:
            texts[expected.facts.text.blake3] = None
    if facts.text is not None:
        texts.pop(facts.text.blake3, None)
    return tuple(texts)[-MOST_TEXTS:]
