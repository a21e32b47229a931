"""One source in, one commit out: events, skips, redos, identities, and what one run does with many sources."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

import wsparquet
from tests.dataset.helpers import rows_on_disk
from tests.source import conftest as http
from tests.support.at_rest import assert_at_rest
from wsparquet import ConvertOptions, Progress, Summary
from wsparquet.dataset import Root
from wsparquet.generate import GenerateOptions, expected, generate
from wsparquet.layout import Identity

server = http.server

ACCOUNT = "75555851"
API_NAME = "WebSession.1467291600000.1467295200000.part-00000-0"


def make(folder: Path, *, name: str | None = None, **options: object) -> Path:
    """A generated file, under a name of its own if given."""
    (path,) = generate(folder, GenerateOptions(**{"records": 20, **options}))  # type: ignore[arg-type]
    return path.rename(folder / name) if name else path


def convert(sources: object, to: Path, **options: object) -> Summary:
    """A conversion, one source after the other unless told otherwise."""
    given = ConvertOptions(**{"jobs": 1, **options})  # type: ignore[arg-type]
    return wsparquet.convert(sources, to, options=given)  # type: ignore[arg-type]


def identities(root: Path) -> list[Identity]:
    """The identities of all commits, sorted."""
    return sorted((commit.identity for commit in Root.open(root, create=False).commits()), key=repr)


def row_count(root: Path) -> int:
    """All committed rows."""
    lake = wsparquet.open_dataset(root)
    return sum(lake.table(table).count_rows() for table in lake.tables)


def outcome(summary: Summary) -> tuple[int, int, int]:
    """How many sources were committed, skipped and failed."""
    return len(summary.committed), len(summary.skipped), len(summary.failures)


# --- Events -----------------------------------------------------------------------------------------------------------


def test_events_tell_the_run_in_order(tmp_path: Path) -> None:
    """`found` first, then each source: started, read with growing totals, and its end with all rows."""
    paths = generate(tmp_path / "in", GenerateOptions(files=2, size=400_000))
    missing = tmp_path / "missing.gz"
    events: list[Progress] = []
    options = ConvertOptions(jobs=1)
    summary = wsparquet.convert([*paths, missing], tmp_path / "lake", options=options, on_progress=events.append)
    sizes = [path.stat().st_size for path in paths]
    assert events[0] == Progress("found", "", size=sum(sizes), files=3)
    kinds = [(event.name, event.kind) for event in events[1:] if event.kind != "read"]
    assert kinds == [
        *((path.name, kind) for path in paths for kind in ("started", "committed")),
        (missing.name, "failed"),
    ]
    for path, size in zip(paths, sizes, strict=True):
        own = [event for event in events if event.name == path.name]
        assert own[0].size == size
        assert len(own) > 2
        totals = [(event.stored_bytes, event.inflated_bytes, event.rows) for event in own]
        assert all(before <= after for before, after in pairwise(totals))
        assert own[-1].stored_bytes == size
    assert sum(event.rows for event in events if event.kind == "committed") == sum(summary.rows.values())
    assert str(missing) in (events[-1].error or "")


def test_a_skipped_source_is_told_without_reading(tmp_path: Path) -> None:
    """The events of a second run have no `read` and no rows."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake")
    events: list[Progress] = []
    wsparquet.convert(path, tmp_path / "lake", on_progress=events.append)
    assert [event.kind for event in events] == ["found", "started", "skipped"]
    assert events[-1].rows == 0


def test_many_jobs_give_the_rows_of_one(tmp_path: Path) -> None:
    """One job and four commit the same rows, and the summary has the sources in their order."""
    options = GenerateOptions(files=6, records=40)
    paths = generate(tmp_path / "in", options)
    wanted = sum((expected(options, file_number=number).rows for number in range(6)), Counter())
    one, four = (convert(paths, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 4))
    assert one.committed == four.committed == [path.name for path in paths]
    assert one.rows == four.rows == wanted
    assert rows_on_disk(tmp_path / "1") == rows_on_disk(tmp_path / "4")
    assert_at_rest(tmp_path / "4")


