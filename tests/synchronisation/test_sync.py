"""wsparquet/synchronisation/run.py: what the server has less what is committed."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import wsparquet
from tests.store.s3.lake import Lake
from tests.support.at_rest import assert_at_rest, files_below, records
from tests.synchronisation.lake import ACCOUNT, data, names, options_for, server, still, sync
from tests.system.helpers import assert_same, committed_rows, convert, counts
from tests.system.helpers import rows_on_disk as rows
from wsparquet import Progress, open_dataset, remove, verify
from wsparquet.commit.record import MOST_COPIES
from wsparquet.conversion.options import ConvertOptions
from wsparquet.distributed import plan_sync
from wsparquet.emulator import DEMO, Emulator
from wsparquet.emulator.traps import HOSTILE_NAMES
from wsparquet.errors import ApiError, DatasetError
from wsparquet.synchronisation import Stop
from wsparquet.synchronisation.state import State

HOUR = 3600


def missing(root: Path) -> dict[str, str | None]:
    """The errors of all files that the last run left, by name."""
    from wsparquet.dataset import Root

    state = State.read(Root.open(root, create=False), ACCOUNT)
    return {name: each.error for name, each in state.files.items()}


def test_a_run_takes_everything_and_the_next_one_nothing(tmp_path: Path) -> None:
    """All files of the server are committed, as a conversion of the same files would; again nothing is downloaded."""
    with server() as emulator:
        summary = sync(tmp_path / "lake", emulator)
        assert (summary.exit_code, summary.fetched.listed, len(summary.converted.committed)) == (0, 6, 6)
        assert emulator.downloads == Counter(names(emulator))
        again = sync(tmp_path / "lake", emulator)
        assert (again.exit_code, again.fetched.present, again.fetched.downloaded) == (0, 6, [])
        assert emulator.downloads == Counter(names(emulator))
        folder = tmp_path / "in"
        folder.mkdir()
        for name in names(emulator):
            (folder / name).write_bytes(data(emulator, name))
    convert(tmp_path / "converted", folder)
    assert_same(rows(tmp_path / "lake"), rows(tmp_path / "converted"))
    assert_at_rest(tmp_path / "lake")


def test_records_say_where_files_came_from(tmp_path: Path) -> None:
    """A commit record has the listing's dates, the file's address and ETag, and the account that was asked for."""
    with server(hours=1) as emulator:
        sync(tmp_path / "lake", emulator)
        (name,) = names(emulator)
        address = f"{emulator.resource}/webSession/{name}"
    (record,) = records(tmp_path / "lake")
    assert (record["url"], record["source_name"]) == (address, name)
    assert record["identity"] == {"account": ACCOUNT, "name": name.removesuffix(".gz")}
    assert record["etag"]
    start, end = (datetime.fromisoformat(record["listing"][f"scope{which}Date"]) for which in ("Start", "End"))
    assert (start.timestamp(), end - start) == (still() // HOUR * HOUR - HOUR, timedelta(hours=1))
    assert start.utcoffset() in {timedelta(hours=-4), timedelta(hours=-5)}


def test_nothing_in_a_root_is_secret(tmp_path: Path) -> None:
    """No credential and no signature is in any file of the root, whatever failed."""
    faults = ("500", "reset-mid-body", "truncated-chunked", "redirect", "length-too-long")
    with server(faults=dict.fromkeys(faults, 0.2)) as emulator:
        sync(tmp_path / "lake", emulator)
    texts = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(texts) > 10
    for secret in (DEMO.app_key, DEMO.app_secret, DEMO.access_token, DEMO.access_token_secret, "oauth_"):
        assert not [text for text in texts if secret.encode() in text]


def test_a_late_file_is_taken_by_a_later_run(tmp_path: Path) -> None:
    """A file that appears hours after its neighbours is not behind any watermark."""
    now = [still()]
    with server(hours=3, late=1.0, now=lambda: now[0]) as emulator:
        first = sync(tmp_path / "lake", emulator)
        now[0] += 6 * HOUR
        # The list ends at the machine's own time.
        there = {name for name in names(emulator) if int(name.split(".")[1]) < time.time() * 1000}
        later = sync(tmp_path / "lake", emulator)
    assert len(first.converted.committed) + len(later.converted.committed) == len(there) >= 3
    assert len(later.converted.committed) > 0
    assert set(rows(tmp_path / "lake")) == there


def test_a_file_that_vanishes_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    """A file that the server deletes after listing it is said to be gone, and remembered; all others are committed."""
    with server() as emulator:
        lost = names(emulator)[2]
        summary = sync(
            tmp_path / "lake",
            emulator,
            on_progress=lambda event: emulator.catalogue.delete(lost) if event.kind == "found" else None,
        )
        assert [failure.name for failure in summary.fetched.gone] == [lost]
        assert (summary.exit_code, len(summary.converted.committed)) == (1, 5)
        assert "404" in summary.fetched.gone[0].error
        again = sync(tmp_path / "lake", emulator)
        assert (again.exit_code, again.fetched.listed) == (0, 5)
    assert list(missing(tmp_path / "lake")) == [lost]


def test_a_file_that_fails_is_tried_again_every_run(tmp_path: Path) -> None:
    """A file that is no Web Session file fails alone, run after run, until the server has a good one."""
    with server() as emulator:
        bad = names(emulator)[1]
        good = data(emulator, bad)
        emulator.catalogue.put(bad, gzip.compress(b'{"dataType": "AgentActivity", "recordCollection": []}\n'))
        for tries in (1, 2):
            summary = sync(tmp_path / "lake", emulator)
            assert [failure.name for failure in summary.converted.failures] == [bad]
            assert summary.exit_code == 1
            assert emulator.downloads[bad] == tries
            assert "found text of 13 characters" in str(missing(tmp_path / "lake")[bad])
        emulator.catalogue.put(bad, good)
        assert sync(tmp_path / "lake", emulator).converted.committed == [bad]
        assert missing(tmp_path / "lake") == {}
        assert set(rows(tmp_path / "lake")) == set(names(emulator))


def test_raw_files_are_kept_and_can_be_converted(tmp_path: Path) -> None:
    """With a folder for raw files, each lies there as it was served, and a conversion of them gives the same lake."""
    with server() as emulator:
        sync(tmp_path / "lake", emulator, raw=str(tmp_path / "raw"))
        served = {f"account/{ACCOUNT}/{name}": data(emulator, name) for name in names(emulator)}
    assert {path: (tmp_path / "raw" / path).read_bytes() for path in files_below(tmp_path / "raw")} == served
    convert(tmp_path / "again", tmp_path / "raw")
    assert_same(committed_rows(tmp_path / "again"), committed_rows(tmp_path / "lake"))


def test_downloads_wait_for_the_conversion(tmp_path: Path) -> None:
    """Without a folder for raw files, the disk never holds more downloads than are under way, however many follow."""
    most, downloads, jobs = 0, 1, 1

    def count(event: Progress) -> None:
        nonlocal most
        if event.kind == "started":
            time.sleep(0.03)
        most = max(most, len([*(tmp_path / "lake/_wsparquet/tmp").glob("*/downloads/*")]))

    with server(hours=20, size=2000) as emulator:
        options: dict[str, Any] = {"downloads": downloads, "convert": ConvertOptions(jobs=jobs)}
        assert len(sync(tmp_path / "lake", emulator, on_progress=count, **options).converted.committed) == 20
    # A file in the decoder for each job, two that wait, and those being downloaded.
    assert 1 < most <= downloads + 3 * jobs


def test_raw_files_can_go_to_a_url(tmp_path: Path) -> None:
    """A URL of any file system takes the raw files, too."""
    with server(hours=2) as emulator:
        sync(tmp_path / "lake", emulator, raw=f"file://{tmp_path}/raw")
        served = {f"account/{ACCOUNT}/{name}": data(emulator, name) for name in names(emulator)}
    assert {path: (tmp_path / "raw" / path).read_bytes() for path in files_below(tmp_path / "raw")} == served
    assert_at_rest(tmp_path / "lake")


def test_a_raw_file_of_a_killed_run_is_not_downloaded_again(tmp_path: Path) -> None:
    """What lies whole in the raw folder and is not committed is converted from there."""
    with server(hours=3) as emulator:
        sync(tmp_path / "first", emulator, raw=str(tmp_path / "raw"))
        before = Counter(emulator.downloads)
        summary = sync(tmp_path / "lake", emulator, raw=str(tmp_path / "raw"))
        assert (summary.exit_code, len(summary.converted.committed), summary.fetched.downloaded) == (0, 3, [])
        assert emulator.downloads == before
    assert_same(rows(tmp_path / "lake"), rows(tmp_path / "first"))


def test_a_raw_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A file in the place of the raw folder is an error that names it."""
    (tmp_path / "raw").write_text("")
    with server(hours=1) as emulator, pytest.raises(DatasetError, match="raw"):
        sync(tmp_path / "lake", emulator, raw=str(tmp_path / "raw"))


