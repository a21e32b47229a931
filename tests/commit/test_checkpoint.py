"""wsparquet/commit/checkpoint.py: a copy of records makes opening quick, and is never believed over the records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.helpers import make_rows, put, rows_on_disk
from tools.commits import make_commit
from wsparquet.commit import CommitHeader, checkpoint
from wsparquet.dataset import Root, open_dataset
from wsparquet.layout import Identity

COUNT = 30


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """A root with many commits, for which ten would be worth a copy."""
    monkeypatch.setattr(checkpoint, "WORTH_WRITING", 10)
    monkeypatch.setattr(checkpoint, "ROWS_AT_ONCE", 7)
    opened = Root.open(tmp_path)
    for number in range(COUNT):
        write(opened, number)
    return opened


def write(root: Root, number: int, **changes: str) -> Path:
    """A record by hand; its file."""
    commit = make_commit(number)
    path = Path(root.place) / commit.path
    path.parent.mkdir(parents=True, exist_ok=True)
    data = commit.to_json()
    for before, after in changes.items():
        assert before.encode() in data
        data = data.replace(before.encode(), after.encode())
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    return path


def copy_of(root: Root) -> Path:
    """Where the copy lies."""
    return Path(root.place) / "_wsparquet/checkpoint"


def heads(root: Root) -> tuple[CommitHeader, ...]:
    """All commits, as somebody who opens the root sees them; the datasets agree."""
    found = root.commits().headers()
    assert open_dataset(root.place).commits.headers() == found
    return found


def read_from_files(root: Root, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of records that opening reads from their own files."""
    seen: list[str] = []
    whole = type(root.store).read_all

    def watched(store: object, paths: list[str]) -> object:
        seen.extend(paths)
        return whole(store, paths)  # type: ignore[arg-type]

    monkeypatch.setattr(type(root.store), "read_all", watched)
    root.commits()
    monkeypatch.undo()
    return seen


def test_only_whoever_keeps_it_writes_a_copy(root: Root) -> None:
    """Looking at a root changes nothing."""
    before = heads(root)
    assert len(before) == COUNT
    assert not copy_of(root).exists()
    assert root.commits(write_checkpoint=True).headers() == before
    assert copy_of(root).exists()
    assert heads(root) == before


def test_a_glob_over_the_whole_lake_counts_the_same_with_and_without_it(root: Root) -> None:
    """Engines read each file that ends in ``.parquet``: the checkpoint and unfinished parts have other names."""
    put(root, Identity("7", "real"))
    lake = Path(root.place)
    before = sorted(lake.rglob("*.parquet"))
    root.commits(write_checkpoint=True)
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 5))
        attempt.close()
        assert copy_of(root).exists()
        assert list((lake / "_wsparquet/tmp").rglob("*.part"))
        assert sorted(lake.rglob("*.parquet")) == before
    assert before
    assert all(path.relative_to(lake).parts[0] == "record_type=geo" for path in before)


