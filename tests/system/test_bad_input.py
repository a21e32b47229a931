"""Bad input through the command: which sources fail, which convert, and that nothing of either is lost."""

from __future__ import annotations

import base64
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import wsparquet
from tests.support.at_rest import assert_at_rest, files_below, records
from tests.system.helpers import (
    COMMAND,
    QUARANTINE,
    STATE,
    convert,
    convert_command,
    counts,
    rows_on_disk,
    run,
    table_folders,
    table_name,
)
from wsparquet.generate import BrokenFile, GenerateOptions, broken_files, expected, generate

PAGE = r"contains no container: expected JSON objects with recordCollection, found {}; give Web Session files"
AGAIN = r"fetch or make the (file|archive) again"

# What an error says beside the file's name: where, what was found, what to do.
FAILING = {
    "empty_file": rf"\(named \.gz, but its bytes are plain\).*{PAGE.format('nothing')} .*first 0 inflated bytes",
    "empty_text": rf"{PAGE.format('nothing')} .*first 0 inflated bytes",
    "error_page": rf"\(named \.gz, but its bytes are plain\).*{PAGE.format('HTML or XML')} .*first \d+ inflated bytes",
    "compressed_error_page": rf"{PAGE.format('HTML or XML')} .*first \d+ inflated bytes",
    "not_gzip": rf"\(named \.gz, but its bytes are plain\).*{PAGE.format('.*')}",
    "truncated_gzip": rf"truncated: expected more at byte \d+, found the end of the file, .*{AGAIN}",
    "truncated_trailer": rf"truncated: expected more at byte \d+, found the end of the file, .*{AGAIN}",
    "wrong_crc": rf"corrupt before byte \d+, after \d+ inflated bytes: .*checksum.*{AGAIN}",
    "wrong_length": rf"corrupt before byte \d+, after \d+ inflated bytes: .*{AGAIN}",
    "corrupt_gzip": rf"corrupt before byte \d+, after \d+ inflated bytes: .*{AGAIN}",
    "second_member_cut": rf"gzip member 2, which starts at byte \d+, is truncated: expected more at byte \d+.*{AGAIN}",
    "truncated_zstd": rf"zstd frame 1, .*is truncated: expected more at byte \d+.*{AGAIN}",
    "truncated_zip": rf"expected a zip archive, found: .*{AGAIN}",
    "no_container": PAGE.format("JSON of another kind"),
    "other_data_type": r"expected the data type WebSession, found text of 13 characters in container 0; give only",
}

# By kind: the table that it goes to (None: quarantine), and what has to be found there as it stood in the source.
CONVERTING: dict[str, tuple[str | None, Any]] = {
    "unknown_field": ("navigation", '{"string":"Home"}'),
    "unknown_branch": ("engagement_attributes", '{"tier":{"string":"gold"}}'),
    "unknown_goal_branch": ("goal_achieved", "ShareMetadata"),
    "unknown_body": ("unrecognized", '"cobrowse":{"array":[{"mode":{"string":"shared"}}]}'),
    "text_for_integer": ("impression", '"$.impressions[0].engagement.skillId":{"string":"11"}'),
    "scalar_for_struct": ("impression", '"$.impressions[0].campaign":{"string":"x"}'),
    "scalar_for_list": ("impression", '"$.impressions[0].engagement.visitorBehaviors":{"int":3}'),
    "object_for_list": ("impression", '{"id":{"long":1},"name":null}'),
    "past_int32": ("impression", '{"int":2147483648}'),
    "past_int64": ("impression", '{"long":9223372036854775808}'),
    "below_int64": ("impression", '{"long":-9223372036854775809}'),
    "long_integer": ("impression", "9" * 400),
    "past_double": ("engagement_attributes", '{"double":"\ufdd0n1e400"}'),
    "year_292278994": ("navigation", '{"long":9223372036854775807}'),
    "duplicate_key": ("navigation", '{"string":"second"}'),
    "bare_nan": ("engagement_attributes", '{"double":"\ufdd0wNaN"}'),
    "lone_surrogate": ("navigation", '"https://x.example/\ufdd0d83d"'),
    "lone_surrogate_key": ("navigation", "\\udc00"),
    "markup_field": ("navigation", "$.navigationData[0]['[/x]']"),
    "nested_128": ("navigation", "[" * 127 + "]" * 127),
    "nested_10000": (None, '{"a":' * 9_999 + "null" + "}" * 9_999),
    "nested_10000_lists": (None, "[" * 9_999 + "]" * 9_999),
    "invalid_utf8": (None, b'"caf\xe9 \xff\xfe"'),
    "body_null": (None, '{"body":null}'),
    "garbage_line": (None, "java.io.IOException: Broken pipe"),
    "garbage_bytes": (None, b"\xff\xfe\x9c\x1b[0m"),
    "cut_line": (None, '"url":{"string":"https://'),
    "stray_comma": (None, ","),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BrokenFile]:
    """One file for each way to be no Web Session file, and those whose trouble is around the text."""
    return broken_files(tmp_path_factory.mktemp("broken"))