def test_a_commit_says_how_long_its_source_took(tmp_path: Path) -> None:
    """The record has the seconds from opening the source to its commit, which a note about a copy keeps."""
    path = make(tmp_path / "in")
    started = time.monotonic()
    convert(path, tmp_path / "lake")
    passed = time.monotonic() - started
    (commit,) = Root.open(tmp_path / "lake").log.commits()
    assert commit.facts.seconds is not None
    assert 0 < commit.facts.seconds <= passed + 0.001
    shutil.copy(path, tmp_path / "copy.gz")
    convert(tmp_path / "copy.gz", tmp_path / "lake")
    (noted,) = Root.open(tmp_path / "lake").log.commits()
    assert (len(noted.also), noted.facts.seconds) == (1, commit.facts.seconds)


def test_a_path_a_text_and_a_list_are_sources(tmp_path: Path) -> None:
    """One source may stand without a list, as a path or as text."""
    path = make(tmp_path / "in")
    for given in (path, str(path), [path], (str(tmp_path / "in"),)):
        assert convert(given, tmp_path / "lake", dry_run=True).sources == 1


# --- Skips and redos --------------------------------------------------------------------------------------------------


def test_what_is_unchanged_by_size_and_time_is_not_read(tmp_path: Path) -> None:
    """A file with the URL, size and modification time of a commit is skipped unread: other bytes go unnoticed."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake")
    status = path.stat()
    path.write_bytes(b"\0" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    summary = convert(path, tmp_path / "lake")
    assert outcome(summary) == (0, 1, 0)
    assert (summary.stored_bytes, summary.inflated_bytes, summary.records) == (0, 0, 0)
    assert row_count(tmp_path / "lake") == 20


def test_what_was_touched_is_skipped_by_its_checksum(tmp_path: Path) -> None:
    """The same content with another modification time is read, but not inflated, and skipped."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake")
    os.utime(path, ns=(1, 1))
    summary = convert(path, tmp_path / "lake")
    assert outcome(summary) == (0, 1, 0)
    assert summary.inflated_bytes == 0


def test_what_was_moved_is_skipped_by_its_checksum(tmp_path: Path) -> None:
    """The same content under the same name elsewhere is skipped, too, with the account that it was given."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake", account="1", force_account=True)
    shutil.copytree(tmp_path / "in", tmp_path / "elsewhere")
    assert outcome(convert(tmp_path / "elsewhere", tmp_path / "lake", account="1")) == (0, 1, 0)
    assert row_count(tmp_path / "lake") == 20


def test_new_content_under_an_api_name_replaces_the_rows(tmp_path: Path) -> None:
    """A redo: the name's rows are those of the new content alone, and nothing of the old is left on disk."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake")
    before = rows_on_disk(tmp_path / "lake")
    make(tmp_path / "in", seed=9, records=30)
    summary = convert(path, tmp_path / "lake")
    assert (outcome(summary), summary.records) == ((1, 0, 0), 30)
    after = rows_on_disk(tmp_path / "lake")
    assert sum(map(len, after.values())) == 30
    visits = [{row["visitId"] for rows in found.values() for row in rows} for found in (before, after)]
    assert not visits[0] & visits[1]
    assert identities(tmp_path / "lake") == [Identity(ACCOUNT, API_NAME)]
    assert_at_rest(tmp_path / "lake")


def test_again_converts_what_is_committed(tmp_path: Path) -> None:
    """With `again` nothing is skipped, and the rows are there once, in new parts."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake")
    before, parts = rows_on_disk(tmp_path / "lake"), set((tmp_path / "lake").rglob("*.parquet"))
    assert outcome(convert(path, tmp_path / "lake", again=True)) == (1, 0, 0)
    assert rows_on_disk(tmp_path / "lake") == before
    assert not parts & set((tmp_path / "lake").rglob("*.parquet"))
    assert_at_rest(tmp_path / "lake")


def test_a_failed_redo_leaves_the_rows_of_before(tmp_path: Path) -> None:
    """New content that is corrupt fails, and what was committed under the name stays."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake")
    before = rows_on_disk(tmp_path / "lake")
    path.write_bytes(path.read_bytes()[:-20])
    assert outcome(convert(path, tmp_path / "lake")) == (0, 0, 1)
    assert rows_on_disk(tmp_path / "lake") == before
    assert_at_rest(tmp_path / "lake")


