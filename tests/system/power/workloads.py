"""What is done to a root while the power fails: each workload is a function, and ``before`` makes the root it needs.

To add a workload, write a function that takes a ``Place`` and can be run again after any crash, and decorate it. The
tests then record it, and try what a crash could leave.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import wsparquet
from tests.drift import EXTENSION
from tests.erasure import people
from tests.extensions.roots import drifted_sources
from wsparquet.commit import checkpoint
from wsparquet.dataset import Root
from wsparquet.generate import GenerateOptions, generate
from wsparquet.iceberg import publish_changes

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MIDNIGHT_MS = 1_467_330_600_000
"""Ten minutes before midnight, so that the rows of a source have two dates."""
FIRST_DAY_AGE = datetime.now(UTC) - datetime.fromtimestamp((MIDNIGHT_MS + HOUR_MS) / 1000, UTC)
"""The age of days at which an expiry deletes the first of these two dates and keeps the second."""


@dataclass(frozen=True)
class Place:
    """``world`` has the root and all that a crash can change; the files in ``inputs`` are safe from crashes."""

    world: Path
    inputs: Path

    @property
    def root(self) -> Path:
        """The root, in a folder that is as new as the root."""
        return self.world / "new" / "lake"


Work = Callable[[Place], object]


@dataclass(frozen=True)
class Workload:
    """A run, and what made the root before it.

    ``readable``: readers can open the root at any time. ``published``: the root is published as Iceberg tables.
    """

    name: str
    run: Work
    before: Work
    readable: bool = True
    published: bool = False


WORKLOADS: dict[str, Workload] = {}


def nothing(place: Place) -> None:
    """Leave the world empty."""


def workload(before: Work = nothing, *, readable: bool = True, published: bool = False) -> Callable[[Work], Work]:
    """Make a function a workload."""

    def register(run: Work) -> Work:
        name = run.__name__
        WORKLOADS[name] = Workload(name, run, before, readable, published)
        return run

    return register


def make_inputs(folder: Path) -> Path:
    """Make the sources: rows of two days, with quarantine; newer rows of other days by that name; and other names.

    The source ``second`` has rows of one of these days.
    """
    starts = {"first": MIDNIGHT_MS, "newer": MIDNIGHT_MS + 2 * DAY_MS, "second": MIDNIGHT_MS - HOUR_MS}
    for name, start_ms in starts.items():
        options = GenerateOptions(records=3, defects=True, only=("body_null",), seed=1, start_ms=start_ms)
        generate(folder / name, options)
    first, newer = (next((folder / name).iterdir()) for name in ("first", "newer"))
    newer.rename(newer.with_name(first.name))
    (folder / "odd").mkdir()
    (folder / "odd" / first.name).write_bytes(b'{"metaData": {}, "recordCollection": [{"body": null}]}')
    write_people(folder / "people")
    (folder / "key").write_text(people.KEY)
    (folder / "key").chmod(0o600)
    drifted_sources(folder / "drifted", seed=1, files=1, containers=2)
    for name in ("copy/renamed.gz", "third/third.gz", f"later/{first.name.replace('-0.gz', '-1.gz')}"):
        (folder / name).parent.mkdir()
        shutil.copy(first, folder / name)
    return folder


def write_people(folder: Path) -> None:
    """Write a source with a person, and with quarantined text of the person and of nobody."""
    folder.mkdir()
    lines = [people.container([{"x": 2}], *people.others(0), *people.person(0)), people.container(*people.others(1))]
    (folder / people.NAMES[0]).write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


def convert(place: Place, *names: str, again: bool = False, jobs: int = 1) -> None:
    """Convert folders of the inputs; every source must be committed or skipped."""
    sources = [str(place.inputs / name) for name in names]
    wsparquet.convert(sources, to=place.root, again=again, jobs=jobs).raise_for_failures()


# --- The workloads ----------------------------------------------------------------------------------------------------


@workload()
def add(place: Place) -> None:
    """The first commit, which makes the root: parts of two days, and quarantine."""
    convert(place, "first")


@workload(before=add)
def redo(place: Place) -> None:
    """Replace a commit by the same content."""
    convert(place, "first", again=True)


@workload(before=add)
def newer(place: Place) -> None:
    """Replace a commit by newer content of the same name."""
    convert(place, "newer")


@workload(before=add)
def remove(place: Place) -> None:
    """Remove a source, unless it is removed already."""
    root = Root.open_to_write(place.root)
    root.recover()
    for header in root.commits().headers():
        wsparquet.remove(place.root, header.facts.source_name, yes=True)


@workload(before=lambda place: convert(place, "copy"))
def take_over(place: Place) -> None:
    """Commit the original of a copy, which yields to it."""
    convert(place, "first")


@workload(before=add)
def note(place: Place) -> None:
    """Note another place of a text that is committed."""
    convert(place, "third")


@workload(before=add)
def refer(place: Place) -> None:
    """Commit a second name of the API with the same text: a record without parts."""
    convert(place, "later")


def with_strays(place: Place) -> None:
    """Make a root with files that no record names, and with the workspace of a dead attempt."""
    add(place)
    for path in [*place.root.rglob("*.parquet"), *place.root.rglob("*.ndjson")]:
        token = path.name.split(".")[-3 if path.suffix == ".parquet" else -2]
        shutil.copy(path, path.with_name(path.name.replace(token, "0123456789abcdef")))
    dead = place.root / "_wsparquet/tmp/fedcba9876543210"
    dead.mkdir()
    (dead / "0.part").write_bytes(b"PAR1")


@workload(before=with_strays)
def clean(place: Place) -> None:
    """Delete what no record names."""
    wsparquet.clean(place.root, older_than=timedelta(0), delete=True)


def older(place: Place) -> None:
    """Make a root of an older schema version."""
    add(place)
    for path in (place.root / "_wsparquet").rglob("*.json"):
        path.write_text(json.dumps({**json.loads(path.read_bytes()), "schema_version": 0}))


@workload(before=older, readable=False)
def replay(place: Place) -> None:
    """Bring a root up to this schema version."""
    wsparquet.replay(place.root, place.inputs / "first").raise_for_failures()


@workload(before=lambda place: convert(place, "first", "later"))
def save(place: Place) -> None:
    """Write a checkpoint, and the state of a synchronisation."""
    with mock.patch.object(checkpoint, "WORTH_WRITING", 1):
        convert(place, "first")
    Root.open(place.root, create=False).write_sync_state("1", b"{}")


@workload()
def quarantine(place: Place) -> None:
    """Commit a source without rows, as the first of its root."""
    convert(place, "odd")


def two_sources(place: Place) -> None:
    """Make a root with two sources, which share a day."""
    convert(place, "first", "second")


@workload(before=two_sources)
def compact(place: Place) -> None:
    """Merge the parts of a day."""
    wsparquet.compact(place.root, min_files=2, older_than=timedelta(0)).raise_for_failures()


def compacted(place: Place) -> None:
    """Make a root with two sources, whose parts are merged."""
    two_sources(place)
    compact(place)


@workload(before=compacted)
def redo_compacted(place: Place) -> None:
    """Replace a source of a compacted day by the same content."""
    convert(place, "first", again=True)


@workload(before=compacted)
def remove_compacted(place: Place) -> None:
    """Remove the sources of a compacted day, unless they are removed already, and settle the day."""
    remove(place)
    root = Root.open(place.root, create=False)
    root.settle(root.commits())


@workload(before=two_sources, published=True)
def publish(place: Place) -> None:
    """Publish a root for the first time."""
    wsparquet.publish(place.root)


def published(place: Place) -> None:
    """Make a published root with two sources, and keep no old snapshots."""
    two_sources(place)
    wsparquet.publish(place.root, keep=timedelta(0))


@workload(before=published, published=True)
def compact_published(place: Place) -> None:
    """Merge the parts of a day of a published root, publish the merged files, and delete the others."""
    compact(place)


def published_and_compacted(place: Place) -> None:
    """Make a published root with two sources, whose parts are merged."""
    published(place)
    compact(place)


@workload(before=published_and_compacted, published=True)
def remove_published(place: Place) -> None:
    """Remove the sources of a published root, unless they are removed already, and publish that."""
    remove(place)
    root = Root.open(place.root, create=False)
    root.settle(root.commits())
    publish_changes(root)


@workload(before=lambda place: convert(place, "people"))
def erase(place: Place) -> None:
    """Erase a person whose ids are in rows, in rescued values, and in quarantined text."""
    wsparquet.erase(
        place.root,
        visitors=[people.VISITOR, people.NUMBER],
        customers=people.CUSTOMER,
        yes=True,
        key_file=place.inputs / "key",
    )


def compacted_people(place: Place) -> None:
    """Make a root with a person's rows in merged parts."""
    convert(place, "people")
    compact(place)


@workload(before=compacted_people)
def erase_compacted(place: Place) -> None:
    """Erase a person whose rows are in merged parts."""
    erase(place)


@workload(before=add)
def expire(place: Place) -> None:
    """Delete the first of two days."""
    wsparquet.expire(place.root, older_than=FIRST_DAY_AGE, yes=True)


@workload(before=lambda place: convert(place, "drifted"), readable=False)
def extend(place: Place) -> None:
    """Promote rescued values and unrecognized rows to columns and tables."""
    wsparquet.extend(place.root, EXTENSION)


def again(work: Workload, place: Place) -> None:
    """Run a workload as the user does after a crash, and then recovery, which has nothing left to do."""
    work.run(place)
    Root.open_to_write(place.root).recover()


def results(place: Place) -> object:
    """Return what a run promises beside rows: which sources are committed, as what, and the saved states."""
    root = Root.open(place.root, create=False)
    commits = {each.identity: (each.same_as, {also.name for also in each.also}) for each in root.commits().headers()}
    return commits, root.read_sync_states()
