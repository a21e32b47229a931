"""wsparquet/conversion/identity.py, commit/twins.py: the same content counts once, whatever people do with files."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

import wsparquet
from tests.cli.program import run
from tests.conversion.test_run import ACCOUNT, API_NAME, convert, identities, make, outcome, relabelled, row_count
from tests.dataset.helpers import rows_on_disk
from tests.scale import scaled
from tests.store.s3.lake import Lake
from tests.support.at_rest import assert_at_rest, records
from wsparquet import Progress
from wsparquet.dataset import Root
from wsparquet.distributed.conversions import plan_conversion
from wsparquet.emulator import DEMO
from wsparquet.errors import DatasetError, PlaceError
from wsparquet.layout import Identity

NEXT_NAME = "WebSession.1467295200000.1467298800000.part-00000-0"
ROWS = 20
WITHOUT_RECORDS = r"found datasets without commit records, such as record_type=.*; if"
EXTENSION = Path(__file__).parents[1] / "extensions.toml"


def copies_of(path: Path, folder: Path) -> list[Path]:
    """Copies of a file in the ways in which people make them, each in a folder of its own."""
    stored, text = path.read_bytes(), gzip.decompress(path.read_bytes())
    contents = {
        f"{API_NAME} (1).gz": stored,
        f"{API_NAME}.gz.1": stored,
        f"Copy of {API_NAME}.gz": gzip.compress(text, 1),
        "renamed.gz": stored,
        "plain.json": text,
        f"{API_NAME}.json": text,
        "again.zst": zstd.compress(text),
        "members.gz": b"".join(gzip.compress(text[start : start + 5000]) for start in range(0, len(text), 5000)),
    }
    made = []
    for number, (name, content) in enumerate(contents.items()):
        made.append(folder / str(number) / name)
        made[-1].parent.mkdir(parents=True)
        made[-1].write_bytes(content)
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("inner.json", text)
    (folder / "linked.gz").hardlink_to(path)
    return [*made, folder / "archive.zip", folder / "linked.gz"]


def assert_once(lake: Path, rows: int = ROWS) -> None:
    """Each row is on disk once and counts once, and ``verify`` agrees."""
    assert sum(map(len, rows_on_disk(lake).values())) == rows
    assert row_count(lake) == rows
    assert wsparquet.verify(lake).problems == []
    assert_at_rest(lake)


def with_rows(lake: Path) -> list[Identity]:
    """The identities whose commits have rows."""
    return [Identity(**record["identity"]) for record in records(lake) if record["row_count"]]


@pytest.mark.parametrize("seed", range(scaled(6, 2)))
def test_copies_count_once_in_one_run(tmp_path: Path, seed: int) -> None:
    """In any order, with several jobs too, the rows are those of the API's name; a second run reads no file."""
    original = make(tmp_path / "in")
    sources = [original, *copies_of(original, tmp_path / "copies")]
    random.Random(seed).shuffle(sources)
    summary = convert(sources, tmp_path / "lake", jobs=1 + seed % 2 * 3)
    assert summary.failures == []
    assert len(summary.committed) + len(summary.skipped) == len(sources)
    assert_once(tmp_path / "lake")
    assert with_rows(tmp_path / "lake") == [Identity(ACCOUNT, API_NAME)]
    events: list[Progress] = []
    again = wsparquet.convert(sources, tmp_path / "lake", on_progress=events.append)
    assert outcome(again) == (0, len(sources), 0)
    assert not any(event.kind == "read" for event in events)


def test_a_dry_run_counts_copies_as_a_conversion_does(tmp_path: Path) -> None:
    """Before the first commit, and beside a commit of one of the copies; a dry run changes nothing."""
    original = make(tmp_path / "in")
    copies = copies_of(original, tmp_path / "copies")
    for number, sources in enumerate(([*copies, original], [original, *copies], copies)):
        root = tmp_path / str(number)
        dry = convert(sources, root, dry_run=True)
        assert not root.exists()
        wet = convert(sources, root)
        assert outcome(dry) == outcome(wet)
        assert dry.rows == wet.rows
        before = [record["token"] for record in records(root)]
        assert outcome(convert(sources, root, dry_run=True)) == (0, len(sources), 0)
        assert [record["token"] for record in records(root)] == before


