"""wsparquet/retention.py: rows of old days go, stay away whatever is converted, and all counts stay true."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import wsparquet
from tests.support.at_rest import assert_at_rest, files_below
from wsparquet.compaction import CompactOptions, compact_root
from wsparquet.dataset import Root
from wsparquet.errors import OptionError, SchemaError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.layout import day_part_path

DAY_MS = 86_400_000
AGE = timedelta(days=9)
TODAY = datetime.now(UTC).date()
FIRST = TODAY - AGE
"""The first day that does not expire after ``AGE``."""


def sources(folder: Path) -> Path:
    """Files of the ten days up to yesterday, with visits that span midnight, so that each file has rows of two days."""
    folder.mkdir()
    for days in range(1, 12):
        start = int(datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC).timestamp() * 1000) - days * DAY_MS
        generate(folder, GenerateOptions(records=40, seed=days, start_ms=start, preset="hard", midnight=0.5))
    return folder


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files; no test may change them."""
    return sources(tmp_path_factory.mktemp("retention") / "downloads")


@pytest.fixture
def lake(downloads: Path, tmp_path: Path) -> Path:
    """A root with the files in it."""
    assert wsparquet.convert(downloads, to=tmp_path / "lake").exit_code == 0
    return tmp_path / "lake"


def rows(lake: Path) -> Counter[tuple[str, date | None]]:
    """How many rows count of each table and day."""
    found = wsparquet.open_dataset(lake)
    return Counter(
        (table, day) for table in found.tables for day in found.table(table).to_table(["date"])["date"].to_pylist()
    )


def kept(counts: Counter[tuple[str, date | None]], *tables: str) -> Counter[tuple[str, date | None]]:
    """The counts without the expired days of some tables, or of all."""
    expired = {key for key in counts if key[1] is not None and key[1] < FIRST and (not tables or key[0] in tables)}
    return Counter({key: count for key, count in counts.items() if key not in expired})


def assert_right(lake: Path, downloads: Path) -> None:
    """Nothing is left half done, and all records agree with the files, and with the sources."""
    assert_at_rest(lake)
    assert wsparquet.verify(lake, against=downloads).problems == []


@pytest.mark.parametrize("compacted", [False, True])
def test_old_days_go_and_stay_away(lake: Path, downloads: Path, compacted: bool) -> None:
    """From own parts and from day parts; converted again, all at once or new, the old rows are counted and left out."""
    if compacted:
        compact_root(Root.open(lake), CompactOptions(min_files=2, older_than=timedelta(0)))
    before = rows(lake)
    gone = before.total() - kept(before).total()
    assert 0 < gone < before.total()
    dry = wsparquet.expire(lake, older_than=AGE)
    assert (dry.dry_run, sum(each.rows for each in dry.tables)) == (True, gone)
    assert rows(lake) == before
    done = wsparquet.expire(lake, older_than=AGE, yes=True)
    assert [each.before for each in done.tables] == [FIRST] * len(wsparquet.TABLES)
    assert sum(each.rows for each in done.tables) == gone
    assert rows(lake) == kept(before)
    expired = {f"/date={day}/" for _, day in before.keys() - kept(before).keys()}
    assert not [path for path in files_below(lake) if any(day in path for day in expired)]
    assert_right(lake, downloads)
    again = wsparquet.convert(downloads, to=lake, again=True)
    assert again.left_out == {"expired": gone}
    assert again.records == sum(again.rows.values()) + gone
    assert rows(lake) == kept(before)
    assert_right(lake, downloads)
    new = wsparquet.convert(downloads, to=lake, again=True, decoder="reference", dry_run=True)
    assert (new.left_out, new.rows) == (again.left_out, again.rows)


def test_tables_expire_apart_and_days_never_come_back(lake: Path, downloads: Path) -> None:
    """Only the named tables lose rows; a greater age later brings none back, and ``stop`` lets runs add them again."""
    before = rows(lake)
    with pytest.raises(OptionError, match="did you mean geo"):
        wsparquet.expire(lake, older_than=AGE, tables=["gee"], yes=True)
    wsparquet.expire(lake, older_than=AGE, tables=["geo", "navigation"], yes=True)
    assert rows(lake) == kept(before, "geo", "navigation")
    wsparquet.expire(lake, older_than=timedelta(days=999_999), yes=True)
    wsparquet.convert(downloads, to=lake, again=True)
    assert rows(lake) == kept(before, "geo", "navigation")
    assert wsparquet.expire(lake, stop=True, tables=["geo"]).dry_run
    wsparquet.expire(lake, stop=True, tables=["geo"], yes=True)
    wsparquet.convert(downloads, to=lake, again=True)
    assert rows(lake) == kept(before, "navigation")
    wsparquet.expire(lake, stop=True, yes=True)
    wsparquet.convert(downloads, to=lake, again=True)
    assert rows(lake) == before
    assert_right(lake, downloads)
    assert json.loads((lake / "_wsparquet/root.json").read_text())["requires"] == []


def test_the_next_call_finishes_what_other_runs_left(lake: Path, downloads: Path) -> None:
    """Rows that a compaction has merged, or a conversion has committed, while their days expired."""
    before = rows(lake)
    root = Root.open(lake)
    compact_root(root, CompactOptions(min_files=2, older_than=timedelta(0)))
    days = root.log.days()
    wsparquet.expire(lake, older_than=AGE, yes=True)
    # A compaction that began earlier writes its record last.
    late = next(record for record in days.values() if record.identity.day and record.identity.day < FIRST)
    for number, part in enumerate(late.parts):
        assert part.path.startswith(day_part_path(late.identity.key, part.table, "")[:-8])
        (lake / part.path).parent.mkdir(exist_ok=True)
        (lake / part.path).write_bytes(b"merged" * number)
    (lake / late.path).write_bytes(late.to_json())
    done = wsparquet.expire(lake, older_than=AGE, yes=True)
    assert sum(each.rows for each in done.tables) == sum(part.rows for part in late.parts)
    assert rows(lake) == kept(before)
    assert_right(lake, downloads)


def test_an_older_software_refuses_a_root_with_expired_days(lake: Path) -> None:
    """It would convert the rows of expired days again: the root requires the feature."""
    wsparquet.expire(lake, older_than=AGE, yes=True)
    path = lake / "_wsparquet/root.json"
    values = json.loads(path.read_text())
    assert values["requires"] == ["expired"]
    path.write_text(json.dumps(values | {"requires": ["expired", "telepathy"]}))
    with pytest.raises(SchemaError, match="requires telepathy"):
        wsparquet.expire(lake, older_than=AGE)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "either an age or"),
        ({"older_than": AGE, "stop": True}, "both"),
        ({"older_than": 9}, "timedelta"),
        ({"older_than": AGE, "tables": "geo"}, "a list of tables"),
        ({"older_than": AGE, "yes": 1}, "True or False"),
    ],
)
def test_wrong_parameters_change_nothing(tmp_path: Path, wrong: dict[str, object], says: str) -> None:
    """Each is refused before the root is opened."""
    with pytest.raises(OptionError, match=says):
        wsparquet.expire(tmp_path / "none", **wrong)  # type: ignore[arg-type]
