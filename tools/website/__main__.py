"""Build the documentation site into a folder: ``python -m tools.website build/website``."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.website import commands, python, tables
from wsparquet.cli import cli

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Stage the pages, build the site, and return the exit code: 0 without warnings, 1 with a warning or an error.

    The folder gets ``docs/`` with a copy of the pages, ``generated/`` with the derived pages, and ``site/``.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.website", description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder to build in; its previous content is deleted")
    folder: Path = parser.parse_args(arguments).folder
    stage(folder)
    return 0 if build(folder) else 1


def build(folder: Path) -> bool:
    """Build the site from a staged folder, print all reports, and return whether there was no warning."""
    environment = {**os.environ, "PYTHONPATH": os.fspath(ROOT), "NO_COLOR": "1"}
    # Zensical's cache does not notice that an included file has changed.
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    ran = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    sys.stdout.write(ran.stdout)
    # Zensical does not count the docstrings that Griffe cannot parse.
    return ran.returncode == 0 and not re.search(r"^griffe: ", ran.stdout, re.MULTILINE)


def stage(folder: Path) -> None:
    """Copy all input of the site into one folder, so that the build writes nothing next to the original files."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("*.sh"))
    shutil.copy(ROOT / "zensical.toml", folder)
    reference = folder / "docs/reference/python.md"
    reference.write_text(python.located(reference.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "generated").mkdir()
    for name, text in generated().items():
        (folder / "generated" / name).write_text(text, encoding="utf-8")


def generated() -> dict[str, str]:
    """Return the text of every derived page, keyed by the file name under which a reference page includes it."""
    return {
        "cli.md": commands.render(cli, program="wsparquet"),
        "tables.md": tables.render(),
        "views.md": tables.views(),
    }


if __name__ == "__main__":
    sys.exit(main())
