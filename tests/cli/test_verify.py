"""`wsparquet verify` as a user types it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cli.conftest import Files
from tests.cli.program import PROGRAM, run


def test_sources_are_arguments_so_that_a_shell_s_glob_works(good: Files, tmp_path: Path) -> None:
    """The files of a glob are compared, with or without `--against` before them; a folder and a quoted glob, too."""
    lake = tmp_path / "lake"
    assert run("convert", good.folder, "--to", lake).code == 0
    glob = f"{good.folder}/*.gz"
    command = f"{PROGRAM} verify {lake} {glob} && {PROGRAM} verify {lake} --against {glob}"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("2 sources decoded again") == 2
    for sources in ([good.folder], [glob], [good.paths[0], "--against", good.paths[1]]):
        found = run("verify", lake, *sources, "--output", "json")
        assert (found.code, found.json["sources"], found.json["compared_rows"]) == (0, 2, good.records)
    other = run("verify", lake, lake)
    assert (other.code, "expected" in other.out) == (1, True)


def test_quiet_says_only_what_is_wrong(good: Files, tmp_path: Path) -> None:
    """`--quiet` writes nothing if all is right, and otherwise what it writes without it."""
    lake = tmp_path / "lake"
    assert run("convert", good.folder, "--to", lake).code == 0
    right = run("verify", lake, "--quiet")
    assert (right.code, right.out, right.err) == (0, "", "")
    next(lake.rglob("*.parquet")).unlink()
    wrong = run("verify", lake, "--quiet")
    assert (wrong.code, wrong.out.count("missing: "), wrong.out.endswith("1 problem\n"), wrong.err) == (1, 1, True, "")
