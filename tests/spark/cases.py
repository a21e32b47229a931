"""The cases that run on one cluster; each leaves the lake that one conversion leaves, whatever goes wrong."""

from __future__ import annotations

import gzip
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import wsparquet
import wsparquet.spark
from tests.drift import EXTENSION
from tests.scale import FULL, scaled
from tests.spark.cluster import Cluster
from tests.spark.work import FailingWork, KillingCompactWork, KillingWork, SlowWork, see_or_not
from tests.support.at_rest import assert_at_rest
from tests.system.helpers import assert_same, rows_on_disk
from tools.s3.server import SECRET, Bucket, storage_options
from wsparquet import Progress, Summary
from wsparquet.dataset import Access, Root
from wsparquet.distributed import ConversionJob, plan_compact, plan_conversion
from wsparquet.distributed.conversions import ConversionWork
from wsparquet.distributed.shared_root import SharedRoot
from wsparquet.emulator import DEMO, EmulatorOptions, serving
from wsparquet.generate import GenerateOptions, generate
from wsparquet.spark.rounds import run_job
from wsparquet.spark.session import check_machines

Case = Callable[[Cluster], None]
CASES: dict[str, Case] = {}
"""The cases of the local cluster, and ``speculation``, which needs executors with different names of their hosts."""

FILES = scaled(200, 16)


def case(function: Case) -> Case:
    """Add a case."""
    CASES[function.__name__] = function
    return function


def raw_files(folder: Path, files: int = FILES) -> Path:
    """Sources of some records each."""
    generate(folder / "raw", GenerateOptions(files=files, records=scaled(40, 10), seed=files))
    return folder / "raw"


def assert_right(lake: Path, raw: Path) -> None:
    """The lake on a disk is that of one conversion, is at rest, and has the values of the sources."""
    whole = lake.with_name("whole")
    wsparquet.convert(raw, to=whole)
    assert_same(rows_on_disk(lake), rows_on_disk(whole))
    assert_at_rest(lake)
    assert wsparquet.verify(lake, against=raw).problems == []


def run_with(cluster: Cluster, job: ConversionJob, kind: type[ConversionWork], **more: Any) -> Summary:
    """The summary of a job with other work."""
    job.work = kind(**{**vars(job.work), **more})
    return run_job(cluster.spark.sparkContext, job, title="a test")


@case
def a_folder(cluster: Cluster) -> None:
    """The summary is that of `convert`; failures name their sources; each outcome is told on the driver."""
    folder = cluster.new_folder()
    raw = raw_files(folder)
    shutil.copy(min(raw.iterdir()), raw / "copy.gz")
    (raw / "other.txt").write_text("no sessions")
    events: list[Progress] = []
    summary = wsparquet.spark.convert(cluster.spark, raw, to=folder / "lake", on_progress=events.append)
    assert (len(summary.committed), summary.skipped) == (FILES, ["copy.gz"])
    assert [each.name for each in summary.failures] == ["other.txt"]
    assert {event.name for event in events[1:]} == {path.name for path in raw.iterdir()}
    (raw / "other.txt").unlink()
    assert_right(folder / "lake", raw)
    again = wsparquet.spark.convert(cluster.spark, [raw, raw / "copy.gz"], to=folder / "lake")
    assert len(again.skipped) == again.sources == FILES + 1


@case
def killed_executors(cluster: Cluster) -> None:
    """An executor dies before, within and after a commit; nothing is lost or doubled, and the summary is complete."""
    folder = cluster.new_folder()
    raw = raw_files(folder)
    names = sorted(path.name for path in raw.iterdir())
    kills = dict(zip(names[3:], ("after", "within", "before"), strict=False))
    job = plan_conversion(raw, to=folder / "lake", workers=2)
    summary = run_with(cluster, job, KillingWork, kills=kills, flags=str(folder))
    assert {*names[3:6]} <= {path.name for path in folder.iterdir()}, "nothing was killed"
    assert (sorted(summary.committed), summary.skipped, summary.failures) == (names, [], [])
    assert summary.records == FILES * scaled(40, 10)
    assert_right(folder / "lake", raw)


