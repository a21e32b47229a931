"""`changes`: a copy that follows a root by its tokens has the root's rows, whatever was done to the root."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import run
from tests.dataset.helpers import IDENTITY, facts, make_rows
from tests.query import roots
from tests.store.s3.lake import Lake
from wsparquet import Changes, DatasetError, OptionError, changes, open_dataset, scan
from wsparquet.dataset import Root
from wsparquet.layout import Identity

Row = tuple[str, int]
SOURCES = [Identity("7", name) for name in ("one", "two", "X (1)", "ümläut 100%", "a\udc80b")]


def add(root: Root, source: Identity, *, seed: int, count: int, tables: tuple[str, ...] = roots.TABLES) -> None:
    """Commit rows of a source; the value of `source_file` is another one with each seed."""
    with root.begin(fallback_day_ms=None) as attempt:
        for table in tables:
            attempt.write(table, make_rows(table, count, seed=seed))
        known = facts(f"{seed:064x}", source_name=f"file {seed}")
        attempt.commit(source, known, expected=root.commits().get(source))


class Warehouse:
    """Rows that somebody loaded, by the value of `source_file`."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {}
        self.token: str | None = None

    def load(self, root: Path) -> Changes:
        """Delete and insert as the documentation says."""
        found = changes(root, self.token)
        for source in (*found.removed, *found.replaced):
            del self.rows[source.before or ""]
        for table in roots.TABLES:
            frame = scan(root, table, changes=found).select("source_file", "record_number")
            for name, number in frame.collect().rows():
                self.rows.setdefault(name, []).append((table, number))
        for source in (*found.added, *found.replaced):
            assert len(self.rows[source.source_file]) == source.rows
        self.token = found.token
        return found


def rows_of(root: Path) -> dict[str, list[Row]]:
    """The rows that count, by the value of `source_file`."""
    found: dict[str, list[Row]] = {}
    for table in roots.TABLES:
        for name, number in roots.counted(root, table):
            found.setdefault(name, []).append((table, number))
    return found


