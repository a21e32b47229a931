"""wsparquet/commit/checkpoint.py: a copy of records makes opening quick, and is never believed over the records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.helpers import make_rows, put, rows_on_disk
from tools.commits import make_commit
from wsparquet.commit import Commit, CommitHeader, CommitIndex, Text, checkpoint, shard, stored
from wsparquet.commit.parsing import decode_header
from wsparquet.commit.shard import SCHEMA
from wsparquet.dataset import Root, open_dataset
from wsparquet.layout import Identity

COUNT = 30


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    """A root with many commits, for which ten would be worth a copy."""
    monkeypatch.setattr(checkpoint, "WORTH_WRITING", 10)
    monkeypatch.setattr(shard, "GROUP_ROWS", 7)
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


def copies(root: Root) -> list[Path]:
    """The files of the checkpoint."""
    return sorted((Path(root.place) / "_wsparquet/checkpoints").glob("*"))


def copy_of(root: Root) -> Path:
    """Where the only file of the checkpoint lies."""
    (found,) = copies(root)
    return found


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
    assert copies(root) == []
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
    written = copies(root)
    for number in range(COUNT, COUNT + 9):
        write(root, number)
    assert len(root.commits(write_checkpoint=True)) == COUNT + 9
    assert copies(root) == written
    write(root, COUNT + 9)
    assert len(heads(root)) == len(root.commits(write_checkpoint=True)) == COUNT + 10
    # The new records are fewer than half of those in the first file, which therefore stays.
    assert len(copies(root)) == 2
    assert {*written} < {*copies(root)}
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


@pytest.mark.parametrize("damage", ["empty", "no parquet", "another name", "other columns", "more columns"])
def test_a_file_that_cannot_be_believed_is_ignored(root: Root, damage: str) -> None:
    """Spoilt or of another version, nothing of it is taken; the next run with enough records replaces it."""
    before = root.commits(write_checkpoint=True).headers()
    path, table = copy_of(root), pq.read_table(copy_of(root))
    match damage:
        case "other columns":
            path = forged(root, table.drop_columns("version"))
        case "more columns":
            path = forged(root, table.append_column("more", pa.nulls(COUNT, pa.string())))
        case "another name":
            path = path.rename(path.with_name("0" * 16))
        case _:
            path.write_bytes({"empty": b"", "no parquet": b"PAR1 nothing PAR1"}[damage])
    assert heads(root) == before
    assert root.commits(write_checkpoint=True).headers() == before
    # A file with the same rows has the same name.
    assert pq.read_metadata(copy_of(root)).num_rows == COUNT
    assert heads(root) == before


@pytest.mark.parametrize("damage", ["no record", "others", "null heads", "null parts", "null versions", "unknown"])
def test_rows_that_are_no_records_are_read_from_their_files(root: Root, damage: str) -> None:
    """Whoever forged the file, the records are those of their own files."""
    before = root.commits(write_checkpoint=True).headers()
    table = pq.read_table(copy_of(root))
    nulls = pa.nulls(COUNT, pa.string())
    other = {name: pa.array([value], table.schema.field(name).type) for name, value in UNKNOWN.items()}
    spoilt = {
        "no record": table.set_column(4, SCHEMA.field("header"), pa.array(["{}"] * COUNT)),
        "others": table.set_column(4, SCHEMA.field("header"), pa.chunked_array([table["header"].to_pylist()[::-1]])),
        "null heads": table.set_column(4, "header", nulls),
        "null parts": table.set_column(5, "parts", nulls),
        "null versions": table.set_column(1, "version", nulls),
        "unknown": pa.concat_tables([table, pa.table(other, schema=table.schema)]),
    }
    forged(root, spoilt[damage])
    assert heads(root) == before
    index = root.commits()
    for header in before:
        assert index.get(header.identity) == header
        assert index.by_checksum(header.checksum) == (header,)


UNKNOWN = {"path": "x", "version": "1", "keys": [1], "text": 1, "header": "{}", "parts": "[]"}


def forged(root: Root, table: pa.Table) -> Path:
    """Put a file in the place of the checkpoint's, with the name that its bytes have."""
    copy_of(root).unlink()
    folder = Path(root.place) / "_wsparquet/checkpoints"
    pq.write_table(table, folder / "forged")
    name = hashlib.sha256((folder / "forged").read_bytes()).hexdigest()[:16]
    return (folder / "forged").rename(folder / name)