@case
def a_bucket(cluster: Cluster) -> None:
    """Sources and root on S3, an executor killed within a commit; credentials are in no log of Spark."""
    folder = cluster.new_folder()
    raw = raw_files(folder, scaled(100, 4))
    bucket = Bucket(cluster.endpoint)
    for path in raw.iterdir():
        bucket.client.put_object(Bucket=bucket.name, Key=f"raw/{path.name}", Body=path.read_bytes())
    options = {**storage_options(cluster.endpoint), "client_kwargs": {"region_name": "us-east-1"}}
    lake, names = f"{bucket.url}/lake", sorted(path.name for path in raw.iterdir())
    job = plan_conversion(f"{bucket.url}/raw/", to=lake, workers=2, storage_options=options)
    summary = run_with(cluster, job, KillingWork, kills={names[1]: "within"}, flags=str(folder))
    assert (sorted(summary.committed), summary.failures) == (names, [])
    again = wsparquet.spark.convert(cluster.spark, f"{bucket.url}/raw", to=lake, storage_options=options)
    assert len(again.skipped) == len(names)
    rows = wsparquet.open_dataset(lake, storage_options=options)
    wsparquet.convert(raw, to=folder / "whole")
    whole = wsparquet.open_dataset(folder / "whole")
    for table in whole.tables:
        found = [sorted(each.table(table).to_table().to_pylist(), key=repr) for each in (rows, whole)]
        assert found[0] == found[1], table
    checked = wsparquet.spark.verify(cluster.spark, lake, against=raw, storage_options=options)
    assert {problem.kind for problem in checked.problems} <= {"stray"}
    assert checked.compared_rows == summary.records
    with pytest.raises(wsparquet.DatasetError, match="expected a root"):
        wsparquet.spark.verify(cluster.spark, f"{bucket.url}/lost", storage_options=options)
    logs = cluster.logs()
    assert "SparkListenerJobStart" in logs
    assert SECRET not in logs


@case
def other_folders(cluster: Cluster) -> None:
    """Executors that see another folder, or none, under the root's path write nothing; one that sees it does all."""
    folder = cluster.new_folder()
    raw = raw_files(folder)
    lake = folder / "lake"
    Root.open(lake)
    # Each process has its own working folder, so this path means another folder in each.
    path, before = "/proc/self/cwd/lake", Path.cwd()
    os.chdir(folder)
    try:
        summary = wsparquet.spark.convert(cluster.spark, sorted(raw.iterdir())[:2], to=path)
        assert [each.error.count("found none; check the path") for each in summary.failures] == [1, 1]
        assert not list((cluster.home / "work").rglob("lake"))
        cluster.spark.sparkContext.parallelize(range(40), 40).foreach(partial(see_or_not, str(lake)))
        assert len(list((cluster.home / "work").rglob("lake"))) == 2
        summary = wsparquet.spark.convert(cluster.spark, raw, to=path)
        assert (len(summary.committed), summary.failures) == (FILES, [])
    finally:
        os.chdir(before)
    assert [*wsparquet.open_dataset(other_root(cluster)).commits.headers()] == []
    assert_right(lake, raw)


def other_root(cluster: Cluster) -> Path:
    """The root that one of the executors sees."""
    (found,) = [path for path in (cluster.home / "work").rglob("lake") if not path.is_symlink()]
    return found


@case
def a_failing_task(cluster: Cluster) -> None:
    """A source that ends its task four times fails with the reason; all other sources of its task are converted."""
    folder = cluster.new_folder()
    raw = raw_files(folder)
    bad = min(raw.iterdir()).name
    job = plan_conversion(raw, to=folder / "lake", workers=1)
    assert max(len(task.items) for task in job.tasks) > 1
    summary = run_with(cluster, job, FailingWork, bad=bad)
    assert [each.name for each in summary.failures] == [bad]
    assert summary.failures[0].error.endswith(f"{bad}: MemoryError: this one is too much")
    assert len(summary.committed) == FILES - 1
    (raw / bad).unlink()
    assert_right(folder / "lake", raw)