def test_an_older_content_stays_known_when_the_account_becomes_known(tmp_path: Path) -> None:
    """A file of an unknown account, replaced twice, then stated: neither older content comes back under its name."""
    texts = [b"", b" ", b"\n"]
    original = make(tmp_path / "in")
    text = gzip.decompress(original.read_bytes())
    sources = []
    for number, suffix in enumerate(texts):
        sources.append(tmp_path / str(number) / original.name)
        sources[-1].parent.mkdir()
        sources[-1].write_bytes(gzip.compress(text + suffix))
    for source in sources:
        assert convert(source, tmp_path / "lake", account="unknown", force_account=True).failures == []
    assert outcome(convert(sources[-1], tmp_path / "lake")) == (0, 1, 0)
    root = tmp_path / "lake"
    assert outcome(convert(sources[-1], root, account=ACCOUNT, again=True)) in {(1, 0, 0), (0, 1, 0)}
    for source in sources[:2]:
        copy = tmp_path / "again" / f"Copy of {source.parent.name} {original.name}"
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(source.read_bytes())
        summary = convert(copy, root, account=ACCOUNT)
        assert (len(summary.skipped), summary.failures) == (1, [])
        assert "an older content" in str(summary.copies[0].reason)
    assert_once(root)


@pytest.mark.parametrize("seed", range(scaled(3, 1)))
def test_copies_count_once_in_many_runs(tmp_path: Path, seed: int) -> None:
    """Each source in a run of its own, in any order; then all are skipped unread, so that damage does not show."""
    original = make(tmp_path / "in")
    sources = [original, *copies_of(original, tmp_path / "copies")]
    random.Random(seed).shuffle(sources)
    for source in sources:
        assert convert(source, tmp_path / "lake").failures == []
        assert_once(tmp_path / "lake")
    for source in sources:
        if source.suffix == ".zip":
            continue
        status = source.stat()
        source.write_bytes(b"x" * status.st_size)
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert outcome(convert(sources, tmp_path / "lake")) == (0, len(sources), 0)


def test_a_copy_on_standard_input_counts_once(tmp_path: Path) -> None:
    """Compressed or plain, before or after the file."""
    path = make(tmp_path / "in")
    for content in (path.read_bytes(), gzip.decompress(path.read_bytes())):
        assert run("convert", "-", "--to", tmp_path / "lake", stdin=content).code == 0
    assert convert(path, tmp_path / "lake").failures == []
    assert run("convert", "-", "--to", tmp_path / "lake", stdin=path.read_bytes()).code == 0
    assert_once(tmp_path / "lake")
    assert with_rows(tmp_path / "lake") == [Identity(ACCOUNT, API_NAME)]


