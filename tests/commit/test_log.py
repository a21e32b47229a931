"""wsparquet/commit/log.py: the one way to read commit records and intents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import wsparquet
from tests.dataset.helpers import put
from wsparquet.commit import CommitLog
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity

PACKAGE = Path(wsparquet.__file__).parent
PLACES = re.compile(r"\b(COMMITS|INTENTS|CHECKPOINT|record_path|intent_path|intents_folder)\b")
OWNERS = {PACKAGE / "layout.py", *(PACKAGE / "commit").glob("*.py")}


def test_only_the_commit_package_knows_where_records_lie() -> None:
    """All other modules read commit records and intents through ``CommitLog``."""
    modules = [path for path in PACKAGE.rglob("*.py") if path not in OWNERS]
    assert len(modules) > 100
    assert [str(path) for path in modules if PLACES.search(path.read_text(encoding="utf-8"))] == []


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with three commits, of which one is removed."""
    opened = Root.open(tmp_path)
    for number in range(3):
        put(opened, Identity("7", f"source {number}"), seed=number)
    opened.remove(["source 1"])
    return opened


def test_every_way_to_read_gives_the_same_commits(root: Root) -> None:
    """With and without the checkpoint, whole or as headers, one by one or all at once."""
    log = CommitLog(root.store)
    commits = list(log.commits())
    assert [commit.identity.name for commit in commits] == ["source 0", "source 2"]
    assert [commit.path for commit in commits] == [path for path, _ in log.files()]
    assert log.first_path() == commits[0].path
    assert [commit.header for commit in log.cached_commits()] == [commit.header for commit in commits]
    assert list(log.index().headers()) == [commit.header for commit in commits]
    assert [log.read(commit.identity) for commit in commits] == commits
    assert log.read(Identity("7", "source 1")) is None


def test_a_root_without_commits_has_an_empty_log(tmp_path: Path) -> None:
    """No way to read finds anything."""
    log = Root.open(tmp_path).log
    assert log.first_path() is None
    assert (list(log.files()), list(log.commits()), list(log.cached_commits()), len(log.index())) == ([], [], [], 0)
    assert (list(log.intent_files()), list(log.paths_of_live_intents(0))) == ([], [])


def test_an_unreadable_record_is_an_error_unless_the_caller_skips_it(root: Root) -> None:
    """The other commits are still read."""
    path = next(iter(root.log.commits())).path
    (Path(root.place) / path).write_bytes(b"{}")
    with pytest.raises(DatasetError, match="format_version"):
        list(root.log.commits())
    assert [commit.identity.name for commit in root.log.commits(skip_unreadable=True)] == ["source 2"]


def test_a_file_that_is_not_an_intent_is_an_error(root: Root) -> None:
    """A file in the folder of intents must have an intent's name."""
    path = Path(root.place) / "_wsparquet/intents/7/other.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    with pytest.raises(DatasetError, match=r"expected an intent's file name, found 'other.json'"):
        list(root.log.intent_files())