@case
def speculation(cluster: Cluster) -> None:
    """A second attempt runs beside a slow one, and both convert the same source; its rows count once."""
    folder = cluster.new_folder()
    raw = raw_files(folder)
    job = plan_conversion(raw, to=folder / "lake", workers=2)
    (folder / "flags").mkdir()
    slow = max(raw.iterdir()).name
    summary = run_with(cluster, job, SlowWork, slow=slow, flags=str(folder / "flags"))
    assert (folder / "flags/second").exists(), "Spark began no second attempt"
    assert (len(summary.committed), summary.failures) == (FILES, [])
    assert_right(folder / "lake", raw)


@case
def two_jobs(cluster: Cluster) -> None:
    """Two jobs with the same sources and root at once: every source is committed, once."""
    folder = cluster.new_folder()
    raw = raw_files(folder)
    found: list[Summary] = []

    def run() -> None:
        found.append(wsparquet.spark.convert(cluster.spark.newSession(), raw, to=folder / "lake"))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(summary.sources, summary.failures) for summary in found] == [(FILES, [])] * 2
    assert {name for summary in found for name in summary.committed} == {path.name for path in raw.iterdir()}
    assert_right(folder / "lake", raw)


@case
def a_wrong_folder(cluster: Cluster) -> None:
    """If the first sources all fail, the job ends early, and says how many sources it has not begun."""
    folder = cluster.new_folder()
    (folder / "raw").mkdir()
    for number in range(60):
        (folder / f"raw/{number}.txt").write_text("no sessions")
    summary = wsparquet.spark.convert(cluster.spark, folder / "raw", to=folder / "lake", max_failures=5)
    assert summary.gave_up
    assert len(summary.failures) >= 5
    assert len(summary.failures) + summary.not_begun == 60


@case
def other_commands(cluster: Cluster) -> None:
    """`sync`, `replay` and `verify` leave and find what they do on one machine; API credentials are in no log."""
    folder = cluster.new_folder()
    with serving(EmulatorOptions(hours=6, size=10_000)) as server:
        api = wsparquet.ApiOptions(base_url=server.base_url)
        keys: Any = {"account": "75555851", "credentials": DEMO, "api": api}
        found = wsparquet.spark.sync(cluster.spark, folder / "lake", raw=str(folder / "raw"), **keys)
        listed = found.fetched.listed
        assert (len(found.converted.committed), found.exit_code, listed > 3) == (listed, 0, True)
        assert wsparquet.spark.sync(cluster.spark, folder / "lake", **keys).fetched.present >= listed
    replayed = wsparquet.spark.replay(cluster.spark, folder / "lake", folder / "raw", again=True)
    whole = wsparquet.replay(folder / "lake", folder / "raw", again=True, dry_run=True)
    assert (replayed.sources, replayed.failures) == (whole.sources, [])
    checked = wsparquet.spark.verify(cluster.spark, folder / "lake", against=folder / "raw")
    assert (checked.problems, checked.sources) == ([], listed)
    converting_without_an_erased_visitor(cluster, folder)


def converting_without_an_erased_visitor(cluster: Cluster, folder: Path) -> None:
    """Tasks get the key of the driver and leave the person out; without the key, nothing runs."""
    geo = wsparquet.open_dataset(folder / "lake").table("geo").to_table()
    visitor = next(each for each in geo["visitorId"].to_pylist() if each)
    key = folder / "key"
    key.write_text("2e" * 32)
    key.chmod(0o600)
    wsparquet.erase(folder / "lake", visitors=visitor, yes=True, key_file=key)
    wsparquet.remove(folder / "lake", "*", yes=True)
    with pytest.raises(wsparquet.OptionError, match="found none; set WSPARQUET_KEY"):
        wsparquet.spark.convert(cluster.spark, folder / "raw", folder / "lake")
    found = wsparquet.spark.convert(cluster.spark, folder / "raw", folder / "lake", key_file=key)
    assert (found.failures, found.left_out["erased"] > 0) == ([], True)
    left = wsparquet.open_dataset(folder / "lake").table("geo").to_table()["visitorId"].to_pylist()
    assert sorted(left, key=str) == sorted((each for each in geo["visitorId"].to_pylist() if each != visitor), key=str)
    assert "2e2e2e2e" not in cluster.logs()
    part = min((folder / "lake").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-5])
    assert wsparquet.spark.verify(cluster.spark, folder / "lake").problems
    assert not any(secret in cluster.logs() for secret in vars(DEMO).values())


