"""Whether the how-to pages are true: what can run here runs; the rest is checked by schemas, parsers and click."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from tests.cli.program import PROGRAM, run
from tests.guides.pages import DOCS, ROOT, agrees, blocks, follow, page
from tests.guides.snippets import run_python, run_sql
from wsparquet.api.credentials import Credentials
from wsparquet.cli import cli
from wsparquet.schema import TABLES

RUN = ["python", "polars", "cookbook", "duckdb", "extensions", "iceberg", "load-changes", "masks", "monitor"]
RUN += ["upgrade"]
"""Pages whose commands, Python and SQL all run here."""

GUIDES = sorted(path.name for path in (DOCS / "how-to").glob("*.md"))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with a few sessions of generated files."""
    folder = tmp_path_factory.mktemp("guides")
    assert run("generate", folder / "raw", "--files", 8, "--size", "100k", "--seed", 7).code == 0
    assert run("convert", folder / "raw", "--to", folder / "lake").code == 0
    return folder / "lake"


@pytest.mark.long
@pytest.mark.parametrize("name", RUN)
def test_a_page_works_as_written(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its commands end with 0 and its Python and SQL answer what the page shows, one after the other in one folder."""
    for command, code, out in follow(f"how-to/{name}.md", tmp_path):
        assert (code, agrees(command.expected, out)) == (0, True), f"{name}.md:{command.line} printed:\n{out}"
    monkeypatch.chdir(tmp_path)
    connection = duckdb.connect()
    answers = len(run_python(f"how-to/{name}.md")) + len(run_sql(f"how-to/{name}.md", connection))
    assert answers >= {"polars": 5, "duckdb": 6}.get(name, 0)


def test_a_moved_root_is_current(tmp_path: Path) -> None:
    """The commands of the page on moving copy a root, and the copy has every source committed."""
    for command, code, out in follow("how-to/move-a-root.md", tmp_path):
        assert (code, agrees(command.expected, out)) == (0, True), f"{command.line}: {out}"


@pytest.mark.parametrize("name", GUIDES)
def test_python_of_every_page_is_python(name: str) -> None:
    """Blocks that need Spark, Airflow or a bucket at least parse."""
    for block in blocks(f"how-to/{name}", "python"):
        ast.parse(block.text)


@pytest.mark.parametrize("name", GUIDES)
def test_every_option_of_a_command_line_is_its_own(name: str) -> None:
    """A command line in a block, service unit or crontab has only options that this command has."""
    for block in blocks(f"how-to/{name}"):
        for command, line in re.findall(rf"\bwsparquet ({'|'.join(cli.commands)})\b([^\n|>]*)", block.text):
            known = {option for each in cli.commands[command].params for option in each.opts}
            assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= known, f"{name}:{block.line}: {command} {line}"


def test_the_site_says_where_every_page_is() -> None:
    """The first page leads to every how-to page."""
    for name in GUIDES:
        assert f"(how-to/{name})" in page("index.md")


# --- Engines ----------------------------------------------------------------------------------------------------------


def _views(lake: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for folder in lake.glob("record_type=*"):
        table = folder.name.removeprefix("record_type=")
        files = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = true)"
        connection.execute(f"CREATE VIEW {table} AS FROM {files}")
    return connection


def _unqualify(table: exp.Table) -> None:
    """Leave only the name of the table itself, without its catalog and database."""
    table.replace(exp.to_table(table.name))


def _queries(name: str, dialect: str) -> list[exp.Query]:
    """The SELECT statements of a page, parsed as the engine's SQL; other statements have to parse, too."""
    texts = [block.text for block in blocks(f"how-to/{name}.md", "sql") if not block.text.startswith("TBLPROPERTIES")]
    parsed = [each for text in texts for each in sqlglot.parse(text, dialect=dialect) if each is not None]
    return [each for each in parsed if isinstance(each, exp.Select)]


@pytest.mark.parametrize(
    ("name", "dialect", "count"),
    [
        ("athena", "athena", 3),
        ("bigquery", "bigquery", 3),
        ("databricks", "databricks", 1),
        ("trino", "trino", 1),
    ],
)
def test_queries_of_other_engines_answer_in_duckdb(lake: Path, name: str, dialect: str, count: int) -> None:
    """Translated to DuckDB, each query of the page finds rows of the lake, none of them all null."""
    connection = _views(lake)
    queries = _queries(name, dialect)
    assert len(queries) == count
    for query in queries:
        for table in query.find_all(exp.Table):
            _unqualify(table)
        rows = connection.sql(query.sql(dialect="duckdb")).fetchall()
        assert rows, query.sql()
        assert all(value is not None for row in rows for value in row), query.sql()


def test_a_query_of_another_engine_counts_as_duckdb_does(lake: Path) -> None:
    """The most viewed pages are the same by Athena's, BigQuery's and Spark's query."""
    connection = _views(lake)
    wanted = """
        SELECT page.url, count(*) AS views, count(DISTINCT visitId) AS visits
        FROM (SELECT visitId, unnest(navigationData) AS page FROM navigation) WHERE page.url IS NOT NULL
        GROUP BY page.url ORDER BY views DESC, page.url LIMIT 5
    """
    answers = []
    for name in ("athena", "bigquery"):
        (query,) = [each for each in _queries(name, name) if "views" in each.named_selects]
        for table in query.find_all(exp.Table):
            _unqualify(table)
        answers.append(connection.sql(query.sql(dialect="duckdb")).fetchall())
    (spark,) = re.findall(r'spark\.sql\("""(.*?)"""\)', page("how-to/spark.md"), re.DOTALL)
    answers.append(connection.sql(sqlglot.transpile(spark, read="spark", write="duckdb")[0]).fetchall())
    assert answers == [connection.sql(wanted).fetchall()] * 3


def test_athenas_projection_is_that_of_the_rendered_tables() -> None:
    """The properties on the page are those of every table in ``schemas/athena``."""
    (properties,) = [each.text for each in blocks("how-to/athena.md", "sql") if each.text.startswith("TBLPROPERTIES")]
    for table in TABLES:
        assert properties.strip() in (ROOT / f"schemas/athena/{table}.sql").read_text(encoding="utf-8")


def test_bigquerys_option_is_in_every_way_to_load() -> None:
    """List inference stands in the load and in the external table; without it lists are lost silently."""
    text = page("how-to/bigquery.md")
    assert "--parquet_enable_list_inference=true" in text
    assert "enable_list_inference = true" in text
    assert "enable_list_inference" in (ROOT / "schemas/README.md").read_text(encoding="utf-8")


def test_sparks_schema_is_one_that_there_is() -> None:
    """The file that the page reads is rendered, and each SQL block parses as Spark's SQL."""
    for path in re.findall(r'open\("(schemas/[^"]+)"\)', page("how-to/spark.md")):
        assert (ROOT / path).is_file()
    for block in blocks("how-to/spark.md", "sql"):
        assert all(sqlglot.parse(block.text, dialect="spark"))


# --- Schedules --------------------------------------------------------------------------------------------------------


def _unit(suffix: str) -> str:
    (text,) = [each.text for each in blocks("how-to/schedule.md", "ini") if each.text.splitlines()[0].endswith(suffix)]
    return text


def test_units_are_well_formed() -> None:
    """Both unit files have the sections that systemd asks for."""
    for suffix, sections in ((".service", ["Unit", "Service"]), (".timer", ["Unit", "Timer", "Install"])):
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.read_string(_unit(suffix))
        assert parser.sections() == sections


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """``systemd-analyze verify`` has no objection, once the program and the user are those of this machine."""
    service = _unit(".service").replace("/usr/local/bin/wsparquet", str(PROGRAM)).replace("User=wsparquet\n", "")
    (tmp_path / "wsparquet-sync.service").write_text(service, encoding="utf-8")
    (tmp_path / "wsparquet-sync.timer").write_text(_unit(".timer"), encoding="utf-8")
    units = [str(tmp_path / f"wsparquet-sync.{suffix}") for suffix in ("service", "timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, str(tmp_path) in done.stderr) == (0, False), done.stderr


def test_the_credentials_file_is_one_that_wsparquet_reads(tmp_path: Path) -> None:
    """The TOML on the page has exactly the fields that a credentials file needs."""
    (block,) = blocks("how-to/schedule.md", "toml")
    assert set(tomllib.loads(block.text)) == {"app_key", "app_secret", "access_token", "access_token_secret"}
    file = tmp_path / "credentials.toml"
    file.write_text(block.text, encoding="utf-8")
    file.chmod(0o600)
    assert isinstance(Credentials.load(file), Credentials)
