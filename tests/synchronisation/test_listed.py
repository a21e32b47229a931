"""wsparquet/synchronisation/listed.py: a listed file counts as committed only if its rows are there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.commit.commits import commit, seen
from wsparquet.commit import Commit, CommitIndex
from wsparquet.layout import Identity
from wsparquet.names import parse_name
from wsparquet.synchronisation.listed import committed, expires

API = "WebSession.1467291600000.1467295200000.part-00000-0.gz"


def name_of(*commits: Commit, name: str, unfinished: bool = False, account: str = "7") -> str | None:
    """The name of the commit that a listed file has among these."""
    index = CommitIndex({each.identity: each for each in commits}.get, (each.header for each in commits))
    head = committed(index, account, name, unfinished=unfinished)
    return head.identity.name if head else None


def test_a_file_is_committed_under_its_own_name() -> None:
    """Its identity has the stem of the API's name; a record of another account or name does not count."""
    stem = parse_name(API).stem
    own = commit(name=stem, listing={"name": "something else"})
    assert name_of(own, name=API) == stem
    assert name_of(own, name=API, account="8") is None
    assert name_of(own, name=API.replace("part-00000", "part-00001")) is None


def test_a_file_without_rows_is_missing() -> None:
    """A record that refers to rows which no commit has any more does not keep the file from being downloaded."""
    stem = parse_name(API).stem
    lost = commit(name=stem, parts=(), same_as=Identity("7", "b.gz"))
    assert name_of(lost, name=API) is None
    assert name_of(lost, commit(name="b.gz", text="t"), name=API) == stem


def test_a_listed_copy_is_committed() -> None:
    """Any commit of the account that notes the listed file has its rows."""
    record = commit(also=(seen(1, listed=True), seen(2)))
    assert name_of(record, name="copy 1") == "a.gz"
    assert name_of(record, name="copy 1", unfinished=True) == "a.gz"
    assert name_of(record, name="copy 2") is None
    assert name_of(record, name="copy 1", account="8") is None


def test_an_archive_is_committed_with_all_its_members() -> None:
    """After a failure the members alone do not prove that none is missing; one member without rows proves that."""
    listing = {"name": "all.zip", "archive": "all.zip"}
    members = [commit(name=f"{number}.gz", text=str(number), listing=listing) for number in range(2)]
    assert name_of(*members, name="all.zip") == "0.gz"
    assert name_of(*members, name="all.zip", unfinished=True) is None
    lost = commit(name="2.gz", parts=(), listing=listing, same_as=Identity("7", "nowhere"))
    assert name_of(*members, lost, name="all.zip") is None
    whole = commit(name="whole.gz", text="whole", listing={"name": "all.zip"})
    assert name_of(*members, whole, name="all.zip") == "whole.gz"
    assert name_of(*members, whole, name="all.zip", unfinished=True) == "whole.gz"


def test_files_expire_thirty_days_after_their_end() -> None:
    """A file without an end has no such time."""
    end = datetime(2026, 1, 1, tzinfo=UTC)
    assert expires(end) == end + timedelta(days=30)
    assert expires(None) is None
