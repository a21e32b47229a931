"""A root with tens of thousands of commits: wsparquet/commit/index.py and open.py."""

from __future__ import annotations

from pathlib import Path

from tests.dataset.helpers import API_NAME, START, facts
from tests.scale import scaled
from wsparquet.commit import Commit, Part
from wsparquet.dataset import Root, open_dataset
from wsparquet.layout import Identity, part_path
from wsparquet.schema import TABLES

HOUR = 3_600_000


def make_commit(number: int) -> Commit:
    """A commit as a real one would be: parts of all tables on one or two days, a report of some length."""
    start = START + number * HOUR
    identity = Identity("75555851", f"WebSession.{start}.{start + HOUR}.part-00000-{number}")
    token = f"{number:016x}"
    parts = tuple(
        Part(part_path(identity.key, table, None, f"{token}.{n}"), table, None, 1000, 100_000, start, start + HOUR)
        for n, table in enumerate([*TABLES, *TABLES])
    )
    paths = {f"$.engagementAttributes[*].data.customerInfo.field{n}": n for n in range(20)}
    report = {"records": 16_000, "rows": dict.fromkeys(TABLES, 2000), "rescued": {"engagement_attributes": paths}}
    known = facts(f"{number:064x}", report=report, source_name=f"{identity.name}.gz", url=f"file:///in/{number}.gz")
    return Commit(identity, token, known, parts, None, (), "wsparquet 0.1.0", 1, "2026-01-01T00:00:00+00:00")


def test_every_one_of_many_commits_is_found(tmp_path: Path) -> None:
    """A root with 30,000 commits opens with all of them, and each is found by identity, checksum, URL and name."""
    count = scaled(30_000, 2_000)
    root = Root.open(tmp_path)
    made = [make_commit(number) for number in range(count)]
    for commit in made:
        path = tmp_path / commit.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(commit.to_json())

    lake = open_dataset(tmp_path)

    commits = root.commits()
    assert len(commits) == len(lake.commits) == count
    assert commits.get(Identity("8", API_NAME)) is None
    for commit in (made[0], made[count // 2], made[-1]):
        assert commits.get(commit.identity) == commit.header
        assert commits.by_checksum(commit.checksum) == (commit.header,)
        assert commits.by_source_name(commit.facts.source_name) == (commit.header,)
        assert commits.find_unchanged_source(url=commit.facts.url or "", size=10, etag=None, mtime="1") == commit.header
    paths = [commit.path for commit in commits]
    assert len(paths) == count
    assert paths == sorted(paths)