def test_a_copy_under_another_account_counts_once(tmp_path: Path) -> None:
    """Whatever accounts are forced upon copies; the summary names the source that holds the content."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake")
    summary = convert(path, tmp_path / "lake", account="1", force_account=True)
    assert [copy.reason for copy in summary.copies] == [f"{path.name} holds the same content"]
    assert_once(tmp_path / "lake")
    assert with_rows(tmp_path / "lake") == [Identity(ACCOUNT, API_NAME)]


def test_a_file_takes_over_from_its_copy_of_an_unknown_account(tmp_path: Path) -> None:
    """A known account is better than none; the other commit refers to it from then on."""
    text = gzip.decompress(make(tmp_path / "in").read_bytes()).replace(f'"{ACCOUNT}"'.encode(), b'""')
    path = tmp_path / "in" / f"{API_NAME}.gz"
    path.write_bytes(gzip.compress(text))
    convert(path, tmp_path / "lake")
    assert with_rows(tmp_path / "lake") == [Identity("unknown", API_NAME)]
    assert outcome(convert(path, tmp_path / "lake", account="1")) == (1, 0, 0)
    assert_once(tmp_path / "lake")
    assert with_rows(tmp_path / "lake") == [Identity("1", API_NAME)]


def test_two_api_names_of_one_content(tmp_path: Path) -> None:
    """The second one refers to the first one, and is converted if the first one is removed."""
    path = make(tmp_path / "in")
    twin = tmp_path / "twin" / f"{NEXT_NAME}.gz"
    twin.parent.mkdir()
    shutil.copy(path, twin)
    lake = tmp_path / "lake"
    convert(path, lake)
    assert outcome(convert(twin, lake)) == (0, 1, 0)
    assert outcome(convert(twin, lake)) == (0, 1, 0)
    assert identities(lake) == [Identity(ACCOUNT, API_NAME), Identity(ACCOUNT, NEXT_NAME)]
    assert_once(lake)
    removed = wsparquet.remove(lake, twin.name, yes=True).removed
    assert [(each.name, each.rows) for each in removed] == [(path.name, ROWS)]
    assert row_count(lake) == 0
    assert outcome(convert(twin, lake)) == (1, 0, 0)
    assert_once(lake)
    assert with_rows(lake) == [Identity(ACCOUNT, NEXT_NAME)]


def test_what_refers_to_replaced_rows_is_converted_again(tmp_path: Path) -> None:
    """If the other file gets a new content, this one's rows would be gone."""
    path = make(tmp_path / "in")
    twin = tmp_path / "twin" / f"{NEXT_NAME}.gz"
    twin.parent.mkdir()
    shutil.copy(path, twin)
    lake = tmp_path / "lake"
    convert([path, twin], lake)
    make(tmp_path / "in", seed=9, records=30)
    assert [(each.rows_before, each.rows) for each in convert(path, lake).replaced] == [(ROWS, 30)]
    assert outcome(convert(twin, lake)) == (1, 0, 0)
    assert_once(lake, ROWS + 30)


@pytest.mark.parametrize("by", [f"{API_NAME}.gz", f"{API_NAME}", "copy of b.gz", "copy of b", "third.gz"])
def test_a_source_is_removed_by_the_name_of_any_copy(tmp_path: Path, by: str) -> None:
    """The rows that a copy brought are those of the API's file later, and each name removes them."""
    path = make(tmp_path / "in")
    copies = [tmp_path / name for name in ("copy of b.gz", "third.gz")]
    for copy in copies:
        shutil.copy(path, copy)
    lake = tmp_path / "lake"
    for source in (copies[0], path, copies[1]):
        convert(source, lake)
    assert_once(lake)
    removed = wsparquet.remove(lake, by, yes=True).removed
    assert [(each.name, each.rows) for each in removed] == [(path.name, ROWS)]
    assert row_count(lake) == 0
    assert wsparquet.verify(lake).problems == []
    assert outcome(convert(copies[0], lake)) == (1, 0, 0)
    assert_once(lake)


# --- Names that contain an API name -----------------------------------------------------------------------------------


def test_an_older_copy_in_the_folder_every_night(tmp_path: Path) -> None:
    """After the API's name has a newer content, the older one is skipped, under whatever name, and never comes back."""
    path = make(tmp_path / "in")
    old = tmp_path / "in" / f"{API_NAME} (1).gz"
    elsewhere = tmp_path / "old" / path.name
    elsewhere.parent.mkdir()
    for copy in (old, elsewhere):
        shutil.copy(path, copy)
    lake = tmp_path / "lake"
    convert(tmp_path / "in", lake)
    make(tmp_path / "in", seed=9, records=30)
    assert outcome(convert(path, lake)) == (1, 0, 0)
    for _ in range(2):
        assert outcome(convert(tmp_path / "in", lake)) == (0, 2, 0)
        summary = convert(elsewhere, lake)
        assert outcome(summary) == (0, 1, 0)
    assert_once(lake, 30)
    assert wsparquet.verify(lake, against=[tmp_path / "in", elsewhere]).problems == []
    assert outcome(convert(elsewhere, lake, again=True)) == (1, 0, 0)
    assert_once(lake)
    summary = convert(path, lake)
    assert [copy.reason for copy in summary.copies] == [f"an older content of {API_NAME}"]


