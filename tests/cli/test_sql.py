"""`wsparquet sql`: answers in every form, queries that are refused, and an end of the reader."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.program import PROGRAM, run, spawn, tree
from tests.dataset.helpers import IDENTITY, put
from tests.query import roots
from tests.store.s3.lake import Lake
from wsparquet import DatasetError, connect, open_dataset
from wsparquet.dataset import Root
from wsparquet.query.answer import asking
from wsparquet.query.catalog import columns_of, describing, relations
from wsparquet.render.views import VIEWS
from wsparquet.schema import TABLES

ODD = (
    "SELECT 'a,\"b\"' AS \"x y\", '' AS e, NULL AS n, [1, NULL] AS l, 'ä\u202e\n' AS c, "
    "'nan'::DOUBLE AS f, 1 AS n; -- end"
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with an attempt under way, whose name is a pattern."""
    path = tmp_path_factory.mktemp("sql") / "it's [a]*" / "lake"
    roots.under_way(path)
    return path


def test_the_rows_that_count_in_every_form(lake: Path, tmp_path: Path) -> None:
    """A table, CSV, JSON and a Parquet file have the same rows, those that commit records name."""
    expected = roots.counted(lake, "geo")
    query = "SELECT source_file, record_number FROM geo ORDER BY ALL"
    table = run("sql", lake, query)
    assert (table.code, table.err) == (0, "")
    lines = [line.rsplit(maxsplit=1) for line in table.out.splitlines()[2:]]
    assert [(name.strip(), int(number)) for name, number in lines] == expected
    rows = list(csv.reader(io.StringIO(run("sql", lake, query, "--format", "csv").out)))
    assert [(name, int(number)) for name, number in rows[1:]] == expected
    objects = json.loads(run("sql", lake, query, "--format", "json").out)
    assert [tuple(row.values()) for row in objects] == expected
    for name in ("a.parquet", "a.csv", "a.JSON", "a"):
        ran = run("sql", lake, query, "--into", tmp_path / name)
        assert (ran.code, ran.out) == (0, f"{tmp_path / name}: {len(expected)} rows\n")
    found = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [tuple(row.values()) for row in found] == expected
    assert json.loads((tmp_path / "a.JSON").read_text()) == objects
    assert (tmp_path / "a").read_text() == (tmp_path / "a.csv").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.JSON", "a.csv", "a.parquet"]


def test_nested_columns_keep_their_types_in_parquet(lake: Path, tmp_path: Path) -> None:
    """All columns of a table arrive with equal values."""
    assert run("sql", lake, "FROM navigation", "--into", tmp_path / "x.parquet").code == 0
    found, expected = pq.read_table(tmp_path / "x.parquet"), open_dataset(lake).table("navigation").to_table()
    assert sorted(found.to_pylist(), key=repr) == sorted(expected.to_pylist(), key=repr)
    assert expected.num_rows == 24


def test_odd_values_are_written_so_that_programs_read_them(lake: Path) -> None:
    """Quotes, nulls, empty texts, lists and control characters; JSON is ASCII; a table controls no terminal."""
    assert run("sql", lake, ODD, "--format", "csv").out == (
        'x y,e,n,l,c,f,n_1\n"a,""b""","",,"[1,null]","ä\u202e\n",nan,1\n'
    )
    out = run("sql", lake, ODD, "--format", "json").out
    assert out.isascii()
    (row,) = json.loads(out)
    assert (row["x y"], row["e"], row["n"], row["l"], row["f"]) == ('a,"b"', "", None, [1, None], None)
    assert "\u202e" not in run("sql", lake, ODD).out
    assert run("sql", lake, "FROM impression", "--format", "json").out == "[]\n"
    assert run("sql", lake, "SELECT 1 AS a FROM range(2000)").out.splitlines()[-1].startswith("the first 1000 rows")