def test_changed_files_are_found_by_recheck_only(tmp_path: Path) -> None:
    """A committed file that has another size now replaces its rows with --recheck, and is left alone without."""
    with server() as emulator:
        sync(tmp_path / "lake", emulator)
        first = counts(rows(tmp_path / "lake"))
        # What a file contains depends on its hour, so neighbours may have equal counts.
        changed, *others = names(emulator)
        other = next(name for name in others if first[name] != first[changed])
        emulator.catalogue.put(changed, data(emulator, other) + gzip.compress(b"\n"))
        assert sync(tmp_path / "lake", emulator).fetched.downloaded == []
        before = counts(rows(tmp_path / "lake"))
        assert before[changed] != before[other]
        converted = sync(tmp_path / "lake", emulator, recheck=True).converted
        assert converted.committed == [each.name for each in converted.replaced] == [changed]
        after = counts(rows(tmp_path / "lake"))
        assert after == {**before, changed: before[other]}
        assert sync(tmp_path / "lake", emulator, recheck=True).fetched.downloaded == []
    assert_at_rest(tmp_path / "lake")


def test_a_name_listed_twice_is_one_file(tmp_path: Path) -> None:
    """The same name with the same or another address of the same content is committed once."""
    with server(faults={"duplicate-names": 1.0}) as emulator:
        summary = sync(tmp_path / "lake", emulator)
        assert (summary.exit_code, summary.fetched.listed, len(summary.converted.committed)) == (0, 6, 6)
        assert emulator.downloads == Counter({name: 1 + number % 2 for number, name in enumerate(names(emulator))})
        assert sync(tmp_path / "lake", emulator).fetched.downloaded == []
    assert len(rows(tmp_path / "lake")) == 6
    assert_at_rest(tmp_path / "lake")