# --- Sources that fail ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def failed(broken: dict[str, BrokenFile], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The root and the summary of a run over all files that fail, with a good one before and one behind them."""
    folder = tmp_path_factory.mktemp("failed")
    good = generate(folder / "good", GenerateOptions(files=2, size=20_000, account="4711", seed=5))
    bad = [each.path for each in broken.values() if each.fails]
    return folder / "lake", convert(folder / "lake", good[0], *bad, good[1], code=1)


def test_every_failing_kind_is_here(broken: dict[str, BrokenFile]) -> None:
    """All files that the generator knows to fail are held against what their error has to say."""
    assert sorted(FAILING) == sorted(kind for kind, file in broken.items() if file.fails)


def test_good_sources_beside_failing_ones(failed: tuple[Path, dict[str, Any]]) -> None:
    """The good sources of a run are committed whole, and of the others nothing is below the root."""
    root, summary = failed
    assert summary["sources"] == 2 + len(FAILING)
    assert len(summary["failed"]) == len(summary["errors"]) == len(FAILING)
    assert (len(summary["committed"]), summary["skipped"]) == (2, [])
    assert summary["records"] == sum(summary["rows"].values()) > 0
    assert (summary["quarantined"], summary["items"]) == (0, 0)
    found = counts(rows_on_disk(root))
    assert sorted(found) == sorted(summary["committed"])
    assert sum(sum(tables.values()) for tables in found.values()) == summary["records"]
    assert len(list(records(root))) == 2
    assert all("4711." in path or path.startswith(STATE) for path in files_below(root))
    assert_at_rest(root)


@pytest.mark.parametrize("kind", FAILING)
def test_source_fails_as_a_whole(kind: str, broken: dict[str, BrokenFile], failed: tuple[Path, dict[str, Any]]) -> None:
    """A source that is none fails, with an error that names the file, the place in it, and what to do."""
    path = broken[kind].path
    (error,) = [each for each in failed[1]["errors"] if each["url"] == path.as_uri()]
    assert error["name"] == path.name
    assert path.name in failed[1]["failed"]
    assert str(path) in error["error"]
    assert re.search(FAILING[kind], error["error"]), error["error"]


def test_a_failing_source_alone(broken: dict[str, BrokenFile], tmp_path: Path) -> None:
    """A run of nothing but a failing source, and one of nothing but a name that is none, end with exit code 1."""
    root = tmp_path / "lake"
    assert convert(root, broken["wrong_crc"].path, code=1)["committed"] == []
    missing = convert(root, tmp_path / "none.gz", code=1)
    assert (missing["sources"], missing["failed"]) == (1, ["none.gz"])
    assert "no such file; check the name" in missing["errors"][0]["error"]
    assert [path for path in files_below(root) if not path.startswith(f"{STATE}/locks/")] == []


# --- Sources that convert ---------------------------------------------------------------------------------------------