def test_what_there_is_can_be_listed(lake: Path) -> None:
    """`--tables` has all tables and views with their meaning; a near name is suggested for one that is not there."""
    rows = list(csv.reader(io.StringIO(run("sql", lake, "--tables", "--format", "csv").out)))
    assert rows[0] == ["table", "kind", "description"]
    assert [row[:2] for row in rows[1:]] == [
        *([name, "table"] for name in TABLES),
        *([name, "view"] for name in (*VIEWS, "drift")),
    ]
    assert all(row[2].endswith(".") for row in rows[1:])
    ran = run("sql", lake, "--describe", "Goe")
    assert (ran.code, ran.out, "--describe: expected one of geo" in ran.err, "did you mean geo?" in ran.err) == (
        2, "", True, True,
    )  # fmt: skip


def test_every_column_is_described(lake: Path) -> None:
    """`--describe` has the columns of DuckDB in order, with their types and with what the documentation says."""
    with connect(lake) as connection:
        for name in relations():
            described = connection.execute(describing(name)).fetchall()
            columns = connection.execute(f"DESCRIBE {name}").fetchall()
            assert [row[:2] for row in described] == [row[:2] for row in columns]
            assert [row[2] for row in described] == [column.doc for column in columns_of(name)]
            assert all(row[2] for row in described)
    rows = list(csv.reader(io.StringIO(run("sql", lake, "--describe", "visits", "--format", "csv").out)))
    assert rows[0] == ["column", "type", "description"]
    assert ["landing_page", "VARCHAR"] in [row[:2] for row in rows]


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        (
            "selec 1",
            2,
            '`query`: expected a query that DuckDB can run, found: Parser Error: syntax error at or near "s',
        ),
        ("SELECT nope FROM geo", 2, 'found: Binder Error: Referenced column "nope" not found'),
        ("FROM ge", 2, 'Did you mean "geo"?; SHOW TABLES lists the tables'),
        ("FROM run", 2, "Catalog Error: Table with name run does not exist"),
        ("", 2, "expected one of QUERY, --from, --tables, --describe, found none"),
        ("/* nothing */", 2, "expected one query that reads, such as SELECT or DESCRIBE, found none"),
        ("SELECT 1; SELECT 2", 2, "found SELECT and SELECT"),
        ("COPY geo TO '{lake}/x.parquet'", 2, "found COPY"),
        ("EXPLAIN ANALYZE COPY geo TO '{lake}/x.parquet'", 2, "found EXPLAIN"),
        ("DROP VIEW geo", 2, "found DROP"),
        ("SET threads = 1", 2, "found SET"),
        ("ATTACH '{lake}/x.db'", 2, "found ATTACH"),
        ("FROM read_text('/etc/hostname')", 1, "file system operations are disabled"),
        ("FROM read_text('{lake}/../outside')", 1, "file system operations are disabled"),
        ("FROM read_text('{lake}/_wsparquet/root.json')", 1, "file system operations are disabled"),
        ("FROM read_text('{lake}/record_type=geo/../_wsparquet/root.json')", 1, "file system operations are disabled"),
        ("FROM glob('{lake}/_wsparquet/**')", 1, "file system operations are disabled"),
        ("FROM sniff_csv('/etc/hostname')", 1, "file system operations are disabled"),
        ("SELECT CAST(source_file AS INT) FROM geo", 1, "the query failed: Conversion Error"),
    ],
)
def test_a_wrong_query_is_an_error_in_one_line(lake: Path, query: str, code: int, said: str) -> None:
    """One line says what is wrong. Standard output stays empty, and the root is unchanged."""
    before = tree(lake)
    ran = run("sql", lake, query.replace("{lake}", str(lake).replace("'", "''")))
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert ran.err.splitlines()[-1].startswith(("wsparquet: ", "Error: "))
    assert tree(lake) == before


