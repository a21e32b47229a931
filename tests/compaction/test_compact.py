"""Compaction as users see it: the same rows in few files, and every other operation goes on as before."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import wsparquet
from tests.commit.test_kills import rows_of
from tests.commit.workload import OTHERS, commit_one, compact
from tests.dataset.helpers import IDENTITY, data_files, facts, make_rows, rows_on_disk
from tests.support.at_rest import assert_at_rest
from wsparquet.commit import Text
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import PartsGone, WrongRows
from wsparquet.errors import DatasetError, OptionError
from wsparquet.layout import Identity, is_day_part_path

NOW = timedelta(0)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """Three sources of two accounts, with rows of two tables on four days."""
    root = Root.open(tmp_path / "lake")
    for identity, seed in {IDENTITY: 1, **OTHERS}.items():
        commit_one(root, identity, seed)
    return root


def path_of(root: Root) -> Path:
    """The folder of a root."""
    return Path(root.place)


def rows_by(read: Callable[[str], list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of the two tables, without the partition's column."""
    found = {table: read(table) for table in ("geo", "navigation")}
    return {
        table: sorted(({key: row[key] for key in row if key != "date"} for row in rows), key=repr)
        for table, rows in found.items()
        if rows
    }


def readers(root: Root) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """What each reader of committed rows finds."""
    lake = wsparquet.open_dataset(root.place)
    yield rows_by(lambda table: lake.table(table).to_table().to_pylist())
    yield rows_by(lambda table: wsparquet.scan(root.place, table).collect().to_arrow().to_pylist())
    connection = wsparquet.connect(root.place)
    yield rows_by(lambda table: connection.sql(f"SELECT * FROM {table}").to_arrow_table().to_pylist())


def assert_rows(root: Root, *seeds: int) -> None:
    """All readers, and the folder, have the rows of these sources; verify finds nothing wrong."""
    expected, on_disk = rows_of(*seeds), rows_on_disk(path_of(root))
    counts = {table: len(rows) for table, rows in expected.items()}
    assert {table: len(rows) for table, rows in on_disk.items()} == counts
    assert on_disk == expected
    through_dataset, *others = readers(root)
    for found in (through_dataset, *others):
        assert {table: len(rows) for table, rows in found.items()} == counts
    assert through_dataset == expected
    problems = [each for each in wsparquet.verify(root.place).problems if each.kind not in {"sums", "quarantine"}]
    assert problems == []
    assert_at_rest(path_of(root))


def test_the_same_rows_are_in_one_file_for_each_table_and_day(root: Root) -> None:
    """Files, bytes and rows are told before and after, and a second run finds nothing to do."""
    before = data_files(path_of(root))
    found = wsparquet.compact(root.place, min_files=2, older_than=NOW)
    after = data_files(path_of(root))
    folders = Counter(path.rpartition("/")[0] for path in before if "/75555851." in path)
    assert sorted(folders) == [path.rpartition("/")[0] for path in after if "/75555851." in path]
    assert [path for path in after if "/7." in path] == [path for path in before if "/7." in path]
    # A table and day with only one file stays as it is.
    assert sum(each.files_after or 0 for each in found.tables) == sum(count > 1 for count in folders.values()) == 7
    assert sum(each.files_before for each in found.tables) == sum(count for count in folders.values() if count > 1)
    assert {each.table: each.rows for each in found.tables} == {"geo": 22, "navigation": 22}
    assert found.days == 4
    assert_rows(root, 1, 30, 31)
    again = wsparquet.compact(root.place, min_files=2, older_than=NOW)
    assert (again.days, again.tables, data_files(path_of(root))) == (0, (), after)


def test_a_redo_replaces_exactly_the_rows_of_its_source(root: Root) -> None:
    """Also twice, with a compaction in between, and on other days than before."""
    for seed in (2, 3):
        compact(root)
        commit_one(root, IDENTITY, seed)
        root.settle(root.commits())
        assert_rows(root, seed, 30, 31)
    compact(root)
    assert_rows(root, 3, 30, 31)


def test_a_removal_takes_exactly_the_rows_of_its_source(root: Root) -> None:
    """The rows of the others stay, and a source that comes back is merged again."""
    compact(root)
    wsparquet.remove(root.place, IDENTITY.name, yes=True)
    assert_rows(root, 30, 31)
    for name in ("other", "another"):
        wsparquet.remove(root.place, name, yes=True)
    assert_rows(root)
    commit_one(root, IDENTITY, 1)
    compact(root)
    assert_rows(root, 1)