# --- Identity ---------------------------------------------------------------------------------------------------------


def test_other_names_are_told_apart_by_content(tmp_path: Path) -> None:
    """Under a name that is not the API's, other content is another source, and both are kept."""
    path = make(tmp_path / "in", name="export.json.gz")
    convert(path, tmp_path / "lake")
    path.unlink()
    make(tmp_path / "in", name="export.json.gz", seed=9)
    assert outcome(convert(path, tmp_path / "lake")) == (1, 0, 0)
    found = identities(tmp_path / "lake")
    assert len(found) == 2
    for identity in found:
        stem, _, digest = identity.name.partition(".")
        assert (identity.account, stem, len(digest)) == (ACCOUNT, "export", 16)
    assert row_count(tmp_path / "lake") == 40


@pytest.mark.parametrize("suffix", ["", ".gz", ".json.gz", ".GZ"])
def test_an_api_name_is_the_same_with_any_suffix(tmp_path: Path, suffix: str) -> None:
    """An API name identifies with or without the suffixes that it may bear."""
    convert(make(tmp_path / "in", name=API_NAME + suffix), tmp_path / "lake")
    assert identities(tmp_path / "lake") == [Identity(ACCOUNT, API_NAME)]


def relabelled(path: Path, *accounts: str) -> Path:
    """A file with one container for each account; none at all for the empty one."""
    line = gzip.decompress(path.read_bytes())
    assert line.count(b"\n") == 1
    lines = []
    for account in accounts:
        container = json.loads(line)
        (tag,) = container["metaData"]
        container["metaData"][tag]["accountId"] = {"string": account} if account else None
        lines.append(json.dumps(container))
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


@pytest.mark.parametrize(
    ("accounts", "account"),
    [(("1",), "1"), (("1", "1"), "1"), (("1", "2"), "multiple"), (("",), "unknown"), (("1", ""), "1")],
)
def test_the_account_is_the_one_that_the_containers_agree_on(
    tmp_path: Path, accounts: tuple[str, ...], account: str
) -> None:
    """One account, `unknown` if there is none, `multiple` if there are several."""
    path = relabelled(make(tmp_path / "in"), *accounts)
    assert convert(path, tmp_path / "lake").exit_code == 0
    assert [identity.account for identity in identities(tmp_path / "lake")] == [account]


@pytest.mark.parametrize(("given", "account"), [(None, "4711"), ("1", "1")])
def test_the_account_of_the_path_is_before_that_of_the_containers(
    tmp_path: Path, given: str | None, account: str
) -> None:
    """`/account/<id>/` in the path goes before the containers' account if forced, and the option before both."""
    path = make(tmp_path / "account" / "4711" / "le")
    assert outcome(convert(path, tmp_path / "lake", account=given)) == (0, 0, 1)
    convert(path, tmp_path / "lake", account=given, force_account=True)
    assert identities(tmp_path / "lake") == [Identity(account, API_NAME)]


def test_an_account_is_never_a_path(tmp_path: Path) -> None:
    """An account of `../../x` in the file stays within the root, and in the rows as it is."""
    path = make(tmp_path / "deep" / "in", account="../../x")
    convert(path, tmp_path / "deep" / "er" / "lake")
    assert {entry.name for entry in tmp_path.iterdir()} == {"deep"}
    assert {entry.name for entry in (tmp_path / "deep").iterdir()} == {"in", "er"}
    assert identities(tmp_path / "deep" / "er" / "lake") == [Identity("../../x", API_NAME)]
    table = wsparquet.open_dataset(tmp_path / "deep" / "er" / "lake").table("navigation").to_table()
    assert {row["accountId"] for row in table["metaData"].to_pylist()} == {"../../x"}


def test_two_accounts_files_of_one_name_are_two_sources(tmp_path: Path) -> None:
    """The same API name of two accounts is committed twice in one run."""
    paths = [make(tmp_path / account, account=account, seed=int(account)) for account in ("1", "2")]
    assert outcome(convert(paths, tmp_path / "lake", jobs=2)) == (2, 0, 0)
    assert identities(tmp_path / "lake") == [Identity("1", API_NAME), Identity("2", API_NAME)]
    assert row_count(tmp_path / "lake") == 40


