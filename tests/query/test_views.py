"""Flat views and `visits` have equal rows in DuckDB, Polars and Spark, those that plain Python counts."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.dataset.helpers import data_files
from tests.query.view_oracle import expected_views, in_order
from tests.scale import scaled
from wsparquet import attach, connect, convert, open_dataset, scan
from wsparquet.dataset import Root
from wsparquet.generate import GenerateOptions, generate
from wsparquet.render.views import VIEWS, columns_of_view, views_text
from wsparquet.schema import TABLES

PREFIX = "com.liveperson.dataaccess.WebSession"
PAGE = {"timestamp": 1467288498103, "url": "https://shop.example.com/", "sections": ["a"]}


def body(tag: str, payload: Any, *, visit: str | None = "odd", visitor: str | None = "b") -> dict[str, Any]:
    """A record of one visit."""
    return {"body": {f"{PREFIX}{tag}Data": {"header": {"visitId": visit, "visitorId": visitor}, **payload}}}


def attributes(*values: Any) -> dict[str, Any]:
    """A record with attributes, each with a time."""
    return body("EngAttrs", {"engagementAttributes": [{"timestamp": 1467288498103 + n, "data": v} for n, v in values]})


def purchase(order: str | None, total: float | None, lines: Any = None) -> dict[str, Any]:
    """A purchase with the products of its cart."""
    return {f"{PREFIX}Purchase": {"orderId": order, "total": total, "cart": {"products": lines}}}


LISTS: list[Any] = [
    None,
    [],
    [None],
    [{}],
    [PAGE, None, {**PAGE, "timestamp": None}],
    [{**PAGE, "url": "z"}, {**PAGE, "url": "a"}],
]
ODD = [
    *(body("Navigation", {"navigationData": pages}) for pages in LISTS),
    body("Navigation", {}),
    body("Navigation", {"navigationData": [PAGE]}, visit=None),
    body("Navigation", {"navigationData": [PAGE]}, visit="no visitor", visitor=None),
    body("Navigation", {"navigationData": [PAGE]}, visit="two visitors", visitor="b"),
    body("Navigation", {"navigationData": [PAGE]}, visit="two visitors", visitor="a"),
    *(body("Eligibility", {"eligibilityData": [{"eligibleCampaigns": each}, None]}) for each in LISTS[:4]),
    body("Geo", {"geo": {"city": "Nowhere"}}),
    body("Geo", {"geo": {"country": "Chile", "city": None}}),
    body("Geo", {"geo": {"country": "Peru", "city": "Lima"}}),
    body("SessionInfo", {"sessionInfo": {"deviceFamily": "TABLET"}}),
    body("SessionInfo", {"sessionInfo": {"sessionStartTime": 1467288498200, "deviceFamily": "DESKTOP"}}),
    body("SessionInfo", {"sessionInfo": {"sessionStartTime": 1467288498100, "deviceFamily": "MOBILE"}}),
    attributes((0, purchase("o1", 5.0)), (1, purchase("o1", 7.0)), (2, purchase(None, 1.0)), (2, purchase(None, None))),
    attributes(
        (-5, purchase("o1", 6.0, [{"quantity": 2, "product": {"name": "x", "price": 0.5}}, None, {}])), (3, None)
    ),
    attributes((0, {f"{PREFIX}CustomerInfo": {"customerType": "gold"}}), (9, {f"{PREFIX}CustomerInfo": {}})),
    attributes((7, {f"{PREFIX}CustomerInfo": {"customerType": "silver"}})),
    body("GoalAchieved", {"achievedGoals": [{"id": "g"}, {"id": "g"}, {"id": None}, None]}),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated visits, and one whose lists are null, empty or missing, whose elements are null, and whose rows tie."""
    folder = tmp_path_factory.mktemp("views")
    generate(folder / "in", GenerateOptions(files=4, size=120_000, seed=11))
    for number, account in enumerate(("75555851", None)):
        # Two sources have the same visits under two accounts, one of which is unknown.
        container = {
            "metaData": {"accountId": account},
            "recordCollection": [*ODD, body("Unknown", {}, visit=str(number))],
        }
        (folder / "in" / f"odd-{number}.json").write_text(json.dumps(container))
    assert convert(folder / "in", folder / "lake").failed == []
    return folder / "lake"