def test_few_new_records_are_not_worth_it(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read beside the copy, which stays as it is until there are enough of them."""
    root.commits(write_checkpoint=True)
    written = copy_of(root).stat().st_mtime_ns
    for number in range(COUNT, COUNT + 9):
        write(root, number)
    assert len(root.commits(write_checkpoint=True)) == COUNT + 9
    assert copy_of(root).stat().st_mtime_ns == written
    write(root, COUNT + 9)
    assert len(heads(root)) == len(root.commits(write_checkpoint=True)) == COUNT + 10
    assert copy_of(root).stat().st_mtime_ns != written
    assert len(heads(root)) == COUNT + 10
    assert read_from_files(root, monkeypatch) == []


def test_what_has_changed_since_is_read_from_its_file(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaced, deleted and new records count as they are now; nothing else is read again."""
    root.commits(write_checkpoint=True)
    replaced = write(root, 3, **{"file:///in/3.gz": "file:///else/3.gz"})
    write(root, 4).unlink()
    added = write(root, COUNT)
    found = {head.identity.name: head for head in heads(root)}
    assert len(found) == COUNT
    assert found[make_commit(3).identity.name].facts.url == "file:///else/3.gz"
    assert make_commit(4).identity.name not in found
    read = read_from_files(root, monkeypatch)
    assert {Path(root.place) / path for path in read} == {replaced, added}


def test_removed_sources_do_not_count(root: Root) -> None:
    """A record that says so is known to the copy, too."""
    write(root, 5, **{'"removed":false': '"removed":true'})
    root.commits(write_checkpoint=True)
    assert len(heads(root)) == COUNT - 1


@pytest.mark.parametrize(
    "damage",
    [
        "empty",
        "no parquet",
        "other columns",
        "no record",
        "others",
        "null heads",
        "null parts",
        "null versions",
        "unknown",
        "other types",
        "more columns",
    ],
)
def test_a_copy_that_cannot_be_believed_is_none(root: Root, damage: str) -> None:
    """Spoilt or forged, nothing of it is taken; the next run that keeps one writes it anew."""
    before = root.commits(write_checkpoint=True).headers()
    table = pq.read_table(copy_of(root))
    nulls = pa.nulls(COUNT, pa.string())
    permissive: dict[str, Any] = {"promote_options": "permissive"}
    spoilt = {
        "other columns": table.drop_columns("version"),
        "no record": table.set_column(2, "header", pa.array(["{}"] * COUNT)),
        "others": table.set_column(2, "header", pa.chunked_array([[*table["header"].to_pylist()[::-1]]])),
        "null heads": table.set_column(2, "header", nulls),
        "null parts": table.set_column(3, "parts", nulls),
        "null versions": table.set_column(1, "version", nulls),
        "unknown": pa.concat_tables([table, pa.table([["x"], *[[None]] * 3], names=table.column_names)], **permissive),
        "other types": table.cast(pa.schema([(name, pa.large_string()) for name in table.column_names])),
        "more columns": table.append_column("more", nulls),
    }
    if damage in spoilt:
        pq.write_table(spoilt[damage], copy_of(root))
    else:
        copy_of(root).write_bytes({"empty": b"", "no parquet": b"PAR1 nothing PAR1"}[damage])
    assert heads(root) == before
    assert root.commits(write_checkpoint=True).headers() == before
    assert heads(root) == before


@pytest.mark.parametrize("damage", ["null parts", "other types"])
def test_a_copy_of_another_schema_is_written_anew(root: Root, damage: str) -> None:
    """Also by a run that finds enough new records to be worth it."""
    before = root.commits(write_checkpoint=True).headers()
    table = pq.read_table(copy_of(root))
    if damage == "other types":
        pq.write_table(table.cast(pa.schema([(name, pa.large_string()) for name in table.column_names])), copy_of(root))
    else:
        pq.write_table(table.set_column(3, "parts", pa.nulls(COUNT, pa.string())), copy_of(root))
    for number in range(COUNT, COUNT + 10):
        write(root, number)
    assert len(root.commits(write_checkpoint=True)) == len(before) + 10
    assert pq.read_schema(copy_of(root)).equals(checkpoint.SCHEMA)
    assert pq.read_table(copy_of(root)).num_rows == len(heads(root)) == COUNT + 10


def test_a_folder_in_the_place_of_the_copy_harms_nothing(root: Root) -> None:
    """A copy that cannot be read is none, whatever is there."""
    before = root.commits(write_checkpoint=True).headers()
    copy_of(root).unlink()
    copy_of(root).mkdir()
    assert heads(root) == before
    assert root.commits(write_checkpoint=True).headers() == before
    copy_of(root).rmdir()
    copy_of(root).symlink_to("/dev/zero")
    assert root.commits(write_checkpoint=True).headers() == before
    assert not copy_of(root).is_symlink()


def test_rows_and_commits_go_on_with_a_copy(root: Root) -> None:
    """A commit that is replaced after the copy was made is found as it is, by whoever commits next."""
    for path in (Path(root.place) / "_wsparquet/commits").rglob("*.json"):
        path.unlink()
    for number in range(12):
        put(root, Identity("7", f"source {number}"), seed=number)
    root.commits(write_checkpoint=True)
    put(root, Identity("7", "source 3"), seed=100)
    root.remove(["source 4"])
    assert len(heads(root)) == 11
    assert open_dataset(root.place).table("geo").count_rows() == len(rows_on_disk(Path(root.place))["geo"]) == 220
