"""wsparquet/iceberg/check.py, as ``verify`` calls it: published tables are held against the commit records."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.iceberg.helpers import put
from wsparquet import publish, verify
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.in_root import TablesInRoot
from wsparquet.iceberg.parts import TablePart, parts_by_location
from wsparquet.iceberg.publishing import publish_changes
from wsparquet.iceberg.snapshots import Difference, next_snapshot, read_current, unchanged
from wsparquet.iceberg.tables import Change
from wsparquet.layout import Identity


def problems(root: Root) -> list[str]:
    """What ``verify`` says about the publication."""
    return [f"{each.where}: {each.found}" for each in verify(root.place, jobs=1).problems if each.kind == "published"]


def change_geo(root: Root, difference: Difference) -> None:
    """Change a table as another tool does."""
    tables, files = TablesInRoot(root), StoreFiles(root)
    state = tables.load("geo")
    updates = next_snapshot(state.metadata, read_current(state.metadata, files), difference, files)
    tables.settle(tables.commit(state, Change(updates, unchanged(state.metadata))))


def first_part(root: Root) -> tuple[str, TablePart]:
    """The location and the part of a file."""
    return min(parts_by_location(root, root.place)["geo"].items())


def miss_a_file(root: Root) -> None:
    """A file that counts is not in the table."""
    change_geo(root, Difference({}, {first_part(root)[0]}))


def double_a_file(root: Root) -> None:
    """A file is in the table twice."""
    location, part = first_part(root)
    change_geo(root, Difference({location: part}, ()))


def add_a_file(root: Root) -> None:
    """A file of others is in the table."""
    change_geo(root, Difference({f"{root.place}/record_type=geo/x.parquet": first_part(root)[1]}, ()))


def commit_only(root: Root) -> None:
    """A run that died before its publication."""
    put(root, Identity("7", "another"), seed=2)


def replace_only(root: Root) -> None:
    """The same, after it replaced files."""
    put(root, seed=2)


def move_the_hint_back(root: Root) -> None:
    """A publisher that died before it moved the hint."""
    (Path(root.place) / "_wsparquet/iceberg/geo/metadata/version-hint.text").write_text("0")


def lose_a_table(root: Root) -> None:
    """The metadata of a table is gone."""
    for path in (Path(root.place) / "_wsparquet/iceberg/geo/metadata").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (miss_a_file, ["geo: 1 missing"]),
        (double_a_file, ["geo: 1 missing, or not as their records say"]),
        (add_a_file, ["geo: 1 others, such as"]),
        (commit_only, ["geo: "]),
        (replace_only, ["geo: ", "others, such as", "_wsparquet/retired: "]),
        (move_the_hint_back, ["geo: another one: readers open older rows"]),
        (lose_a_table, ["geo: none"]),
    ],
)
def test_each_difference_is_found_and_the_next_publication_ends_it(
    root: Root, damage: Callable[[Root], None], said: list[str]
) -> None:
    """Nothing is wrong before; each problem says where, and what to do; and nothing else is reported."""
    assert problems(root) == []
    damage(root)
    found = problems(root)
    assert len(found) == len(said)
    for text, problem in zip(said, found, strict=True):
        assert text in problem
        assert "`wsparquet publish`" in problem
    publish(root.place)
    assert problems(root) == []


DAMAGES = [("v1.metadata.json", b"{"), ("snap-*.avro", b"{"), ("*-m0.avro", b"{"), ("v1.metadata.json", None)]


@pytest.mark.parametrize(("file", "content"), DAMAGES)
def test_tables_that_cannot_be_read_are_a_problem(root: Root, file: str, content: bytes | None) -> None:
    """``verify`` reports the failure, runs publish nothing, and the remedy of the message works."""
    (path,) = (Path(root.place) / "_wsparquet/iceberg/geo/metadata").glob(file)
    path.unlink() if content is None else path.write_bytes(content)
    if file == "v1.metadata.json" and content is None:
        assert ["none" in problem for problem in problems(root)] == [True]
    else:
        (problem,) = problems(root)
        assert "expected the m" in problem
        assert "`wsparquet publish --stop`" in problem
        put(root, seed=2)
        with pytest.raises(DatasetError, match="the run is committed, but its changes are not published"):
            publish_changes(root)
        assert root.retired.waiting() != {}
    publish(root.place, stop=True)
    publish(root.place)
    assert problems(root) == []
