"""How much memory a conversion takes at its peak: what it may take, whatever the sizes of files and the jobs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from tests.scale import FULL, scaled
from tests.system.helpers import COMMAND, convert_command
from wsparquet.generate import GenerateOptions, generate

Form = Literal["lines", "document"]
MEBIBYTE = 1 << 20
# One size is enough to see that the peak is bounded: all of its rows would take more memory than the run may take.
SIZE, MEMORY = scaled((1_000_000_000, 384), (120_000_000, 192))
SEVERAL, MEMORY_OF_SEVERAL = scaled((16, 50_000_000), (5, 16_000_000)), scaled(384, 224)
# Linux counts in kibibytes, macOS in bytes.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


# A process counts as its own what its parent holds while it is being started, so a small one starts the command.
MEASURED = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, usage = os.wait4(process, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def peak(command: list[str]) -> int:
    """The largest resident size that a command reaches, in bytes; it has to end well."""
    done = subprocess.run([sys.executable, "-c", MEASURED, *command], stdout=subprocess.PIPE, check=True)
    code, found = map(int, done.stdout.split())
    assert code == 0
    return found * RSS_UNIT


def peak_of(root: Path, sources: Path, memory: int, *options: str) -> int:
    """The peak of a conversion that may take ``memory`` MiB."""
    found = peak(convert_command(root, sources, "--memory", f"{memory}MiB", *options))
    print(f"{found / MEBIBYTE:.1f} of {memory} MiB")
    return found


@pytest.mark.skipif(not FULL, reason="half a minute; part of make test-full")
def test_a_day_that_is_merged(tmp_path: Path) -> None:
    """A merge of more rows than fit in its budget takes little more than what the command takes to merge nothing."""
    files, size = 16, 25_000_000
    budget, row_groups_and_libraries = 32, 96
    generate(tmp_path / "in", GenerateOptions(files=files, size=size, seed=3, preset="hard"))
    assert peak(convert_command(tmp_path / "lake", tmp_path / "in")) > 0
    before = len([*tmp_path.glob("lake/record_type=*/*/*.parquet")])
    compact = [str(COMMAND), "compact", str(tmp_path / "lake"), "--min-files", "2", "--quiet"]
    nothing = peak([*compact, "--dry-run"])
    found = peak([*compact, "--memory", f"{budget}MiB"])
    print(f"{nothing / MEBIBYTE:.1f} MiB for nothing, {found / MEBIBYTE:.1f} MiB for a merge")
    assert len([*tmp_path.glob("lake/record_type=*/*/*.parquet")]) <= before / files
    assert found <= nothing + (budget + row_groups_and_libraries) * MEBIBYTE


@pytest.mark.long
@pytest.mark.parametrize("form", ["document", *scaled(["lines"], [])])
def test_one_large_file(form: Form, tmp_path: Path) -> None:
    """A file of 1 GB takes no more than it may."""
    (source,) = generate(tmp_path / "in", GenerateOptions(size=SIZE, form=form, seed=1, preset="hard"))
    assert peak_of(tmp_path / "lake", source, MEMORY) <= MEMORY * MEBIBYTE


def test_many_jobs(tmp_path: Path) -> None:
    """16 jobs with large files share what the run may take."""
    files, size = SEVERAL
    generate(tmp_path / "in", GenerateOptions(files=files, size=size, seed=2, preset="hard"))
    found = peak_of(tmp_path / "lake", tmp_path / "in", MEMORY_OF_SEVERAL, "--jobs", "16")
    assert found <= MEMORY_OF_SEVERAL * MEBIBYTE