def kept(root: Path, table: str | None) -> list[bytes]:
    """What a table's rows have in ``rescued`` and ``record``, or all quarantined text, piece by piece."""
    if table is None:
        lines = [json.loads(line) for entries in rows_on_disk(root).values() for line in entries.get(QUARANTINE, ())]
        return [base64.b64decode(line["base64"]) if "base64" in line else line["text"].encode() for line in lines]
    rows = pq.read_table(root / f"record_type={table}").to_pylist()
    texts = [text for row in rows for text in (row["rescued"], row.get("record")) if text]
    # Spacing is free in ``rescued``.
    return [text.replace('": ', '":').replace(", ", ",").encode() for text in texts]


@pytest.mark.parametrize("kind", CONVERTING)
def test_what_does_not_fit_is_kept(kind: str, tmp_path: Path) -> None:
    """One kind of defect among good records: counts and exit code are those of the contract, the text is still there.

    A stray comma stands in a large pretty-printed document, the others in lines.
    """
    large: dict[str, Any] = {"form": "document", "size": 2_000_000} if kind == "stray_comma" else {"records": 20}
    options = GenerateOptions(defects=True, only=(kind,), **large)
    (path,) = generate(tmp_path / "in", options)
    told, (table, text) = expected(options), CONVERTING[kind]
    searched = text.encode() if isinstance(text, str) else text
    root = tmp_path / "lake"

    summary = convert(root, path, code=0 if table else 3)

    assert (summary["committed"], summary["failed"], summary["skipped"]) == ([path.name], [], [])
    assert summary["records"] == told.records == sum(summary["rows"].values()) + summary["quarantined"]
    assert summary["rows"] == dict(told.rows)
    assert (summary["quarantined"], summary["items"]) == (told.quarantined, told.items)
    assert summary["rescued"] == {name: dict(paths) for name, paths in told.rescued.items()}
    assert (told.quarantined + told.items > 0) == (table is None)
    written = {table_name(folder): pq.read_table(folder).num_rows for folder in table_folders(root)}
    assert Counter(written) == told.rows
    pieces = kept(root, table)
    if table is None:
        assert len(pieces) == told.quarantined + told.items
    assert any(searched in piece for piece in pieces)
    assert_at_rest(root)


def test_cut_json_keeps_its_records(broken: dict[str, BrokenFile], tmp_path: Path) -> None:
    """JSON that ends early in an intact gzip keeps its records, and the tail is an item."""
    file, root = broken["cut_json"], tmp_path / "lake"
    assert file.expected is not None
    summary = convert(root, file.path, code=3)
    assert (summary["records"], summary["items"], summary["quarantined"]) == (file.expected.records, 1, 0)
    assert summary["rows"] == dict(file.expected.rows)
    assert kept(root, None) == [b'{"body":{"com']


# --- Accounts and names -----------------------------------------------------------------------------------------------


def test_account_that_is_a_path(broken: dict[str, BrokenFile], tmp_path: Path) -> None:
    """An ``accountId`` of ``../../x`` is a name like any other: no file lies outside of its folder."""
    file, root = broken["hostile_account"], tmp_path / "a" / "b" / "lake"
    assert file.expected is not None
    summary = convert(root, file.path)
    assert summary["rows"] == dict(file.expected.rows)
    assert all(path.startswith("a/b/lake/") for path in files_below(tmp_path))
    assert [record["identity"]["account"] for record in records(root)] == ["../../x"]
    assert all(path.parent.parent.parent == root for path in root.rglob("*.parquet"))
    assert [path for path in root.rglob("*") if path.name in {"..", "x"}] == []
    assert_at_rest(root)


