"""Where roots may lie: what is refused, and that nothing was written by then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.program import spawn
from wsparquet import convert
from wsparquet.errors import DatasetError, PlaceError
from wsparquet.generate import GenerateOptions, generate

LATIN = os.fsdecode(b"l\xff")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to convert, in a folder of its own."""
    (path,) = generate(tmp_path / "sample", GenerateOptions(records=5))
    return path


@pytest.mark.parametrize(
    ("root", "found"),
    [
        (LATIN, "l%FF: expected a root whose path is UTF-8, found bytes that are none"),
        ("http://user:secret@x/y", "http://x/y: expected a folder on a local disk or s3://BUCKET/PATH"),
    ],
)
def test_a_root_that_cannot_be_is_wrong_usage(tmp_path: Path, file: Path, root: str, found: str) -> None:
    """It is refused in one line with exit code 2, and nothing is made."""
    ran = spawn("convert", file, "--to", root, cwd=tmp_path)
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
