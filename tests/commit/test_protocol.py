"""wsparquet/commit/protocol.py, attempt.py and root.py: commits, one at a time and several at once."""

from __future__ import annotations

import base64
import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.dataset.helpers import API_NAME, IDENTITY, data_files, facts, leftovers, make_rows, put, rows_on_disk
from tests.support.at_rest import assert_at_rest, files_below
from wsparquet.commit import Commit, CommitConflict
from wsparquet.dataset import Root, open_dataset
from wsparquet.decode.model import Quarantined
from wsparquet.errors import DatasetError, SchemaError
from wsparquet.layout import Identity
from wsparquet.schema import SCHEMA_VERSION, TABLES


def rows_of(*seeds: int, count: int = 20) -> dict[str, list[object]]:
    """What ``rows_on_disk`` should find of geo after commits with these seeds."""
    rows = [row for seed in seeds for row in make_rows("geo", count, seed=seed).to_pylist()]
    return {"geo": sorted(rows, key=repr)} if rows else {}


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """An empty root."""
    return Root.open(tmp_path / "root")


# --- New, redo, superseded, abandoned ---------------------------------------------------------------------------------


def test_a_commit_makes_rows_count(root: Root) -> None:
    """The rows are there, in files that the record names, and the record says what it was told and what it wrote."""
    commit = put(root, tables=("geo", "navigation"))
    assert commit.rows == {"geo": 20, "navigation": 20}
    assert rows_on_disk(Path(root.place))["geo"] == rows_of(0)["geo"]
    assert_at_rest(Path(root.place))
    record = json.loads((Path(root.place) / f"_wsparquet/commits/75555851/2016-06/{API_NAME}.json").read_bytes())
    assert (record["checksum"], record["size"], record["url"]) == ("0" * 64, 10, "file:///x.gz")
    assert (record["schema_version"], record["report"], record["obsolete"]) == (SCHEMA_VERSION, {"records": 1}, [])
    for part in record["parts"]:
        assert part["bytes"] == (Path(root.place) / part["path"]).stat().st_size
    assert list(root.commits()) == [commit]


def test_rows_per_table_come_from_the_footers(root: Root) -> None:
    """``close`` counts what the files hold; an attempt without rows can be committed, too."""
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 7))
        attempt.write("geo", make_rows("geo", 5, seed=1))
        attempt.write("impression", make_rows("impression", 3))
        assert attempt.close() == {"geo": 12, "impression": 3}
        assert attempt.close() == {"geo": 12, "impression": 3}
        with pytest.raises(DatasetError, match="closed"):
            attempt.write("geo", make_rows("geo", 1))
    with root.begin(fallback_day_ms=None) as attempt:
        assert attempt.close() == {}
        assert attempt.commit(IDENTITY, facts(), expected=None).parts == ()
    assert_at_rest(Path(root.place))


def fail_inside(root: Root) -> None:
    """An attempt that its caller leaves by an error, with everything written."""
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 5))
        attempt.quarantine([Quarantined("item", 0, 1, None, None, None, "odd", b"x")])
        attempt.close()
        raise ZeroDivisionError


def test_an_attempt_that_is_left_leaves_nothing(root: Root) -> None:
    """Without a commit, by an error or without, no file remains, and other sources' files do."""
    put(root, Identity("7", "other"), seed=5)
    before = list(files_below(Path(root.place)))
    with pytest.raises(ZeroDivisionError):
        fail_inside(root)
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 5))
    assert list(files_below(Path(root.place))) == before


def test_a_redo_replaces_rows_on_other_days_too(root: Root) -> None:
    """Other content under one identity takes the place of all rows of the old, whatever their partitions."""
    old = put(root, tables=("geo", "navigation"))
    new = put(root, seed=1, tables=("geo",))
    assert rows_on_disk(Path(root.place)) == rows_of(1)
    assert new.obsolete == old.paths
    assert_at_rest(Path(root.place))


def test_who_comes_late_is_superseded_and_leaves_nothing(root: Root) -> None:
    """If the record is not what it was at the start, the attempt fails, tells what is there now, and is gone."""
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 5, seed=9))
        first = put(root)
        with pytest.raises(CommitConflict) as caught:
            attempt.commit(IDENTITY, facts(), expected=None)
    assert caught.value.found == first
    assert isinstance(caught.value, DatasetError)
    assert rows_on_disk(Path(root.place)) == rows_of(0)

    second = put(root, seed=1)
    with root.begin(fallback_day_ms=None) as attempt, pytest.raises(CommitConflict) as caught:
        attempt.commit(IDENTITY, facts(), expected=first)
    assert caught.value.found == second
    root.remove([API_NAME])
    with root.begin(fallback_day_ms=None) as attempt, pytest.raises(CommitConflict) as caught:
        attempt.commit(IDENTITY, facts(), expected=second.header)
    assert caught.value.found is None
    assert_at_rest(Path(root.place))
    assert data_files(Path(root.place)) == []