def test_void_rows_count_for_no_reader_before_they_are_settled(root: Root) -> None:
    """A run that dies before it settles leaves them in the folder; verify says so, and the next run removes them."""
    compact(root)
    commit_one(root, IDENTITY, 2)
    assert sum(len(rows) for rows in rows_on_disk(path_of(root)).values()) > 12 * 3 * 2
    for found in readers(root):
        assert {table: len(rows) for table, rows in found.items()} == {"geo": 36, "navigation": 36}
    kinds = {problem.kind for problem in wsparquet.verify(root.place).problems}
    assert "unsettled" in kinds
    wsparquet.convert([], to=root.place)
    assert_rows(root, 2, 30, 31)


def test_a_run_that_read_the_commits_before_a_compaction_removes_nothing(root: Root) -> None:
    """Whoever settles by old knowledge asks again before it takes rows for void: their own parts are gone."""
    commits = root.commits()
    commit_one(root, IDENTITY, 2)
    compact(root)
    root.settle(commits)
    assert_rows(root, 2, 30, 31)


def test_late_sources_are_merged_with_small_day_parts(root: Root) -> None:
    """A day part below half of the target size is merged again; a larger one stays as it is."""
    compact(root)
    first = {path for path in data_files(path_of(root)) if is_day_part_path(path)}
    assert len(first) == 7
    commit_one(root, Identity("75555851", "late"), 40)
    wsparquet.compact(root.place, min_files=2, older_than=NOW, target_size=2)
    assert first <= set(data_files(path_of(root)))
    commit_one(root, Identity("75555851", "later"), 41)
    compact(root)
    assert not first & set(data_files(path_of(root)))
    assert_rows(root, 1, 30, 31, 40, 41)


@pytest.mark.parametrize(("min_files", "days"), [(2, 4), (3, 0)])
def test_few_files_are_left(root: Root, min_files: int, days: int) -> None:
    """Two files of a table and day are enough for 2, and too few for 3."""
    assert wsparquet.compact(root.place, min_files=min_files, older_than=NOW).days == days
    assert_rows(root, 1, 30, 31)


def test_only_the_days_and_tables_that_were_asked_for(root: Root) -> None:
    """Days by age or by date, None for the rows without a day, and the other tables keep their files."""
    found = wsparquet.compact(root.place, min_files=2, dates=[date(2016, 7, 1), None], tables=["geo"])
    assert found.days == 2
    merged = {path for path in data_files(path_of(root)) if is_day_part_path(path)}
    assert {path.rpartition("/")[0] for path in merged} == {
        "record_type=geo/date=2016-07-01",
        "record_type=geo/date=__HIVE_DEFAULT_PARTITION__",
    }
    assert_rows(root, 1, 30, 31)
    assert wsparquet.compact(root.place, min_files=2).days == 4


@pytest.mark.parametrize(("older_than", "merged"), [(timedelta(hours=1), True), (timedelta(days=3), False)])
def test_young_days_are_left(tmp_path: Path, older_than: timedelta, merged: bool) -> None:
    """A day that ended less than the given time ago is not merged, since late files may come."""
    start = int((datetime.now(UTC) - timedelta(days=2)).timestamp() * 1000)
    wsparquet.generate_files(tmp_path / "raw", files=3, size=20_000, start_ms=start)
    wsparquet.convert(tmp_path / "raw", to=tmp_path / "lake")
    found = wsparquet.compact(tmp_path / "lake", min_files=2, older_than=older_than)
    assert any(each.table == "geo" for each in found.tables) == merged


def test_a_dry_run_says_what_would_be_merged_and_writes_nothing(root: Root) -> None:
    """The numbers before are those of the real run; those after are unknown."""
    before = {path: path.stat().st_mtime_ns for path in path_of(root).rglob("*")}
    dry = wsparquet.compact(root.place, min_files=2, older_than=NOW, dry_run=True)
    assert {path: path.stat().st_mtime_ns for path in path_of(root).rglob("*")} == before
    real = wsparquet.compact(root.place, min_files=2, older_than=NOW)
    assert [(t.table, t.rows, t.files_before, t.bytes_before) for t in dry.tables] == [
        (t.table, t.rows, t.files_before, t.bytes_before) for t in real.tables
    ]
    assert {each.files_after for each in dry.tables} == {None}


def test_replaced_files_may_stay_for_a_time(root: Root) -> None:
    """Until then folders count twice and other readers do not; a later run deletes them, and clean leaves them."""
    before = set(data_files(path_of(root)))
    found = wsparquet.compact(root.place, min_files=2, older_than=NOW, keep=timedelta(hours=1))
    assert found.keeps_replaced
    assert before <= set(data_files(path_of(root)))
    assert wsparquet.clean(root.place, older_than=NOW, delete=True).strays == ()
    assert before <= set(data_files(path_of(root)))
    for rows in readers(root):
        assert {table: len(each) for table, each in rows.items()} == {"geo": 36, "navigation": 36}
    assert not [each for each in wsparquet.verify(root.place).problems if each.kind == "stray"]
    for path in (path_of(root) / "_wsparquet/days").rglob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"keep_until": time.time() - 1}))
    wsparquet.convert([], to=root.place)
    assert_rows(root, 1, 30, 31)