def in_order(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The same with sorted rows, without sources that have none."""
    return {name: sorted(each) for name, each in rows.items() if each}


@pytest.mark.parametrize("seed", range(4))
def test_a_warehouse_that_follows_the_tokens_has_the_rows_of_the_root(tmp_path: Path, seed: int) -> None:
    """Sources are added, written anew, removed and added again at random; loads happen at random, some twice."""
    chance = random.Random(seed)
    root = Root.open(tmp_path)
    warehouse = Warehouse()
    for step in range(14):
        source = chance.choice(SOURCES)
        if chance.random() < 0.3 and root.commits().get(source) is not None:
            root.remove([source.name])
        else:
            add(root, source, seed=100 * seed + step, count=4)
        if chance.random() < 0.5:
            before = warehouse.token
            found = warehouse.load(tmp_path)
            again = changes(tmp_path, before)
            assert [again.added, again.replaced, again.removed] == [found.added, found.replaced, found.removed]
            assert in_order(warehouse.rows) == in_order(rows_of(tmp_path))
    warehouse.load(tmp_path)
    assert in_order(warehouse.rows) == in_order(rows_of(tmp_path)) != {}
    nothing = warehouse.load(tmp_path)
    assert (nothing.added, nothing.replaced, nothing.removed) == ((), (), ())


@pytest.mark.parametrize("make", roots.STATES, ids=lambda make: make.__name__)
def test_all_is_new_at_first(make: Any, tmp_path: Path) -> None:
    """Without a token, the sources whose rows count are added, twins once."""
    make(tmp_path)
    found = changes(tmp_path)
    assert (found.replaced, found.removed) == ((), ())
    assert sum(source.rows for source in found.added) == sum(map(len, rows_of(tmp_path).values()))
    assert scan(tmp_path, "geo", changes=found).collect().height == roots.ROWS[make.__name__]


def test_a_source_that_yields_to_its_twin_is_no_loss(tmp_path: Path) -> None:
    """The copy whose rows were loaded is gone when the other one counts, and settling twins changes nothing."""
    root = Root.open(tmp_path)
    roots.commit(root, roots.COPY, seed=1, text=roots.TEXT)
    first = changes(tmp_path)
    roots.commit(root, IDENTITY, seed=1, text=roots.TEXT)
    later = changes(tmp_path, first)
    assert [len(first.added), len(later.added), len(later.replaced), len(later.removed)] == [1, 1, 0, 1]
    assert scan(tmp_path, "geo", changes=later).collect().height == 12
    root.settle_twins(root.commits())
    last = changes(tmp_path, later)
    assert (last.added, last.replaced, last.removed) == ((), (), ())


def test_tokens_that_are_none_are_refused(tmp_path: Path) -> None:
    """Another text, a damaged token and one of another root are told apart; their contents are not shown."""
    roots.two_sources(tmp_path / "a")
    roots.two_sources(tmp_path / "b")
    token = changes(tmp_path / "a").token
    for text, said in {
        "2026-11-26": "expected a token of wsparquet changes, found another text of 10 characters",
        token[:-9]: "damaged",
        token.replace(":", ":AAAA", 1): "damaged",
        changes(tmp_path / "b").token: "another root",
    }.items():
        with pytest.raises(OptionError, match=said):
            changes(tmp_path / "a", text)
    with pytest.raises(OptionError, match="expected changes of"):
        scan(tmp_path / "b", "geo", changes=changes(tmp_path / "a"))
    assert changes(tmp_path / "a", f"  {token}\n").added == ()


def test_rows_that_were_replaced_meanwhile_are_an_error(tmp_path: Path) -> None:
    """A scan of changes whose files are gone says to ask again; it does not return fewer rows."""
    root = roots.two_sources(tmp_path)
    found = changes(tmp_path)
    add(root, IDENTITY, seed=9, count=5, tables=("geo",))
    with pytest.raises(DatasetError, match="call changes again with the same token"):
        scan(tmp_path, "geo", changes=found)


def test_views_of_changes(tmp_path: Path) -> None:
    """A flat view of the changes has the rows of new sources only."""
    root = roots.two_sources(tmp_path)
    first = changes(tmp_path)
    add(root, Identity("7", "third"), seed=5, count=9, tables=("navigation",))
    later = scan(tmp_path, "page_views", changes=changes(tmp_path, first)).collect()
    everything = scan(tmp_path, "page_views").collect()
    assert 0 < later.height < everything.height
    assert set(later["source_file"]) <= set(scan(tmp_path, "navigation").collect()["source_file"])


def test_on_s3(bucket: Lake) -> None:
    """Root, token and rows are in a bucket."""
    root = bucket.open()
    add(root, SOURCES[0], seed=1, count=6, tables=("geo",))
    first = changes(bucket.url, storage_options=bucket.options)
    add(root, SOURCES[1], seed=2, count=7, tables=("geo",))
    later = changes(bucket.url, first.token, storage_options=bucket.options)
    assert (len(first.added), len(later.added), later.removed) == (1, 1, ())
    assert scan(bucket.url, "geo", changes=later, storage_options=bucket.options).collect().height == 7


def test_the_command_keeps_tokens_in_files(tmp_path: Path) -> None:
    """`--next` writes what `--since` reads; a failed load reads the same again."""
    root = roots.two_sources(tmp_path / "lake")
    first = run("changes", tmp_path / "lake", "--next", tmp_path / "a.token")
    assert (first.code, "2 added, 0 replaced, 0 removed" in first.out) == (0, True)
    root.remove([roots.OTHER.name])
    add(root, IDENTITY, seed=9, count=5, tables=("geo",))
    for _ in range(2):
        found = run("changes", tmp_path / "lake", "--since", tmp_path / "a.token", "--output", "json").json
        assert (len(found["added"]), len(found["replaced"]), len(found["removed"])) == (0, 1, 1)
        assert [*found["replaced"][0]["parts"]] == ["geo"]
    text = run("changes", tmp_path / "lake", "--since", tmp_path / "a.token", "--next", tmp_path / "a.token").out
    assert text.splitlines()[-1] == "0 added, 1 replaced, 1 removed"
    assert run("changes", tmp_path / "lake", "--since", tmp_path / "a.token").out.splitlines() == [
        "0 added, 0 replaced, 0 removed"
    ]
    inside = run("changes", tmp_path / "lake", "--next", tmp_path / "lake" / "a.token")
    assert (inside.code, "outside of all roots" in inside.err) == (2, True)
    (tmp_path / "a.token").write_bytes(b"\xff\xfe")
    damaged = run("changes", tmp_path / "lake", "--since", tmp_path / "a.token")
    assert (damaged.code, "--since: expected a token" in damaged.err) == (2, True), damaged.err


def test_sources_without_rows_are_changes_too(tmp_path: Path) -> None:
    """A source whose text has no record is added once."""
    root = Root.open(tmp_path)
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.commit(SOURCES[0], facts("00" * 32), expected=None)
    first = changes(tmp_path)
    assert [(each.rows, dict(each.parts)) for each in first.added] == [(0, {})]
    assert changes(tmp_path, first).added == ()
    assert open_dataset(tmp_path).table("geo").count_rows() == 0
