"""wsparquet/commit/replaced.py: a commit remembers what it replaced, so that an older file does not come back."""

from __future__ import annotations

from tests.commit.commits import commit
from wsparquet.commit.record import MOST_TEXTS
from wsparquet.commit.replaced import all_texts_before


def test_older_texts_are_kept_in_order() -> None:
    """Texts from elsewhere come first, then those of the replaced commit, then its own; the new text is not old."""
    expected = commit(text="2", texts_before=("0", "1", "3"))
    new = commit(text="3").facts
    assert all_texts_before(expected, new, ("a", "1")) == ("a", "1", "0", "2")
    assert all_texts_before(None, new) == ()
    assert all_texts_before(commit(text=None, texts_before=("0",)), commit(text=None).facts) == ("0",)


def test_the_newest_texts_are_kept() -> None:
    """At the limit the oldest text goes."""
    texts = tuple(map(str, range(MOST_TEXTS - 1)))
    assert all_texts_before(commit(text="last", texts_before=texts), commit(text="new").facts) == (*texts, "last")
    more = (*texts, "more")
    assert all_texts_before(commit(text="last", texts_before=more), commit(text="new").facts) == (*more[1:], "last")