def test_hostile_entries_are_refused_and_stop_nothing(tmp_path: Path) -> None:
    """Entries with foreign addresses are refused one by one; nothing is written outside of the root."""
    with server(hours=2, faults={"hostile-href": 1.0}) as emulator:
        summary = sync(tmp_path / "lake", emulator)
        assert (summary.exit_code, len(summary.converted.committed)) == (1, 2)
        assert len(summary.fetched.refused) == 21
        assert {failure.name for failure in summary.fetched.refused} >= set(HOSTILE_NAMES)
    assert [path.name for path in tmp_path.iterdir()] == ["lake"]
    assert not Path("/etc/wsparquet-was-here").exists()


@pytest.mark.parametrize("raw", [False, True])
def test_names_never_become_paths(tmp_path: Path, raw: bool) -> None:
    """Files with names that are paths, hidden, or too long are committed, and lie where all others do."""
    hostile = [*HOSTILE_NAMES, "lock", ".hidden", "..", "a/b/c.gz", "%2e%2e%2f", "-rf"]
    with server(hours=1) as emulator:
        (good,) = names(emulator)
        for number, name in enumerate(hostile):
            emulator.catalogue.put(name, data(emulator, good) + gzip.compress(b"\n" * (number + 1)))
        place: dict[str, Any] = {"raw": str(tmp_path / "raw")} if raw else {}
        summary = sync(tmp_path / "lake", emulator, **place)
        assert summary.converted.failures == summary.fetched.failed == []
        assert len(summary.converted.committed) == 1 + len(hostile)
        assert sync(tmp_path / "lake", emulator, **place).fetched.downloaded == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake", "raw"][: 1 + raw]
    kept = files_below(tmp_path / "raw") if raw else []
    assert len(kept) == raw * (1 + len(hostile))
    assert all(path.startswith(f"account/{ACCOUNT}/") and path.count("/") == 2 for path in kept)
    assert set(rows(tmp_path / "lake")) == {good, *hostile}
    assert_at_rest(tmp_path / "lake")


