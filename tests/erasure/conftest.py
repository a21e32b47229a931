"""The sources with a person, and roots with these sources."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

import wsparquet
from tests.erasure import people
from wsparquet.compaction.options import CompactKeywords

COMPACT: CompactKeywords = {"min_files": 2, "older_than": timedelta(0)}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret key of all erasures."""
    monkeypatch.setenv("WSPARQUET_KEY", people.KEY)


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sources with the person; no test may change them."""
    return people.write_sources(tmp_path_factory.mktemp("people") / "raw")


@pytest.fixture(scope="session")
def own_parts(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with these sources, which no test may change."""
    root = tmp_path_factory.mktemp("people") / "lake"
    assert wsparquet.convert(raw, to=root).failed == []
    return root


@pytest.fixture(scope="session")
def day_parts(own_parts: Path) -> Path:
    """The same root after a compaction."""
    root = own_parts.with_name("compacted")
    shutil.copytree(own_parts, root)
    assert wsparquet.compact(root, **COMPACT).days == 2
    return root


@pytest.fixture(params=["own parts", "day parts"])
def lake(request: pytest.FixtureRequest, own_parts: Path, day_parts: Path, tmp_path: Path) -> Path:
    """A copy of one of these roots."""
    shutil.copytree(own_parts if request.param == "own parts" else day_parts, tmp_path / "lake")
    return tmp_path / "lake"


@pytest.fixture
def plain(own_parts: Path, tmp_path: Path) -> Path:
    """A copy of the root with own parts."""
    shutil.copytree(own_parts, tmp_path / "lake")
    return tmp_path / "lake"
