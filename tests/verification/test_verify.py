"""wsparquet/verification: whatever is not as the records, or the sources, say is found, and said precisely."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.program import run, tree
from tests.support.at_rest import files_below
from wsparquet import Progress, VerifyOptions, convert, verify
from wsparquet.generate import GenerateOptions, generate
from wsparquet.parquet.settings import file_schema, file_settings, writer_options
from wsparquet.verification import Verification

OPTIONS = GenerateOptions(size=150_000, seed=5, defects=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sources, a few of whose records are quarantined, and the lake that they became."""
    folder = tmp_path_factory.mktemp("made")
    generate(folder / "in", OPTIONS)
    convert(folder / "in", folder / "lake")
    return folder


@pytest.fixture
def lake(made: Path, tmp_path: Path) -> Lake:
    """A copy of it that a test may damage."""
    return Lake(made / "in", made / "lake", tmp_path / "lake")


class Lake:
    """A root that is damaged by hand."""

    def __init__(self, sources: Path, template: Path, path: Path) -> None:
        self.sources = sources
        self.path = path
        shutil.copytree(template, path)
        (self.record_path,) = (path / "_wsparquet/commits").rglob("*.json")

    @property
    def record(self) -> dict[str, Any]:
        """What the record says."""
        values: dict[str, Any] = json.loads(self.record_path.read_bytes())
        return values

    def rewrite(self, **changes: Any) -> None:
        """Have the record say something else; its number of rows stays the sum of its parts' rows."""
        values = {**self.record, **changes}
        with suppress(TypeError, KeyError):
            values["row_count"] = sum(part["rows"] for part in values["parts"])
        self.record_path.write_text(json.dumps(values))

    def part(self, table: str = "navigation") -> Path:
        """The largest part of a table."""
        return max((self.path / f"record_type={table}").rglob("*.parquet"), key=lambda path: path.stat().st_size)

    def replace_part(self, change: Callable[[pa.Table], pa.Table], *, table: str = "navigation") -> None:
        """Other rows in a part, of which the record knows: its size, checksum and rows agree."""
        path = self.part(table)
        rows = change(pq.ParquetFile(path).read())
        sink = io.BytesIO()
        pq.write_table(rows, sink, **writer_options(file_settings(table)))
        path.write_bytes(sink.getvalue())
        parts = self.record["parts"]
        for part in parts:
            if part["path"] == path.relative_to(self.path).as_posix():
                part.update(rows=rows.num_rows, bytes=path.stat().st_size, checksum=_checksum(path))
        self.rewrite(parts=parts)

    def verify(self, *against: Path) -> Verification:
        """Everything again, which changes nothing."""
        before = tree(self.path)
        found = verify(self.path, against=against)
        assert {path: what for path, what in tree(self.path).items() if "/locks" not in path} == {
            path: what for path, what in before.items() if "/locks" not in path
        }
        return found


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _kinds(found: Verification) -> set[str]:
    return {problem.kind for problem in found.problems}


def test_nothing_is_wrong_with_what_was_just_made(lake: Lake) -> None:
    """All rows and files are looked at, against the sources, too."""
    found = lake.verify(lake.sources)
    assert found.problems == []
    assert found.exit_code == 0
    assert found.commits == found.sources == 1
    assert found.parts == len([path for path in files_below(lake.path) if path.startswith("record_type=")]) > 5
    assert found.rows == found.compared_rows == sum(lake.record["report"]["rows"].values()) > 50
    assert lake.record["report"]["quarantined"] > 0


# --- Files and records -----------------------------------------------------------------------------------------------


def _lose(lake: Lake) -> None:
    lake.part().unlink()


def _cut(lake: Lake) -> None:
    lake.part().write_bytes(lake.part().read_bytes()[:-100])


def _flip(lake: Lake) -> None:
    data = bytearray(lake.part().read_bytes())
    data[200] ^= 1
    lake.part().write_bytes(data)


def _without_the_earliest_row(rows: pa.Table) -> pa.Table:
    pages = enumerate(rows["navigationData"].to_pylist())
    _, earliest = min(
        (page["timestamp"], row) for row, found in pages for page in found or () if page and page["timestamp"]
    )
    return pa.concat_tables([rows.slice(0, earliest), rows.slice(earliest + 1)])


