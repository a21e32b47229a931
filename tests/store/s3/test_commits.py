"""Commits on S3: whole or not at all, whatever fails, whoever else writes, whenever it ends."""

from __future__ import annotations

import json
import re
import signal
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.commit import workload
from tests.commit.test_kills import AFTER, BEFORE, rows_of
from tests.dataset.helpers import API_NAME, IDENTITY, facts, put
from tests.scale import FULL, scaled
from tests.store.s3.lake import Lake
from tests.store.s3.workload import Forks, forking, killing
from tools.s3.proxy import FAULTS, Answer, Proxy
from tools.s3.server import SECRET
from wsparquet.commit import CommitConflict
from wsparquet.commit.parsing import decode_day
from wsparquet.commit.protocol import DEAD_SECONDS
from wsparquet.commit.record import Intent
from wsparquet.compaction import CompactOptions, compact_root
from wsparquet.dataset import Root, open_dataset
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity

SEEDS = {"add": [1], "redo": [2], "remove": [], "several": [1, *range(20, 25)]}
RECORD = f"_wsparquet/commits/75555851/2016-06/{API_NAME}.json"


TEMPLATES: dict[str, dict[str, bytes]] = {}
REQUESTS: dict[str, list[str]] = {}
"""The methods of the requests that each work makes."""
READING = ("GET", "HEAD")


def template(lake: Lake, work: str) -> None:
    """A root as it is before the work. Its objects are made once, and copied from then on."""
    if work in TEMPLATES:
        for key, data in TEMPLATES[work].items():
            lake.bucket.put(key, data)
        return
    workload.prepare(lake.past_proxy().open(), work)
    keys = lake.bucket.keys()
    TEMPLATES[work] = {key: lake.bucket.get(key) for key in keys}


def committed_rows(lake: Lake) -> dict[str, Any]:
    """The rows that count, as the dataset gives them."""
    tables = open_dataset(lake.url, storage_options=lake.past_proxy().options)
    found = {
        table: sorted(tables.table(table).to_table().drop_columns("date").to_pylist(), key=repr)
        for table in workload.TABLES
    }
    return {table: rows for table, rows in found.items() if rows}


