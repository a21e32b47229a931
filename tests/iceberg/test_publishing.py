"""wsparquet/iceberg/publishing.py and publisher.py: tables that name exactly what counts, now and after each run."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.iceberg.helpers import (
    OTHER,
    TABLE_NAMES,
    assert_published,
    comparable,
    copied,
    counting_files,
    files_of,
    hint,
    published,
    put,
    versions,
)
from wsparquet import clean, compact, open_dataset, publish, remove, verify
from wsparquet.dataset import LakeDataset, Root
from wsparquet.dataset.version import change_version, read_version
from wsparquet.errors import DatasetError, OptionError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.iceberg.publishing import publish_changes
from wsparquet.layout import Identity, is_part_path

ZERO = timedelta(0)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with two sources in several tables and days."""
    made = Root.open(tmp_path / "lake")
    put(made, seed=1, tables=("geo", "navigation"))
    put(made, OTHER, seed=2, tables=("geo",))
    return made


def snapshots(root: Root, table: str = "geo") -> int:
    """How many snapshots a table has."""
    return len(published(root.place, table).snapshots())


def test_the_tables_name_exactly_the_parts_that_count(root: Root) -> None:
    """Each part once, in the partition of its day; tables without rows are there, too, and have an empty snapshot."""
    result = publish(root.place)
    assert_published(root)
    assert [table.name for table in result.tables] == list(TABLE_NAMES)
    lake = open_dataset(root.place)
    for table in result.tables:
        rows = lake.table(table.name).count_rows()
        assert (table.rows, published(root.place, table.name).scan().count()) == (rows, rows)
        assert table.files == table.added == len(lake.files(table.name))
        assert snapshots(root, table.name) == 1
        assert Path(table.metadata) == Path(root.place, f"_wsparquet/iceberg/{table.name}/metadata/v1.metadata.json")


def test_without_changes_there_is_no_new_snapshot(root: Root) -> None:
    """A second publication, and runs that change nothing, write no file at all."""
    publish(root.place)
    before = {entry.path: entry.version for entry in root.store.entries("_wsparquet")}
    result = publish(root.place)
    publish_changes(root)
    assert {entry.path: entry.version for entry in root.store.entries("_wsparquet")} == before
    assert all(table.added == table.removed == 0 for table in result.tables)


def test_a_run_is_one_snapshot_of_each_table_that_it_changes(root: Root) -> None:
    """Files that come and files that go are in one snapshot, which says how many; other tables stay as they are."""
    publish(root.place)
    old = set(counting_files(root, "geo"))
    put(root, seed=3, tables=("geo", "navigation"), count=30)
    put(root, OTHER, seed=4)
    assert old <= {f"{root.place}/{entry.path}" for entry in root.store.entries("")}
    publish_changes(root)
    assert_published(root)
    assert [snapshots(root, name) for name in ("geo", "navigation", "eligibility")] == [2, 2, 1]
    summary = published(root.place, "geo").current_snapshot().summary
    files = files_of(published(root.place, "geo"))
    assert summary["operation"].value == "overwrite"
    assert summary["added-data-files"] == summary["total-data-files"] == str(len(files))
    assert summary["deleted-data-files"] == str(len(old))
    assert (summary["total-records"], summary["deleted-records"]) == ("36", "12")


@pytest.mark.parametrize("work", ["convert", "replay", "remove", "clean"])
def test_each_command_publishes_at_its_end(tmp_path: Path, work: str) -> None:
    """What a command adds, replaces and removes is published, and the files that it replaced are gone."""
    import wsparquet

    files = generate(tmp_path / "raw", GenerateOptions(files=3, records=30))
    lake = tmp_path / "lake"
    wsparquet.convert(files[:2], to=lake).raise_for_failures()
    publish(lake)
    match work:
        case "convert":
            summary = wsparquet.convert(files, to=lake, again=True).raise_for_failures()
            assert (len(summary.committed), summary.unpublished, summary.exit_code) == (3, None, 0)
        case "replay":
            record = next(iter(Root.open(lake).log.commits()))
            old = json.loads((lake / record.path).read_text()) | {"software": "an older one"}
            old["report"] |= {"rescued": {"geo": {"x": 1}}}
            (lake / record.path).write_text(json.dumps(old))
            assert len(wsparquet.replay(lake, tmp_path / "raw").raise_for_failures().committed) == 1
        case "remove":
            assert len(remove(lake, files[0].name, yes=True).removed) == 1
        case "clean":
            root = Root.open(lake)
            part = next(iter(root.log.commits())).parts[0].path
            stray = part.replace(part.rsplit(".", 3)[1], "0" * 16)
            root.store.put(stray, b"")
            assert [each.path for each in clean(lake, older_than=timedelta(0), delete=True).strays] == [stray]
    assert_published(Root.open(lake))
    assert snapshots(Root.open(lake), "geo") == 2


