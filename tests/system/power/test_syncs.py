"""No sync is superfluous: without any one of them, a crash can leave a state from which something goes wrong.

The trace tells what was synced where, so a test only has to ignore the syncs of one site, and to try the states that
this adds. ``CATCHERS`` has one workload for each site; the full tests try all workloads and print a table.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import wsparquet
from tests.scale import FULL, scaled
from tests.system.power.recorder import HELPERS
from tests.system.power.states import State, states
from tests.system.power.trace import Trace
from tests.system.power.trial import Trial, Trials, trials
from tests.system.power.workloads import WORKLOADS, Place
from wsparquet.dataset import Root

CATCHERS = {
    # The data of files, before they get their names.
    "Writers.close tmp part": "add",
    "Attempt._close_quarantine tmp quarantine.ndjson": "add",
    "Workspace.write tmp intent.json": "refer",
    "Workspace.write tmp record.json": "remove",
    "Workspace.write tmp put": "add",
    "Attempt.replace_quarantine tmp kept-quarantine.ndjson": "erase",
    "_Output._end_file tmp part": "compact",
    # New names.
    "LocalDisk.create _wsparquet": "add",
    "LocalDisk.create intents/*": "newer",
    "LocalDisk.create commits/*/*": "add",
    "LocalDisk.create day_intents/*": "compact",
    "LocalDisk.create days/*": "compact",
    "LocalDisk._move table/*": "redo",
    "LocalDisk._move quarantine/*": "newer",
    "LocalDisk._move commits/*/*": "newer",
    "LocalDisk._move days/*": "redo_compacted",
    "LocalDisk._move _wsparquet": "replay",
    "LocalDisk._move sync": "save",
    "LocalDisk._move retired": "compact_published",
    "LocalDisk.create iceberg/*/*": "publish",
    # New folders.
    "LocalDisk.make_root above the root": "add",
    "LocalDisk._make_in root": "quarantine",
    "LocalDisk._make_in _wsparquet": "compact",
    "LocalDisk._make_in intents": "add",
    "LocalDisk._make_in commits": "add",
    "LocalDisk._make_in commits/*": "take_over",
    "LocalDisk._make_in day_intents": "compact",
    "LocalDisk._make_in days": "compact",
    "LocalDisk._make_in quarantine": "quarantine",
    "LocalDisk._make_in iceberg": "publish",
    "LocalDisk._make_in iceberg/*": "publish",
    "LocalDisk._make_in table": "newer",
    # Deletions.
    "LocalDisk.delete table/*": "clean",
    "LocalDisk.delete quarantine/*": "remove",
}
"""The sites that sync, and a workload in which a crash does harm without that sync."""

AFTER_A_KILL = {
    # The run is killed before the first sync; without the second one, a crash of the next run does harm.
    "LockingProtocol._finish_attempts commits/*/*": ("newer", "LocalDisk._move commits/*/*"),
    "LockingProtocol.yield_to commits/*/*": ("take_over", "LocalDisk.create commits/*/*"),
    "LocalDisk._make_in table": ("newer", "LocalDisk._make_in table"),
    "LocalDisk.delete table/*": ("newer", "LocalDisk.delete table/*"),
    "LocalDisk.make_root above the root": ("quarantine", "LocalDisk.make_root above the root"),
    "TablesInRoot.settle iceberg/*/*": ("publish", "LocalDisk.create iceberg/*/*"),
}
"""Syncs of what another process has changed. Its own sync may be missing, because it was killed."""

LAST = {"TablesInRoot.settle iceberg/*/*"}
"""Sites for which the run is killed before the last sync of the other site: there, the last table gets its hint."""

HARMLESS = {
    # Readers still open the version before it, because the hint is moved later; the next run makes new manifests.
    "LocalDisk._move iceberg/*/*": "publish",
    # The intent comes back, and names only files that are gone, or that the record names.
    "LocalDisk.delete intents/*": "remove",
    "LocalDisk.delete day_intents/*": "compact",
    # The tombstone comes back, and readers skip tombstones.
    "LocalDisk.delete commits/*/*": "remove",
    # The list comes back, and names only files that are gone.
    "LocalDisk.delete retired": "compact_published",
    # Old versions and manifests come back, which no reader opens, and the next cleanup deletes them again.
    "LocalDisk.delete iceberg/*/*": "compact_published",
    # The records that a lost file of the checkpoint had are read from their own files.
    "LocalDisk._move checkpoints": "save",
}
"""Syncs without which the next run still ends right, and a workload with each. They only leave no leftovers."""

WITHOUT_LINKS = {"Attempt.copy"}
"""Functions that sync only where the file system has no hard links."""

NOT_OF_ROOTS = {"Folder.__init__", "Folder.keep", "Transfer.finished"}
"""Functions that sync raw files, outside of roots: ``test_raw_files.py``."""


@pytest.fixture(scope="module")
def home() -> Iterator[Trials]:
    """A place for the trials of all tests in this file."""
    with trials() as found:
        yield found


def added(trace: Trace, site: str) -> list[State]:
    """The states that are possible only without the syncs of a site, those after the end first."""
    normal = set(states(trace))
    found = [state for state in states(trace, without=site) if state not in normal]
    random.Random(1).shuffle(found)
    return sorted(found, key=lambda state: not state.done)


@pytest.mark.parametrize("site", CATCHERS)
def test_without_a_sync_a_crash_does_harm(home: Trials, site: str) -> None:
    """At least one state is wrong that the missing sync makes possible."""
    trial = home.trial(CATCHERS[site])
    assert trial.first_failure(added(trial.trace, site)) is not None


def settle(place: Place) -> None:
    """Only make copies yield."""
    root = Root.open_to_write(place.root)
    root.settle_twins(root.commits())


@pytest.mark.parametrize("site", AFTER_A_KILL)
def test_without_a_sync_of_what_a_killed_run_did_a_crash_does_harm(home: Trials, site: str) -> None:
    """With all its syncs, the next run's results survive a crash. Without this sync, rows are lost or doubled."""
    work, killed_before = AFTER_A_KILL[site]
    trial = home.trial(work)
    numbers = [event.number for event in trial.trace.syncs() if event.site == killed_before]
    trace = trial.interrupted(numbers[-1 if site in LAST else 0], settle if "yield_to" in site else None)
    assert trial.first_failure(ends(trace, None)) is None
    assert trial.first_failure(ends(trace, site)) is not None


