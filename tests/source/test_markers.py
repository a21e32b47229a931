"""wsparquet/source/markers.py: what other tools leave among files is passed over, and nothing else is."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from wsparquet import Progress, convert
from wsparquet.generate import GenerateOptions, generate
from wsparquet.source import Failed, Source, expand
from wsparquet.source.markers import is_marker


@pytest.mark.parametrize(
    ("path", "size", "expected"),
    [
        ("b/m1/", 0, True),
        ("b/m1/", 7, False),
        ("b/m1/", None, False),
        ("b/_SUCCESS", 0, True),
        ("b/_SUCCESS", 900, True),
        ("_SUCCESS", None, True),
        ("b/m1_$folder$", 0, True),
        ("b/m1_$folder$", 1, False),
        ("b/_SUCCESS.gz", 0, False),
        ("b/_success", 0, False),
        ("b/a.gz", 0, False),
        ("_SUCCESS/a.gz", 0, False),
    ],
)
def test_markers(path: str, size: int | None, expected: bool) -> None:
    """A job's marker is known by its name, a folder's marker by its name and by being empty."""
    assert is_marker(path, size) is expected


def test_markers_in_a_folder(tmp_path: Path) -> None:
    """A folder and a glob pass markers over and tell which; an empty .gz among them fails; a named marker fails."""
    options = GenerateOptions(records=5)
    (good,) = generate(tmp_path / "in", options)
    (tmp_path / "in/m1_$folder$").touch()
    (tmp_path / "in/_SUCCESS").write_text('{"name": "org.apache.hadoop.fs.s3a.commit"}')
    (tmp_path / "in/empty.gz").touch()
    events: list[Progress] = []
    for argument in ("in", "in/*", "in/**"):
        summary = convert(tmp_path / argument, tmp_path / "lake", on_progress=events.append)
        assert (summary.sources, summary.failed) == (2, ["empty.gz"])
        assert [event.kind for event in events[:3]] == ["ignored", "ignored", "found"]
        assert [event.name for event in events[:2]] == ["_SUCCESS", "m1_$folder$"]
        assert events[0].url == (tmp_path / "in/_SUCCESS").as_uri()
        events.clear()
    assert convert(tmp_path / "in/_SUCCESS", tmp_path / "lake").failed == ["_SUCCESS"]
    good.unlink()
    (tmp_path / "in/empty.gz").unlink()
    (nothing,) = expand([tmp_path / "in"])
    assert isinstance(nothing, Failed)
    assert "found none (hidden files, markers, and files of datasets do not count)" in str(nothing.error)


def test_markers_in_an_archive(tmp_path: Path) -> None:
    """An archive's markers are no members; one with nothing else is an archive without files."""
    ignored: list[str] = []
    for name, files in (("a.zip", ["m1/", "m1_$folder$", "_SUCCESS", "m1/a.gz"]), ("b.zip", ["_SUCCESS"])):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for file in files:
                archive.writestr(file, gzip.compress(b"{}") if file.endswith(".gz") else b"")
    member, empty = expand([tmp_path / "a.zip", tmp_path / "b.zip"], ignored=ignored.append)
    assert isinstance(member, Source)
    assert member.name == "a.gz"
    assert isinstance(empty, Failed)
    assert "expected a zip archive with files in it, found an empty one" in str(empty.error)
    assert [url.rpartition("!/")[2] for url in ignored] == ["m1_%24folder%24", "_SUCCESS", "_SUCCESS"]
