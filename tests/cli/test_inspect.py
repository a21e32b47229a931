"""What `wsparquet inspect` tells of a source, and that it writes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Files, make
from tests.cli.program import run, tree
from wsparquet.generate import GenerateOptions


def test_json_has_the_counts_of_each_source(good: Files) -> None:
    """`--output json` prints one ASCII object: each source with form, containers, account, version, rows, times."""
    ran = run("inspect", good.folder, "--output", "json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["failed"] == []
    assert len(ran.json["sources"]) == len(good.paths)
    for found, path, wanted in zip(ran.json["sources"], good.paths, good.expected, strict=True):
        assert (found["name"], found["url"]) == (path.name, path.as_uri())
        assert (found["format"], found["form"], found["containers"]) == ("gzip", "lines", wanted.containers)
        assert found["accounts"] == {"75555851": wanted.containers}
        assert found["schema_versions"] == {"1.0.0.22": wanted.containers}
        assert (found["records"], found["rows"]) == (wanted.records, wanted.rows)
        assert (found["stored_bytes"], found["inflated_bytes"]) == (path.stat().st_size, wanted.size)
        assert found["first"] <= found["last"] < found["end_time"]
        assert (found["samples"], found["quarantine_samples"]) == ({}, [])


def test_the_text_has_what_the_json_has(good: Files) -> None:
    """The block for people says form, containers, account, version, both time spans, records and rows by table."""
    ran = run("inspect", good.paths[0])
    wanted = good.expected[0]
    assert (ran.code, ran.err) == (0, "")
    lines = [line.split() for line in ran.out.splitlines()]
    assert ran.out.startswith(f"{good.names[0]}: gzip, lines, ")
    assert ["containers:", str(wanted.containers)] in lines
    assert ["accounts:", "75555851"] in lines
    assert ["schema", "versions:", "1.0.0.22"] in lines
    assert ["records:", str(wanted.records)] in lines
    for table, rows in wanted.rows.items():
        assert [str(rows), table] in lines
    found = run("inspect", good.paths[0], "--output", "json").json["sources"][0]
    for name, ends in (("container times:", ("start_time", "end_time")), ("record times:", ("first", "last"))):
        (line,) = [line for line in ran.out.splitlines() if name in line]
        moments = [datetime.fromisoformat(text) for text in line.removeprefix(f"  {name}").strip().split(" to ")]
        assert moments == [datetime.fromtimestamp(found[end] / 1000, UTC) for end in ends]


@pytest.mark.parametrize(
    ("options", "form", "stored"),
    [
        (GenerateOptions(records=20), "lines", "gzip"),
        (GenerateOptions(records=20, line_size=2000, compression="zstd"), "lines", "zstd"),
        (GenerateOptions(records=20, form="document", compression="none"), "document", "plain"),
    ],
)
def test_the_form_and_the_compression_are_told(
    tmp_path: Path, options: GenerateOptions, form: str, stored: str
) -> None:
    """A container a line is `lines`, one over many lines `document`; the compression is told by the bytes."""
    files = make(tmp_path, options)
    (found,) = run("inspect", *files.paths, "--output", "json").json["sources"]
    assert (found["form"], found["format"], found["containers"]) == (form, stored, files.expected[0].containers)


def test_several_pretty_printed_containers_are_documents(tmp_path: Path) -> None:
    """Documents one after the other are neither one document nor lines."""
    files = make(tmp_path, GenerateOptions(files=2, records=5, form="document", compression="none"))
    both = tmp_path / "both.json"
    both.write_bytes(b"".join(path.read_bytes() for path in files.paths))
    (found,) = run("inspect", both, "--output", "json").json["sources"]
    assert (found["form"], found["containers"], found["records"]) == ("documents", 2, 10)


def test_drift_is_counted_by_path(odd: Files) -> None:
    """What a conversion would rescue and quarantine is there by path and reason, and the exit code stays 0."""
    wanted = odd.expected[0]
    ran = run("inspect", odd.folder, "--output", "json")
    (found,) = ran.json["sources"]
    assert ran.code == 0
    assert (found["records"], found["quarantined"], found["items"]) == (
        wanted.records,
        wanted.quarantined,
        wanted.items,
    )
    assert (found["rows"], found["rescued"]) == (wanted.rows, wanted.rescued)
    assert found["undocumented"] == wanted.undocumented
    assert sum(found["reasons"].values()) == wanted.quarantined + wanted.items
    text = run("inspect", odd.folder).out
    lines = [line.split() for line in text.splitlines()]
    for table, paths in wanted.rescued.items():
        for path, count in paths.items():
            assert [str(count), table, path] in lines
    for path in wanted.container_values:
        assert f": {path} = " in text


def test_samples_are_shown_only_when_asked_for(odd: Files) -> None:
    """No personal data without `--samples`; with it, so many rows a table and quarantined texts, at most."""
    asked = run("inspect", odd.folder, "--samples", "2", "--output", "json").json["sources"][0]
    assert set(asked["samples"]) == set(odd.expected[0].rows)
    for table, rows in asked["samples"].items():
        assert len(rows) == min(2, odd.expected[0].rows[table])
    assert len(asked["quarantine_samples"]) == 2
    visitor = asked["samples"]["geo"][0]["visitorId"]
    for form in ("text", "json"):
        assert visitor not in run("inspect", odd.folder, "--output", form).out
        assert visitor in run("inspect", odd.folder, "--samples", "1", "--output", form).out


def test_samples_on_a_terminal_are_harmless(tmp_path: Path) -> None:
    """Control characters in sampled values and in quarantined text are replaced, line ends too."""
    files = make(tmp_path, GenerateOptions(records=1, compression="none"))
    path = files.paths[0]
    path.write_bytes(path.read_bytes() + b"\x1b[2Jgarbage\x07\n" + path.read_bytes())
    ran = run("inspect", path, "--samples", "3")
    assert ran.code == 0
    assert "\ufffd[2Jgarbage\ufffd" in ran.out
    assert not {"\x1b", "\x07"} & set(ran.out)


def test_samples_that_name_a_parameter_stay_as_they_are(tmp_path: Path) -> None:
    """A parameter's name in backticks becomes a flag in messages of wsparquet, and never in the content of a file."""
    path = tmp_path / "a.json"
    path.write_text(
        '{"metaData":{},"recordCollection":[{"body":{"WebSessionGeoData":{"geo":{"city":"`account`"}}}}]}\n'
    )
    for form in ("text", "json"):
        assert "`account`" in run("inspect", path, "--samples", "1", "--output", form).out


