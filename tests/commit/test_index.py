"""wsparquet/commit/index.py: a source that is committed is found, and one that has changed is not."""

from __future__ import annotations

import pytest

from tests.commit.commits import commit, seen
from tools.commits import make_commit
from wsparquet.commit import Commit, CommitIndex, Text
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity

URL = "file:///in/a.gz"


def index(*commits: Commit) -> CommitIndex:
    """An index of these commits."""
    by_identity = {each.identity: each for each in commits}
    return CommitIndex(by_identity.get, (each.header for each in commits))


@pytest.mark.parametrize(
    ("committed", "source", "unchanged"),
    [
        (("e", "1"), ("e", "2"), True),
        (("e", "1"), ("f", "1"), False),
        ((None, "1"), ("e", "1"), True),
        (("e", "1"), (None, "1"), True),
        ((None, "1"), (None, "2"), False),
        ((None, None), (None, None), False),
    ],
)
def test_an_etag_decides_before_the_time(
    committed: tuple[str | None, str | None], source: tuple[str | None, str | None], *, unchanged: bool
) -> None:
    """If the commit or the source has no ETag, the times are compared. Without times, the source counts as changed."""
    record = commit(size=10, etag=committed[0], mtime=committed[1])
    found = index(record).find_unchanged_source(url=URL, size=10, etag=source[0], mtime=source[1])
    assert (found is not None) == unchanged
    assert index(record).find_unchanged_source(url=URL, size=11, etag=source[0], mtime=source[1]) is None
    assert index(record).find_unchanged_source(url=f"{URL}2", size=10, etag=source[0], mtime=source[1]) is None


def test_the_account_limits_the_source_of_a_commit_but_not_its_copies() -> None:
    """A copy has the rows whatever account its folder names."""
    copy = seen(1, size=10)
    commits = index(commit("7", size=10, mtime="1", etag=None, also=(copy,)))

    def found(url: str, account: str | None) -> str | None:
        place = commits.find_unchanged_source(url=url, size=10, etag=None, mtime="1", account=account)
        return place and place[1].name

    assert [found(URL, account) for account in (None, "7", "8")] == ["a.gz", "a.gz", None]
    assert [found(copy.url, account) for account in (None, "7", "8")] == [copy.name] * 3


def test_a_reference_without_rows_is_no_commit() -> None:
    """If the rows are gone, the source counts as new."""
    referring = commit(size=10, mtime="1", etag=None, parts=(), same_as=Identity("7", "b.gz"))
    commits = index(referring)
    assert commits.counted(referring.header) is None
    assert commits.find_unchanged_source(url=URL, size=10, etag=None, mtime="1") is None
    commits.put(Identity("7", "b.gz"), commit(name="b.gz"))
    assert commits.counted(referring.header) == referring.header
    assert commits.with_rows(referring.header) == commit(name="b.gz").header
    assert commits.find_unchanged_source(url=URL, size=10, etag=None, mtime="1") is not None


def test_a_replaced_commit_is_found_by_none_of_its_old_values() -> None:
    """By its new values it is found, until it is removed."""
    old = commit(size=1, checksum="x", text="old", texts_before=("older",), also=(seen(1, listed=True),))
    new = commit(size=2, checksum="y", text="new", texts_before=("old",), source_name="b.gz", listing={"name": "c"})
    commits = index(old)

    def found(each: Commit, older: str, listed: str) -> list[int]:
        facts = each.facts
        assert facts.size is not None
        assert facts.text is not None
        ways = (
            commits.by_size(facts.size),
            commits.by_checksum(facts.checksum),
            commits.by_text(facts.text),
            commits.by_older_text(Text(older, 1)),
            commits.by_source_name(facts.source_name),
            commits.by_listed_name(listed),
        )
        return [len(way) for way in ways]

    assert (found(old, "older", "copy 1"), found(new, "old", "c"), len(commits)) == ([1] * 6, [0] * 6, 1)
    commits.put(old.identity, new)
    assert (found(old, "older", "copy 1"), found(new, "old", "c"), len(commits)) == ([0] * 6, [1] * 6, 1)
    assert commits.get(new.identity) == new.header
    commits.put(old.identity, new.header)
    assert (commits.get(new.identity), len(commits)) == (new.header, 1)
    commits.put(old.identity, None)
    assert (found(new, "old", "c"), len(commits), commits.get(new.identity)) == ([0] * 6, 0, None)


def test_commits_of_a_text_have_rows_and_an_order() -> None:
    """The preferred commit comes first, and a record without rows is left out."""
    known, unknown, empty = commit("7"), commit("unknown"), commit("8", parts=())
    assert index(unknown, empty, known).by_text(Text("t", 10)) == (known.header, unknown.header)


def test_a_removal_by_name_takes_what_refers_to_the_rows_first() -> None:
    """A name is that of the source, of its record, or of a copy of its current text, and no other."""
    rows = commit(name="rows.gz", source_name="file.gz", also=(seen(1), seen(2, text="older")))
    referring = commit(name="twin.gz", parts=(), same_as=rows.identity)
    dangling = commit(name="lost.gz", parts=(), same_as=Identity("7", "nowhere"))
    commits = index(rows, referring, dangling)
    for name in ("rows.gz", "file.gz", rows.identity.key.name, "copy 1", "twin.gz"):
        assert commits.select([name]) == (referring.identity, rows.identity)
    for name in ("copy 2", "lost.gz", "nothing"):
        with pytest.raises(DatasetError, match="expected names of committed sources"):
            commits.select([name])
    with pytest.raises(DatasetError, match="expected names of committed sources"):
        commits.select(["rows.gz"], account="8")


def test_the_name_of_a_source_comes_before_that_of_a_copy() -> None:
    """A source of another text that is named like a copy is removed alone."""
    first = commit(name="a.gz", also=(seen(1, name="b.gz"),))
    second = commit(name="b.gz", text="another")
    assert index(first, second).select(["b.gz"]) == (second.identity,)


def test_a_name_in_two_accounts_needs_an_account() -> None:
    """Nothing is selected until the account is named."""
    commits = index(commit("7"), commit("8", text="another"))
    with pytest.raises(DatasetError, match=r"a.gz: expected a source of one account, found 7, 8"):
        commits.select(["a.gz"])
    assert commits.select(["a.gz"], account="8") == (Identity("8", "a.gz"),)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """At most three names are suggested; if none is near, the answer says how many there are."""
    commits = index(*(commit(name=f"visits{number}.gz", text=str(number)) for number in range(5)))
    with pytest.raises(
        DatasetError, match=r"found visits\.gz; the nearest names are visits\d\.gz, visits\d\.gz, "
    ) as near:
        commits.select(["visits.gz"])
    assert str(near.value).count("visits") == 4
    with pytest.raises(DatasetError, match=r"found xyz; none of the root's 5 names is similar"):
        commits.select(["xyz"])


def test_a_large_group_is_not_copied_for_each_of_its_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of empty hours all have one size; adding 100,000 of them one by one would copy 40 GB."""
    headers = [make_commit(number).header for number in range(300)]
    with monkeypatch.context() as patch:
        patch.setattr("wsparquet.commit.index._Groups.add", None)
        found = CommitIndex(lambda _: None, headers)
    (size,) = {header.facts.size for header in headers}
    assert size is not None
    assert found.by_size(size) == tuple(headers)
    assert found.by_source_name(headers[7].facts.source_name) == (headers[7],)
    found.put(headers[0].identity, None)
    found.put(headers[0].identity, headers[0])
    assert found.by_size(size) == (*headers[1:], headers[0])
