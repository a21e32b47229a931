"""wsparquet/commit/retired.py: parts that counted are deleted at once, or in a published root after publishing."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commit import workload
from tests.commit.test_kills import line, start
from tests.dataset.helpers import put
from tests.scale import scaled
from wsparquet.dataset import Root
from wsparquet.dataset.cleaning import clean, find_strays
from wsparquet.dataset.version import PUBLISHED, Publication, change_version, is_published, read_version
from wsparquet.errors import DatasetError, SchemaError
from wsparquet.layout import is_part_path

LIST = "_wsparquet/retired/0123456789abcdef.json"
REPLACING = ["redo", "remove", "twin"]


def made(request: pytest.FixtureRequest, folder: Path) -> Root:
    """A root on the store that the test names."""
    return Root.open(folder / "lake") if request.param == "disk" else request.getfixturevalue("bucket").open()


@pytest.fixture(params=["disk", "S3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Root:
    """A root on a disk, and one on S3."""
    return made(request, tmp_path)


def mark(root: Root) -> None:
    """Mark a root as published, as ``publish`` does."""
    publication = Publication(None, 60.0, root.place)
    change_version(root.store, lambda version: replace(version, requires=(PUBLISHED,), publication=publication))


def parts(root: Root) -> set[str]:
    """Every part that exists, whether it counts or not."""
    return {entry.path for entry in root.store.entries("") if is_part_path(entry.path)}


def counting(root: Root) -> set[str]:
    """The parts that commit records name."""
    return {part.path for commit in root.log.commits() for part in commit.parts}


def waiting(root: Root) -> set[str]:
    """The parts that wait for a publication."""
    return {path for paths in root.retired.waiting().values() for path in paths}


@pytest.mark.parametrize("work", REPLACING)
def test_a_published_root_keeps_the_parts_that_it_replaces(root: Root, work: str) -> None:
    """Whatever takes rows away, the files with these rows stay, and a list names exactly them; quarantine goes."""
    workload.prepare(root, work)
    mark(root)
    before = parts(root)
    workload.WORKS[work](root)
    assert before <= parts(root) == counting(root) | waiting(root)
    assert not counting(root) & waiting(root)
    assert waiting(root) >= before - counting(root)
    assert waiting(root)
    assert len(list(root.store.entries("_wsparquet/quarantine"))) == sum(1 for each in root.log.commits() if each.paths)


@pytest.mark.parametrize("work", REPLACING)
def test_an_unpublished_root_deletes_at_once(tmp_path: Path, work: str) -> None:
    """Without a publication nothing waits, and no list is written."""
    root = Root.open(tmp_path / "lake")
    workload.prepare(root, work)
    workload.WORKS[work](root)
    assert parts(root) == counting(root)
    assert list(root.store.entries("_wsparquet/retired")) == []


def test_a_run_that_began_before_the_publication_deletes_nothing_at_once(root: Root) -> None:
    """Whether the root is published is asked at each deletion, after the record, and not when the root is opened."""
    put(root, seed=1)
    before = parts(root)
    mark(Root.open(root.place) if not root.is_remote else root)
    put(root, seed=2)
    assert waiting(root) == before <= parts(root)


@pytest.mark.parametrize("work", REPLACING)
def test_killed_at_any_step_no_part_that_counted_is_gone(tmp_path: Path, work: str) -> None:
    """Killed before any change of the disk and done again, every replaced part exists, and a list names it."""
    template = Root.open(tmp_path / "template")
    workload.prepare(template, work)
    mark(template)
    before, stride = parts(template), scaled(1, 13)
    copies = [shutil.copytree(template.place, tmp_path / str(number)) for number in range(120 // stride)]
    with start("steps", work, 1, stride, *copies) as process:
        killed = sum("killed" in line(process) for _ in copies)
    for copy in copies:
        root = Root.open(copy)
        assert before <= parts(root)
        workload.WORKS[work](root)
        assert before <= parts(root) == counting(root) | waiting(root) & parts(root)
        assert not counting(root) & waiting(root)
    assert killed >= scaled(40, 4)


def test_what_waits_is_deleted_when_told_and_its_lists_last(root: Root) -> None:
    """``finish`` deletes the parts and the lists, and nothing that counts."""
    put(root, seed=1)
    mark(root)
    put(root, seed=2)
    lists = root.retired.waiting()
    root.retired.finish(lists, waiting(root))
    assert parts(root) == counting(root)
    assert root.retired.waiting() == {}


def test_parts_that_wait_are_no_strays(root: Root) -> None:
    """``clean`` and ``verify`` take them for what they are; in a published root, strays wait like other parts."""
    put(root, seed=1)
    mark(root)
    put(root, seed=2)
    (old, *_) = sorted(waiting(root))
    assert list(find_strays(root, latest=2e9, live_since=2e9)) == []
    assert clean(root, older_than=-1, delete=True).strays == ()
    stray = old.replace(old.rsplit(".", 3)[1], "0" * 16)
    root.store.put(stray, b"a part of a superseded attempt")
    assert [each.path for each in clean(root, older_than=-1, delete=True).strays] == [stray]
    assert stray in waiting(root) & parts(root)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"paths": null}',
        b'{"paths": ["_wsparquet/root.json"]}',
        b'{"paths": ["../x"]}',
        b'{"paths": [1]}',
        b'{"paths": ["record_type=geo/date=2016-06-30/../../../x.0123456789abcdef.0.parquet"]}',
    ],
)
def test_a_list_of_anything_but_parts_is_refused(tmp_path: Path, content: bytes) -> None:
    """A forged list names no file that wsparquet then deletes; the error says what to do."""
    root = Root.open(tmp_path / "lake")
    root.store.put(LIST, content)
    with pytest.raises(DatasetError, match=r"expected a list of parts to delete.*move it away"):
        root.retired.waiting()


def test_root_json_says_where_a_root_is_published(tmp_path: Path) -> None:
    """The publication is read as it was written; older software sees a feature that it does not know."""
    root = Root.open(tmp_path / "lake")
    assert not is_published(root.store)
    mark(root)
    assert is_published(root.store)
    assert read_version(root.store).publication == Publication(None, 60.0, root.place)
    values = json.loads((tmp_path / "lake/_wsparquet/root.json").read_bytes())
    assert values["requires"] == ["published"]
    for wrong in ("yes", {"catalog": 1, "keep_seconds": 1, "location": "x"}, {"catalog": None}):
        root.store.put("_wsparquet/root.json", json.dumps(values | {"published": wrong}).encode())
        with pytest.raises(DatasetError, match="as published"):
            Root.open(tmp_path / "lake")
    root.store.put("_wsparquet/root.json", json.dumps(values | {"requires": ["published", "x"]}).encode())
    with pytest.raises(SchemaError, match="requires x; upgrade"):
        Root.open(tmp_path / "lake")