def test_a_folder_in_the_place_of_a_file_harms_nothing(root: Root) -> None:
    """What cannot be read is ignored, whatever is there."""
    before = root.commits(write_checkpoint=True).headers()
    path = copy_of(root)
    path.unlink()
    path.mkdir()
    assert heads(root) == before
    path.rmdir()
    path.symlink_to("/dev/zero")
    assert root.commits(write_checkpoint=True).headers() == before
    assert heads(root) == before


def test_small_files_are_merged_and_files_without_current_entries_go(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many records a root has, it has few files, and each record is in one of them."""
    count = COUNT
    for _ in range(6):
        root.commits(write_checkpoint=True)
        for number in range(count, count + 10):
            write(root, number)
        count += 10
    root.commits(write_checkpoint=True)
    assert len(copies(root)) <= 3
    assert sorted(str(path) for file in copies(root) for path in pq.read_table(file)["path"].to_pylist()) == [
        header.identity.key.record_path for header in heads(root)
    ]
    assert len(heads(root)) == count
    assert read_from_files(root, monkeypatch) == []
    for number in range(count):
        write(root, number)
    monkeypatch.setattr(checkpoint, "WORTH_WRITING", 10)
    monkeypatch.setattr(checkpoint, "SHARD_ROWS", 40)
    assert len(root.commits(write_checkpoint=True)) == len(heads(root)) == count
    # The new files have at most 40 rows, and none of the old ones had a current entry.
    assert sorted(pq.read_metadata(file).num_rows for file in copies(root)) == [10, 40, 40]


def test_an_index_with_and_without_a_checkpoint_finds_the_same(root: Root) -> None:
    """By every fact, also after changes: what a later commit replaces is not found any more."""
    plain = root.commits()
    kept = root.commits(write_checkpoint=True)
    kept = root.commits()
    for index in (plain, kept):
        other = replace(make_commit(3).header, content_id="other", facts=replace(make_commit(3).facts, size=11))
        index.put(make_commit(3).identity, other)
        index.put(make_commit(4).identity, None)
        index.put(make_commit(COUNT).identity, make_commit(COUNT))
    assert kept.headers() == plain.headers()
    assert len(kept) == len(plain) == COUNT
    for number in range(COUNT + 2):
        commit = make_commit(number)
        for find in FINDERS:
            assert find(kept, commit) == find(plain, commit), number
    assert not kept.has_content(make_commit(3).content_id)
    assert kept.has_content("other")
    assert not kept.has_content(make_commit(4).content_id)


FINDERS: list[Callable[[CommitIndex, Commit], object]] = [
    lambda index, commit: index.get(commit.identity),
    lambda index, _: sorted(index.by_size(10), key=str) + sorted(index.by_size(11), key=str),
    lambda index, commit: index.by_checksum(commit.checksum),
    lambda index, commit: index.by_text(commit.facts.text or Text("", 0)),
    lambda index, commit: index.by_older_text(commit.facts.text or Text("", 0)),
    lambda index, commit: index.by_source_name(commit.facts.source_name),
    lambda index, commit: index.by_listed_name(commit.facts.source_name),
    lambda index, commit: index.find_unchanged_source(url=commit.facts.url or "", size=10, etag=None, mtime="1"),
    lambda index, commit: index.has_content(commit.content_id),
]


def test_only_what_is_asked_for_is_decoded(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening, looking for twins and for unknown sources decode nothing; finding a source decodes one entry."""
    root.commits(write_checkpoint=True)
    decoded: list[str] = []

    def decode(data: bytes, path: str) -> CommitHeader | None:
        decoded.append(path)
        return decode_header(data, path)

    monkeypatch.setattr(stored, "decode_header", decode)
    index = root.commits()
    assert (len(index), index.twins(), index.get(make_commit(COUNT).identity)) == (COUNT, [], None)
    assert index.by_checksum("unknown") == index.by_size(11) == ()
    assert index.has_content(make_commit(3).content_id)
    assert decoded == []
    assert index.by_source_name(make_commit(3).facts.source_name) == (make_commit(3).header,)
    assert decoded == [make_commit(3).path]


def test_twins_are_found_in_a_checkpoint(root: Root) -> None:
    """Two in it, or one in it and one that is newer: the one that counts is the same as without it."""
    for number in (1, 2, COUNT):
        write(root, number, **{f'"blake3":"{number:064x}"': f'"blake3":"{7:064x}"'})
        expected = root.commits().twins()
        root.commits(write_checkpoint=True)
        assert root.commits().twins() == expected
    assert sorted(loser.identity.name for loser, _ in expected) == sorted(
        make_commit(number).identity.name for number in (2, 7, COUNT)
    )


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