def _drop_rows(lake: Lake) -> None:
    lake.replace_part(_without_the_earliest_row)
    parts = lake.record["parts"]
    for part in parts:
        part["rows"] += "record_type=navigation" in part["path"]
    lake.rewrite(parts=parts)


def _cast(lake: Lake) -> None:
    lake.replace_part(lambda rows: rows.append_column("more", pa.nulls(rows.num_rows, pa.int8())))


def _other_times(lake: Lake) -> None:
    parts = lake.record["parts"]
    part = next(part for part in parts if part["min_time"] is not None)
    part["min_time"] -= 1
    lake.rewrite(parts=parts)


def _other_sums(lake: Lake) -> None:
    report = lake.record["report"]
    report["rows"]["navigation"] += 1
    lake.rewrite(report=report)


def _other_records(lake: Lake) -> None:
    report = lake.record["report"]
    report["records"] += 1
    lake.rewrite(report=report)


def _lose_quarantine(lake: Lake) -> None:
    (lake.path / lake.record["quarantine"]).unlink()


def _cut_quarantine(lake: Lake) -> None:
    path = lake.path / lake.record["quarantine"]
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[1:]))


def _spoil_quarantine(lake: Lake) -> None:
    (lake.path / lake.record["quarantine"]).write_bytes(b"{]\n")


def _nest_quarantine(lake: Lake) -> None:
    (lake.path / lake.record["quarantine"]).write_bytes(b"[" * 100_000 + b"\n")


def _report(**changes: Any) -> Callable[[Lake], None]:
    """Another report."""
    return lambda lake: lake.rewrite(report={**lake.record["report"], **changes})


def _spoil_record(lake: Lake) -> None:
    lake.record_path.write_bytes(b"{")


def _add_orphan(lake: Lake) -> None:
    path = lake.part()
    token = path.name.split(".")[-3]
    path.with_name(path.name.replace(token, "0123456789abcdef")).write_bytes(path.read_bytes())


def _add_foreign(lake: Lake) -> None:
    (lake.path / "record_type=geo/_SUCCESS").touch()


def _add_quarantine(lake: Lake) -> None:
    path = lake.path / lake.record["quarantine"]
    path.with_name(f"other.{'0' * 16}.ndjson").touch()


def _share(lake: Lake) -> None:
    """Account and name are separated by a dot, and no other pair may have the same file names for that."""
    values = lake.record
    account, name = values["identity"]["account"], values["identity"]["name"]
    first, _, rest = name.partition(".")
    values["identity"] = {"account": f"{account}.{first}", "name": rest}
    path = lake.path / f"_wsparquet/commits/{account}.{first}/undated/{rest}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**values, "quarantine": None, "report": {**values["report"]}}))


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (_lose, {"missing"}),
        (_cut, {"size", "checksum", "parquet"}),
        (_flip, {"checksum"}),
        (_drop_rows, {"rows", "times"}),
        (_cast, {"schema"}),
        (_other_times, {"times"}),
        (_other_sums, {"sums"}),
        (_other_records, {"sums"}),
        (_lose_quarantine, {"missing"}),
        (_cut_quarantine, {"quarantine"}),
        (_spoil_quarantine, {"quarantine"}),
        (_nest_quarantine, {"quarantine"}),
        (_report(rows=[]), {"sums"}),
        (_report(rows={"geo": {}}), {"sums"}),
        (_report(rows={"geo": True}), {"sums"}),
        (_report(quarantined="x"), {"sums"}),
        (_report(items=[1]), {"sums"}),
        (_report(records=None), {"sums"}),
        (_spoil_record, {"record", "stray"}),
        (_add_orphan, {"stray"}),
        (_add_foreign, {"stray"}),
        (_add_quarantine, {"stray"}),
        (_share, {"record"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_damage_is_found_and_nothing_else(lake: Lake, damage: Callable[[Lake], None], expected: set[str]) -> None:
    """Kind by kind, with the file that it is about."""
    damage(lake)
    found = lake.verify()
    assert _kinds(found) == expected
    assert found.exit_code == 1
    assert all(problem.where.startswith(("record_type=", "_wsparquet/")) for problem in found.problems)


# --- Values ----------------------------------------------------------------------------------------------------------


def _other_value(rows: pa.Table) -> pa.Table:
    changed = [*rows.column("visitorId").to_pylist()]
    changed[3] = "somebody else"
    return rows.set_column(rows.column_names.index("visitorId"), "visitorId", pa.array(changed, pa.string()))


def _null_for_empty(rows: pa.Table) -> pa.Table:
    names = rows.column("navigationData").to_pylist()
    index = next(index for index, each in enumerate(names) if each is not None)
    names[index] = None
    field = file_schema("navigation").field("navigationData")
    return rows.set_column(rows.column_names.index(field.name), field, pa.array(names, field.type))


def _twice(rows: pa.Table) -> pa.Table:
    last = rows.slice(rows.num_rows - 1).to_pylist()
    extra = pa.Table.from_pylist([{**last[0], "record_number": 10_000_000}], schema=rows.schema)
    return pa.concat_tables([rows, extra])


def _again(rows: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, rows.slice(rows.num_rows - 1)])


def _without_number(rows: pa.Table) -> pa.Table:
    extra = pa.Table.from_pylist([{**rows.slice(0, 1).to_pylist()[0], "record_number": None}], schema=rows.schema)
    return pa.concat_tables([rows, extra])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_other_value, "expected visitorId '.*', found 'somebody else'"),
        (_null_for_empty, r"expected navigationData \[.*, found None"),
        (lambda rows: rows.slice(1), "expected a row, found none"),
        (_twice, "record 10000000, table navigation: expected no row, found one"),
        (_again, "record [0-9]+, table navigation: expected a row, found 2 rows"),
        (_without_number, "no record, table navigation: expected no row, found one"),
    ],
    ids=["value", "null", "lost", "more", "again", "without number"],
)
def test_values_that_differ_from_the_source(lake: Lake, change: Callable[[pa.Table], pa.Table], said: str) -> None:
    """A row that is lost, invented or altered is named with its number and first column, though all records agree."""
    lake.replace_part(change)
    found = [problem for problem in lake.verify(lake.sources).problems if problem.kind == "values"]
    assert len(found) == 1
    assert re.search(said, str(found[0]))