def test_two_accounts_files_with_one_name(broken: dict[str, BrokenFile], tmp_path: Path) -> None:
    """Two accounts' files with one name are two sources: both are committed, and both are skipped the next time."""
    files, root = [broken["first_account"], broken["second_account"]], tmp_path / "lake"
    paths = [file.path for file in files]
    assert paths[0].name == paths[1].name
    summary = convert(root, *paths)
    assert summary["committed"] == [path.name for path in paths]
    assert summary["records"] == sum(file.expected.records for file in files if file.expected)
    assert sorted(record["identity"]["account"] for record in records(root)) == ["75555851", "89995382"]
    assert sum(pq.read_table(folder).num_rows for folder in table_folders(root)) == summary["records"]
    assert convert(root, *paths)["skipped"] == summary["committed"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_two_contents_of_one_name(jobs: str, tmp_path: Path) -> None:
    """Of one account's two files with one name and other content one is refused, also when it is done again."""
    paths = [generate(tmp_path / f"{seed}", GenerateOptions(size=20_000, seed=seed))[0] for seed in (1, 2)]
    root = tmp_path / "lake"
    summary = convert(root, *paths, "--jobs", jobs, code=1)
    name = paths[0].name
    assert (summary["committed"], summary["failed"]) == ([name], [name])
    error = summary["errors"][0]["error"]
    assert all(path.as_uri() in error for path in paths)
    assert "convert only the correct one" in error
    rows = rows_on_disk(root)
    again = convert(root, *paths, "--jobs", jobs, code=1)
    assert (again["committed"], again["skipped"], again["failed"]) == ([], [name], [name])
    assert rows_on_disk(root) == rows
    assert_at_rest(root)


def test_one_content_in_two_places(tmp_path: Path) -> None:
    """The same file in two folders is one source: committed once, skipped once."""
    paths = [generate(tmp_path / folder, GenerateOptions(size=20_000))[0] for folder in "ab"]
    root = tmp_path / "lake"
    summary = convert(root, *paths)
    assert (len(summary["committed"]), len(summary["skipped"]), summary["failed"]) == (1, 1, [])
    assert sum(pq.read_table(folder).num_rows for folder in table_folders(root)) == summary["records"]
    assert_at_rest(root)


# --- Roots ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("below", ["file", "file/lake", "file/a/lake"])
def test_root_below_a_regular_file(below: str, broken: dict[str, BrokenFile], tmp_path: Path) -> None:
    """A root at or below a regular file is refused in one line that says so, and the file is left as it was."""
    (tmp_path / "file").write_text("mine")
    ended = run(convert_command(tmp_path / below, broken["first_account"].path))
    assert (ended.code, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1
    assert str(tmp_path / "file") in ended.stderr
    assert "choose another root" in ended.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_a_name_that_is_no_utf8_converts(tmp_path: Path) -> None:
    """A file whose name has other bytes converts as any other; rows, records and messages have them as %XX."""
    generate(tmp_path / "in", GenerateOptions(records=20))[0].rename(tmp_path / "in" / os.fsdecode(b"caf\xe9.gz"))
    (tmp_path / "in" / os.fsdecode(b"odd\xff.gz")).write_bytes(b"no gzip")
    generate(tmp_path / "in", GenerateOptions(records=10, seed=1))
    root = tmp_path / "lake"
    ended = run(convert_command(root, tmp_path / "in"))
    assert ended.code == 1
    assert ended.summary["failed"] == ["odd%FF.gz"]
    assert "odd%FF.gz" in ended.summary["errors"][0]["error"]
    assert len(ended.summary["committed"]) == 2
    lake = wsparquet.open_dataset(root)
    files = {name for table in lake.tables for name in lake.table(table).to_table()["source_file"].to_pylist()}
    assert files == set(ended.summary["committed"]) > {"caf%E9.gz"}
    assert run(convert_command(root, tmp_path / "in")).summary["skipped"] == ended.summary["committed"]
    assert wsparquet.verify(root, against=[tmp_path / "in" / os.fsdecode(b"caf\xe9.gz")]).problems == []
    inspected = run([COMMAND, "inspect", tmp_path / "in" / os.fsdecode(b"caf\xe9.gz")])
    assert (inspected.code, "caf%E9.gz" in inspected.stdout) == (0, True)