def test_a_failing_source_is_exit_code_1(good: Files, corrupt: Path) -> None:
    """A source that cannot be read is named on standard error and with `failed`, and the others are told of."""
    ran = run("inspect", corrupt, good.paths[0])
    assert ran.code == 1
    assert ran.out.startswith(f"{good.names[0]}: ")
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith(f"failed: {corrupt.name}: {corrupt}")
    found = run("inspect", corrupt, good.paths[0], "--output", "json")
    assert found.code == 1
    assert [each["name"] for each in found.json["sources"]] == [good.names[0]]
    (failed,) = found.json["failed"]
    assert (failed["name"], failed["url"]) == (corrupt.name, corrupt.as_uri())


def test_several_sources_end_with_totals(good: Files, odd: Files, corrupt: Path) -> None:
    """The counts of all readable sources are added up in text and JSON; one source alone has no totals in text."""
    ran = run("inspect", good.folder, odd.folder, corrupt)
    names, total = ran.out.split("\ntotal: ")
    assert all(f"{name}: " in names for name in (*good.names, *odd.names))
    assert total.startswith("3 sources, ")
    assert total.endswith("  1 other source cannot be read\n")
    records = good.records + odd.records
    assert f"  records:         {records:,}\n" in total
    assert ran.err.count("failed: ") == 1
    found = run("inspect", good.folder, odd.folder, corrupt, "--output", "json").json
    totals = found["totals"]
    assert (totals["sources"], totals["records"]) == (3, records)
    for name in ("containers", "quarantined", "items", "stored_bytes", "inflated_bytes"):
        assert totals[name] == sum(each[name] for each in found["sources"])
    for name in ("rows", "reasons", "accounts"):
        keys = {key for each in found["sources"] for key in each[name]}
        assert totals[name] == {key: sum(each[name].get(key, 0) for each in found["sources"]) for key in keys}
    assert totals["first"] == min(each["first"] for each in found["sources"])
    assert totals["container_values"] == sum(len(each["container_values"]) for each in found["sources"])
    assert "total: " not in run("inspect", good.paths[0]).out


def test_standard_input_can_be_inspected(good: Files) -> None:
    """`-` is standard input here, too."""
    ran = run("inspect", "-", "--output", "json", stdin=good.paths[0].read_bytes())
    assert ran.code == 0
    assert [each["records"] for each in ran.json["sources"]] == [good.expected[0].records]


@pytest.mark.parametrize(("option", "value"), [("--max-inflated", "1k"), ("--max-record", "100")])
def test_a_limit_can_be_set_where_its_message_names_it(good: Files, option: str, value: str) -> None:
    """The option that the message says to raise is one that inspect has."""
    ran = run("inspect", good.paths[0], option, value)
    assert (ran.code, ran.out) == (1, "")
    assert option in ran.err


def test_nothing_is_written(good: Files) -> None:
    """The folder of the sources is as before."""
    before = tree(good.folder)
    run("inspect", good.folder, "--samples", "1")
    assert tree(good.folder) == before


def test_a_sample_row_has_all_columns(good: Files) -> None:
    """A row is shown with its names, nested values and times that a person can read."""
    ran = run("inspect", good.paths[0], "--samples", "1")
    (line,) = [line for line in ran.out.splitlines() if line.startswith("  navigation: ")]
    row = json.loads(line.removeprefix("  navigation: "))
    assert {"visitId", "navigationData", "metaData", "source_file", "record_number", "rescued"} <= set(row)
    assert row["metaData"]["startTime"].startswith("2016-06-30 13:00:00")
