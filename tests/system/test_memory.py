"""How much memory a conversion takes at its peak: bounded whatever the size of a file, in either form."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from tests.scale import scaled
from tests.system.helpers import convert_command
from wsparquet.generate import GenerateOptions, generate

Form = Literal["lines", "document"]
# The smaller size is one from which on a conversion has filled its buffers.
SIZES: tuple[int, int] = scaled((100_000_000, 1_000_000_000), (60_000_000, 120_000_000))
SEVERAL = scaled((4, 100_000_000), (4, 8_000_000))
MEBIBYTE = 1 << 20
LIMIT = 400 * MEBIBYTE
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


def peak_of_file(folder: Path, form: Form, size: int) -> int:
    """The peak of a conversion of one file of ``size`` inflated bytes, with the default jobs."""
    (path,) = generate(folder / f"{size}", GenerateOptions(size=size, form=form, seed=1))
    found = peak(convert_command(folder / f"lake {size}", path))
    path.unlink()
    print(f"{form}, {size:,} bytes: {found / MEBIBYTE:.1f} MiB")
    return found


@pytest.mark.parametrize("form", ["lines", "document"])
def test_one_large_file(form: Form, tmp_path: Path) -> None:
    """1 GB stays under 400 MiB, and takes at most a tenth more than 100 MB."""
    small, large = (peak_of_file(tmp_path, form, size) for size in SIZES)
    if large > small * 1.1:
        # Peaks differ by some MiB with the scheduling of the threads: what grows with the size does so again.
        small = max(small, peak_of_file(tmp_path / "again", form, SIZES[0]))
        large = min(large, peak_of_file(tmp_path / "again", form, SIZES[1]))
    assert large <= LIMIT
    assert large <= small * 1.1


def test_several_files_at_once(tmp_path: Path) -> None:
    """Files side by side, as many as default jobs allow, share one bound."""
    files, size = SEVERAL
    generate(tmp_path / "in", GenerateOptions(files=files, size=size, seed=2))
    found = peak(convert_command(tmp_path / "lake", tmp_path / "in"))
    print(f"{files} files of {size:,} bytes: {found / MEBIBYTE:.1f} MiB")
    assert found <= LIMIT
