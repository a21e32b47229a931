"""What synchronisation leaves in a root: its state for monitors, and the listing's words in commit records."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dataset.helpers import IDENTITY, facts
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError


def test_the_state_of_an_account_is_replaced_and_read_back(tmp_path: Path) -> None:
    """Each account has one state, the last one written, whatever its name; a root without any has none."""
    root = Root.open(tmp_path / "lake")
    assert root.read_sync_state("7") is None
    assert root.read_sync_states() == {}
    for account, data in (("7", b"old"), ("7", b"new"), ("../8", b"other")):
        root.write_sync_state(account, data)
    assert root.read_sync_state("7") == b"new"
    assert root.read_sync_states() == {"_wsparquet/sync/7.json": b"new", "_wsparquet/sync/%2E.%2F8.json": b"other"}
    assert not list((tmp_path / "lake/_wsparquet/tmp").iterdir())


def test_a_record_keeps_what_the_listing_said(tmp_path: Path) -> None:
    """The listing's dates stand in the record as written, and in the head of it."""
    listing = {"scopeStartDate": "2016-06-30T09:00:00-04:00", "scopeEndDate": "2016-06-30T10:00:00-04:00"}
    root = Root.open(tmp_path / "lake")
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.commit(IDENTITY, facts(listing=listing), expected=None)
    (commit,) = root.commits()
    assert commit.facts.listing == listing
    head = root.commits().get(IDENTITY)
    assert head is not None
    assert (head.facts.listing, head.committed_at) == (listing, commit.committed_at)


@pytest.mark.parametrize("listing", ['"x"', '{"scopeStartDate":1}', "[]"])
def test_a_listing_that_is_none_is_refused(tmp_path: Path, listing: str) -> None:
    """A record whose listing is no object of texts cannot be believed."""
    root = Root.open(tmp_path / "lake")
    with root.begin(fallback_day_ms=None) as attempt:
        commit = attempt.commit(IDENTITY, facts(), expected=None)
    path = Path(root.place) / commit.path
    path.write_text(path.read_text().replace('"listing":{}', f'"listing":{listing}'))
    with pytest.raises(DatasetError, match=r"listing|scopeStartDate|the record"):
        root.commits()
