"""Writes every rendering of the schema to a folder: ``python -m wsparquet.render schemas``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wsparquet.render import files


def main(arguments: list[str] | None = None) -> int:
    """Write the files and create missing folders. Return the exit code: 0 for success, 1 if a file was not written."""
    parser = argparse.ArgumentParser(prog="python -m wsparquet.render", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write <form>/<table>.<extension>")
    folder: Path = parser.parse_args(arguments).folder
    texts = files()
    try:
        for path, text in texts.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        sys.stderr.write(f"expected a folder that can be written to, found: {error}; choose another one\n")
        return 1
    sys.stdout.write(f"{len(texts)} files written below {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