def test_the_order_of_rows_does_not_matter(lake: Lake) -> None:
    """Rows are compared by what they are."""
    lake.replace_part(lambda rows: rows.take(pa.array(range(rows.num_rows - 1, -1, -1))))
    assert not [problem for problem in lake.verify(lake.sources).problems if problem.kind == "values"]


def test_rows_of_another_day(lake: Lake) -> None:
    """The partition is part of a row."""
    parts = lake.record["parts"]
    path = lake.part()
    moved = path.parent.with_name("date=2001-01-01") / path.name
    moved.parent.mkdir()
    path.rename(moved)
    for part in parts:
        if part["path"] == path.relative_to(lake.path).as_posix():
            part.update(path=moved.relative_to(lake.path).as_posix(), date="2001-01-01")
    lake.rewrite(parts=parts)
    found = lake.verify(lake.sources).problems
    assert {problem.kind for problem in found} == {"values"}
    assert all("found date 2001-01-01" in str(problem) for problem in found[:10])
    assert "more" in found[-1].found


def test_quarantined_text_that_differs(lake: Lake) -> None:
    """Not a byte of what became no row may be another one."""
    path = lake.path / lake.record["quarantine"]
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    text = next(line for line in lines if line.get("text"))
    text["text"] = text["text"][:-1] + "?"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (problem,) = lake.verify(lake.sources).problems
    assert problem.kind == "values"
    assert problem.where == lake.record["quarantine"]


def test_one_source_needs_no_list(lake: Lake) -> None:
    """A folder alone is a folder, and not its letters."""
    found = verify(lake.path, against=lake.sources)
    assert (found.sources, found.problems) == (1, [])
    assert verify(lake.path, against=str(lake.sources)).compared_rows == found.compared_rows > 0