def test_two_accounts_may_have_files_of_one_name(root: Root) -> None:
    """Account and name together are the identity, and hostile ones are names like others."""
    for seed, account in enumerate(("7", "8", "../../x", "", "é" * 300)):
        put(root, Identity(account, API_NAME), seed=seed)
    assert rows_on_disk(Path(root.place)) == rows_of(0, 1, 2, 3, 4)
    assert len(root.commits()) == 5
    assert {path.name for path in Path(root.place).parent.iterdir()} == {"root"}
    assert_at_rest(Path(root.place))


# --- Quarantine -------------------------------------------------------------------------------------------------------


def test_quarantine_keeps_every_byte_privately(root: Root) -> None:
    """One JSON object a line, text or base64; the file and its folder are for their owner only."""
    entries = [
        Quarantined("record", 5, 9, 0, 3, "$.body", "no body", "\u2028ü\n".encode()),
        Quarantined("item", 9, 12, None, None, None, "not UTF-8", b"\xff\x00"),
        Quarantined("item", 12, 12, None, None, None, "empty", b"", continued=True),
    ]
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.quarantine(entries[:1])
        attempt.quarantine(entries[1:])
        commit = attempt.commit(IDENTITY, facts(), expected=None)
    assert commit.quarantine is not None
    path = Path(root.place) / commit.quarantine
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert len(lines) == 3
    for line, entry in zip(lines, entries, strict=True):
        data = line.pop("text").encode() if "text" in line else base64.b64decode(line.pop("base64"))
        assert data == entry.data
        assert line == {
            name: getattr(entry, name)
            for name in ("kind", "start", "end", "container", "record_number", "path", "reason", "continued")
        }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in ("quarantine", "tmp"):
        assert stat.S_IMODE((Path(root.place) / "_wsparquet" / folder).stat().st_mode) == 0o700
    put(root)
    assert not path.exists()
    assert_at_rest(Path(root.place))


def test_no_quarantine_no_file(root: Root) -> None:
    """A source without quarantined text has no empty file for it."""
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.quarantine([])
        assert attempt.commit(IDENTITY, facts(), expected=None).quarantine is None


# --- Lookups ----------------------------------------------------------------------------------------------------------


def test_a_source_is_unchanged_if_url_size_and_etag_or_mtime_agree(root: Root) -> None:
    """An ETag counts before the time; where one is missing the time decides; without both nothing is unchanged."""
    with root.begin(fallback_day_ms=None) as attempt:
        known = facts(url="https://x/y", size=5, etag="e", mtime="t")
        commit = attempt.commit(IDENTITY, known, expected=None)
    commits = root.commits()

    def find(*, url: str = "https://x/y", size: int = 5, **options: str | None) -> object:
        found = commits.find_unchanged_source(url=url, size=size, **{"etag": None, "mtime": None, **options})
        return found[0] if found else None

    assert find(etag="e") == find(etag="e", mtime="other") == find(mtime="t") == commit.header
    assert find(etag="other", mtime="t") is find(mtime="other") is find() is None
    assert find(etag="e", size=6) is find(etag="e", url="https://x/z") is None
    assert find(etag="e", account="8") is None
    assert find(etag="e", account="75555851") == commit.header


def test_lookups_answer_from_the_time_they_were_asked(root: Root) -> None:
    """What is expected at the end must be what was there at the start, not what is there now."""
    first = put(root)
    commits = root.commits()
    put(root, seed=1)
    head = commits.get(IDENTITY)
    assert head == first.header
    with root.begin(fallback_day_ms=None) as attempt, pytest.raises(CommitConflict):
        attempt.commit(IDENTITY, facts(), expected=head)


# --- Removal ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [f"{API_NAME}.gz", API_NAME])
def test_remove_takes_a_source_out_by_any_of_its_names(root: Root, name: str) -> None:
    """Its rows, its quarantine and its record go, others stay, and it can come again."""
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 20))
        attempt.quarantine([Quarantined("item", 0, 1, None, None, None, "odd", b"x")])
        commit = attempt.commit(IDENTITY, facts(), expected=None)
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 20, seed=1))
        attempt.commit(Identity("7", "a b"), facts(source_name="a b.gz"), expected=None)
    assert root.remove([name]) == [commit]
    assert rows_on_disk(Path(root.place)) == rows_of(1)
    assert [left.identity.name for left in root.commits()] == ["a b"]
    assert_at_rest(Path(root.place))
    assert [gone.identity.name for gone in root.remove(["a%20b"])] == ["a b"]
    put(root)
    assert rows_on_disk(Path(root.place)) == rows_of(0)