@pytest.mark.parametrize(("order", "jobs"), [(1, 1), (-1, 1), (1, 4), (-1, 4)])
def test_the_exact_name_wins_over_a_copy_with_another_content(tmp_path: Path, order: int, jobs: int) -> None:
    """In one run, in any order; the copy fails with the remedy, and commits nothing in later runs either."""
    path = make(tmp_path / "in", records=30)
    copy = make(tmp_path / "other", seed=9).rename(tmp_path / "in" / f"{API_NAME}.gz.1")
    for _ in range(2):
        summary = convert([path, copy][::order], tmp_path / "lake", jobs=jobs)
        assert summary.failed == [copy.name]
        assert f"rename it to {API_NAME}.gz, otherwise delete it" in summary.failures[0].error
        assert_once(tmp_path / "lake", 30)
    assert convert(copy, tmp_path / "lake", again=True).failed == [copy.name]


def test_a_copy_alone_has_the_identity_of_its_original(tmp_path: Path) -> None:
    """So the original, if it comes later with another content, replaces its rows."""
    copy = make(tmp_path / "in", name=f"{API_NAME} (1).gz")
    lake = tmp_path / "lake"
    convert(copy, lake)
    assert identities(lake) == [Identity(ACCOUNT, API_NAME)]
    days = {path.parent.name for path in lake.rglob("*.parquet")}
    path = make(tmp_path / "new", seed=9, records=30)
    summary = convert([copy, path], lake)
    assert (summary.committed, summary.skipped) == ([path.name], [copy.name])
    assert_once(lake, 30)
    assert days == {"date=2016-06-30"}


@pytest.mark.parametrize("account", ["1", "99999999"])
def test_a_redo_keeps_account_and_identity(tmp_path: Path, account: str) -> None:
    """`again` without the account that the record was given converts the source, and doubles nothing from a copy."""
    path = make(tmp_path / "in")
    lake = tmp_path / "lake"
    convert(path, lake, account=account, force_account=True)
    shutil.copy(path, tmp_path / "copy.gz")
    for source, expected in (
        (path, (1, 0, 0)),
        (tmp_path / "copy.gz", (0, 1, 0)),
        ([path, tmp_path / "copy.gz"], (1, 1, 0)),
    ):
        assert outcome(convert(source, lake, again=True)) == expected
        assert identities(lake) == [Identity(account, API_NAME)]
        assert_once(lake)


def test_a_redo_under_another_account_moves_nothing(tmp_path: Path) -> None:
    """Who names another account gets a record of it, which refers to the rows of the first one."""
    path = make(tmp_path / "in")
    lake = tmp_path / "lake"
    convert(path, lake, account="1", force_account=True)
    assert outcome(convert(path, lake, account="2", force_account=True, again=True)) == (0, 1, 0)
    assert identities(lake) == [Identity("1", API_NAME), Identity("2", API_NAME)]
    assert_once(lake)


# --- Two writers, and readers -----------------------------------------------------------------------------------------


def test_two_runs_that_commit_a_file_and_its_copy_at_once(tmp_path: Path) -> None:
    """Neither sees the other's commit; the one that ends last settles the twins."""
    path = make(tmp_path / "in")
    shutil.copy(path, tmp_path / "copy.gz")
    lake = tmp_path / "lake"
    make(tmp_path / "first", seed=5).rename(tmp_path / "first.gz")
    convert(tmp_path / "first.gz", lake)

    def meanwhile(event: Progress) -> None:
        if event.kind == "started" and event.name == path.name:
            assert outcome(convert(tmp_path / "copy.gz", lake)) == (1, 0, 0)

    summary = wsparquet.convert(path, lake, on_progress=meanwhile)
    assert outcome(summary) == (1, 0, 0)
    assert_once(lake, 2 * ROWS)


