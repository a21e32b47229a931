"""Commands that only look at a root need no permission to write in it: neither its owner's nor another user's."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import tree
from tests.dataset.test_cleaning import TOKEN, strays
from wsparquet import convert
from wsparquet.generate import GenerateOptions, generate

NOBODY = 65534

# Another user may not be allowed to read the libraries, so the commands run once before. One process runs all commands.
AS_USER = """
import os, sys
from click.testing import CliRunner
from wsparquet.cli import cli
user, folder, *commands = sys.argv[1:]
for command in commands:
    CliRunner().invoke(cli, command.split())
if int(user) != os.geteuid():
    os.setgroups([])
    os.setegid(int(user))
    os.seteuid(int(user))
for place in (folder, f"{folder}/_wsparquet", f"{folder}/_wsparquet/locks"):
    try:
        open(f"{place}/mine", "x")
    except OSError:
        continue
    raise SystemExit(f"{place} can be written to")
for command in commands:
    ran = CliRunner().invoke(cli, command.split(), standalone_mode=False, catch_exceptions=False)
    print(f"--- {ran.return_value}", ran.output, sep="\\n")
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a root and its raw files, which any user can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    generate(folder / "raw", GenerateOptions(size=20_000, seed=1, defects=True))
    convert(folder / "raw", folder / "lake")
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o700)
    shutil.rmtree(folder)


def as_user(user: int, lake: Path, *commands: str) -> list[tuple[int, str]]:
    """The exit code and the output of each command, run by a user who cannot write in the root."""
    run = [sys.executable, "-c", AS_USER, str(user), str(lake), *commands]
    ran = subprocess.run(run, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    blocks = [block.partition("\n") for block in ran.stdout.split("--- ")[1:]]
    return [(int(code), text) for code, _, text in blocks]


def test_the_owner_of_a_read_only_root_verifies_and_lists(place: Path) -> None:
    """All is checked and listed, what dead runs left included, and not a lock file is made."""
    lake = place / "lake"
    made = {path.relative_to(lake).as_posix() for path in strays(lake)}
    (lake / f"_wsparquet/tmp/{TOKEN}/lock").touch()
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    for path in [lake, *lake.rglob("*")]:
        if user != os.geteuid():
            os.chown(path, user, user)
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = tree(lake)
    verified, listed, status = as_user(
        user, lake, f"verify {lake} {place}/raw", f"clean {lake} --older-than 1h", f"status {lake}"
    )
    assert (verified[0], verified[1].count("stray: "), "2 problems" in verified[1]) == (1, 2, True), verified[1]
    assert "1 source decoded again" in verified[1]
    assert (listed[0], "4 strays: nothing deleted" in listed[1]) == (0, True), listed[1]
    assert made <= {*listed[1].split()}
    assert (status[0], "account 75555851" in status[1]) == (0, True)
    assert tree(lake) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
def test_another_user_verifies_what_is_readable(place: Path) -> None:
    """The private folders are closed to others: clean says so, and verify misses only the quarantine that is named."""
    lake = place / "lake"
    (lake / "_wsparquet/tmp" / TOKEN).mkdir(mode=0o700)
    private = [path for path in lake.rglob("*") if stat.S_IMODE(path.stat().st_mode) == 0o700]
    assert len(private) == 3
    before = tree(lake)
    verified, listed = as_user(NOBODY, lake, f"verify {lake} {place}/raw", f"clean {lake} --older-than 0s")
    assert (verified[0], "2 problems" in verified[1]) == (1, True), verified[1]
    assert verified[1].count("Permission denied; make it readable for this user") == 2
    assert (listed[0], "no strays" in listed[1]) == (0, True), listed[1]
    assert (
        "not listed: this user may not list the private folders _wsparquet/quarantine and _wsparquet/tmp" in listed[1]
    )
    assert tree(lake) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a second user")
def test_a_closed_folder_of_a_table_is_an_error(place: Path) -> None:
    """Files that cannot be listed are not passed over."""
    lake = place / "lake"
    (lake / "record_type=geo").chmod(0o700)
    run = [sys.executable, "-c", AS_USER, str(NOBODY), str(lake), f"clean {lake}"]
    ran = subprocess.run(run, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert f"cannot list {lake}/record_type=geo: Permission denied; make it readable" in ran.stderr
