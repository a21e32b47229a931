"""What one source may ask for, and what happens where the disk gives no more."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.at_rest import assert_at_rest
from tests.system.helpers import (
    Rows,
    assert_each_whole,
    assert_same,
    convert,
    convert_command,
    make_sources,
    rows_on_disk,
    run,
)
from wsparquet.generate import GenerateOptions, generate

# The limit is set by a process that then becomes the command: no code runs between fork and exec.
LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of an evening, without defects."""
    return make_sources(tmp_path_factory.mktemp("in"), files=4, size=60_000, dirty=False)


@pytest.fixture(scope="module")
def rows(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Their rows."""
    root = tmp_path_factory.mktemp("undisturbed")
    convert(root, sources)
    return rows_on_disk(root)


def bomb(path: Path) -> Path:
    """A gzip of nothing but zeros, a thousand times smaller than they are."""
    compressor = zlib.compressobj(9, wbits=31)
    path.write_bytes(b"".join(compressor.compress(bytes(1 << 20)) for _ in range(66)) + compressor.flush())
    return path


def garbage(path: Path) -> Path:
    """A good file with a long line of garbage behind it."""
    (text,) = generate(path.parent, GenerateOptions(size=20_000, compression="none"))
    path.write_bytes(text.read_bytes() + b"\xfe" * 3_000_000 + b"\n")
    return path


# --- Limits of one source ---------------------------------------------------------------------------------------------


def assert_only_bad_fails(root: Path, good: Path, bad: Path, *options: str) -> str:
    """Convert both with the options; the error of the bad one, of which nothing is below the root."""
    summary = convert(root, good, bad, *options, code=1)
    assert (summary["committed"], summary["failed"]) == ([good.name], [bad.name])
    assert sorted(rows_on_disk(root)) == [good.name]
    assert_at_rest(root)
    (error,) = summary["errors"]
    assert bad.name in error["error"]
    return str(error["error"])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A small file that no limit minds."""
    return generate(tmp_path / "good", GenerateOptions(records=3, account="4711"))[0]


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (["--max-inflated", "50K"], "--max-inflated"),
        (["--max-quarantined", "4"], "--max-quarantined"),
        (["--max-line", "1M"], "--max-line"),
        (["--max-record", "20K"], "--max-record"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_limit(options: list[str], remedy: str, good: Path, tmp_path: Path) -> None:
    """A source past a limit fails with an error that names the option; without the option it converts."""
    bad = tmp_path / "odd.json"
    if remedy == "--max-line":
        garbage(bad)
    else:
        kinds = ("nested_10000_lists", "body_null", "body_list", "record_text", "bad_escape")
        made = GenerateOptions(size=60_000, compression="none", defects=True, only=kinds)
        generate(tmp_path / "made", made)[0].rename(bad)
    if remedy == "--max-record":
        bad.write_bytes(bad.read_bytes().replace(b'{"body":null}', b'{"body":"' + b"x" * 30_000 + b'"}'))
    error = assert_only_bad_fails(tmp_path / "lake", good, bad, *options)
    assert remedy in error
    assert convert(tmp_path / "other", bad, code=3)["committed"] == [bad.name]


def test_bomb(good: Path, tmp_path: Path) -> None:
    """A bomb is stopped by its ratio, early, with an error that names the option for what is none."""
    error = assert_only_bad_fails(tmp_path / "lake", good, bomb(tmp_path / "zeros.gz"))
    assert "expected at most 500 times as many inflated bytes as stored ones" in error
    assert "--max-ratio" in error


# --- A full disk ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 14_000])
def test_file_size_limit(limit: int, sources: Path, rows: Rows, tmp_path: Path) -> None:
    """Where no file may grow past a limit, sources fail in one line with a remedy; without it the same run is whole."""
    root = tmp_path / "lake"
    ended = run([sys.executable, "-c", LIMITED, str(limit), *convert_command(root, sources)])
    assert ended.code == 1
    if ended.stdout:
        summary = ended.summary
        assert len(summary["failed"]) > 0
        errors = [error["error"] for error in summary["errors"]]
    else:
        errors = ended.stderr.splitlines()
        assert len(errors) == 1
    assert all("File too large; a file would exceed the size limit: raise it" in error for error in errors), errors
    assert_each_whole(rows_on_disk(root), rows, {})
    convert(root, sources)
    assert_same(rows_on_disk(root), rows)
    assert_at_rest(root)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for some of the sources."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=288k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small tmpfs can be mounted by root only, outside of most containers")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_full_disk(small_disk: Path, sources: Path, rows: Rows) -> None:
    """On a full disk sources fail with the remedy, others stay whole; with more room the same run ends as ever."""
    root = small_disk / "lake"
    summary = convert(root, sources, code=1)
    assert len(summary["failed"]) > 0
    for error in summary["errors"]:
        assert "No space left on device; the disk is full: free some space and run again" in error["error"]
    assert_each_whole(rows_on_disk(root), rows, {})
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    convert(root, sources)
    assert_same(rows_on_disk(root), rows)
    assert_at_rest(root)