def make_twins(tmp_path: Path) -> Path:
    """A lake with a file and its copy, both committed, as two runs leave it that are killed before their end."""
    path = make(tmp_path / "in")
    shutil.copy(path, tmp_path / "copy.gz")
    convert(path, tmp_path / "lake")
    convert(tmp_path / "copy.gz", tmp_path / "other")
    shutil.copytree(tmp_path / "other", tmp_path / "lake", dirs_exist_ok=True)
    return tmp_path / "lake"


def test_twins_count_once_and_the_next_run_settles_them(tmp_path: Path) -> None:
    """Readers leave one out, ``verify`` names both, and any later run makes it yield."""
    lake = make_twins(tmp_path)
    assert sum(map(len, rows_on_disk(lake).values())) == 2 * ROWS
    assert row_count(lake) == ROWS
    (problem,) = wsparquet.verify(lake).problems
    assert problem.kind == "twin"
    assert "copy" in problem.where
    assert API_NAME in problem.found
    third = make(tmp_path / "third", seed=7).rename(tmp_path / "third.gz")
    convert(third, lake)
    assert_once(lake, 2 * ROWS)


def test_a_reader_that_lists_first_and_reads_later_sees_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy yields to a file that was committed after the reader had listed the records."""
    path = make(tmp_path / "in")
    shutil.copy(path, tmp_path / "copy.gz")
    lake = tmp_path / "lake"
    convert(tmp_path / "copy.gz", lake)
    store = type(Root.open(lake).store)
    calls: list[list[str]] = []
    whole = store.read_all

    def late(self: object, paths: list[str]) -> object:
        if not calls:
            calls.append(paths)
            monkeypatch.undo()
            assert outcome(convert(path, lake)) == (1, 0, 0)
        return whole(self, paths)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "read_all", late)
    assert row_count(lake) == ROWS
    assert len(calls) == 1


# --- Accounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "account", "said"),
    [
        ("in", "1", f"account 1, which `account` names, found account {ACCOUNT}; leave `account` out"),
        (
            "account/backup/le",
            None,
            f"the folder account/backup/ names, found account {ACCOUNT}; name the folder after the account, or pass",
        ),
    ],
)
def test_an_account_that_contradicts_the_file_fails_the_source(
    tmp_path: Path, folder: str, account: str | None, said: str
) -> None:
    """Both accounts are named; the right one is accepted, and any one with ``force_account``."""
    path = make(tmp_path / folder)
    summary = convert(path, tmp_path / "lake", account=account)
    assert (outcome(summary), said in summary.failures[0].error) == ((0, 0, 1), True)
    assert outcome(convert(path, tmp_path / "lake", account=ACCOUNT)) == (1, 0, 0)
    forced = convert(path, tmp_path / "other", account=account, force_account=True)
    assert outcome(forced) == (1, 0, 0)
    assert [each.account for each in identities(tmp_path / "other")] == [account or "backup"]


def test_an_account_must_be_the_only_one_that_a_file_states(tmp_path: Path) -> None:
    """A file of several accounts is not of one of them."""
    path = relabelled(make(tmp_path / "in"), "1", "2")
    summary = convert(path, tmp_path / "lake", account="1")
    assert "found account 1, 2; leave `account` out" in summary.failures[0].error


# --- Where a root can be ----------------------------------------------------------------------------------------------


WRITERS = {
    "convert": lambda path, to, options: wsparquet.convert(path, to=to, storage_options=options),
    "dry run": lambda path, to, options: wsparquet.convert(path, to=to, storage_options=options, dry_run=True),
    "sync": lambda _, to, options: wsparquet.sync(to, account=ACCOUNT, credentials=DEMO, storage_options=options),
    "extend": lambda _, to, options: wsparquet.extend(to, EXTENSION, storage_options=options),
    "one of many machines": lambda path, to, options: plan_conversion(path, to=to, storage_options=options),
}
"""What can make a root, by what it is."""


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_lake_that_was_copied_without_its_records_is_not_written_over(
    write: Callable[[Path, str, dict[str, Any]], object], tmp_path: Path
) -> None:
    """Its rows would be there twice. A dry run says so, too, and nothing is created."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake")
    shutil.copytree(tmp_path / "lake", tmp_path / "copy", ignore=shutil.ignore_patterns("_wsparquet"))
    with pytest.raises(DatasetError, match=WITHOUT_RECORDS):
        write(path, str(tmp_path / "copy"), {})
    assert not (tmp_path / "copy/_wsparquet").exists()


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_bucket_that_was_copied_without_its_records_is_not_written_over(
    write: Callable[[Path, str, dict[str, Any]], object], tmp_path: Path, bucket: Lake
) -> None:
    """The same holds for a copy in a bucket."""
    path = make(tmp_path / "in")
    bucket.bucket.put("lake/record_type=geo/date=2016-06-30/a.parquet", b"PAR1")
    with pytest.raises(DatasetError, match=WITHOUT_RECORDS):
        write(path, bucket.url, bucket.options)
    assert bucket.keys() == ["record_type=geo/date=2016-06-30/a.parquet"]


