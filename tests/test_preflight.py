"""Where roots may lie: what is refused, and that nothing was written by then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import api_environment, forked
from wsparquet import convert
from wsparquet.emulator import Emulator, EmulatorOptions, serving
from wsparquet.errors import DatasetError, PlaceError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.preflight import check_raw

LATIN = os.fsdecode(b"l\xff")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to convert, in a folder of its own."""
    (path,) = generate(tmp_path / "sample", GenerateOptions(records=5))
    return path


@pytest.mark.parametrize(
    ("root", "found"),
    [
        (LATIN, "l%FF: expected a root whose path is UTF-8, found other bytes"),
        (
            "s3:/bucket/lake",
            "s3:/bucket/lake: expected a path, or a URL with two slashes, found one with a single slash",
        ),
        ("http://user:secret@x/y", "http://x/y: expected a folder on a local disk or s3://BUCKET/PATH"),
    ],
)
def test_a_root_that_cannot_be_is_wrong_usage(tmp_path: Path, file: Path, root: str, found: str) -> None:
    """It is refused in one line with exit code 2, and nothing is made."""
    ran = forked("convert", file, "--to", root, cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert found in ran.err
    assert "secret" not in ran.err
    assert ran.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sample"]


def test_a_root_that_cannot_be_is_an_error_in_python(tmp_path: Path, file: Path) -> None:
    """In Python it is a DatasetError of its own kind."""
    assert issubclass(PlaceError, DatasetError)
    with pytest.raises(PlaceError, match="expected a root whose path is UTF-8"):
        convert(file, tmp_path / LATIN)


@pytest.mark.parametrize(
    ("source", "root"),
    [("sample", "sample"), ("sample", "."), ("sample/*.gz", "sample"), ("*.gz", "."), ("sample", "./sample/../")],
)
def test_a_root_is_not_made_around_its_sources(tmp_path: Path, file: Path, source: str, root: str) -> None:
    """It is refused before anything is made, so that the same sources convert into another root."""
    (tmp_path / "a.gz").write_bytes(file.read_bytes())
    for more in ((), ("--dry-run",)):
        ran = forked("convert", source, "--to", root, *more, cwd=tmp_path)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert f"{source}: expected sources outside of the root, found one in" in ran.err
    assert not list(tmp_path.rglob("_wsparquet"))
    assert forked("convert", source, "--to", "other", cwd=tmp_path).code == 0


def test_a_root_within_sources_is_no_source(tmp_path: Path, file: Path) -> None:
    """A folder that holds a root converts into that one and into others, and nothing of the root is a source."""
    for root in ("sample/lake", "sample/lake", "other"):
        ran = forked("convert", "sample", "--to", root, "--output", "json", cwd=tmp_path)
        assert (ran.code, ran.json["sources"]) == (0, 1)
    ran = forked("convert", "sample", "sample/lake", "--to", "sample/lake", "--output", "json", cwd=tmp_path)
    assert (ran.code, len(ran.json["skipped"]), len(ran.json["failed"])) == (1, 1, 1)
    ran = forked("convert", "sample/lake", "--to", "third", "--output", "json", cwd=tmp_path)
    assert (ran.code, ran.json["failed"]) == (1, ["lake"])


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A server with a file."""
    with serving(EmulatorOptions(hours=1, size=10_000)) as found:
        yield found


WITHIN = ("lake/raw", "lake", "lake/../lake/a/b", "link/raw", "file://{}/lake/raw")


def test_raw_files_within_a_root_are_wrong_usage(tmp_path: Path, emulator: Emulator) -> None:
    """They are refused before anything is asked or made, for `sync` and, once there is a root, for `fetch`."""
    (tmp_path / "link").symlink_to("lake")
    environment = {**os.environ, **api_environment(emulator)}
    account = ("--account", emulator.options.account)
    places = [raw.format(tmp_path) for raw in WITHIN]

    def refuses(place: str, *command: object) -> None:
        ran = forked(*command, *account, cwd=tmp_path, env=environment)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        found = f"{place}: expected a location for raw files outside of all roots, found one in {tmp_path}/lake"
        assert found in ran.err

    for place in places:
        refuses(place, "sync", "--to", "lake", "--raw", place)
        assert not (tmp_path / "lake").exists()
    assert forked("sync", *account, "--to", "lake", "--raw", "raw", cwd=tmp_path, env=environment).code == 0
    for place in places:
        refuses(place, "fetch", "--into", place)
        assert not (tmp_path / "lake" / "raw").exists()
    refuses(places[0], "sync", "--to", "other", "--raw", places[0])


def test_a_raw_place_that_lacks_a_slash_is_wrong_usage(tmp_path: Path, emulator: Emulator) -> None:
    """No local folder of that name is made."""
    environment = {**os.environ, **api_environment(emulator)}
    for command in (("sync", "--to", "lake", "--raw", "s3:/bucket/raw"), ("fetch", "--into", "s3:/bucket/raw")):
        ran = forked(*command, "--account", emulator.options.account, cwd=tmp_path, env=environment)
        assert (ran.code, "found one with a single slash" in ran.err) == (2, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("raw", "within"), [("s3a://b/lake/raw", True), ("s3://b//lake/", True), ("s3://b/l", False)])
def test_raw_files_within_a_root_in_a_bucket(raw: str, within: bool) -> None:
    """In a bucket the root's own address tells."""
    if within:
        with pytest.raises(PlaceError, match="found one in s3://b/lake"):
            check_raw(raw, "s3://b/lake")
    else:
        check_raw(raw, "s3://b/lake")