def test_an_archive_is_taken_member_by_member(tmp_path: Path) -> None:
    """A zip archive under a listed name is committed once for each member, and known the next time."""
    with server(hours=2) as emulator:
        first, second = names(emulator)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            for number in range(2):
                file.writestr(f"part{number}.json", gzip.decompress(data(emulator, second)) + b"\n" * number)
        emulator.catalogue.put(second, archive.getvalue())
        assert sorted(sync(tmp_path / "lake", emulator).converted.committed) == [first, "part0.json", "part1.json"]
        assert sync(tmp_path / "lake", emulator).fetched.downloaded == []


def test_stopping_finishes_what_is_under_way_and_the_next_run_goes_on(tmp_path: Path) -> None:
    """Asked to stop after the first commit, a run ends early and whole; the next one takes the rest and no more."""
    stop = Stop()
    with server(hours=40) as emulator:
        first = sync(
            tmp_path / "lake",
            emulator,
            stop=stop,
            downloads=1,
            on_progress=lambda event: stop.ask() if event.kind == "committed" else None,
        )
        assert first.interrupted
        assert 1 <= len(first.converted.committed) < 20
        assert len(first.converted.committed) == len(first.fetched.downloaded)
        assert_at_rest(tmp_path / "lake")
        second = sync(tmp_path / "lake", emulator)
        assert len(first.converted.committed) + len(second.converted.committed) == 40
        assert emulator.downloads == Counter(names(emulator))


def test_a_server_that_cannot_be_asked_changes_nothing(tmp_path: Path) -> None:
    """A list that is refused is an error; what is known of the root stays as it was."""
    with server(hours=1) as emulator:
        sync(tmp_path / "lake", emulator)
    before = {path: (tmp_path / "lake" / path).read_bytes() for path in files_below(tmp_path / "lake")}
    with server(hours=1, account="1") as other, pytest.raises(ApiError, match="403"):
        sync(tmp_path / "lake", other)
    after = {path: (tmp_path / "lake" / path).read_bytes() for path in files_below(tmp_path / "lake")}
    assert {path for path in after if "/locks/" not in path} == {path for path in before if "/locks/" not in path}
    assert all(after[path] == before[path] for path in before)


def starters(emulator: Emulator) -> dict[str, Callable[[str, dict[str, Any]], object]]:
    """What asks a server for its list before anything else, by what it is; each gets a place and storage options."""
    options: dict[str, Any] = {"account": ACCOUNT, "credentials": DEMO, "api": options_for(emulator).api}
    return {
        "sync": lambda to, storage: wsparquet.sync(to, storage_options=storage, **options),
        "a job of many machines": lambda to, storage: plan_sync(to, storage_options=storage, **options),
        "fetch": lambda to, storage: wsparquet.fetch(to, storage_options=storage, **options),
    }


def test_a_server_that_cannot_be_asked_leaves_nothing(tmp_path: Path) -> None:
    """A run that is refused the list takes the folders away that it has made; a folder that was there stays."""
    (tmp_path / "empty").mkdir()
    with server(hours=1, account="1") as other:
        for start in starters(other).values():
            for place in ("a/b/new", "empty"):
                with pytest.raises(ApiError, match="403"):
                    start(str(tmp_path / place), {})
                assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