@pytest.mark.parametrize(
    "place", ["date=2016-06-30/lake", "record_type=geo", "s3://bucket/date=1/lake", "Date=1", "visitId=5"]
)
def test_no_root_lies_below_a_partition(tmp_path: Path, place: str) -> None:
    """DuckDB would take the date of all rows from that folder."""
    path = make(tmp_path / "in")
    to = place if place.startswith("s3:") else tmp_path / place
    with pytest.raises(
        PlaceError, match=r"found one below the folder (date|record_type|Date|visitId)=.*choose another root"
    ):
        convert(path, to)  # type: ignore[arg-type]


def test_a_run_of_which_all_sources_fail_makes_no_root(tmp_path: Path) -> None:
    """A wrong folder leaves nothing behind; the root begins with the first commit, and has an id of its own."""
    for name, content in {
        "passwd": b"root:x:0:0",
        "long.json": b'{"a": "%s"}\n' % (b"x" * 1000) * 1_000,
        "bad.gz": b"\x1f\x8b",
    }.items():
        (tmp_path / name).write_bytes(content)
    assert outcome(convert([tmp_path / "passwd", tmp_path / "bad.gz"], tmp_path / "lake")) == (0, 0, 2)
    assert not (tmp_path / "lake").exists()
    assert outcome(convert(tmp_path / "long.json", tmp_path / "lake")) == (0, 0, 1)
    assert not (tmp_path / "lake").exists()
    (tmp_path / "long.json").write_bytes(b'{"a": "%s"}\n' % (b"x" * 1000) * 9_000)
    assert outcome(convert(tmp_path / "long.json", tmp_path / "lake")) == (0, 0, 1)
    assert not (tmp_path / "lake").exists()
    (tmp_path / "kept").mkdir()
    assert outcome(convert(tmp_path / "long.json", tmp_path / "kept")) == (0, 0, 1)
    assert list((tmp_path / "kept").iterdir()) == []
    ids = set()
    for name in ("lake", "other"):
        convert(make(tmp_path / "in"), tmp_path / name)
        ids.add(json.loads((tmp_path / name / "_wsparquet/root.json").read_bytes())["root_id"])
    assert len(ids) == 2


# --- Contents that move between names ---------------------------------------------------------------------------------