def test_what_a_killed_run_left_is_published_by_the_next_run(root: Root) -> None:
    """A run that died before its publication leaves readers with the old rows, whose files exist."""
    publish(root.place)
    before = files_of(published(root.place, "geo"))
    put(root, seed=3)
    assert files_of(published(root.place, "geo")) == before
    assert all(Path(file).exists() for file in before)
    root.recover()
    publish_changes(Root.open(root.place))
    assert_published(root)


# --- Merged files -----------------------------------------------------------------------------------------------------


@pytest.fixture
def compacted(tmp_path: Path) -> Root:
    """A published root whose small files were merged after the publication."""
    root = Root.open(tmp_path / "lake")
    for number in range(4):
        put(root, Identity("7", f"source {number}"), seed=number)
    publish(root.place)
    found = compact(root.place, min_files=2, older_than=ZERO)
    assert found.days > 1
    assert not found.failures
    return root


def assert_rows(root: Root) -> None:
    """Assert that a table has the rows that count, from exactly the files in the folder, which nothing waits for."""
    wanted = open_dataset(root.place)
    assert files_of(published(root.place, "geo")) == counting_files(root, "geo")
    assert comparable(published(root.place, "geo").scan().to_arrow()) == comparable(wanted.table("geo").to_table())
    parts = {f"{root.place}/{entry.path}" for entry in root.store.entries("") if is_part_path(entry.path)}
    assert sorted(parts) == counting_files(root, "geo")
    assert root.retired.waiting() == {}


def test_merged_files_are_published_before_the_small_ones_are_deleted(compacted: Root) -> None:
    """One snapshot replaces the small files by the merged ones; the rows are the same."""
    assert_rows(compacted)
    table = published(compacted.place, "geo")
    assert (len(table.snapshots()), table.scan().count()) == (2, 24)
    assert table.current_snapshot().summary["total-records"] == "24"
    assert verify(compacted.place, jobs=1).problems == [
        each for each in verify(compacted.place, jobs=1).problems if each.kind == "sums"
    ]


def test_rows_that_do_not_count_are_never_published(compacted: Root) -> None:
    """A source in merged files was replaced by a run that died: the next publication first removes its old rows."""
    put(compacted, Identity("7", "source 1"), seed=9)
    assert any(each.void for each in LakeDataset(compacted).parts("geo"))
    publish_changes(compacted)
    assert_rows(compacted)
    remove(compacted.place, "source 2.gz", yes=True)
    assert_rows(compacted)
    assert published(compacted.place, "geo").scan().count() == 18


# --- Beginning, keeping on, and ending --------------------------------------------------------------------------------


def test_a_root_remembers_where_it_is_published(root: Root) -> None:
    """Without arguments a second call keeps what the first one said; another catalog is refused."""
    publish(root.place, keep=timedelta(hours=3))
    assert publish(root.place).keep == timedelta(hours=3)
    assert publish(root.place, keep=timedelta(hours=5)).keep == timedelta(hours=5)
    publication = read_version(root.store).publication
    assert publication is not None
    assert (publication.catalog, publication.keep_seconds) == (None, 5 * 3600)
    with pytest.raises(DatasetError, match="published in the root itself; first end that publication with `stop`"):
        publish(root.place, catalog="prod")