def test_a_server_that_cannot_be_asked_leaves_nothing_in_a_bucket(bucket: Lake) -> None:
    """No object remains of a run that is refused the list."""
    with server(hours=1, account="1") as other:
        for start in starters(other).values():
            with pytest.raises(ApiError, match="403"):
                start(bucket.url, bucket.options)
            assert bucket.bucket.keys() == []


def test_a_run_that_is_stopped_before_the_list_leaves_nothing(tmp_path: Path) -> None:
    """It knows nothing that a root could say."""
    stop = Stop()
    stop.ask()
    with server(hours=1) as emulator:
        assert sync(tmp_path / "lake", emulator, stop=stop).interrupted
        assert wsparquet.fetch(
            str(tmp_path / "raw"), account=ACCOUNT, credentials=DEMO, api=options_for(emulator).api, stop=stop
        ).interrupted
    assert list(tmp_path.iterdir()) == []


def test_a_range_bounds_what_is_taken(tmp_path: Path) -> None:
    """Of a range only its files are taken, and those before it are not taken for gone."""
    end = datetime.fromtimestamp(still() // HOUR * HOUR, UTC)
    with server(hours=10) as emulator:
        all_names = names(emulator)
        emulator.catalogue.put(all_names[0], b"<html>")
        first = sync(tmp_path / "lake", emulator, until=end - timedelta(hours=9, minutes=30))
        assert [failure.name for failure in first.fetched.failures] == all_names[:1]
        summary = sync(tmp_path / "lake", emulator, since=end - timedelta(hours=2, minutes=30))
        assert sorted(summary.converted.committed) == sorted(summary.fetched.downloaded) == all_names[-3:]
        assert list(missing(tmp_path / "lake")) == all_names[:1]


def test_progress_tells_each_step(tmp_path: Path) -> None:
    """Listeners hear what is found, downloaded and committed, with sizes and rows."""
    events: list[Progress] = []
    with server(hours=2) as emulator:
        sync(tmp_path / "lake", emulator, on_progress=events.append)
        sizes = {name: len(data(emulator, name)) for name in names(emulator)}
    assert [event.files for event in events if event.kind == "found"] == [2]
    assert {event.name: event.size for event in events if event.kind == "downloaded"} == sizes
    committed = {event.name: event.rows for event in events if event.kind == "committed"}
    lake = open_dataset(tmp_path / "lake")
    assert sum(committed.values()) == sum(lake.table(name).count_rows() for name in lake.tables) > 0


# --- Copies of what the server has ------------------------------------------------------------------------------------


def count_rows(lake: Path) -> int:
    """How many rows lie on the disk, and that ``verify`` finds no problem."""
    assert verify(lake).problems == []
    return sum(len(found) for tables in rows(lake).values() for found in tables.values())


def test_a_file_is_downloaded_once_after_its_copy(tmp_path: Path) -> None:
    """The listed file takes over from a copy that was converted before; no later run downloads it again."""
    lake, copies = tmp_path / "lake", tmp_path / "copies"
    with server(hours=1) as emulator:
        (name,) = names(emulator)
        copies.mkdir()
        (copies / "copy.gz").write_bytes(data(emulator, name))
        convert(lake, copies)
        before = count_rows(lake)
        for downloads in ([name], []):
            summary = sync(lake, emulator)
            assert (summary.fetched.downloaded, summary.converted.failures) == (downloads, [])
        assert count_rows(lake) == before
        assert [removed.name for removed in remove(lake, "copy.gz", yes=True).removed] == [name]
        assert sync(lake, emulator).converted.committed == [name]
        assert count_rows(lake) == before


def test_copies_under_several_listed_names_are_downloaded_once(tmp_path: Path) -> None:
    """A second name of the same content, and an archive of it, refer to the first name's rows."""
    lake = tmp_path / "lake"
    with server(hours=2) as emulator:
        first, second = names(emulator)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("inner.json", gzip.decompress(data(emulator, first)))
        emulator.catalogue.put("listed.zip", archive.getvalue())
        emulator.catalogue.put(second, data(emulator, first))
        assert len(sync(lake, emulator).fetched.downloaded) == 3
        assert sync(lake, emulator).fetched.downloaded == []
    (record,) = (record for record in records(lake) if record["row_count"])
    assert count_rows(lake) == record["row_count"] > 0


def take(folder: Path, lake: Path, *, again: bool = False) -> None:
    """Convert files that the server has not listed."""
    assert wsparquet.convert(folder, lake, account=ACCOUNT, again=again).failures == []


def assert_downloaded_once(lake: Path, emulator: Emulator, *, files: int = 1) -> None:
    """One run downloads what the root does not know by its listed name; the next ones download nothing."""
    rows_before = count_rows(lake)
    downloads = []
    for _ in range(3):
        summary = sync(lake, emulator)
        assert (summary.converted.failures, summary.fetched.failed) == ([], [])
        downloads.append(len(summary.fetched.downloaded))
    assert downloads == [files, 0, 0]
    assert count_rows(lake) == rows_before > 0


def test_an_archive_whose_members_were_converted_before_is_downloaded_once(tmp_path: Path) -> None:
    """The members' commits note the archive's listed name, although the members were never listed."""
    lake, members = tmp_path / "lake", tmp_path / "members"
    with server(hours=2) as emulator:
        members.mkdir()
        stored = io.BytesIO()
        with zipfile.ZipFile(stored, "w") as archive:
            for number, name in enumerate(names(emulator)):
                text = gzip.decompress(data(emulator, name))
                (members / f"member{number}.json").write_bytes(text)
                archive.writestr(f"member{number}.json", text)
                emulator.catalogue.delete(name)
        emulator.catalogue.put("listed.zip", stored.getvalue())
        take(members, lake)
        assert_downloaded_once(lake, emulator)


def test_listed_copies_by_name_are_downloaded_once(tmp_path: Path) -> None:
    """A listed name with the identity of another file, whose content it has, is noted in that file's commit."""
    lake = tmp_path / "lake"
    with server(hours=1) as emulator:
        (name,) = names(emulator)
        assert len(sync(lake, emulator).converted.committed) == 1
        listed = ["Copy of {}.gz", "{} (1).gz", "{}.gz.1"]
        for pattern in listed:
            emulator.catalogue.put(pattern.format(name.removesuffix(".gz")), data(emulator, name))
        assert_downloaded_once(lake, emulator, files=len(listed))
        assert [removed.name for removed in remove(lake, name, yes=True).removed] == [name]
        assert sync(lake, emulator).converted.committed != []
        assert count_rows(lake) > 0


def test_a_listed_file_of_another_name_is_downloaded_once(tmp_path: Path) -> None:
    """A file whose other spelling was converted before, and which more copies than a record lists name."""
    lake, copies = tmp_path / "lake", tmp_path / "copies"
    with server(hours=1) as emulator:
        (name,) = names(emulator)
        copies.mkdir()
        text = gzip.decompress(data(emulator, name))
        for number in range(MOST_COPIES + 2):
            (copies / f"{number}.json").write_bytes(text)
        emulator.catalogue.put("extra.gz", data(emulator, name))
        (copies / "extra.json.gz").write_bytes(data(emulator, name))
        emulator.catalogue.delete(name)
        take(copies, lake)
        assert_downloaded_once(lake, emulator)
        # A redo keeps what the commit knows about the server's list.
        take(copies, lake, again=True)
        assert sync(lake, emulator).fetched.downloaded == []


def test_rows_that_a_run_replaces_are_converted_again_in_the_same_run(tmp_path: Path) -> None:
    """A file with the text of another one, whose new content the same run then commits, gets its rows back."""
    lake, old = tmp_path / "lake", tmp_path / "old"
    with server(hours=2) as emulator:
        first, second = names(emulator)
        old.mkdir()
        (old / second).write_bytes(data(emulator, first))
        take(old, lake)
        summary = sync(lake, emulator, recheck=True, downloads=1)
        assert summary.converted.failures == []
        assert sync(lake, emulator).fetched.downloaded == []
        texts = {each["source_name"]: each["row_count"] for each in records(lake)}
    assert sorted(texts) == [first, second]
    assert all(texts.values())
    assert count_rows(lake) == sum(texts.values())