def test_an_unknown_name_removes_nothing_and_is_told_its_neighbours(root: Root) -> None:
    """One mistyped name stops all, with the nearest names in the message."""
    put(root)
    with pytest.raises(DatasetError, match="the nearest names are") as caught:
        root.remove([API_NAME, API_NAME.replace("0-0", "0-1")])
    assert API_NAME in str(caught.value)
    with pytest.raises(DatasetError, match="none of the root's 2 names"):
        root.remove(["zzz"])
    assert rows_on_disk(Path(root.place)) == rows_of(0)


def test_a_name_of_two_accounts_needs_the_account(root: Root) -> None:
    """Nothing is removed by guessing whose it is."""
    put(root, Identity("7", API_NAME), seed=0)
    put(root, Identity("8", API_NAME), seed=1)
    with pytest.raises(DatasetError, match="one account, found 7, 8"):
        root.remove([API_NAME])
    assert [commit.identity.account for commit in root.remove([API_NAME], account="7")] == ["7"]
    assert rows_on_disk(Path(root.place)) == rows_of(1)


# --- Several at once --------------------------------------------------------------------------------------------------


def test_of_many_threads_with_one_new_source_one_wins(root: Root) -> None:
    """All others are superseded by it; its rows alone are there."""
    count = 8
    barrier = threading.Barrier(count)

    def run(seed: int) -> Commit | CommitConflict:
        with root.begin(fallback_day_ms=None) as attempt:
            attempt.write("geo", make_rows("geo", 20, seed=seed))
            attempt.close()
            barrier.wait()
            try:
                return attempt.commit(IDENTITY, facts(f"{seed:064x}"), expected=None)
            except CommitConflict as error:
                return error

    with ThreadPoolExecutor(count) as threads:
        outcomes = list(threads.map(run, range(count)))
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, Commit)]
    assert all(outcome.found == winner for outcome in outcomes if isinstance(outcome, CommitConflict))
    assert rows_on_disk(Path(root.place)) == rows_of(int(winner.checksum, 16))
    assert_at_rest(Path(root.place))


def test_recovery_touches_nothing_that_lives(root: Root) -> None:
    """Files of attempts of this process, in this thread and others, stay while they may still be committed."""
    with root.begin(fallback_day_ms=None) as one, root.begin(fallback_day_ms=None) as other:
        one.write("geo", make_rows("geo", 20))
        one.close()
        root.recover()
        other.write("geo", make_rows("geo", 20, seed=1))
        thread = threading.Thread(target=Root.open(Path(root.place)).recover)
        thread.start()
        thread.join()
        assert len({path.split("/")[2] for path in leftovers(Path(root.place))}) == 2
        one.commit(IDENTITY, facts(), expected=None)
        other.commit(Identity("7", "other"), facts(), expected=None)
    assert rows_on_disk(Path(root.place)) == rows_of(0, 1)
    assert_at_rest(Path(root.place))


def test_sources_in_many_threads_are_all_committed(root: Root) -> None:
    """Attempts at different sources do not disturb each other, nor does recovery beside them."""

    def run(seed: int) -> None:
        put(root, Identity("7", f"source {seed}"), seed=seed)
        root.recover()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(run, range(18)))
    assert rows_on_disk(Path(root.place)) == rows_of(*range(18))
    assert_at_rest(Path(root.place))


def test_attempts_begin_and_end_beside_recoveries(root: Root) -> None:
    """An attempt that is just beginning or ending is alive: no recovery takes its workspace from under it."""

    def begin_and_leave(_: int) -> None:
        for _ in range(40):
            with root.begin(fallback_day_ms=None) as attempt:
                attempt.quarantine([Quarantined("item", 0, 1, None, None, None, "odd", b"x")])
                attempt.close()

    def recover(_: int) -> None:
        for _ in range(120):
            root.recover()

    with ThreadPoolExecutor(6) as threads:
        for outcome in [threads.submit(work, 0) for work in (begin_and_leave, recover) for _ in range(3)]:
            outcome.result()
    assert leftovers(Path(root.place)) == []


def test_an_attempt_does_not_begin_during_a_sweep(root: Root) -> None:
    """Between its folder and its lock a workspace looks dead, so nobody may look then."""
    begun = threading.Event()

    def begin() -> None:
        with root.begin(fallback_day_ms=None):
            begun.set()

    thread = threading.Thread(target=begin)
    with root.store.workspaces.exclusive():
        thread.start()
        assert not begun.wait(0.2)
        assert leftovers(Path(root.place)) == []
    thread.join()
    assert begun.is_set()


# --- Opening a root ---------------------------------------------------------------------------------------------------


