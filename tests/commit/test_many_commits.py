"""A root with tens of thousands of commits: wsparquet/commit/index.py and open.py."""

from __future__ import annotations

from pathlib import Path

from tests.dataset.helpers import API_NAME
from tests.scale import scaled
from tools.commits import make_commit
from wsparquet.dataset import Root, open_dataset
from wsparquet.layout import Identity


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
        unchanged = commits.find_unchanged_source(url=commit.facts.url or "", size=10, etag=None, mtime="1")
        assert unchanged is not None
        assert unchanged[0] == commit.header
    paths = [commit.path for commit in commits]
    assert len(paths) == count
    assert paths == sorted(paths)
