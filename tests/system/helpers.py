"""The command as a process of its own, forked or started, and roots looked at as a stranger would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.forked import run_to_end
from wsparquet import open_dataset
from wsparquet.generate import GenerateOptions, generate
from wsparquet.layout import is_root

COMMAND = Path(sys.executable).with_name("wsparquet")
SECONDS = 120
"""How long a command may take before a test gives it up."""

# Two hours before midnight, so that the rows of a few files lie on two dates.
EVENING_MS = 1_467_324_000_000
QUARANTINE = "(quarantine)"
STATE = "_wsparquet"

Rows = dict[str, dict[str, list[Any]]]
"""By source file, then by table: all rows in the order of their numbers, or what was quarantined."""


@dataclass(frozen=True)
class Ended:
    """What a command said, and its exit code."""

    code: int
    stdout: str
    stderr: str

    @property
    def summary(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        found = json.loads(self.stdout)
        assert isinstance(found, dict)
        return found


def convert_command(root: Path, *arguments: str | Path) -> list[str]:
    """The command line of a conversion that answers in JSON; sources and options in any order."""
    return [str(COMMAND), "convert", *map(str, arguments), "--to", str(root), "--output", "json"]


def run(command: Sequence[str | Path]) -> Ended:
    """A command to its end; what is expected of a command is one line, so a traceback is never.

    The program is forked, and other commands are started.
    """
    if command[0] in {COMMAND, str(COMMAND)}:
        code, out, err = run_to_end(command[1:], timeout=SECONDS)
    else:
        done = subprocess.run([str(part) for part in command], capture_output=True, timeout=SECONDS, check=False)
        code, out, err = done.returncode, done.stdout, done.stderr
    ended = Ended(code, out.decode(), err.decode())
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


def convert(root: Path, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
    """The summary of a conversion that ends with the exit code ``code``."""
    ended = run(convert_command(root, *arguments))
    assert ended.code == code, (ended.code, ended.stdout, ended.stderr)
    return ended.summary


def make_sources(folder: Path, *, seed: int = 0, files: int = 6, size: int = 40_000, dirty: bool = True) -> Path:
    """A folder with files of an evening under API names, with ``dirty`` one of which has a bit of everything wrong."""
    options = GenerateOptions(files=files, size=size, seed=seed, start_ms=EVENING_MS)
    generate(folder, options)
    if dirty:
        kinds = ("body_null", "garbage_line", "unknown_field", "invalid_utf8")
        generate(folder, GenerateOptions(size=size, seed=seed, start_ms=EVENING_MS, defects=True, only=kinds))
    return folder


# --- Roots ------------------------------------------------------------------------------------------------------------


def table_folders(root: Path) -> list[Path]:
    """The folders of all tables that have rows."""
    return sorted(root.glob("record_type=*"))


def table_name(folder: Path) -> str:
    """The name of the table in a folder."""
    return folder.name.removeprefix("record_type=")


def rows_on_disk(root: Path) -> Rows:
    """Every row that an engine finds in the tables' folders, and all quarantined text; records are not asked."""
    rows: Rows = {}
    for folder in table_folders(root):
        add_rows(rows, table_name(folder), pq.read_table(folder))
    for path in (root / STATE / "quarantine").rglob("*.ndjson"):
        name = f"{path.name.partition('.')[0]} {path.name.rsplit('.', 2)[0]}"
        entries = sorted(path.read_text().splitlines())
        rows.setdefault(name, {}).setdefault(QUARANTINE, []).extend(entries)
    return rows


def committed_rows(root: Path) -> Rows:
    """Every row that ``wsparquet.open_dataset`` finds; none before the first commit has made the root."""
    rows: Rows = {}
    if not is_root(root):
        return rows
    lake = open_dataset(root)
    for name in lake.tables:
        add_rows(rows, name, lake.table(name).to_table())
    return rows


def add_rows(rows: Rows, name: str, table: pa.Table) -> None:
    """Add a table's rows by source file, dates as text, in the order of their numbers."""
    date = table["date"].cast(pa.string())
    ordered = table.set_column(table.column_names.index("date"), "date", date).sort_by("record_number")
    for row in ordered.to_pylist():
        rows.setdefault(row["source_file"], {}).setdefault(name, []).append(row)


def without_quarantine(rows: Rows) -> Rows:
    """The rows alone, as engines see them."""
    return {source: tables for source, tables in rows.items() if QUARANTINE not in tables}


def counts(rows: Rows) -> dict[str, dict[str, int]]:
    """How many rows there are, by source file and table."""
    return {source: {name: len(found) for name, found in tables.items()} for source, tables in rows.items()}


def assert_same(found: Rows, expected: Rows) -> None:
    """The same sources have the same rows in the same tables on the same dates, counts first."""
    assert counts(found) == counts(expected)
    for source, tables in expected.items():
        for name, rows in tables.items():
            for mine, theirs in zip(found[source][name], rows, strict=True):
                assert mine == theirs


def assert_each_whole(found: Rows, *states: Rows) -> None:
    """Every source has all the rows of one of the states, or none where it is missing in one; none has others."""
    for source in {*found, *(source for state in states for source in state)}:
        allowed = [state.get(source, {}) for state in states]
        mine = found.get(source, {})
        sizes = [{name: len(rows) for name, rows in tables.items()} for tables in allowed]
        assert {name: len(rows) for name, rows in mine.items()} in sizes
        assert mine in allowed