def put(folder: Path, name: str, seed: int) -> Path:
    """A file with the content of a seed, under an API name or another one."""
    made = make(folder / f"made {seed}", seed=seed, records=5)
    path = folder / name
    shutil.move(made, path)
    return path


def visits(lake: Path) -> int:
    """How many rows count, of how many contents with five rows each."""
    assert wsparquet.verify(lake).problems == []
    assert row_count(lake) % 5 == 0
    return row_count(lake) // 5


@pytest.mark.parametrize("again", [False, True])
def test_contents_that_move_from_name_to_name_in_one_run_stay(tmp_path: Path, again: bool) -> None:
    """A name takes the content of the next one, whose own is replaced in the same run: none of them is lost."""
    lake, folder = tmp_path / "lake", tmp_path / "in"
    folder.mkdir()
    names = [f"WebSession.1467291600000.1467295200000.part-00000-{number}.gz" for number in range(4)]
    for number, name in enumerate(names):
        put(folder, name, number)
    convert(folder, lake)
    for number, name in enumerate(names):
        put(folder, name, number + 1)
    assert convert(folder, lake, again=again).failures == []
    assert visits(lake) == 4
    first, last = folder / names[0], folder / names[3]
    for path, other in ((first, "a"), (last, names[0]), (folder / "a", names[3])):
        shutil.move(path, folder / other)
    assert convert(folder, lake).failures == []
    assert visits(lake) == 4


def test_an_older_content_does_not_come_back_under_another_name(tmp_path: Path) -> None:
    """A copy that was committed first yields, and stays out after the file has a newer content; `remove` knows it."""
    lake, folder = tmp_path / "lake", tmp_path / "in"
    folder.mkdir()
    put(folder, "copy.gz", 1)
    convert(folder, lake)
    original = put(folder, f"{API_NAME}.gz", 1)
    convert(folder, lake)
    put(folder, original.name, 2)
    for _ in range(2):
        assert convert(folder, lake).failures == []
        assert visits(lake) == 1
    os.utime(folder / "copy.gz", ns=(1, 1))
    convert(folder, lake)
    assert visits(lake) == 1
    with pytest.raises(DatasetError, match=r"expected names of committed sources, found copy\.gz"):
        wsparquet.remove(lake, "copy.gz", yes=True)
    assert visits(lake) == 1


def test_many_copies_do_not_keep_a_file_from_its_commit(tmp_path: Path) -> None:
    """Copies are noted in the very record that the file replaces; beyond the most that it lists, it stays as it is."""
    lake, folder = tmp_path / "lake", tmp_path / "in"
    folder.mkdir()
    original = put(folder, f"{API_NAME}.gz", 1)
    convert(folder, lake)
    for number in range(40):
        shutil.copy(original, folder / f"copy {number}.gz")
    put(folder, original.name, 2)
    assert convert(folder, lake, jobs=8).failures == []
    assert visits(lake) == 1
    convert(folder, lake)
    before = [path.read_bytes() for path in (lake / "_wsparquet/commits").rglob("*.json")]
    assert convert(folder, lake, jobs=8).failures == []
    assert [path.read_bytes() for path in (lake / "_wsparquet/commits").rglob("*.json")] == before


def test_a_replay_puts_no_content_back_that_another_run_has_replaced(tmp_path: Path) -> None:
    """The source fails, and the newer rows stay."""
    lake, folder, newer = tmp_path / "lake", tmp_path / "in", tmp_path / "newer"
    make(folder, seed=1, defects=True, size=40_000)
    convert(folder, lake)
    newer.mkdir()
    put(newer, f"{API_NAME}.gz", 2)

    def meanwhile(event: Progress) -> None:
        if event.kind == "started":
            assert outcome(convert(newer, lake)) == (1, 0, 0)

    summary = wsparquet.replay(lake, folder, again=True, on_progress=meanwhile)
    assert "another run has removed or replaced it; nothing was changed" in summary.failures[0].error
    assert visits(lake) == 1