@pytest.fixture(scope="module")
def expected(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of all views."""
    lake = open_dataset(root)
    found = expected_views({table: lake.table(table).to_table().to_pylist() for table in TABLES})
    assert min(map(len, found.values())) >= 5
    return found


def assert_equal(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> None:
    """The same rows, counted first; sums may differ in their last bits."""
    assert len(found) == len(wanted)
    for ours, theirs in zip(in_order(map(rounded, found)), in_order(map(rounded, wanted)), strict=True):
        assert ours == theirs


def rounded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row whose floating point numbers have twelve digits."""
    return tuple(float(f"{each:.12g}") if isinstance(each, float) and math.isfinite(each) else each for each in row)


@pytest.mark.parametrize("view", VIEWS)
def test_duckdb_has_the_rows_that_plain_python_counts(
    root: Path, expected: dict[str, list[tuple[Any, ...]]], view: str
) -> None:
    """Every view of `connect` has the columns that its definition states, and the rows."""
    with connect(root) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        result = connection.sql(f"FROM {view}").to_arrow_table()
        assert result.column_names == [column.name for column in columns_of_view(view)]
        assert_equal([tuple(row.values()) for row in result.to_pylist()], expected[view])


@pytest.mark.parametrize("view", VIEWS)
def test_polars_has_the_rows_that_plain_python_counts(
    root: Path, expected: dict[str, list[tuple[Any, ...]]], view: str
) -> None:
    """Every view of `scan` has the columns that its definition states, with their types, and the rows."""
    frame = scan(root, view).collect()
    assert frame.columns == [column.name for column in columns_of_view(view)]
    assert frame.schema == scan_of_nothing(root.parent / "empty", view).schema
    assert_equal([tuple(map(plain, row)) for row in frame.rows()], [tuple(map(plain, row)) for row in expected[view]])


def scan_of_nothing(path: Path, view: str) -> pl.DataFrame:
    """The view of a root without rows."""
    Root.open(path)
    frame = scan(path, view).collect()
    assert frame.height == 0
    return frame


def plain(value: Any) -> Any:
    """A value whose text is the same for equal values: times of Polars have a zone of another kind."""
    return value.timestamp() if isinstance(value, datetime) else value


def test_types_are_those_of_the_definition(root: Path) -> None:
    """DuckDB and Polars return each column with its Arrow type."""
    with connect(root) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for view in VIEWS:
            schema = connection.sql(f"FROM {view} LIMIT 0").to_arrow_table().schema
            for column in columns_of_view(view):
                if not str(column.type).startswith(("list", "struct")):
                    assert schema.field(column.name).type == column.type, (view, column.name)


def test_a_day_of_a_view_reads_only_its_files(root: Path, tmp_path: Path) -> None:
    """Files of other days may be broken: the view of one day does not open them, in DuckDB and Polars."""
    shutil.copytree(root, tmp_path / "lake")
    days = "SELECT date, count(*) FROM page_views WHERE date IS NOT NULL GROUP BY ALL ORDER BY ALL LIMIT 1"
    with connect(tmp_path / "lake") as connection:
        ((day, rows),) = connection.execute(days).fetchall()
        assert rows > 5
        # DuckDB keeps what it has read of a file.
        connection.execute("SET enable_external_file_cache = false; SET parquet_metadata_cache = false")
        for part in data_files(tmp_path / "lake"):
            if f"date={day}" not in part:
                (tmp_path / "lake" / part).write_bytes(b"not Parquet")
        counted = connection.execute(f"SELECT count(*), count(url) FROM page_views WHERE date = DATE '{day}'")
        assert counted.fetchall()[0][0] == rows
    frame = scan(tmp_path / "lake", "page_views").filter(pl.col("date") == day).select("url")
    assert frame.collect().height == rows


def test_views_of_an_attached_root_read_its_own_tables(root: Path, tmp_path: Path) -> None:
    """Two roots in one connection, and tables of the user with the same names, do not mix."""
    Root.open(tmp_path)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE navigation AS SELECT 1 AS visitId")
        attach(connection, root, name='full "lake"')
        attach(connection, tmp_path, name="empty")
        (full,) = connection.execute('SELECT count(*) FROM "full ""lake""".visits').fetchone()
        (empty,) = connection.execute("SELECT count(*) FROM empty.visits").fetchone()
        assert (full > 0, empty) == (True, 0)


SPARK = """
import json, sys
from pyspark.sql import SparkSession
from wsparquet.schema import TABLES
root, views, *names = sys.argv[1:]
spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "2").getOrCreate())
for table in TABLES:
    spark.read.parquet(f"{root}/record_type={table}").createOrReplaceTempView(table)
for statement in open(views).read().split(";\\n"):
    if statement.strip():
        spark.sql(statement.replace("CREATE OR REPLACE VIEW", "CREATE OR REPLACE TEMPORARY VIEW"))
for name in names:
    rows = [row.asDict(recursive=True) for row in spark.table(name).collect()]
    print("VIEW", json.dumps({"name": name, "columns": spark.table(name).columns,
        "rows": [[str(v) if v is not None and not isinstance(v, (int, float, bool)) else v for v in row.values()]
                 for row in rows]}))
"""


@pytest.mark.skipif(find_spec("pyspark") is None or shutil.which("java") is None, reason="needs PySpark and Java")
def test_spark_has_the_rows_that_plain_python_counts(
    root: Path, expected: dict[str, list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    """The views as Spark's SQL states them: all of them in full runs, because planning their queries takes a minute."""
    (tmp_path / "views.sql").write_text(views_text("spark"))
    names = scaled([*VIEWS], ["page_views", "personal_info"])
    done = subprocess.run(
        [sys.executable, "-c", SPARK, str(root), str(tmp_path / "views.sql"), *names],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = {each["name"]: each for each in map(json.loads, lines_of(done.stdout))}
    assert {*found} == {*names}
    for view in names:
        assert found[view]["columns"] == [column.name for column in columns_of_view(view)]
        assert len(found[view]["rows"]) == len(expected[view]) > 0
        assert_equal(
            [tuple(row) for row in found[view]["rows"]], [tuple(map(as_spark_prints, row)) for row in expected[view]]
        )


def lines_of(output: str) -> list[str]:
    """The lines that have a view."""
    return [line.removeprefix("VIEW ") for line in output.splitlines() if line.startswith("VIEW ")]


def as_spark_prints(value: Any) -> Any:
    """What the program above prints of a value: times without a zone."""
    if value is None or isinstance(value, int | float):
        return value
    return str(value).removesuffix("+00:00")
