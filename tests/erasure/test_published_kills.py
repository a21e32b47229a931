"""An erasure in a published root that is killed and done again: no snapshot, manifest or file of before is left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import wsparquet
from tests.commit.test_kills import REPOSITORY, line
from tests.erasure import workload
from tests.erasure.conftest import COMPACT
from tests.erasure.people import CUSTOMER, NUMBER, VISIT, VISITOR, rows, traces, without
from tests.scale import scaled
from tests.support.at_rest import assert_at_rest
from wsparquet.dataset import Root

STEPS = scaled(range(1, 1000, 40), range(667, 668))
"""Of some 950 changes of the disk, every 40th, or one at which some tables are published and others are not."""


def published_root(own_parts: Path, place: Path) -> Root:
    """A copy of the root with two snapshots of each table, of own parts and of merged ones.

    It is published where it stays, because the metadata of tables has its place.
    """
    shutil.copytree(own_parts, place)
    wsparquet.publish(place, keep=timedelta(days=30))
    wsparquet.compact(place, **COMPACT)
    assert len([*(place / "_wsparquet/iceberg/geo/metadata").glob("snap-*.avro")]) == 2
    return Root.open(place)


def metadata_files(root: Root) -> set[Path]:
    """The files of all tables' metadata."""
    return {*Path(root.place).glob("_wsparquet/iceberg/*/metadata/*")}


def assert_one_snapshot(root: Root, earlier: set[Path]) -> None:
    """Each table has one snapshot, which names the parts that count, and no file of an ``earlier`` one is left.

    What a killed publisher wrote for a snapshot that never was stays for a day, because the publisher may be alive.
    """
    from tests.iceberg.helpers import TABLE_NAMES, assert_published, published

    assert_published(root)
    for name in TABLE_NAMES:
        table = published(root.place, name)
        (snapshot,) = table.metadata.snapshots
        named = {snapshot.manifest_list, *(each.manifest_path for each in snapshot.manifests(table.io))}
        folder = Path(root.place) / "_wsparquet/iceberg" / name / "metadata"
        kept = {folder / Path(each).name for each in (*named, table.metadata_location)}
        found = {*folder.iterdir()} - {folder / "version-hint.text"}
        assert kept <= found
        assert (found - kept) & earlier == set(), (name, root.place)


def test_killed_and_done_again_a_published_root_has_no_trace(own_parts: Path, raw: Path, tmp_path: Path) -> None:
    """Whatever was done before: the same rows, one snapshot of each table, and nothing of the person in any file."""
    pytest.importorskip("pyiceberg")
    before = rows(own_parts)
    after = without(before, VISITOR, VISIT, CUSTOMER, NUMBER)
    roots = [published_root(own_parts, tmp_path / str(step)) for step in STEPS]
    earlier = {path for root in roots for path in metadata_files(root)}
    command = [sys.executable, "-m", "tests.erasure.workload", "steps", "erase", STEPS.start, STEPS.step]
    command += [root.place for root in roots]
    with subprocess.Popen(
        [*map(str, command)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        outcomes = [line(process) for _ in roots]
    killed = [root for root, outcome in zip(roots, outcomes, strict=True) if outcome.endswith("killed")]
    assert len(killed) >= scaled(20, 1)
    assert {outcome.split()[1] for outcome in outcomes} <= {"killed", "0"}
    for root in killed:
        assert set(after) <= set(rows(root.place)) <= set(before)
        workload.erase(Root.open(root.place))
        assert rows(root.place) == after
        assert traces(Path(root.place), VISITOR, CUSTOMER, NUMBER) == set()
        assert_one_snapshot(root, earlier)
        assert_at_rest(Path(root.place))
        assert wsparquet.verify(root.place, against=raw).problems == []