@case
def compacting(cluster: Cluster) -> None:
    """An executor dies after it has merged days: nothing is merged twice, and the result is that of `compact`."""
    folder = cluster.new_folder()
    raw = raw_files(folder)
    wsparquet.convert(raw, to=folder / "lake")
    shutil.copytree(folder / "lake", folder / "other")
    many: Any = {"min_files": 2, "older_than": timedelta(0)}
    job = plan_compact(folder / "lake", workers=2, **many)
    job.work = KillingCompactWork(**vars(job.work), flags=str(folder))
    found = run_job(cluster.spark.sparkContext, job, title="a test")
    assert (folder / "merged").exists(), "nothing was killed"
    whole = wsparquet.compact(folder / "other", **many)
    assert (found.tables, found.days, found.failures) == (whole.tables, whole.days, ())
    assert len(list((folder / "lake").rglob("*.parquet"))) == sum(table.files_after or 0 for table in whole.tables)
    assert wsparquet.verify(folder / "lake", against=raw).problems == []
    assert wsparquet.spark.compact(cluster.spark, folder / "lake", **many).days == 0
    assert_at_rest(folder / "lake")


@case
def the_program(cluster: Cluster) -> None:
    """`python -m wsparquet.spark` takes the options of `wsparquet` and has its exit codes."""
    from click.testing import CliRunner

    from wsparquet.spark.__main__ import program

    folder = cluster.new_folder()
    raw = raw_files(folder, 4)

    def run(*arguments: object) -> tuple[Any, str]:
        found = CliRunner().invoke(program, [str(each) for each in arguments], standalone_mode=False)
        if found.exception:
            raise found.exception
        return found.return_value, found.stdout

    code, out = run("convert", raw, "--to", folder / "lake", "--output", "json")
    assert (code, '"committed"' in out) == (0, True)
    code, out = run("verify", folder / "lake", raw)
    assert code == 0
    assert run("replay", folder / "lake", raw)[0] == 0
    code, out = run("compact", folder / "lake", "--min-files", 2, "--output", "json")
    assert (code, '"failures": []' in out) == (0, True)
    (raw / "other.txt").write_text("no sessions")
    assert run("convert", raw, "--to", folder / "lake", "--quiet")[0] == 1
    assert_right(folder / "lake", [path for path in raw.iterdir() if path.suffix == ".gz"])  # type: ignore[arg-type]


@case
def reading_files(cluster: Cluster) -> None:
    """The data source has the rows of the root, µs and nested lists included, and fails before it loses text."""
    from pyspark.errors import PySparkException

    folder = cluster.new_folder()
    raw = raw_files(folder, 2)
    wsparquet.convert(raw, to=folder / "lake")
    wsparquet.spark.register(cluster.spark)
    lake = wsparquet.open_dataset(folder / "lake")
    for table in scaled(lake.tables, ("engagement_attributes",)):
        frame = cluster.spark.read.format("wsparquet").option("table", table).load(f"{raw}/*.gz")
        assert frame.rdd.getNumPartitions() == 2
        expected = lake.table(table).to_table()
        assert frame.columns == expected.schema.names
        assert in_order(frame.toArrow().to_pylist()) == in_order(expected.to_pylist())
    (raw / "damaged.json").write_bytes(gzip.decompress(min(raw.iterdir()).read_bytes())[:-30])
    geo = cluster.spark.read.format("wsparquet").option("table", "geo")
    with pytest.raises(PySparkException, match="that become no rows"):
        geo.load(str(raw)).count()
    assert geo.option("max_quarantined", "any").load(str(raw)).count() > 0
    reading_as_options_say(cluster, raw)
    if not FULL:
        return
    with pytest.raises(PySparkException, match="did you mean navigation"):
        cluster.spark.read.format("wsparquet").option("table", "navigations").load(str(raw)).count()