def steps(lake: Lake, proxy: Proxy, work: str, *, but: Container[str] = ()) -> Iterable[int]:
    """The numbers of all requests that the work makes, but those with some methods, or two of these numbers."""
    if work not in REQUESTS:
        other = Lake(lake.bucket.endpoint, lake.endpoint)
        template(other, work)
        before = len(proxy.log)
        workload.WORKS[work](other.open())
        REQUESTS[work] = [method for method, _, _ in proxy.log[before:]]
    count = sum(method not in but for method in REQUESTS[work])
    assert count > 10
    return scaled(range(1, count + 1), (count // 3, 2 * count // 3))


# --- Undisturbed ------------------------------------------------------------------------------------------------------


COMPACTED = ("compact", "redo compacted", "remove compacted")
"""Works with day parts. They make many requests, so quick runs try one of them."""


@pytest.mark.long
@pytest.mark.parametrize("work", ["add", "redo", "remove", "twin", "several", *scaled(COMPACTED, COMPACTED[:1])])
def test_work_ends_as_on_a_local_disk(lake: Lake, tmp_path: Path, work: str) -> None:
    """The same rows in the same partitions, and nothing else below the tables."""
    template(lake, work)
    template_local = Root.open(tmp_path)
    workload.prepare(template_local, work)
    workload.WORKS[work](lake.open())
    workload.WORKS[work](template_local)
    assert lake.rows() == committed_rows(lake) == (rows_of(1, *range(20, 25)) if work == "several" else AFTER[work])
    local = {path.relative_to(tmp_path).parent.as_posix() for path in tmp_path.glob("record_type=*/*/*.parquet")}
    assert {path.rpartition("/")[0] for path in lake.data_files()} == local
    lake.assert_at_rest()


def test_polars_reads_the_root_by_itself(lake: Lake) -> None:
    """An engine with an S3 client of its own finds Hive partitions of one schema."""
    put(lake.open(), seed=1, count=50, tables=("geo", "navigation"))
    options = {
        "aws_access_key_id": "tester",
        "aws_secret_access_key": SECRET,
        "aws_region": "us-east-1",
        "aws_endpoint_url": lake.endpoint,
        "aws_allow_http": "true",
    }
    found = pl.scan_parquet(
        f"{lake.url}/record_type=geo/", hive_partitioning=True, try_parse_hive_dates=False, storage_options=options
    ).collect()
    assert found.height == 50
    assert "date" in found.columns


def test_a_part_is_uploaded_whole_and_by_its_own_name(lake: Lake, proxy: Proxy) -> None:
    """No object is written twice, none is copied, and records hold what lies there."""
    commit = put(lake.open(), seed=1, tables=("geo", "navigation"))
    written = [path for method, path, _ in proxy.log if method == "PUT" and "record_type" in path]
    assert len(written) == len({*written}) == len(commit.parts)
    for part in commit.parts:
        data = lake.bucket.get(f"lake/{part.path}")
        assert len(data) == part.bytes
    assert not any(method == "POST" for method, _, _ in proxy.log)


# --- Faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("work", ["add", "redo", "remove", "twin", *scaled(COMPACTED, ())])
def test_a_store_that_goes_away_at_any_request(lake: Lake, proxy: Proxy, work: str) -> None:
    """From the n-th request on nothing answers: what counts is all old or all new, and a second run ends it.

    If the first request without an answer only reads, the root is as before the next change, so one second run for both
    is enough.
    """
    for step in steps(lake, proxy, work):
        disturbed = Lake(lake.bucket.endpoint, lake.endpoint)
        template(disturbed, work)
        root, first = disturbed.open(patience_seconds=0.05), len(proxy.log) + step
        proxy.settings.dead_from = first
        with suppress(DatasetError):
            workload.WORKS[work](root)
        proxy.settings.dead_from = None
        assert committed_rows(disturbed) in (BEFORE[work], AFTER[work])
        if FULL and all(method in READING for method, _, _ in proxy.log[first - 1 : first]):
            continue
        workload.WORKS[work](disturbed.past_proxy().open())
        assert disturbed.rows() == committed_rows(disturbed) == AFTER[work]
        disturbed.assert_at_rest()


@pytest.mark.long
@pytest.mark.parametrize("work", ["add", "redo", "remove", "twin", *scaled(COMPACTED, COMPACTED[1:2])])
def test_killed_at_any_request_and_done_again(lake: Lake, proxy: Proxy, forks: Forks, work: str) -> None:
    """A process killed just before or after a request was done leaves a root that a second one ends right.

    Only requests that change the store are tried. A killed process leaves nothing but what is in the store, so one
    killed at a request that reads leaves what it leaves if killed after the change before, or before the next one.
    """
    killed = 0
    for number, step in enumerate(steps(lake, proxy, work, but=READING)):
        for moment in scaled(("before", "after"), (("before", "after")[number % 2],)):
            disturbed = Lake(lake.bucket.endpoint, lake.endpoint)
            template(disturbed, work)
            with killing(proxy, step, moment, but=READING) as process:
                process.set_result(forks.start(work, disturbed.url, disturbed.endpoint))
                code = forks.wait()
            assert code in {0, -signal.SIGKILL}
            killed += code != 0
            assert committed_rows(disturbed) in (BEFORE[work], AFTER[work])
            workload.WORKS[work](disturbed.past_proxy().open())
            assert disturbed.rows() == committed_rows(disturbed) == AFTER[work]
            disturbed.assert_at_rest()
    assert killed >= scaled(20, 2)


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """A process that forks the processes to kill, which are ready much sooner so."""
    with forking() as found:
        yield found


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_once_at_every_request(lake: Lake, proxy: Proxy, fault: str) -> None:
    """Whatever fails once, an answer that is lost included, the work ends as if it had not."""
    proxy.settings = replace(proxy.settings, probability=1.0, kinds=(fault,), most_in_a_row=1, stall_seconds=0.02)
    root = lake.open()
    workload.add(root)
    workload.redo(root)
    root.remove([API_NAME])
    if FULL:
        workload.add(root)
    proxy.settings.probability = 0.0
    assert lake.rows() == committed_rows(lake) == rows_of(*scaled([1], []))
    lake.assert_at_rest()
    assert proxy.faults()[fault] > scaled(50, 30)


# --- Others ----------------------------------------------------------------------------------------------------------


def test_who_comes_second_loses_and_takes_its_own_parts_only(lake: Lake, proxy: Proxy) -> None:
    """Somebody else commits just before the record is written: theirs counts, and nothing of ours is left."""
    root, other = lake.open(), Lake.open(lake)
    for before in (None, 5):
        if before is not None:
            put(root, seed=before)
        seed = 7 if before is None else 8
        meanwhile(proxy, "PUT", RECORD, lambda seed=seed: put(other, seed=seed))
        with pytest.raises(CommitConflict) as caught:
            put(root, seed=100)
        assert caught.value.found is not None
        assert caught.value.found.checksum == f"{seed:064x}"
        assert {row["source_file"] for row in lake.rows()["geo"]} == {f"file {seed}"}
        lake.assert_at_rest()


def test_another_begins_before_and_ends_after(lake: Lake, proxy: Proxy) -> None:
    """One that was overtaken while it published deletes its own parts, also those it published later."""
    root, other = lake.open(), lake.open()
    meanwhile(proxy, "PUT", "record_type", lambda: put(other, seed=7))
    with pytest.raises(CommitConflict):
        put(root, seed=100, tables=("geo", "navigation", "impression"))
    assert {row["source_file"] for row in lake.rows()["geo"]} == {"file 7"}
    assert set(lake.rows()) == {"geo"}
    lake.assert_at_rest()


def meanwhile(proxy: Proxy, method: str, part: str, action: Any) -> None:
    """Do something once, just before the first request of a method whose path has a part."""
    done = threading.Event()

    def look(found: str, path: str) -> None:
        if found == method and part in path.replace("%3D", "=") and not done.is_set():
            done.set()
            action()

    proxy.settings.before = look


def test_two_writers_at_one_source(lake: Lake) -> None:
    """Each commits again and again; at the end the rows of exactly one commit are there, whole."""
    rounds = scaled(20, 3)
    outcomes: list[str] = []

    def work(first: int) -> None:
        root, won = lake.open(), 0
        while won < rounds:
            try:
                workload.commit_one(root, IDENTITY, first + won)
                won += 1
            except CommitConflict:
                outcomes.append("lost")

    threads = [threading.Thread(target=work, args=(first,)) for first in (100, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    head = lake.open().commits().get(IDENTITY)
    assert head is not None
    seed = int(head.checksum, 16)
    assert seed in {100 + rounds - 1, 500 + rounds - 1}
    assert lake.rows() == rows_of(seed)
    lake.assert_at_rest()


def test_attempts_that_may_be_alive_are_left_alone(lake: Lake, proxy: Proxy) -> None:
    """Recovery elsewhere touches nothing of an attempt that is just publishing."""
    root, other = lake.open(), lake.open()
    meanwhile(proxy, "PUT", RECORD, other.recover)
    put(root, seed=1)
    assert len(lake.rows()["geo"]) == 20
    lake.assert_at_rest()


@pytest.mark.parametrize("before", [None, 5])
def test_an_attempt_that_sleeps_for_days_cannot_come_back(lake: Lake, proxy: Proxy, before: int | None) -> None:
    """Its parts are deleted once it is taken for dead; when it wakes up it cannot write its record any more."""
    root = lake.open()
    if before is not None:
        put(root, seed=before)
    assert DEAD_SECONDS == 24 * 3600
    meanwhile(proxy, "PUT", RECORD, lambda: settle_as_if_days_later(lake))
    with pytest.raises(CommitConflict):
        put(root, seed=100)
    assert [row["source_file"] for row in lake.rows().get("geo", [])] == [f"file {before}"] * (20 if before else 0)
    assert len(lake.open().commits()) == (0 if before is None else 1)
    lake.assert_at_rest()
    put(lake.open(), seed=9)
    assert {row["source_file"] for row in lake.rows()["geo"]} == {"file 9"}
    lake.assert_at_rest()


def test_what_a_record_replaced_goes_though_the_record_was_overtaken(lake: Lake, proxy: Proxy) -> None:
    """Killed before it deleted what it replaced, with another attempt waiting: days later all of that goes."""
    root = lake.open()
    put(root, seed=5)
    proxy.settings.after = lambda method, path: die_after_record(proxy, method, path)
    with pytest.raises(DatasetError):
        put(lake.open(patience_seconds=0.05), seed=6)
    proxy.settings.after = proxy.settings.dead_from = None
    assert json.loads(lake.bucket.get(f"lake/{RECORD}"))["obsolete"]
    assert {row["source_file"] for row in lake.rows()["geo"]} == {"file 5", "file 6"}
    announce_and_die(lake)
    settle_as_if_days_later(lake)
    assert {row["source_file"] for row in lake.rows()["geo"]} == {"file 6"}
    lake.assert_at_rest()


def test_what_a_record_replaced_goes_though_whoever_overtook_it_died(lake: Lake, proxy: Proxy) -> None:
    """Killed before it deleted what the overtaken record had left to be deleted: whoever commits next does."""
    put(lake.open(), seed=5)
    proxy.settings.after = lambda method, path: die_after_record(proxy, method, path)
    with pytest.raises(DatasetError):
        put(lake.open(patience_seconds=0.05), seed=6)
    proxy.settings.dead_from = None
    announce_and_die(lake)
    dying = lake.open(patience_seconds=0.05)
    with pytest.raises(DatasetError):
        dying.recover(dead_seconds=-1)
    proxy.settings.after = proxy.settings.dead_from = None
    put(lake.open(), seed=7)
    assert {row["source_file"] for row in lake.rows()["geo"]} == {"file 7"}
    lake.assert_at_rest()


def test_an_old_intent_that_has_lost_takes_no_young_attempt_with_it(lake: Lake, proxy: Proxy) -> None:
    """One that a dead run left long ago is cleared, and the one that is under way wins."""
    root, other = lake.open(), lake.open()
    put(root, seed=5)
    announce_and_die(lake, expected="f" * 16)
    date_back(proxy, "0" * 16)
    there: list[list[str]] = []

    def recover() -> None:
        other.recover(dead_seconds=3600)
        there.append(lake.keys("_wsparquet/intents/"))

    meanwhile(proxy, "PUT", RECORD, recover)
    put(root, seed=6)
    assert [len(intents) for intents in there] == [1]
    assert "0" * 16 not in there[0][0]
    assert {row["source_file"] for row in lake.rows()["geo"]} == {"file 6"}
    lake.assert_at_rest()


def date_back(proxy: Proxy, token: str) -> None:
    """Let listings say that an attempt's intent was written in 2020."""
    written = re.compile(rf"({token}\.json</Key><LastModified>)[^<]*".encode())

    def rewrite(_method: str, _path: str, answer: Answer) -> Answer:
        return answer._replace(body=written.sub(rb"\g<1>2020-01-01T00:00:00.000Z", answer.body))

    proxy.settings.rewrite = rewrite


@pytest.mark.parametrize("before", [None, 5])
@pytest.mark.parametrize("tables", [("geo", "navigation"), ()])
def test_a_commit_that_was_overtaken_before_its_answer_came_has_won(
    lake: Lake, proxy: Proxy, before: int | None, tables: tuple[str, ...]
) -> None:
    """The answer was lost, and another token is there when it is asked again: the parts that it names stay."""
    root = lake.open()
    if before is not None:
        put(root, seed=before)
    lose_answer(proxy, lambda: overtake(lake))
    commit = put(root, seed=6, tables=tables)
    assert {table: len(rows) for table, rows in lake.rows().items()} == dict.fromkeys(tables, 20)
    assert {row["source_file"] for rows in lake.rows().values() for row in rows} == ({"file 6"} if tables else set())
    assert list(lake.open().commits()) == [commit]
    lake.assert_at_rest()
    put(root, seed=7)
    assert {row["source_file"] for row in lake.rows()["geo"]} == {"file 7"}


def test_a_removal_that_was_overtaken_before_its_answer_came_has_won(lake: Lake, proxy: Proxy) -> None:
    """The source is out, and its parts are gone."""
    root = lake.open()
    commit = put(root, seed=5)
    lose_answer(proxy, lambda: overtake(lake))
    assert root.remove([API_NAME]) == [commit]
    assert lake.rows() == {}
    assert len(lake.open().commits()) == 0
    lake.assert_at_rest()


@pytest.mark.parametrize("tables", [("geo", "navigation"), ()])
@pytest.mark.parametrize("work", ["replace", "overtake and replace", "remove"])
def test_a_commit_that_was_replaced_before_its_answer_came_has_lost(
    lake: Lake, proxy: Proxy, work: str, tables: tuple[str, ...]
) -> None:
    """Its own parts go, and what is there now stays."""
    root = lake.open()
    put(root, seed=5)

    def others() -> None:
        if work == "overtake and replace":
            overtake(lake)
        if work == "remove":
            lake.open().remove([API_NAME])
        else:
            put(lake.open(), seed=7)

    lose_answer(proxy, others)
    with pytest.raises(CommitConflict) as caught:
        put(root, seed=6, tables=tables)
    assert (caught.value.found is None) == (work == "remove")
    rows = {table: {row["source_file"] for row in rows} for table, rows in lake.rows().items()}
    assert rows == ({} if work == "remove" else {"geo": {"file 7"}})
    lake.assert_at_rest()


def test_what_a_record_replaced_goes_though_its_writer_heard_nothing(lake: Lake, proxy: Proxy) -> None:
    """Whoever overtook the record died, and left no intent: the record's writer deletes what both had to delete."""
    put(lake.open(), seed=5)

    def others() -> None:
        announce_and_die(lake)
        proxy.settings.after = lambda method, path: die_after_record(proxy, method, path)
        with pytest.raises(DatasetError):
            lake.open(patience_seconds=0.05).recover(dead_seconds=-1)
        proxy.settings.after = proxy.settings.dead_from = None
        lake.bucket.delete(f"lake/_wsparquet/intents/75555851/{API_NAME}.{'0' * 16}.json")

    lose_answer(proxy, others)
    put(lake.open(), seed=6)
    settle_as_if_days_later(lake)
    assert {row["source_file"] for row in lake.rows()["geo"]} == {"file 6"}
    lake.assert_at_rest()


@pytest.mark.parametrize("work", ["compact", "settle"])
def test_a_day_that_was_overtaken_before_its_answer_came_has_won(lake: Lake, proxy: Proxy, work: str) -> None:
    """A day record that is new, or replaces another: its answer was lost, and its day parts stay."""
    root = lake.open()
    workload.prepare(root, "compact")
    if work == "settle":
        workload.compact(root)
        workload.commit_one(root, IDENTITY, 2)
    days = len(lake.keys("_wsparquet/days/"))
    lose_answer(proxy, lambda: overtake_day(lake), "/days/")
    if work == "compact":
        found = compact_root(root, CompactOptions(min_files=2, older_than=timedelta(0)))
        assert (found.days, found.changing, found.failures) == (4, 0, ())
        assert days == 0
    else:
        root.settle(root.commits())
    proxy.settings.after = None
    assert lake.rows() == committed_rows(lake) == rows_of(2 if work == "settle" else 1, 30, 31)
    lake.assert_at_rest()


def overtake_day(lake: Lake) -> None:
    """Have another attempt begin at the day that was written last and die, and be overtaken."""
    modified = {entry.path: entry.modified for entry in lake.open().store.entries("_wsparquet/days")}
    record = decode_day(lake.bucket.get(f"lake/{(path := max(modified, key=modified.__getitem__))}"), path)
    intent = Intent(record.identity, "0" * 16, (), record.token)
    lake.bucket.put(f"lake/{record.identity.key.intent_path(intent.token)}", intent.to_json())
    settle_as_if_days_later(lake)
    assert decode_day(lake.bucket.get(f"lake/{path}"), path).token != record.token


def lose_answer(proxy: Proxy, action: Callable[[], object], where: str = "/commits/") -> None:
    """Have a record be written and the answer be lost, once; do something before it is tried again."""
    done = threading.Event()

    def look(method: str, path: str) -> bool:
        if method != "PUT" or where not in path or done.is_set():
            return False
        done.set()
        action()
        return True

    proxy.settings.after = look


def overtake(lake: Lake) -> None:
    """Have another attempt begin and die, and be overtaken."""
    announce_and_die(lake)
    settle_as_if_days_later(lake)


def announce_and_die(lake: Lake, *, expected: str | None = None, token: str = "0" * 16) -> None:
    """What an attempt leaves that was killed before it published: an intent to replace the record as it is now."""
    record = json.loads(lake.bucket.get(f"lake/{RECORD}"))
    intent = {"format_version": 2, "identity": record["identity"], "token": token, "paths": []}
    path = f"lake/_wsparquet/intents/75555851/{API_NAME}.{token}.json"
    lake.bucket.put(path, json.dumps({**intent, "expected": expected or record["token"]}).encode())


def die_after_record(proxy: Proxy, method: str, path: str) -> None:
    """Have the store be gone from the moment on at which the record is written."""
    if method == "PUT" and "/commits/" in path:
        proxy.settings.dead_from = 0


def settle_as_if_days_later(lake: Lake) -> None:
    """Recovery to which every intent is old."""
    lake.open().recover(dead_seconds=-1)


# --- Stores that cannot ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("conditions", ["ignored", "refused"])
def test_a_store_without_conditions_is_for_one_writer(lake: Lake, proxy: Proxy, conditions: str) -> None:
    """It is found out before anything is converted, and works if the user says that there is one writer only."""
    proxy.settings.conditions = conditions
    with pytest.raises(DatasetError, match=r"(ignores|refuses) If-None-Match.*`single_writer`"):
        lake.open().recover()
    assert lake.data_files() == []
    root = lake.open(single_writer=True)
    workload.add(root)
    workload.redo(root)
    assert lake.rows() == rows_of(2)
    with pytest.raises(CommitConflict):
        root.begin(fallback_day_ms=None).commit(IDENTITY, facts(), expected=None)
    root.remove([API_NAME])
    assert lake.rows() == {}
    lake.assert_at_rest()


def test_a_probe_leaves_nothing(lake: Lake, proxy: Proxy) -> None:
    """Honouring stores are asked once an opening, and nothing of it stays."""
    root = lake.open()
    root.recover()
    root.recover()
    assert sum(method == "PUT" and "probes" in path for method, path, _ in proxy.log) == 4
    assert lake.keys() == ["_wsparquet/root.json"]


@pytest.mark.parametrize(("number", "status"), [(1, 403), (2, 403), (2, 500), (4, 403)])
def test_a_probe_that_fails_leaves_nothing(lake: Lake, proxy: Proxy, number: int, status: int) -> None:
    """Whichever of its writes is refused or answered by nonsense, an error says so, and the probe is deleted."""
    written = 0

    def fail(method: str, path: str, answer: Answer) -> Answer:
        nonlocal written
        written += method == "PUT" and "probes" in path
        return answer._replace(status=status, body=b"") if method == "PUT" and written >= number else answer

    proxy.settings.rewrite = fail
    with pytest.raises(DatasetError):
        lake.open(patience_seconds=0.05).recover()
    assert written >= number
    assert lake.keys("_wsparquet/probes/") == []


# --- What is deleted --------------------------------------------------------------------------------------------------


def test_only_exact_keys_are_deleted(lake: Lake, proxy: Proxy) -> None:
    """What somebody else has put there stays, however alike its name; no request deletes more than one key."""
    root = lake.open()
    commit = put(root, seed=1)
    strangers = [
        commit.parts[0].path + ".bak",
        commit.parts[0].path.removesuffix(".0.parquet"),
        "record_type=geo/date=2016-06-30/other.parquet",
        f"_wsparquet/intents/75555851/{API_NAME}x.0123456789abcdef.json",
    ]
    for path in strangers[:3]:
        lake.bucket.put(f"lake/{path}", b"somebody else's")
    for path in ("lakefront/record_type=geo/date=2016-06-30/x.parquet", "lake2"):
        lake.bucket.put(path, b"another lake's")
    put(root, seed=2)
    root.remove([API_NAME])
    assert set(strangers[:3]) == set(lake.data_files())
    assert set(lake.bucket.keys()) >= {"lakefront/record_type=geo/date=2016-06-30/x.parquet", "lake2"}
    deleted = [path for method, path, _ in proxy.log if method == "DELETE"]
    assert len(deleted) == len({*deleted}) > 5
    assert not any("?" in path or path.endswith("/") for path in deleted)
    assert not any(method == "POST" for method, _, _ in proxy.log)


def test_records_and_intents_that_name_others_files_stop_the_run(lake: Lake) -> None:
    """In a root that is shared with somebody hostile nothing of others is deleted."""
    root = lake.open()
    commit = put(root, seed=1)
    put(root, Identity("7", "victim"), seed=2)
    victim = next(path for path in lake.data_files() if "victim" in path)
    values = json.loads(lake.bucket.get(f"lake/{RECORD}"))
    lake.bucket.put(f"lake/{RECORD}", json.dumps({**values, "obsolete": [victim]}).encode())
    with pytest.raises(DatasetError, match="obsolete"):
        put(lake.open(), seed=3)
    lake.bucket.put(f"lake/{RECORD}", commit.to_json())
    intent = {"format_version": 2, "identity": {"account": "75555851", "name": API_NAME}, "token": "0" * 16}
    path = f"lake/_wsparquet/intents/75555851/{API_NAME}.{'0' * 16}.json"
    for paths in ([victim], ["_wsparquet/root.json"], ["../x"], [RECORD]):
        lake.bucket.put(path, json.dumps({**intent, "expected": None, "paths": paths}).encode())
        with pytest.raises(DatasetError, match="paths"):
            lake.open().recover()
    assert victim in lake.data_files()
    assert "lake/_wsparquet/root.json" in lake.bucket.keys("lake/_wsparquet/")


# --- Access -----------------------------------------------------------------------------------------------------------


def test_a_bucket_that_is_not_there_is_said(lake: Lake) -> None:
    """The bucket is named, and no secret."""
    lake.url = "s3://no-such-bucket/lake"
    with pytest.raises(DatasetError, match=r"s3://no-such-bucket.*NoSuchBucket.*check the bucket's name") as caught:
        lake.open()
    assert SECRET not in str(caught.value)


def test_an_endpoint_that_does_not_answer_is_said_soon(lake: Lake) -> None:
    """A mistyped endpoint is not tried for minutes."""
    lake.endpoint = "http://127.0.0.1:9"
    with pytest.raises(DatasetError, match="check the endpoint"):
        lake.open(patience_seconds=0.5)


@pytest.mark.parametrize("url", ["s3://", "s3:///lake", "s3://user:secret@bucket/lake", "s3://bucket/lake?versionId=1"])
def test_a_url_that_is_no_root(url: str) -> None:
    """Credentials in a URL are refused without being quoted."""
    with pytest.raises(DatasetError, match="expected s3://BUCKET/PATH") as caught:
        Root.open(url)
    assert "secret" not in str(caught.value)