def test_stop_removes_the_tables_and_nothing_else(root: Root) -> None:
    """The Parquet files that count stay, those that waited are deleted, and later runs delete at once again."""
    publish(root.place)
    put(root, seed=3)
    assert root.retired.waiting() != {}
    counting = counting_files(root, "geo")
    assert publish(root.place, stop=True).stopped
    left = [entry.path for entry in root.store.entries("")]
    assert not [path for path in left if "/iceberg/" in path or "/retired/" in path]
    assert sorted(f"{root.place}/{path}" for path in left if path.startswith("record_type=geo/")) == counting
    assert read_version(root.store).requires == ()
    put(root, seed=4)
    assert root.retired.waiting() == {}
    assert publish(root.place, stop=True).stopped
    publish(root.place)
    assert_published(root)


def test_wrong_arguments_are_refused_before_anything_is_written(root: Root, tmp_path: Path) -> None:
    """Each error names the parameter; a place without a root is an error, too."""
    for wrong in ({"catalog": 1}, {"catalog": "a..b"}, {"catalog": ""}, {"keep": 7}, {"stop": "yes"}):
        with pytest.raises(OptionError) as error:
            publish(root.place, **wrong)
        assert error.value.parameter == next(iter(wrong))
    with pytest.raises(OptionError, match="expected neither `catalog` nor `keep`"):
        publish(root.place, stop=True, keep=ZERO)
    with pytest.raises(DatasetError, match="expected a root"):
        publish(tmp_path / "none")
    assert read_version(root.store).publication is None


def test_a_forged_list_deletes_no_part_that_counts(root: Root) -> None:
    """A list of retired parts that names a current one stops the deletion, and says what to do."""
    publish(root.place)
    part = next(iter(root.log.commits())).parts[0].path
    root.store.put("_wsparquet/retired/0123456789abcdef.json", json.dumps({"paths": [part]}).encode())
    with pytest.raises(DatasetError, match="which counts; wsparquet did not write this list: move it away"):
        publish(root.place)
    assert root.store.read(part) is not None


@pytest.mark.parametrize("kind", ["snap-*.avro", "*-m0.avro"])
def test_a_table_whose_manifests_are_gone_is_made_anew(root: Root, kind: str) -> None:
    """No reader can read it. `verify` says so, and the next run publishes all of its parts again."""
    publish(root.place)
    for path in Path(root.place, "_wsparquet/iceberg/geo/metadata").glob(kind):
        path.unlink()
    found = [str(problem) for problem in verify(root.place).problems if "geo" in str(problem)]
    assert any("the manifests of its newest snapshot, found that one is gone" in each for each in found)
    put(root, seed=3, tables=("geo", "navigation"))
    publish_changes(root)
    assert_published(root)
    assert published(root.place, "geo").scan().to_arrow().num_rows == 12
    publish(root.place)
    assert snapshots(root) == 2


def test_a_copied_root_publishes_anew(root: Root, tmp_path: Path) -> None:
    """The copy's tables name the copy's files alone, and the original and its files are untouched."""
    publish(root.place)
    original = {entry.path: entry.version for entry in root.store.entries("")}
    copy = copied(root, tmp_path / "copy")
    put(copy, seed=3)
    publish_changes(copy)
    assert_published(copy)
    assert versions(copy.place) == ["v1.metadata.json", "v2.metadata.json"]
    table = published(copy.place, "geo")
    assert len(table.snapshots()) == 1
    assert table.metadata.table_uuid != published(root.place, "geo").metadata.table_uuid
    assert all(file.startswith(copy.place) for file in files_of(table))
    publish(copy.place, keep=ZERO)
    assert hint(copy.place) == "2"
    assert {entry.path: entry.version for entry in root.store.entries("")} == original


def test_another_root_at_the_same_place_publishes_anew(root: Root, tmp_path: Path) -> None:
    """Metadata of a root with another id is not used, even at the same location."""
    publish(root.place)
    before = published(root.place, "geo").metadata.table_uuid
    change_version(root.store, lambda version: replace(version, root_id="another"))
    publish_changes(root)
    assert published(root.place, "geo").metadata.table_uuid != before
    assert_published(root)


def test_a_link_to_a_root_is_the_same_root(root: Root, tmp_path: Path) -> None:
    """Runs that reach a root through a symbolic link publish into the same tables."""
    publish(root.place)
    (tmp_path / "link").symlink_to(root.place)
    put(root, seed=3)
    publish_changes(Root.open(tmp_path / "link"))
    assert snapshots(root) == 2
    assert_published(root)