def test_one_identity_with_two_contents_in_one_run_fails_the_second(tmp_path: Path) -> None:
    """Which of two contents of one name is right nobody can tell: the second fails with both places named."""
    paths = [make(tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    summary = convert(paths, tmp_path / "lake")
    assert outcome(summary) == (1, 0, 1)
    assert paths[0].as_uri() in summary.failures[0].error
    assert paths[1].as_uri() in summary.failures[0].error
    assert row_count(tmp_path / "lake") == 20
    assert_at_rest(tmp_path / "lake")


def test_other_content_beside_what_is_committed_fails(tmp_path: Path) -> None:
    """A skipped source holds its name, too: other content of that name in the same run replaces nothing."""
    paths = [make(tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    convert(paths[0], tmp_path / "lake")
    before = rows_on_disk(tmp_path / "lake")
    assert outcome(convert(paths, tmp_path / "lake")) == (0, 1, 1)
    assert rows_on_disk(tmp_path / "lake") == before


def test_one_content_under_two_paths_in_one_run_is_there_once(tmp_path: Path) -> None:
    """Two copies of a file in one run, at once or one after the other, are one source."""
    first = make(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for jobs in (1, 2):
        root = tmp_path / f"lake{jobs}"
        summary = convert([first, tmp_path / "b" / first.name], root, jobs=jobs)
        assert outcome(summary) == (1, 1, 0)
        assert (summary.records, row_count(root)) == (20, 20)
        assert_at_rest(root)


# --- Where sources come from ------------------------------------------------------------------------------------------


def test_zip_members_are_sources(tmp_path: Path) -> None:
    """Each member of an archive becomes a commit under its own name; run again, each is skipped."""
    paths = generate(tmp_path / "in", GenerateOptions(files=2, records=20))
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for path in paths:
            archive.write(path, f"folder/{path.name}")
        archive.writestr("folder/odd.json", "not a container")
    summary = convert(tmp_path / "both.zip", tmp_path / "lake")
    assert summary.committed == [path.name for path in paths]
    assert summary.failed == ["odd.json"]
    assert f"{tmp_path / 'both.zip'}!/folder/odd.json" in summary.failures[0].error
    assert [identity.name for identity in identities(tmp_path / "lake")] == [
        path.name.removesuffix(".gz") for path in paths
    ]
    assert outcome(convert(tmp_path / "both.zip", tmp_path / "lake")) == (0, 2, 1)
    # The same content outside of the archive is the same source.
    assert outcome(convert(paths, tmp_path / "lake")) == (0, 2, 0)


def test_the_root_below_the_sources_is_no_source(tmp_path: Path) -> None:
    """A root in the folder of the sources is left out, in this run and in the next."""
    paths = generate(tmp_path, GenerateOptions(files=2, records=20))
    for wanted in ((2, 0, 0), (0, 2, 0)):
        summary = convert(tmp_path, tmp_path / "lake")
        assert (summary.sources, outcome(summary)) == (len(paths), wanted)


def test_a_file_from_a_server(tmp_path: Path, server: http.Server) -> None:
    """A URL is a source: its path's account, its name, no query in the record; unchanged by its ETag it is skipped."""
    path = make(tmp_path / "in")
    where = f"/data_access_le/account/{ACCOUNT}/le/webSession/file/{path.name}"
    server.files[where] = path.read_bytes()
    url = server.url(where)
    summary = convert(f"{url}?token=secret", tmp_path / "lake")
    assert (outcome(summary), summary.failures) == ((1, 0, 0), [])
    (commit,) = Root.open(tmp_path / "lake", create=False).commits()
    assert commit.identity == Identity(ACCOUNT, API_NAME)
    assert commit.facts.url == url
    assert row_count(tmp_path / "lake") == 20
    for record in (tmp_path / "lake" / "_wsparquet").rglob("*"):
        assert record.is_dir() or b"secret" not in record.read_bytes()
    assert outcome(convert(f"{url}?token=other", tmp_path / "lake")) == (0, 1, 0)


def test_a_server_that_breaks_off_fails_its_source_alone(tmp_path: Path, server: http.Server) -> None:
    """A download that ends early commits nothing; what else there is in the run is committed."""
    path = make(tmp_path / "in")
    server.files[f"/{API_NAME}.gz"] = make(tmp_path / "served", seed=3, records=500).read_bytes()
    server.answers[f"/{API_NAME}.gz"] = http.cut
    summary = convert([server.url(f"/{API_NAME}.gz"), path], tmp_path / "lake")
    assert outcome(summary) == (1, 0, 1)
    assert row_count(tmp_path / "lake") == 20
    assert_at_rest(tmp_path / "lake")


# --- Options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_source_of_too_many_days_fails(tmp_path: Path, dry_run: bool) -> None:
    """A source whose rows have more days than allowed leaves nothing; the message names the parameter."""
    (source,) = generate(tmp_path / "in", GenerateOptions(size=300_000, preset="hard", seed=1))
    (failure,) = convert(source, tmp_path / "lake", max_days=1, dry_run=dry_run).failures
    assert "expected rows of 1 days or fewer, found more" in failure.error
    assert "`max_days`" in failure.error
    assert convert(source, tmp_path / "lake", max_days=2, dry_run=dry_run).failures == []


def test_max_quarantined_counts_records_and_items_of_each_source(tmp_path: Path) -> None:
    """A source is allowed so many records and items; the allowance is each source's own."""
    odd = GenerateOptions(records=20, defects=True, only=("body_null", "garbage_line"))
    wanted = expected(odd)
    paths = [generate(tmp_path / str(n), GenerateOptions(**{**vars(odd), "account": str(n)}))[0] for n in (1, 2)]
    exactly = wanted.quarantined + wanted.items
    assert wanted.quarantined > 0 < wanted.items
    summary = convert(paths, tmp_path / "enough", max_quarantined=exactly)
    assert (outcome(summary), summary.exit_code, summary.quarantined) == ((2, 0, 0), 3, 2 * wanted.quarantined)
    fewer = convert(paths, tmp_path / "lake", max_quarantined=exactly - 1)
    assert (outcome(fewer), fewer.exit_code) == ((0, 0, 2), 1)
    assert (fewer.records, fewer.quarantined) == (0, 0)
    assert_at_rest(tmp_path / "lake")
    assert rows_on_disk(tmp_path / "lake") == {}


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    """The counts of a dry run are those of a conversion, and there is no root after it."""
    path = make(tmp_path / "in")
    dry = convert(path, tmp_path / "lake", dry_run=True)
    assert not (tmp_path / "lake").exists()
    wet = convert(path, tmp_path / "lake")
    assert (dry.records, dry.rows, dry.committed, dry.dry_run) == (wet.records, wet.rows, wet.committed, True)


def test_a_root_of_a_newer_schema_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    """A newer root raises, in a dry run too, and stays as it is."""
    path = make(tmp_path / "in")
    convert(path, tmp_path / "lake")
    record = tmp_path / "lake" / "_wsparquet" / "root.json"
    values = json.loads(record.read_text())
    record.write_text(json.dumps({**values, "schema_version": wsparquet.SCHEMA_VERSION + 1}))
    events: list[Progress] = []
    for dry_run in (False, True):
        options = ConvertOptions(dry_run=dry_run)
        with pytest.raises(wsparquet.SchemaError, match="upgrade wsparquet"):
            wsparquet.convert(path, tmp_path / "lake", options=options, on_progress=events.append)
    assert events == []


def test_an_error_of_the_listener_stops_the_run_and_leaves_the_root_at_rest(tmp_path: Path) -> None:
    """What the caller's own callback raises comes through, and nothing half done is left."""

    def refuse(event: Progress) -> None:
        if event.kind == "read":
            raise ZeroDivisionError(event.name)

    path = make(tmp_path / "in", records=200)
    with pytest.raises(ZeroDivisionError):
        wsparquet.convert(path, tmp_path / "lake", on_progress=refuse)
    assert_at_rest(tmp_path / "lake")
    assert rows_on_disk(tmp_path / "lake") == {}