def test_an_interruption_ends_comparisons_under_way(tmp_path: Path) -> None:
    """What is being compared ends at its next piece, however long its source is."""
    generate(tmp_path / "in", GenerateOptions(files=2, size=20_000_000, seed=5))
    convert(tmp_path / "in", tmp_path / "lake")
    read: Counter[str] = Counter()
    later: Counter[str] = Counter()
    interrupted = threading.Event()

    def handle(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    def interrupt(event: Progress) -> None:
        if event.kind == "read":
            if len(read) == 2:
                later[event.name] += 1
            read[event.name] += 1
            if len(read) == 2:
                os.kill(os.getpid(), signal.SIGINT)
                assert interrupted.wait(60)  # The main thread gets its turn, however busy the machine is.

    before = signal.signal(signal.SIGINT, handle)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            verify(tmp_path / "lake", against=tmp_path / "in", options=VerifyOptions(jobs=2), on_progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    (found,) = caught.value.args
    assert (found.interrupted, found.commits, found.problems) == (True, 2, [])
    assert len(read) == 2
    # The first source may have come far before the second one began.
    assert all(pieces < 10 for pieces in later.values())


def test_every_row_twice(lake: Lake) -> None:
    """Though sizes, checksums and counts of the record are made to agree, each row is one too many."""
    tables = {path.parent.parent.name.removeprefix("record_type=") for path in lake.path.glob("record_type=*/*/*")}
    for table in tables:
        lake.replace_part(lambda rows: pa.concat_tables([rows, rows]), table=table)
    report, doubled = lake.record["report"], [sum(_rows_of(lake, table)) for table in sorted(tables)]
    rows = dict(zip(sorted(tables), doubled, strict=True))
    lake.rewrite(report={**report, "rows": rows, "records": sum(doubled) + report["quarantined"]})
    assert lake.verify().problems == []
    found = lake.verify(lake.sources)
    assert _kinds(found) == {"values"}
    assert all(problem.found == "2 rows" for problem in found.problems[:10])


def _rows_of(lake: Lake, table: str) -> list[int]:
    return [part["rows"] for part in lake.record["parts"] if f"record_type={table}/" in part["path"]]


# --- What cannot be compared -----------------------------------------------------------------------------------------


def _flip_pages(lake: Lake) -> str:
    path = lake.part()
    data = bytearray(path.read_bytes())
    data[4:400] = bytes(byte ^ 0xFF for byte in data[4:400])
    path.write_bytes(data)
    return path.relative_to(lake.path).as_posix()


def _far_times(lake: Lake) -> str:
    """Microseconds that no date has."""

    def change(rows: pa.Table) -> pa.Table:
        index = rows.schema.get_field_index("metaData")
        field = rows.schema.field(index)
        column: Any = rows.column(index).combine_chunks()
        far = pa.array([10**18] * len(rows), pa.int64()).cast(field.type.field("startTime").type)
        children = {child.name: column.field(child.name) for child in field.type} | {"startTime": far}
        return rows.set_column(index, field, pa.StructArray.from_arrays([*children.values()], fields=[*field.type]))

    lake.replace_part(change)
    return lake.part().relative_to(lake.path).as_posix()


def _quarantine_line(line: str) -> Callable[[Lake], str]:
    def change(lake: Lake) -> str:
        name: str = lake.record["quarantine"]
        path = lake.path / name
        path.write_text(path.read_text() + line + "\n")
        return name

    return change


@pytest.mark.parametrize(
    "damage",
    [
        _flip_pages,
        _far_times,
        *map(
            _quarantine_line,
            (
                "5",
                "[]",
                '{"kind":"record","continued":false,"start":0,"text":5}',
                '{"kind":"record","continued":false,"start":"x","text":"a"}',
                '{"kind":"record","continued":false,"start":0}',
                '{"kind":"record","continued":false,"start":0,"base64":"?"}',
                '{"kind":"record","continued":false,"start":0,"text":"\\ud800"}',
                "[" * 100_000,
            ),
        ),
    ],
)
def test_a_file_that_cannot_be_compared_is_a_problem_and_the_others_are(
    lake: Lake, damage: Callable[[Lake], str]
) -> None:
    """It is named with what is wrong, and a value that differs elsewhere is found all the same."""
    path = damage(lake)
    lake.replace_part(_other_value, table="impression")
    found = [problem for problem in lake.verify(lake.sources).problems if problem.kind == "values"]
    assert [problem.where for problem in found] == [path, found[1].where]
    assert found[0].expected == "a file that can be compared"
    assert found[0].found.startswith(path)
    assert len(str(found[0])) < 1000
    assert "found 'somebody else'" in str(found[1])


@pytest.mark.parametrize("name", ["renamed.gz", "WebSession.946684800000.946684800000.part-00000-0.gz"])
def test_a_source_that_has_another_name_now(lake: Lake, tmp_path: Path, name: str) -> None:
    """It is compared under the name that it was committed under."""
    (source,) = lake.sources.iterdir()
    shutil.copyfile(source, tmp_path / name)
    found = lake.verify(tmp_path / name)
    assert (found.problems, found.sources) == ([], 1)
    assert found.compared_rows > 50


def test_a_source_that_was_piped(tmp_path: Path, lake: Lake) -> None:
    """A file whose records have no day of their own, converted from standard input, is compared by its content."""
    (source,) = lake.sources.iterdir()
    assert run("convert", "-", "--to", tmp_path / "piped", stdin=source.read_bytes()).code == 3
    found = verify(tmp_path / "piped", against=[source])
    assert (found.problems, found.sources) == ([], 1)
    assert found.compared_rows > 50


def test_sources_that_are_not_committed_or_cannot_be_read(lake: Lake, tmp_path: Path) -> None:
    """Each is a problem of its own; the others are compared all the same."""
    other = tmp_path / "other"
    generate(other, GenerateOptions(size=20_000, seed=9))
    (other / "empty.gz").touch()
    found = lake.verify(other, tmp_path / "missing", lake.sources)
    assert sorted(problem.kind for problem in found.problems) == ["source", "uncommitted", "uncommitted"]
    assert found.compared_rows > 50
    assert found.sources == 1, "the others were not decoded"


def test_the_command_says_it_and_exits_with_1(lake: Lake) -> None:
    """Text for people, JSON for programs."""
    good = run("verify", lake.path, "--against", lake.sources)
    assert (good.code, "verified" in good.out) == (0, True)
    _lose(lake)
    bad = run("verify", lake.path)
    assert (bad.code, bad.out.count("missing: record_type=navigation/"), "1 problem" in bad.out) == (1, 1, True)
    values = run("verify", lake.path, "--output", "json").json
    assert [problem["kind"] for problem in values["problems"]] == ["missing"]
    assert values["commits"] == 1


def test_standard_input_is_refused_at_once(lake: Lake) -> None:
    """It would have to be read twice, to find its commit and to compare it."""
    ran = run("verify", lake.path, "--against", "-", stdin=b"x")
    assert (ran.code, ran.out) == (2, "")
    assert "expected a source that can be read more than once, found standard input" in ran.err


# --- Rows that are there twice ----------------------------------------------------------------------------------------


def test_rows_of_a_file_that_was_written_again(tmp_path: Path) -> None:
    """Another spacing makes another text; the rows are found to be the same, and only those."""
    (path, other) = generate(tmp_path / "in", GenerateOptions(files=2, records=200))
    again = tmp_path / "again.json"
    again.write_bytes(gzip.decompress(path.read_bytes()).replace(b'":', b'": '))
    convert([path, other, again], tmp_path / "lake")
    (problem,) = verify(tmp_path / "lake").problems
    assert problem.kind == "doubled"
    assert {"again", path.name.removesuffix(".gz")} == {
        name for name in ("again", path.name.removesuffix(".gz")) if name in problem.where + problem.found
    }
    assert problem.found.endswith("remove one of the two sources with `wsparquet remove`")


def test_rows_of_a_file_that_is_a_part_of_another(tmp_path: Path) -> None:
    """A day's file that somebody made of hours' files has the rows of each."""
    paths = generate(tmp_path / "in", GenerateOptions(files=6, records=300))
    whole = tmp_path / "day.json"
    whole.write_bytes(b"\n".join(gzip.decompress(path.read_bytes()) for path in paths))
    convert([whole, paths[2]], tmp_path / "lake")
    (problem,) = verify(tmp_path / "lake").problems
    assert (problem.kind, paths[2].name.removesuffix(".gz") in problem.where) == ("doubled", True)


def test_a_copy_that_is_compressed_in_another_way_is_compared(tmp_path: Path) -> None:
    """`against` takes the copy for the file whose rows it has."""
    (path,) = generate(tmp_path / "in", GenerateOptions(records=20))
    convert(path, tmp_path / "lake")
    (tmp_path / "plain.json").write_bytes(gzip.decompress(path.read_bytes()))
    found = verify(tmp_path / "lake", against=tmp_path / "plain.json")
    assert (found.problems, found.compared_rows) == ([], 20)
