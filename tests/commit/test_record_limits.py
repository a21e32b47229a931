"""wsparquet/commit/record.py and replaced.py: how many places and texts a record lists, on both sides of each limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dataset.helpers import IDENTITY, facts, put
from wsparquet.commit import Sighting, Text
from wsparquet.commit.record import MOST_COPIES, MOST_TEXTS
from wsparquet.commit.replaced import all_texts_before
from wsparquet.dataset import Root


def sighting(number: int, *, size: int = 1) -> Sighting:
    """A place of a text."""
    return Sighting(f"{number}.gz", f"file:///{number}.gz", size, None, "1", "ab", {})


@pytest.mark.parametrize(("before", "noted"), [(MOST_COPIES - 1, True), (MOST_COPIES, False)])
def test_a_record_lists_32_places(tmp_path: Path, before: int, noted: bool) -> None:
    """One more is noted up to the limit; a full record keeps those that it has, and still notes their changes."""
    commit = put(Root.open(tmp_path / "lake"), count=1).sighted("1", map(sighting, range(before)))
    assert len(commit.also) == before
    more = commit.sighted("2", [sighting(99)])
    assert (more.token, len(more.also)) == (("2", MOST_COPIES) if noted else ("1", MOST_COPIES))
    changed = more.sighted("3", [sighting(0, size=2)])
    assert (changed.token, changed.also[0].size, len(changed.also)) == ("3", 2, MOST_COPIES)


@pytest.mark.parametrize("before", [MOST_TEXTS - 2, MOST_TEXTS - 1, MOST_TEXTS])
def test_a_record_lists_100_replaced_texts(tmp_path: Path, before: int) -> None:
    """The oldest ones are dropped, and the text that was just replaced is always among them."""
    root = Root.open(tmp_path / "lake")
    put(root, count=1)
    header = root.commits().get(IDENTITY)
    assert header is not None
    assert header.text is not None
    texts = tuple(f"{number:064x}" for number in range(10**6, 10**6 + before))
    object.__setattr__(header, "texts_before", texts)
    found = all_texts_before(header, facts(text=Text("f" * 64, 1)))
    assert found == (*texts, header.text.blake3)[-MOST_TEXTS:]
    assert len(found) == min(before + 1, MOST_TEXTS)
