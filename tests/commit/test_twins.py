"""wsparquet/commit/twins.py: of commits with the same rows, exactly one counts."""

from __future__ import annotations

from itertools import permutations

from tests.commit.commits import commit
from wsparquet.commit.twins import counting, find_twins, has_rows_of, outranks, refer_to_rows
from wsparquet.layout import Identity

API = "WebSession.1467291600000.1467295200000.part-00000-0.gz"
RANKED = [Identity(account, name) for name in (API, "a.gz") for account in ("7", "unknown")]


def test_the_better_known_identity_outranks() -> None:
    """An API name comes before an account; equal ones do not outrank each other."""
    for place, identity in enumerate(RANKED):
        assert [outranks(identity, other) for other in RANKED] == [place < other for other in range(len(RANKED))]
    assert not outranks(Identity("7", "a.gz"), Identity("8", "b.gz"))
    assert not outranks(Identity("multiple", "a.gz"), Identity("unknown", "a.gz"))


def test_one_of_each_text_counts() -> None:
    """In whatever order they are found, the best known one counts, and the others yield to it."""
    group = [commit(identity.account, identity.name) for identity in RANKED]
    other = commit(name="other.gz", text="another")
    for records in permutations([*group, other]):
        assert {loser.identity: winner.identity for loser, winner in find_twins(records)} == dict.fromkeys(
            RANKED[1:], RANKED[0]
        )
        assert {record.identity for record in counting(records)} == {RANKED[0], other.identity}


def test_commits_without_rows_or_text_are_no_twins() -> None:
    """Records without rows, and records without a known text, all count."""
    empty = [commit(name=name, parts=()) for name in ("a.gz", "b.gz")]
    unknown = [commit(name=name, text=None) for name in ("c.gz", "d.gz")]
    records = [*empty, *unknown, commit(name="e.gz")]
    assert list(find_twins(records)) == []
    assert counting(records) == records


def test_rows_are_those_of_the_same_text() -> None:
    """A record without rows has those of no text."""
    record = commit()
    assert has_rows_of(commit(name="b.gz"), record)
    assert not has_rows_of(None, record)
    assert not has_rows_of(commit(name="b.gz", parts=()), record)
    assert not has_rows_of(commit(name="b.gz", text="another"), record)


def test_references_lead_to_rows_or_nowhere() -> None:
    """A chain ends at the rows; a circle, a missing record, no rows, or another text mean that the rows are gone."""
    rows = commit(name="rows.gz")
    empty = commit(name="empty.gz", parts=())
    other = commit(name="other.gz", text="another")

    def to(name: str, target: str) -> tuple[str, str]:
        return name, target

    chain = dict(
        [to("1", "2"), to("2", "rows.gz"), to("x", "y"), to("y", "x"), to("3", "nowhere"), to("4", "empty.gz")]
    )
    chain["5"] = "other.gz"
    records = {name: commit(name=name, parts=(), same_as=Identity("7", target)) for name, target in chain.items()} | {
        record.identity.name: record for record in (rows, empty, other)
    }
    found = {name: refer_to_rows(record, lambda to: records.get(to.name)) for name, record in records.items()}
    assert found == {
        **dict.fromkeys(chain, None),
        "1": rows,
        "2": rows,
        "rows.gz": rows,
        "empty.gz": empty,
        "other.gz": other,
    }