def reading_as_options_say(cluster: Cluster, raw: Path) -> None:
    """A policy and an extension apply as in `read`, and the key of masks is in no log."""
    path = str(min(raw.iterdir()))
    key = wsparquet.SecretKey(bytes.fromhex("1f" * 20))
    given: list[tuple[str, dict[str, Any]]] = [
        ("geo", {"policy": wsparquet.Policy.make({"visitorId": "hash", "geo.city": "redact"}), "key_file": key}),
        ("navigation", {"extension": EXTENSION}),
    ]
    for table, options in given:
        wsparquet.spark.register(cluster.spark, **options)
        frame = cluster.spark.read.format("wsparquet").option("table", table).load(path)
        expected = wsparquet.read(path, **options)[table]
        assert frame.columns == [*expected.schema.names, "date"]
        assert in_order(frame.drop("date").toArrow().to_pylist()) == in_order(expected.to_pylist())
    with pytest.raises(wsparquet.OptionError, match="found both"):
        wsparquet.spark.register(cluster.spark, **{name: value for _, each in given for name, value in each.items()})
    assert "1f1f1f1f" not in cluster.logs()


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    """Rows in an order that does not depend on the engine, times in UTC."""
    return sorted(repr(plain(row)) for row in rows)


def plain(value: Any) -> Any:
    """A value whose text is the same for all readers."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


@case
def reading_a_root(cluster: Cluster) -> None:
    """All tables and flat views can be queried by their names, also those without a row."""
    folder = cluster.new_folder()
    wsparquet.convert(raw_files(folder, 4), to=folder / "lake")
    names = wsparquet.spark.views(cluster.spark, folder / "lake")
    lake = wsparquet.open_dataset(folder / "lake")
    with wsparquet.connect(folder / "lake") as duckdb:
        for name in scaled(names, ("navigation", "page_views", "visits")):
            assert name in names
            (expected,) = duckdb.execute(f'SELECT count(*) FROM "{name}"').fetchone() or (None,)
            assert cluster.spark.table(name).count() == expected
    reading_published_tables(cluster, folder / "lake")
    if not FULL:
        return
    generate(folder / "one", GenerateOptions(files=1, records=1))
    wsparquet.convert(folder / "one", to=folder / "small")
    wsparquet.spark.views(cluster.spark, folder / "small")
    small = wsparquet.open_dataset(folder / "small")
    assert small.empty_tables
    assert cluster.spark.table(small.empty_tables[0]).count() == 0
    assert {*lake.tables} < {*names}


def reading_published_tables(cluster: Cluster, lake: Path) -> None:
    """Where Spark can read Iceberg tables, views of a published root read them, and no file that does not count."""
    from tests.spark.iceberg_source import IcebergSource

    wsparquet.publish(lake)
    part = min((lake / "record_type=session_info").rglob("*.parquet"))
    shutil.copy(part, part.with_name("stray.parquet"))
    expected = wsparquet.open_dataset(lake).table("session_info").count_rows()
    wsparquet.spark.views(cluster.spark, lake)
    assert cluster.spark.table("session_info").count() > expected, "without Iceberg, the folder is read"
    cluster.spark.dataSource.register(IcebergSource)
    wsparquet.spark.views(cluster.spark, lake)
    assert cluster.spark.table("session_info").count() == expected
    assert cluster.spark.table("visits").count() > 0


@case
def refusals(cluster: Cluster) -> None:
    """What cannot work is refused before anything is written, and says what to do."""
    folder = cluster.new_folder()
    raw = raw_files(folder, 2)
    with pytest.raises(wsparquet.PlaceError, match="gs://, which is not supported for roots"):
        wsparquet.spark.convert(cluster.spark, raw, to="gs://bucket/lake")
    with pytest.raises(wsparquet.OptionError, match=r"`spark`: expected a SparkSession, found a value of"):
        wsparquet.spark.convert(None, raw, to=folder / "lake")  # type: ignore[arg-type]
    job = plan_conversion(raw, to=folder / "lake")
    work: Any = job.work
    elsewhere = replace(work.root, machine="elsewhere")
    job.work = replace(work, root=elsewhere)
    summary = run_job(cluster.spark.sparkContext, job, title="a test")
    assert "expected all tasks on the driver's machine elsewhere" in summary.failures[0].error
    check_machines(cluster.spark.sparkContext, SharedRoot.of(None, folder / "lake", Access()))
    with pytest.raises(wsparquet.DatasetError, match="expected all tasks on the driver's machine elsewhere"):
        check_machines(cluster.spark.sparkContext, elsewhere)
    assert wsparquet.open_dataset(folder / "lake").commits.headers() == ()