def test_files_that_wait_are_not_forgotten_when_their_day_is_merged_again(root: Root) -> None:
    """Day parts that were replaced twice wait for the latest time to keep files; then all of them are deleted."""
    compact(root)
    waiting = {path for path in data_files(path_of(root)) if is_day_part_path(path)}
    for number in (40, 41):
        commit_one(root, Identity("75555851", f"late {number}"), number)
        wsparquet.compact(root.place, min_files=2, older_than=NOW, keep=timedelta(hours=1))
        assert waiting <= set(data_files(path_of(root)))
        waiting |= {path for path in data_files(path_of(root)) if is_day_part_path(path)}
    for path in (path_of(root) / "_wsparquet/days").rglob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"keep_until": time.time() - 1}))
    wsparquet.convert([], to=root.place)
    assert_rows(root, 1, 30, 31, 40, 41)


def test_a_copy_in_a_compacted_day_that_yields(root: Root) -> None:
    """Its rows in day parts count for no reader as soon as its original is there, and the next run removes them."""
    text = Text("cd" * 32, 1000)
    for name, seed in (("one", 1), ("two", 31)):
        commit_one(root, Identity("unknown", f"copy of {name}"), seed, text=text if name == "one" else None)
    wsparquet.remove(root.place, "file 1", account="75555851", yes=True)
    wsparquet.remove(root.place, "another", yes=True)
    compact(root)
    assert any("/unknown." in path for path in data_files(path_of(root)))
    commit_one(root, IDENTITY, 1, text=text)
    for found in readers(root):
        assert {table: len(rows) for table, rows in found.items()} == {"geo": 36, "navigation": 36}
    root.settle(root.commits())
    assert_rows(root, 1, 30, 31)


def test_sources_with_one_name_are_not_merged_together(root: Root) -> None:
    """Nothing would tell their rows apart, so the second one keeps its own parts."""
    commit_one(root, Identity("75555851", "namesake"), 1)
    compact(root)
    assert any(".namesake." in path for path in data_files(path_of(root)))
    for found in readers(root):
        assert {table: len(rows) for table, rows in found.items()} == {"geo": 48, "navigation": 48}
    wsparquet.remove(root.place, "namesake", yes=True)
    assert_rows(root, 1, 30, 31)


def test_rows_under_another_name_are_not_merged(root: Root) -> None:
    """A part with rows of another source is refused, with the remedy, and the other days are merged."""
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write_day("geo", date(2016, 7, 1), make_rows("geo", 12, seed=50))
        attempt.commit(Identity("75555851", "odd"), facts("5" * 64, source_name="not file 50"), expected=None)
    found = wsparquet.compact(root.place, min_files=2, older_than=NOW)
    assert [(each.account, each.date) for each in found.failures] == [("75555851", "2016-07-01")]
    assert "expected only rows of not file 50, found others" in found.failures[0].error
    assert found.exit_code == 1
    assert found.days == 3


def test_a_lost_day_part_is_told_and_nothing_else_is_lost(root: Root) -> None:
    """Someone deleted the file: verify names it, and neither a redo nor a compaction pretends that it is there."""
    compact(root)
    victim = next(path for path in data_files(path_of(root)) if "/75555851." in path)
    (path_of(root) / victim).unlink()
    assert (victim, "missing") in {(each.where, each.kind) for each in wsparquet.verify(root.place).problems}
    commit_one(root, IDENTITY, 2)
    root.settle(root.commits())
    table = victim.split("/")[0].removeprefix("record_type=")
    lake = wsparquet.open_dataset(root.place)
    with pytest.raises(DatasetError, match="are gone"):
        lake.files(table)


def test_a_day_part_with_other_rows_is_told(root: Root) -> None:
    """A day part that says other numbers of rows than it has stays as it is, whatever is void."""
    compact(root)
    (day,) = (path_of(root) / "_wsparquet/days/75555851").glob("2016-07-01.json")
    values = json.loads(day.read_text())
    names = list(values["members"])
    first, second = (values["members"][name]["rows"] for name in names)
    first["geo"], second["geo"] = first["geo"] + 1, second["geo"] - 1
    day.write_text(json.dumps(values))
    assert {"rows"} <= {each.kind for each in wsparquet.verify(root.place).problems}
    before = data_files(path_of(root))
    commit_one(root, IDENTITY, 2)
    root.settle(root.commits())
    assert {path for path in before if "2016-07-01" in path and is_day_part_path(path)} <= set(
        data_files(path_of(root))
    )


