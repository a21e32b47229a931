"""Definitions that name the files of a root run as they are printed, whatever the root is called and lacks."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
import sqlglot

from tests.cli.program import run
from tests.store.s3.lake import Lake
from wsparquet import convert, open_dataset, schema_text
from wsparquet.dataset import Root
from wsparquet.errors import OptionError, SchemaError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.schema import TABLES

ONE = {"recordCollection": [{"body": {"WebSessionGeoData": {"geo": {"city": "x"}}}}]}
NAMES = ["lake", 'it\'s "mine"', "[a]*?{b}", "env=prod/lake 100%", "ä\u2028"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file with records of every type, and one with a single record without a date."""
    folder = tmp_path_factory.mktemp("sources")
    generate(folder / "all", GenerateOptions(size=20_000, seed=1, defects=True))
    (folder / "one.json").write_text(json.dumps(ONE))
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_duckdb_runs_what_is_printed(name: str, sources: Path, tmp_path: Path) -> None:
    """Each table is a view with its columns, types and rows, and without rows if the root has no files of it."""
    for source, tables in (("one.json", 1), ("all", len(TABLES))):
        root = tmp_path / source / name
        convert(sources / source, root)
        printed = run("schema", "--as", "duckdb", "--root", root)
        assert (printed.code, printed.err) == (0, "")
        lake = open_dataset(root)
        assert len(lake.empty_tables) == len(TABLES) - tables
        with duckdb.connect() as connection:
            connection.execute(printed.out)
            for table in TABLES:
                (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
                assert found == (lake.table(table).count_rows(),)
                described = connection.execute(f"DESCRIBE {table}").fetchall()
                assert described == connection.execute(f"DESCRIBE {table}_typed").fetchall()
                connection.execute(f"INSERT INTO {table}_typed BY NAME FROM {table}")


def test_duckdb_reads_no_path_with_a_backslash(tmp_path: Path, sources: Path) -> None:
    """It finds no file there, so an error says so in place of a view that fails."""
    convert(sources / "one.json", tmp_path / "a\\b")
    ran = run("schema", "--as", "duckdb", "--root", tmp_path / "a\\b")
    assert (ran.code, ran.out, "a path with a backslash" in ran.err) == (1, "", True)


def test_an_empty_root_has_empty_views(tmp_path: Path) -> None:
    """A root without commits can be prepared for; a folder without a root is an error."""
    Root.open(tmp_path / "lake")
    with duckdb.connect() as connection:
        connection.execute(run("schema", "--as", "duckdb", "--root", tmp_path / "lake").out)
        assert connection.execute("SELECT count(*) FROM navigation").fetchall() == [(0,)]
    none = run("schema", "--as", "duckdb", "--root", tmp_path)
    assert (none.code, "expected a root" in none.err) == (1, True)


@pytest.mark.parametrize("root", ["s3://bucket/a b/it's", "s3a://bucket/a b/it's/", "/srv/x=1/it's"])
def test_athena_and_spark_name_the_location(root: str) -> None:
    """Each statement has the folder of its table, in the scheme that the engine reads."""
    place = root.replace("s3a://", "s3://").rstrip("/").replace("'", "\\'")
    place = place if place.startswith("s3") else f"file://{place}"
    athena = schema_text(form="athena", root=root)
    spark = schema_text(form="spark", root=root)
    for table in TABLES:
        assert f"LOCATION '{place}/record_type={table}/'\n" in athena
        assert f"LOCATION '{place.replace('s3://', 's3a://')}/record_type={table}'\n" in spark


def test_athena_needs_no_root_yet(bucket: Lake, tmp_path: Path) -> None:
    """Before the first conversion, on a disk and in a bucket, the documented tables can be created."""
    for root in (str(tmp_path / "lake"), bucket.url):
        ran = run("schema", "--as", "athena", "--root", root, *bucket.flags)
        assert (ran.code, ran.out) == (0, schema_text(form="athena", root=root))


def test_spark_repairs_only_tables_that_have_files(sources: Path, tmp_path: Path) -> None:
    """The statements parse, with every column and the partition; Spark fails to repair a table without a folder."""
    convert(sources / "one.json", tmp_path / "lake")
    printed = run("schema", "--as", "spark", "--root", tmp_path / "lake")
    statements = [statement for statement in sqlglot.parse(printed.out, dialect="spark") if statement]
    tables = [each for each in statements if isinstance(each, sqlglot.exp.Create)]
    assert (printed.code, len(tables), len(statements)) == (0, len(TABLES), len(TABLES) + 1)
    assert printed.out.count("\nMSCK REPAIR TABLE ") == printed.out.count("MSCK REPAIR TABLE `geo`;\n") == 1
    for created, table in zip(tables, TABLES.values(), strict=True):
        assert isinstance(created.this, sqlglot.exp.Schema)
        names = [column.name for column in created.this.expressions if isinstance(column, sqlglot.exp.ColumnDef)]
        assert names == [*table.schema.names, "date"]


def test_columns_as_json() -> None:
    """One table is an object with its columns by path; all tables are objects by name; a text form is refused."""
    ran = run("schema", "geo", "--output", "json")
    assert (ran.code, ran.out.isascii()) == (0, True)
    columns = {each["column"]: each for each in ran.json["columns"]}
    assert (ran.json["table"], *list(columns)[:: len(columns) - 1]) == ("geo", "visitId", "date")
    assert columns["metaData.startTime"]["type"].startswith("timestamp")
    assert columns["city"]["description"] == "City name."
    everything = run("schema", "--output", "json").json
    assert (list(everything), everything["geo"]) == (list(TABLES), ran.json)
    for form in ("spark", "avro", "bigquery", "iceberg"):
        assert run("schema", "geo", "--as", form, "--output", "json").out == run("schema", "geo", "--as", form).out
    refused = run("schema", "geo", "--as", "duckdb", "--output", "json")
    assert (refused.code, "expected --as arrow, avro, spark, bigquery or iceberg with" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("GEO", "geo"), ("SessionInfo", "session_info"), ("goal-achieved", "goal_achieved"), ("nav", "navigation"),
     ("impresion", "impression"), ("engagementattributes", "engagement_attributes"), ("zzz", None)],
)  # fmt: skip
def test_a_near_name_is_suggested(given: str, meant: str | None, tmp_path: Path) -> None:
    """Case, dashes and blanks, a slip, or only the beginning: the table is suggested, in the program and in Python."""
    end = f"; did you mean {meant}?" if meant else f"found '{given}'"
    ran = run("schema", given)
    assert (ran.code, ran.err.rstrip().endswith(end)) == (2, True)
    with pytest.raises(OptionError) as caught:
        schema_text(given)
    assert str(caught.value).endswith(end)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--root", "lake"), "expected --as duckdb, athena or spark with --root, found --as arrow"),
        (("--as", "avro", "--root", "lake"), "found --as avro"),
        (("--remote", "--account", "1", "--root", "x"), "expected --root with wsparquet's own definitions"),
        (("--storage-option", "a=b"), "expected --root with --storage-option"),
        (("--as", "athena", "--root", "lake", "--extension", __file__), "expected one of --root and --extension"),
        (("--as", "athena", "--root", "http://x/y"), "expected a folder on a local disk or s3://BUCKET/PATH"),
    ],
)
def test_a_root_with_other_forms_is_wrong_usage(options: tuple[str, ...], said: str) -> None:
    """No option is ignored."""
    ran = run("schema", *options)
    assert (ran.code, said in ran.err) == (2, True)


def test_the_library_says_the_same() -> None:
    """A form that names no files is an error that names the parameter."""
    with pytest.raises(OptionError, match="form"):
        schema_text("geo", "avro", root="lake")
    with pytest.raises(SchemaError, match="backslash"):
        schema_text("geo", "duckdb", root="a\\b")
