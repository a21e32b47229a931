"""A root that is shared with somebody hostile: nothing outside of it, and nothing of others, is read or deleted."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dataset.helpers import API_NAME, IDENTITY, facts, make_rows, put, rows_on_disk
from wsparquet.commit.conditional import ConditionalProtocol
from wsparquet.dataset import Root, open_dataset
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity

TOKEN = "0123456789abcdef"
RECORD = f"_wsparquet/commits/75555851/2016-06/{API_NAME}.json"
INTENT_VALUES = {"format_version": 2, "identity": dataclasses.asdict(IDENTITY), "token": TOKEN, "expected": None}
INTENT = f"_wsparquet/intents/75555851/{API_NAME}.{TOKEN}.json"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with two sources, beside a file that is none of its business."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious.parquet").write_text("mine")
    root = Root.open(tmp_path / "root")
    put(root)
    put(root, Identity("7", "other"), seed=1)
    return root


def elsewhere(root: Root) -> list[str]:
    """Paths that no record of the first source may name."""
    (other,) = [commit for commit in root.commits() if commit.identity.name == "other"]
    return [
        str(Path(root.place).parent / "outside" / "precious.parquet"),
        "../outside/precious.parquet",
        "record_type=geo/date=2016-06-30/../../../outside/precious.parquet",
        f"record_type=geo/../../outside/{IDENTITY.account}.{API_NAME}.{TOKEN}.0.parquet",
        other.parts[0].path,
        other.path,
        "_wsparquet/root.json",
        "",
    ]


def change(root: Root, path: str, edit: Callable[[dict[str, Any]], Any]) -> None:
    """Change a JSON file as an intruder would."""
    values = json.loads((Path(root.place) / path).read_bytes())
    edit(values)
    (Path(root.place) / path).write_text(json.dumps(values))


def assert_nothing_lost(root: Root, rows: object) -> None:
    """All files of all sources are there, and the one outside is."""
    assert rows_on_disk(Path(root.place)) == rows
    assert (Path(root.place).parent / "outside" / "precious.parquet").read_text() == "mine"


@pytest.mark.parametrize("index", range(8))
def test_an_intent_deletes_nothing_of_others(root: Root, index: int) -> None:
    """A forged intent is an error that names it, whatever it wants gone."""
    rows, path = rows_on_disk(Path(root.place)), elsewhere(root)[index]
    (Path(root.place) / INTENT).parent.mkdir(exist_ok=True)
    (Path(root.place) / INTENT).write_text(json.dumps(INTENT_VALUES | {"paths": [path]}))
    with pytest.raises(DatasetError, match=INTENT):
        root.recover()
    with pytest.raises(DatasetError, match=INTENT):
        put(root, seed=2)
    assert_nothing_lost(root, rows)


@pytest.mark.parametrize("key", ["obsolete", "quarantine", "parts"])
@pytest.mark.parametrize("index", range(8))
def test_a_record_reads_and_deletes_nothing_of_others(root: Root, index: int, key: str) -> None:
    """A forged record is an error that names it when rows are read, replaced or removed."""
    rows, path = rows_on_disk(Path(root.place)), elsewhere(root)[index]

    def forge(values: dict[str, Any]) -> None:
        part = values["parts"][0] | {"path": path}
        values[key] = {"obsolete": [path], "quarantine": path, "parts": [part]}[key]

    change(root, RECORD, forge)
    actions: list[Callable[[], object]] = [
        lambda: open_dataset(Path(root.place)),
        lambda: put(root, seed=2),
        lambda: root.remove([API_NAME]),
    ]
    for act in actions:
        with pytest.raises(DatasetError, match=RECORD):
            act()
    assert_nothing_lost(root, rows)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("conditional", [True, False])
def test_an_intent_is_of_the_source_that_its_path_names(root: Root, own: bool, conditional: bool) -> None:
    """An intent that names another identity is an error and makes no record, even if all its files are the source's."""
    rows, other = rows_on_disk(Path(root.place)), Identity("7", "never committed")
    (commit,) = [commit for commit in root.commits() if commit.identity == IDENTITY]
    values = INTENT_VALUES | {"identity": dataclasses.asdict(other), "paths": commit.paths if own else []}
    values["expected"] = commit.token
    (Path(root.place) / INTENT).parent.mkdir(exist_ok=True)
    (Path(root.place) / INTENT).write_text(json.dumps(values))
    protocol = ConditionalProtocol(root.store, root.retired, single_writer=False)
    recover = protocol.recover if conditional else root.recover
    with pytest.raises(DatasetError, match=f"{INTENT}: expected the identity 75555851.* as identity"):
        recover(dead_seconds=-1)
    assert not (Path(root.place) / other.key.record_path).exists()
    assert_nothing_lost(root, rows)