def ends(trace: Trace, without: str | None) -> Iterable[State]:
    """The states after the end, the earliest values first."""
    return (state for state in states(trace, without=without) if state.done)


@pytest.mark.parametrize("site", HARMLESS)
def test_a_harmless_sync_is_harmless(home: Trials, site: str) -> None:
    """No state is wrong that the missing sync makes possible: if one is, the sync belongs to the other table."""
    trial = home.trial(HARMLESS[site])
    found = added(trial.trace, site)
    assert found
    assert trial.first_failure(found[: scaled(None, 20)]) is None


def test_every_sync_is_in_a_table(home: Trials) -> None:
    """Whoever adds a sync, or groups several, says which crash it is for; no site that is gone stays in a table."""
    found = {site for work in WORKLOADS for site in home.trial(work).trace.sites()}
    only_after_a_kill = AFTER_A_KILL.keys() - CATCHERS.keys()
    assert found - only_after_a_kill == CATCHERS.keys() | HARMLESS.keys()


def test_workloads_reach_every_function_that_syncs() -> None:
    """No function of the package syncs a file or folder without a row in a table."""
    named = {site.partition(" ")[0] for site in (*CATCHERS, *AFTER_A_KILL, *HARMLESS)}
    assert set(functions_that_sync()) == named | NOT_OF_ROOTS | WITHOUT_LINKS | {*HELPERS}


def functions_that_sync() -> Iterator[str]:
    """Yield the qualified name of each function that uses a function that syncs."""
    for path in Path(wsparquet.__file__).parent.rglob("*.py"):
        text = path.read_text()
        tree = ast.parse(text if "sync" in text else "")
        for parent in ast.walk(tree):
            for function in ast.iter_child_nodes(parent):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(syncs, ast.walk(function))):
                    yield f"{parent.name}.{function.name}" if isinstance(parent, ast.ClassDef) else function.name


def syncs(node: ast.AST) -> bool:
    """Return whether a node is the name of a function that syncs."""
    name = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
    return name in {"os.fsync", "sync_file", "sync_folder", "make_folder"} or name.endswith(("disk.sync", "store.sync"))


@pytest.mark.skipif(not FULL, reason="only `make test-full` tries all workloads without each sync")
def test_the_table_of_all_workloads(home: Trials, capsys: pytest.CaptureFixture[str]) -> None:
    """Print for each site which workloads find that its syncs are missing; each that ``CATCHERS`` names does."""
    lines = []
    for site in sorted({*CATCHERS, *HARMLESS}):
        trying = [home.trial(work) for work in WORKLOADS if site in home.trial(work).trace.sites()]
        caught = [trial.work.name for trial in trying if catches(trial, site)]
        lines.append(f"{site}: {', '.join(caught) or 'none'} (of {len(trying)})")
        assert site in HARMLESS or CATCHERS[site] in caught
    with capsys.disabled():
        print("", *lines, sep="\n")


def catches(trial: Trial, site: str) -> bool:
    """Return whether a workload finds that the syncs of a site are missing."""
    return trial.first_failure(added(trial.trace, site)[:50]) is not None
