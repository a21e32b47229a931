"""Whether runs that began before `extend` add files without its columns after it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from pathlib import Path

import pytest

import wsparquet
from tests.extensions.roots import drifted_sources, records, rows
from wsparquet import SchemaError
from wsparquet.compaction import CompactOptions
from wsparquet.compaction.plan import planned_days
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import MergeLimits
from wsparquet.erasure.finding import Finder
from wsparquet.erasure.rewriting import rewrite
from wsparquet.privacy.ids import Kind
from wsparquet.privacy.people import People

TITLE = '[structs.Navigation.fields]\ntitle = "string"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root without an extension, with several sources of one day."""
    raw = drifted_sources(tmp_path / "raw", 3, files=2, containers=3)
    wsparquet.convert(raw, to=tmp_path / "lake").raise_for_failures()
    return tmp_path / "lake"


def converting(root: Root) -> Callable[[], object]:
    """A conversion that has read a source again, and is about to commit it."""
    commit = next(iter(root.log.commits()))
    attempt = root.begin(fallback_day_ms=None)
    return lambda: attempt.commit(commit.identity, commit.facts, expected=root.log.read(commit.identity))


def compacting(root: Root) -> Callable[[], object]:
    """A compaction that is about to merge a day of tables without additions."""
    tables = [name for name in root.schema.tables if name != "navigation"]
    options = CompactOptions(min_files=2, older_than=timedelta(0), tables=tables)
    planned = planned_days(root.log.counting(), options, root.schema)
    change = next(found for each in planned if (found := each.change(options, root.schema)) is not None)
    return lambda: root.replace_day(change, MergeLimits())


def erasing(root: Root) -> Callable[[], object]:
    """An erasure that has not searched yet. Its parts are copied, or written anew without rows of the person."""
    table = wsparquet.open_dataset(root.place).table("geo").to_table(columns=["visitId"])
    visit = next(value for value in table.column(0).to_pylist() if value)
    ids: dict[Kind, Collection[str]] = {"visitor": (), "visit": {visit}, "customer": ()}
    erased = People.named([("visit", visit)])

    def run() -> None:
        found = Finder(root, erased, ids).find()
        assert found.sources
        for identity, hits in found.sources.items():
            commit = root.log.read(identity)
            assert commit is not None
            rewrite(root, commit, root.log.counting(), hits, erased)

    return run


@pytest.mark.parametrize("begun", [converting, compacting, erasing])
def test_a_run_that_began_before_is_refused(
    tmp_path: Path, root: Path, begun: Callable[[Root], Callable[[], object]]
) -> None:
    """After `extend`, a run that opened the root before it commits nothing, and the root stays whole."""
    go_on = begun(Root.open(root))
    (tmp_path / "more.toml").write_text(TITLE)
    wsparquet.extend(root, tmp_path / "more.toml")
    expected, before = rows(root), records(root)
    with pytest.raises(SchemaError, match="the extension with which this run began"):
        go_on()
    assert (rows(root), records(root)) == (expected, before)
    assert wsparquet.extend(root, tmp_path / "more.toml").sources == 0
    assert wsparquet.verify(root).problems == []