def test_an_intent_deletes_no_part_that_the_record_names(root: Root) -> None:
    """A forged intent with the source's own current parts does no harm."""
    rows = rows_on_disk(Path(root.place))
    (commit,) = [commit for commit in root.commits() if commit.identity == IDENTITY]
    (Path(root.place) / INTENT).parent.mkdir(exist_ok=True)
    paths = [part.path for part in commit.parts]
    (Path(root.place) / INTENT).write_text(json.dumps(INTENT_VALUES | {"paths": paths}))
    root.recover()
    assert_nothing_lost(root, rows)
    assert not (Path(root.place) / INTENT).exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"format_version": 1}',
        b'{"format_version": 3}',
        b'{"format_version": true}',
        b'{"format_version": 2, "identity": {"account": "7", "name": "other"}}',
    ],
)
def test_a_file_that_is_no_record_is_named(root: Root, content: bytes) -> None:
    """Garbage, another version or a record from another place is an error, not a source less."""
    (Path(root.place) / RECORD).write_bytes(content)
    for act in (root.commits, lambda: open_dataset(Path(root.place))):
        with pytest.raises(DatasetError, match=RECORD):
            act()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("token", None),
        ("checksum", 5),
        ("size", True),
        ("size", "10"),
        ("url", []),
        ("removed", 0),
        ("removed", None),
        ("parts", {}),
        ("parts", [None]),
        ("parts", [{}]),
        ("obsolete", [5]),
        ("report", []),
        ("schema_version", "1"),
        ("identity", {"account": "7", "name": "other"}),
        ("identity", {"account": "7"}),
        ("content_id", None),
        ("text", "ab"),
        ("text", {"blake3": "ab"}),
        ("texts_before", [5]),
        ("also", ["copy.gz"]),
        ("also", [{"name": "copy.gz"}]),
        ("same_as", {"account": "7"}),
        ("same_as", {"account": "7", "name": "other"}),
        ("row_count", 1),
    ],
)
def test_a_record_with_wrong_kinds_is_named(root: Root, key: str, value: object) -> None:
    """Each value must be of its kind; the error names the file and the key."""
    change(root, RECORD, lambda values: values.update({key: value}))
    with pytest.raises(DatasetError, match=RECORD):
        open_dataset(Path(root.place))


def test_no_table_folder_may_lead_elsewhere(root: Root) -> None:
    """A symbolic link in a folder's place is written to by no commit, deleted through by none, read through by none."""
    outside = Path(root.place).parent / "outside"
    (Path(root.place) / "record_type=navigation").symlink_to(outside)
    with pytest.raises(DatasetError, match="symbolic link"):
        put(root, seed=2, tables=("navigation",))
    assert [path.name for path in outside.iterdir()] == ["precious.parquet"]

    geo = Path(root.place) / "record_type=geo"
    geo.rename(outside / "geo")
    geo.symlink_to(outside / "geo")
    files = sorted((outside / "geo").rglob("*.parquet"))
    with pytest.raises(DatasetError, match="symbolic link"):
        open_dataset(Path(root.place)).table("geo")
    with pytest.raises(DatasetError, match="symbolic link"):
        root.remove([API_NAME])
    assert sorted((outside / "geo").rglob("*.parquet")) == files


def test_no_part_may_be_a_link(root: Root) -> None:
    """A part that is a symbolic link counts as gone."""
    (commit,) = [commit for commit in root.commits() if commit.identity == IDENTITY]
    part = Path(root.place) / commit.parts[0].path
    part.rename(Path(root.place).parent / "outside" / "moved.parquet")
    part.symlink_to(Path(root.place).parent / "outside" / "moved.parquet")
    with pytest.raises(DatasetError, match="gone"):
        open_dataset(Path(root.place)).table("geo")


@pytest.mark.parametrize("name", ["_wsparquet", "_wsparquet/tmp", "_wsparquet/commits", "_wsparquet/quarantine"])
def test_no_folder_of_the_state_may_be_a_link(root: Root, name: str) -> None:
    """A root whose own folders lead elsewhere is not opened for writing, so nothing there is cleaned up."""
    outside = Path(root.place).parent / "outside"
    (outside / "dead").mkdir()
    (outside / "dead" / "file").write_text("mine")
    (Path(root.place) / name).rename(Path(root.place).parent / "away")
    (Path(root.place) / name).symlink_to(outside)
    with pytest.raises(DatasetError, match="symbolic link"):
        Root.open(Path(root.place)).recover()
    assert (outside / "dead" / "file").read_text() == "mine"


def test_a_pipe_in_the_place_of_a_record_does_not_block(root: Root) -> None:
    """What is no regular file is passed over in listings, and an error where it is read."""
    (Path(root.place) / RECORD).unlink()
    os.mkfifo(Path(root.place) / RECORD)
    assert len(root.commits()) == 1
    with root.begin(fallback_day_ms=None) as attempt, pytest.raises(DatasetError, match="cannot read"):
        attempt.commit(IDENTITY, facts(), expected=None)


def test_a_stray_file_among_intents_is_named(root: Root) -> None:
    """It is neither deleted nor taken for an intent."""
    stray = Path(root.place) / "_wsparquet/intents/note.txt"
    stray.write_text("mine")
    with pytest.raises(DatasetError, match=r"note\.txt"):
        root.recover()
    assert stray.read_text() == "mine"


def test_a_dead_workspace_with_folders_in_it_is_cleared(root: Root) -> None:
    """Whatever is in it goes, but nothing that it links to."""
    dead = Path(root.place) / "_wsparquet/tmp" / TOKEN
    (dead / "inner").mkdir(parents=True)
    (dead / "link").symlink_to(Path(root.place).parent / "outside")
    rows = rows_on_disk(Path(root.place))
    root.recover()
    assert not dead.exists()
    assert_nothing_lost(root, rows)
    assert make_rows("geo", 1).num_rows == 1