def test_rows_of_nobody_in_a_day_part_are_told(root: Root) -> None:
    """A day record that has lost a member says nobody's rows for its own, and these rows are a problem."""
    compact(root)
    (day,) = (path_of(root) / "_wsparquet/days/75555851").glob("2016-07-01.json")
    values = json.loads(day.read_text())
    (lost, gone), (_, heir) = values["members"].items()
    heir["rows"] = dict(Counter(heir["rows"]) + Counter(gone["rows"]))
    del values["members"][lost]
    day.write_text(json.dumps(values))
    found = {(each.kind, each.where, each.expected) for each in wsparquet.verify(root.place).problems}
    where = f"_wsparquet/days/75555851/2016-07-01.json, table geo, source_file {gone['source_file']}"
    assert ("rows", where, "0 rows in day parts") in found


def test_changes_do_not_see_a_compaction(root: Root) -> None:
    """A compaction changes nothing, and the rows of an added source come from day parts."""
    token = wsparquet.changes(root.place).token
    compact(root)
    since = wsparquet.changes(root.place, token)
    assert (since.added, since.replaced, since.removed) == ((), (), ())
    commit_one(root, Identity("75555851", "late"), 40)
    compact(root)
    since = wsparquet.changes(root.place, token)
    assert [(each.source_file, each.is_merged) for each in since.added] == [("file 40", True)]
    for table in ("geo", "navigation"):
        rows = wsparquet.scan(root.place, table, changes=since).collect()
        assert rows.get_column("source_file").to_list() == ["file 40"] * 12
    every = wsparquet.changes(root.place)
    assert wsparquet.scan(root.place, "geo", changes=every).collect().height == 48


def test_verify_compares_sources_with_rows_in_day_parts(tmp_path: Path) -> None:
    """Every value is compared after a compaction, too, and a copy of rows under another name is found."""
    wsparquet.generate_files(tmp_path / "raw", files=4, size=30_000)
    summary = wsparquet.convert(tmp_path / "raw", to=tmp_path / "lake", compact=True)
    assert summary.compaction is not None
    wsparquet.compact(tmp_path / "lake", min_files=2, older_than=NOW)
    found = wsparquet.verify(tmp_path / "lake", against=tmp_path / "raw").raise_for_failures()
    assert found.compared_rows == found.rows == sum(summary.rows.values()) > 0


def test_a_compacted_root_is_replayed_and_its_status_is_the_same(tmp_path: Path) -> None:
    """A replay replaces exactly the rows of its sources."""
    raw, lake = tmp_path / "raw", tmp_path / "lake"
    wsparquet.generate_files(raw, files=3, size=20_000, defects=True)
    wsparquet.convert(raw, to=lake)
    before, expected = wsparquet.status(lake, now=datetime(2016, 7, 2, tzinfo=UTC)), rows_on_disk(lake)
    assert wsparquet.compact(lake, min_files=2, older_than=NOW).days > 0
    assert wsparquet.status(lake, now=datetime(2016, 7, 2, tzinfo=UTC)) == before
    found = wsparquet.replay(lake, raw, again=True)
    assert (found.failed, bool(found.committed)) == ([], True)
    assert rows_on_disk(lake) == expected
    wsparquet.verify(lake, against=raw).raise_for_failures()
    assert_at_rest(lake)


def test_rows_that_are_there_twice_are_found_in_day_parts(root: Root) -> None:
    """Two sources with other texts and the same rows: verify finds them when both are merged."""
    commit_one(root, Identity("75555851", "double"), 31)
    compact(root)
    assert "doubled" in {each.kind for each in wsparquet.verify(root.place).problems}


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_files": 1},
        {"target_size": 0},
        {"memory": 1},
        {"jobs": 0},
        {"tables": "geo"},
        {"dates": ["2016-06-30"]},
        {"dates": [datetime(2016, 6, 30, tzinfo=UTC)]},
        {"keep": timedelta(-1)},
        {"older_than": 2},
    ],
    ids=str,
)
def test_wrong_options_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """The error names the parameter, before anything is opened."""
    with pytest.raises(OptionError, match=next(iter(wrong))):
        wsparquet.compact(tmp_path, **wrong)


def test_a_table_that_the_root_lacks_is_refused(root: Root) -> None:
    """An extension can add tables, so the error comes after the root was opened; it suggests a near name."""
    with pytest.raises(OptionError, match=r"tables.*nvigation.*navigation"):
        wsparquet.compact(root.place, tables=["nvigation"])


def test_a_folder_that_is_no_root_is_refused(tmp_path: Path) -> None:
    """Nothing is created there."""
    with pytest.raises(DatasetError, match="expected a root"):
        wsparquet.compact(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_gone_parts_are_no_error_of_the_user() -> None:
    """What another run has replaced meanwhile is a signal between modules; wrong rows are an error with a remedy."""
    assert not issubclass(PartsGone, DatasetError)
    assert issubclass(WrongRows, DatasetError)