def test_a_query_comes_from_a_file_or_from_standard_input(lake: Path, tmp_path: Path) -> None:
    """Both may have comments, a byte order mark and a semicolon; other bytes than UTF-8 are refused."""
    (tmp_path / "query.sql").write_bytes(b"\xef\xbb\xbf-- rows\nSELECT count(*) AS rows FROM geo;\n-- end;\n")
    for ran in (
        run("sql", lake, "--from", tmp_path / "query.sql", "--format", "csv"),
        spawn("sql", lake, "--from", "-", "--format", "csv", stdin=(tmp_path / "query.sql").read_bytes()),
    ):
        assert (ran.code, ran.out, ran.err) == (0, "rows\n24\n", "")
    (tmp_path / "query.sql").write_bytes(b"SELECT '\xff'")
    assert "expected a query in UTF-8" in run("sql", lake, "--from", tmp_path / "query.sql").err


def test_a_file_of_the_answer_is_whole_or_not_there(lake: Path, tmp_path: Path) -> None:
    """A query that fails halfway keeps the old file. Files in a root or in a missing folder are refused."""
    (tmp_path / "a.csv").write_text("old")
    failing = "SELECT CAST(if(i < 90000, '1', 'x') AS INT) AS a FROM range(100000) t(i)"
    for name in ("a.csv", "a.parquet", "a.json"):
        assert run("sql", lake, failing, "--into", tmp_path / name).code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"
    before = tree(lake)
    ran = run("sql", lake, "FROM geo", "--into", lake / "record_type=geo" / "a.parquet")
    assert (ran.code, "expected --into outside of all roots" in ran.err) == (2, True)
    assert tree(lake) == before
    ran = run("sql", lake, "FROM geo", "--into", tmp_path / "no" / "a.csv")
    assert (ran.code, "No such file or directory" in ran.err) == (1, True)
    assert run("sql", tmp_path / "nowhere", "FROM geo").code == 1


def test_a_reader_that_ends_early_ends_the_command(lake: Path) -> None:
    """The command prints no error message if the reader of its output ends."""
    command = [str(PROGRAM), "sql", str(lake), "FROM range(1000000)", "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"range\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_root_in_a_bucket(bucket: Lake) -> None:
    """The options of s3fs are those of the other commands."""
    put(bucket.open(), IDENTITY, seed=1, count=5)
    options = {**bucket.options, "client_kwargs": json.dumps(bucket.options["client_kwargs"])}
    given = [each for name in ("key", "secret", "endpoint_url", "client_kwargs") for each in (name, options[name])]
    flags = [f"--storage-option={name}={value}" for name, value in zip(given[::2], given[1::2], strict=True)]
    ran = run("sql", bucket.url, "SELECT count(*) AS rows FROM geo", "--format", "csv", *flags)
    assert (ran.code, ran.out, ran.err) == (0, "rows\n5\n", "")


def test_a_commit_during_a_query_is_said_and_never_a_wrong_answer(tmp_path: Path) -> None:
    """If a later commit replaces files, a query of the earlier moment fails with the remedy, which works."""
    root = roots.two_sources(tmp_path)
    query = "SELECT count(*), sum(record_number) FROM geo"
    with asking(tmp_path) as ask:
        assert list(ask(query).texts()) == [("24", "132")]
        put(root, IDENTITY, seed=5, count=7, tables=("geo",))
        with pytest.raises(DatasetError, match="if a later commit has replaced files, run the query again"):
            list(ask(query).texts())
    with asking(tmp_path) as ask:
        assert list(ask(query).texts()) == [("19", "87")]


def test_every_relation_of_an_empty_root_has_no_rows(tmp_path: Path) -> None:
    """All tables and views of a root without commits, and of one in which a single table has files, can be queried."""
    root = Root.open(tmp_path)
    for filled in (False, True):
        if filled:
            put(root, IDENTITY, seed=1, count=5, tables=("impression",))
        with asking(tmp_path) as ask:
            counts = {name: next(ask(f"SELECT count(*) FROM {name}").texts())[0] for name in relations()}
        assert counts["impression"] == ("5" if filled else "0")
        filled_too = {"impression", "impressions", "visits"}
        assert all(count == "0" for name, count in counts.items() if name not in filled_too)
