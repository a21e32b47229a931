"""Records a workload, and lets the next run start from states that a crash during it could leave."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyiceberg.table import StaticTable

import wsparquet
from tests.support.at_rest import assert_at_rest
from tests.support.tables import FEW, few_tables
from tests.system.helpers import QUARANTINE, Rows, assert_each_whole, assert_same, committed_rows, without_quarantine
from tests.system.power.recorder import Recorder
from tests.system.power.states import State
from tests.system.power.trace import Trace
from tests.system.power.workloads import (
    WORKLOADS,
    Place,
    Work,
    Workload,
    again,
    make_inputs,
    results,
)
from wsparquet.layout import ICEBERG

MEMORY = Path("/dev/shm")
"""A folder in memory, if the system has it: states are many small files."""


@contextmanager
def trials() -> Iterator[Trials]:
    """Provide trials in a folder of their own, in memory if that is possible."""
    home = MEMORY if os.access(MEMORY, os.W_OK) else None
    # Each simulated kill collects garbage. Otherwise it would look for seconds at what earlier tests have left.
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="wsparquet-power-", dir=home) as folder:
        yield Trials(Path(folder).resolve())


class Trials:
    """A folder with the inputs, the recorded workloads, and the states that are tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = make_inputs(folder / "inputs")
        self.world = folder / "world"
        self._number = 0
        self._trials: dict[str, Trial] = {}

    def new_folder(self) -> Path:
        """Return the path of a new folder."""
        self._number += 1
        return self.folder / str(self._number)

    def trial(self, name: str) -> Trial:
        """Return the trial of a workload, recorded once."""
        if name not in self._trials:
            self._trials[name] = Trial(self, WORKLOADS[name])
        return self._trials[name]


class Trial:
    """A recorded workload; ``old`` and ``new`` are the rows before and after an undisturbed run.

    All worlds are at one place, one after the other, because the metadata of Iceberg tables has absolute paths.
    """

    def __init__(self, home: Trials, work: Workload) -> None:
        self.home = home
        self.work = work
        self.store = home.new_folder()
        self.store.mkdir()
        with self.context():
            recorder, place = self.begin()
            self.old = rows_on_disk(place.root)
            with recorder.recording():
                work.run(place)
        self.new = rows_on_disk(place.root)
        self.results = results(place)
        self.trace: Trace = recorder.trace
        shutil.rmtree(place.world)

    def context(self) -> Any:
        """Return the context in which the workload runs."""
        return few_tables() if self.work.published else nullcontext()

    def begin(self) -> tuple[Recorder, Place]:
        """Return a new world as the workload needs it, and its recorder."""
        place = Place(self.home.world, self.home.inputs)
        # A trial that failed has left its world.
        shutil.rmtree(place.world, ignore_errors=True)
        place.world.mkdir()
        self.work.before(place)
        return Recorder(place.world), place

    def interrupted(self, kill_at: int, then: Work | None = None) -> Trace:
        """Return the trace of the next run, or of ``then``, after a run that was killed before its n-th change or sync.

        What the killed run had not synced may still be lost while the next run works.
        """
        with self.context():
            recorder, place = self.begin()
            try:
                with recorder.recording(kill_at=kill_at):
                    self.work.run(place)
                recorder.trace.start = len(recorder.trace.events)
                with recorder.recording():
                    again(self.work, place) if then is None else then(place)
                return recorder.trace
            finally:
                shutil.rmtree(place.world)

    def failure(self, state: State) -> str | None:
        """Return what is wrong after the next run from a state, or None."""
        place = Place(self.home.world, self.home.inputs)
        state.build(place.world, self.store)
        try:
            with self.context():
                self._check(place, done=state.done)
        except Exception as error:  # noqa: BLE001 - whatever fails, the state has no right end
            line = traceback.extract_tb(error.__traceback__)[-1].line
            return f"{self.work.name} after {state}: {line}: {type(error).__name__}: {str(error)[:1000]}"
        finally:
            shutil.rmtree(place.world)
        return None

    def first_failure(self, states: Iterable[State]) -> str | None:
        """Return the first failure of the states, or None."""
        return next((found for state in states if (found := self.failure(state))), None)

    def _check(self, place: Place, *, done: bool) -> None:
        old, new = without_quarantine(self.old), without_quarantine(self.new)
        if done:
            assert_same(rows_on_disk(place.root), self.new)
            assert_same(committed_rows(place.root), new)
            assert results(place) == self.results
        elif self.work.readable:
            assert_each_whole(committed_rows(place.root), old, new)
        if self.work.published:
            self._check_published(place, done=done)
        again(self.work, place)
        if self.work.published:
            self._check_published(place, done=True)
        assert_same(rows_on_disk(place.root), self.new)
        assert wsparquet.verify(place.root).problems == []
        assert_at_rest(place.root)

    def _check_published(self, place: Place, *, done: bool) -> None:
        """Assert that a reader of the published tables sees old or new rows, or new ones if the run is ``done``."""
        for table in FEW:
            old, new = (
                {source: {table: rows[table]} for source, rows in state.items() if table in rows}
                for state in map(without_quarantine, (self.old, self.new))
            )
            folder = place.root / ICEBERG / table
            if done or (folder / "metadata/version-hint.text").exists():
                tasks = StaticTable.from_metadata(str(folder)).scan().plan_files()
                found = rows_of_files([Path(task.file.file_path) for task in tasks])
                assert_same(found, new) if done else assert_each_whole(found, old, new)


def rows_on_disk(root: Path) -> Rows:
    """Return every row in the tables' folders with its date, and all quarantined text; records are not asked."""
    rows = rows_of_files(root.glob("record_type=*/date=*/*.parquet"))
    for path in sorted(root.glob("_wsparquet/quarantine/*/*.ndjson")):
        rows.setdefault(path.name.rsplit(".", 2)[0], {}).setdefault(QUARANTINE, []).extend(path.read_text().split("\n"))
    return rows


def rows_of_files(paths: Iterable[Path]) -> Rows:
    """Return every row of some files of tables, with its date."""
    rows: Rows = {}
    for path in sorted(paths):
        table, date = (part.partition("=")[2] for part in path.parts[-3:-1])
        for row in pq.ParquetFile(path).read().to_pylist():
            rows.setdefault(row["source_file"], {}).setdefault(table, []).append({**row, "date": date})
    for tables in rows.values():
        for found in tables.values():
            found.sort(key=lambda row: row["record_number"])
    return rows
