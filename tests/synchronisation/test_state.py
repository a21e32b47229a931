"""What synchronisation leaves in a root: its state for monitors, and the listing's words in commit records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.dataset.helpers import IDENTITY, facts
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError
from wsparquet.synchronisation.state import Missing, State


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


MISSING = Missing(
    name="a.gz",
    start="2026-01-01T00:00:00+00:00",
    end="2026-01-01T01:00:00+00:00",
    expires="2026-01-31T01:00:00+00:00",
    failed_since="2026-01-01T02:00:00+00:00",
    error="HTTP status 500",
    gone_at="2026-01-01T03:00:00+00:00",
    refused=True,
)


def test_what_is_missing_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every field of every file comes back, for each account."""
    root = Root.open(tmp_path / "lake")
    states = [
        State("7", "2026-01-01T00:00:00+00:00", {"a.gz": MISSING, "b.gz": Missing("b.gz")}),
        State("8", None, {}),
    ]
    for state in states:
        state.write(root)
    assert [State.read(root, state.account) for state in states] == states == State.read_all(root)
    assert State.read(root, "9") == State("9", None, {})


@pytest.mark.parametrize("key", ["start", "end", "expires", "failed_since", "gone_at", "error"])
def test_a_missing_file_of_another_form_is_refused(tmp_path: Path, key: str) -> None:
    """Each value is text or nothing, and each time has a time zone; the remedy is to delete the file."""
    root = Root.open(tmp_path / "lake")
    value: Any
    for value in (1, *(["2026-01-01T00:00:00", "yesterday"] if key != "error" else [])):
        changed: Any = {key: value}
        State("7", None, {"a.gz": replace(MISSING, **changed)}).write(root)
        with pytest.raises(DatasetError, match=r"expected the saved state of `sync`, .*delete the file"):
            State.read(root, "7")


def test_failures_keep_their_first_time_until_the_file_is_there_again() -> None:
    """The message is the last one; a file that is gone keeps the time at which that was found, and no other does."""
    first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    once = Missing("a.gz").failed("one", now=first, gone=False)
    assert (once.failed_since, once.error, once.gone_at) == (first.isoformat(), "one", None)
    gone = once.failed("two", now=second, gone=True)
    assert (gone.failed_since, gone.error, gone.gone_at) == (first.isoformat(), "two", second.isoformat())
    assert gone.failed("three", now=first, gone=True).gone_at == second.isoformat()
    assert gone.failed("three", now=first, gone=False).gone_at is None