def test_another_schema_version_is_refused_with_the_remedy(root: Root) -> None:
    """An older root needs `replay` or the older version, a newer one a newer wsparquet."""
    put(root)
    record = Path(root.place) / "_wsparquet/root.json"
    values = json.loads(record.read_bytes())
    for version, remedy in (
        (SCHEMA_VERSION - 1, "wsparquet replay.*the version of wsparquet that wrote it"),
        (SCHEMA_VERSION + 1, "upgrade"),
    ):
        record.write_text(json.dumps(values | {"schema_version": version}))
        for create in (True, False):
            with pytest.raises(SchemaError, match=remedy):
                Root.open(Path(root.place), create=create)
        with pytest.raises(SchemaError, match=remedy):
            open_dataset(Path(root.place))


def test_a_root_without_its_version_is_not_given_one(root: Root) -> None:
    """A lost root.json is not made up where there are commits."""
    put(root)
    (Path(root.place) / "_wsparquet/root.json").unlink()
    with pytest.raises(DatasetError, match="restore"):
        Root.open(Path(root.place))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema_version": 1}', "\x00", "[" * 100_000])
def test_a_spoilt_root_record_is_an_error(root: Root, content: str) -> None:
    """What is no root.json is named with what to do, and nothing is taken from it."""
    (Path(root.place) / "_wsparquet/root.json").write_text(content)
    with pytest.raises(DatasetError, match=r"root\.json: expected .*, found .*; restore the file from a copy"):
        Root.open(Path(root.place))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format_version": 3}, "expected format version 2, found 3; upgrade wsparquet"),
        ({"format_version": 1}, "expected format version 2, found 1; convert the raw files into a new root"),
        ({"root_id": ""}, "expected text as root_id, found ''; restore"),
        ({"requires": "mask"}, "expected a list of names as requires, found 'mask'; restore"),
        ({"requires": ["mask"]}, "found one that requires mask; upgrade wsparquet"),
        ({"format_version": 0}, "expected a number of 1 or more as format_version, found 0; restore"),
        ({"format_version": True}, "as format_version, found True; restore"),
        ({"schema_version": -5}, "expected a number of 0 or more as schema_version, found -5; restore"),
        ({"schema_version": "1"}, "as schema_version, found '1'; restore"),
        ({"replaying_from": 99}, "expected a number from 0 to .* as replaying_from, or null, found 99; restore"),
        ({"replaying_from": SCHEMA_VERSION}, f"as replaying_from, or null, found {SCHEMA_VERSION}; restore"),
        ({"replaying_from": -1}, "as replaying_from, or null, found -1; restore"),
    ],
)
def test_versions_that_cannot_be_are_not_believed(root: Root, changes: dict[str, object], said: str) -> None:
    """Each is named, not only by who reads the root but also by who would replay it."""
    record = Path(root.place) / "_wsparquet/root.json"
    record.write_text(json.dumps(json.loads(record.read_bytes()) | changes))
    for way in (Root.open, Root.open_for_replay):
        with pytest.raises((DatasetError, SchemaError), match=said):
            way(Path(root.place))


def test_a_replay_that_is_begun_again_began_where_the_first_one_did(root: Root) -> None:
    """Also at version 0."""
    record = Path(root.place) / "_wsparquet/root.json"
    record.write_text(json.dumps(json.loads(record.read_bytes()) | {"schema_version": 0}))
    for _ in range(2):
        Root.open_for_replay(root.place).begin_replay()
        assert json.loads(record.read_bytes())["replaying_from"] == 0


def test_a_root_below_a_regular_file_is_an_error(tmp_path: Path) -> None:
    """The message says what stands in the way, and the file is as it was."""
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "root"):
        with pytest.raises(DatasetError, match=r"file.*exists at the path of a folder"):
            Root.open(path)
    assert (tmp_path / "file").read_text() == "mine"


def test_opening_to_read_makes_nothing(tmp_path: Path) -> None:
    """A mistyped path is an error, not a new root."""
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DatasetError, match="found none"):
            open_dataset(path)
    assert list(tmp_path.iterdir()) == []


def test_a_url_is_no_local_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder named ``gs:`` is made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="found another URL"):
        Root.open("gs://bucket/root")
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_has_committed_parts_only(root: Root) -> None:
    """Absent tables are empty with their full schema; stray files are not read; lost ones are an error."""
    commit = put(root)
    stray = Path(root.place) / "record_type=geo/date=2016-06-30/stray.parquet"
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"no parquet at all")
    lake = open_dataset(Path(root.place))
    assert lake.tables == tuple(TABLES)
    assert lake.table("geo").to_table().num_rows == 20
    empty = lake.table("navigation").to_table()
    assert (empty.num_rows, empty.column_names) == (0, [*TABLES["navigation"].schema.names, "date"])
    assert list(lake.commits) == [commit]
    with pytest.raises(DatasetError, match=r"found 'navigations'; did you mean navigation"):
        lake.table("navigations")
    (Path(root.place) / commit.parts[0].path).unlink()
    with pytest.raises(DatasetError, match="gone"):
        lake.table("geo")
