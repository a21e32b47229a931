"""`python -m tests.guides.rewrite PAGE` writes the tables and the pictures below the blocks of a page anew."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from tests.guides.charts import draw, is_chart, picture_of
from tests.guides.pages import DOCS, GAP, Block, blocks, follow, page
from tests.guides.snippets import cell_text, evaluate


def answers(name: str) -> dict[int, tuple[list[str], list[tuple[Any, ...]]]]:
    """Columns and rows that every query of a page answers, by the line of its block."""
    connection, names = duckdb.connect(), dict[str, Any]()
    found = {}
    for block in blocks(name):
        if block.language == "sql":
            answer = connection.execute(block.text)
            if not block.text.startswith("CREATE "):
                found[block.line] = ([each[0] for each in answer.description or []], answer.fetchall())
        elif block.language == "python":
            frame = evaluate(block.text, names)
            if is_chart(frame) and block.image:
                draw(frame, picture_of(name, block.image))
            if hasattr(frame, "rows") and hasattr(frame, "columns"):
                found[block.line] = (frame.columns, frame.rows())
            elif hasattr(frame, "fetchall"):
                found[block.line] = (frame.columns, frame.fetchall())
    return found


def _shown(block: Block, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> str:
    cut = [row for row in block.rows if row[0] == GAP]
    kept = rows[: len(block.rows) - 1] if cut else rows
    lines = [columns, ["---"] * len(columns), *([cell_text(value) for value in row] for row in kept), *cut]
    return "\n" + "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines)


def rewritten(name: str) -> str:
    """The page with every table below a query as the query answers it now; queries without a table get none."""
    text = page(name)
    found = answers(name)
    for block in reversed(blocks(name)):
        if block.line in found and block.rows:
            end = text.index("\n```\n", text.index(block.text)) + len("\n```\n")
            rest = text[end:].lstrip("\n")
            while rest.startswith("|"):
                rest = rest.partition("\n")[2]
            text = text[:end] + _shown(block, *found[block.line]) + ("\n" + rest.lstrip("\n") if rest.strip() else "")
    return text


def main() -> None:
    """Follow each page's commands in a folder of its own, and write the page."""
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            follow(name, Path(folder))
            os.chdir(folder)
            (DOCS / name).write_text(rewritten(name), encoding="utf-8")
            os.chdir(DOCS)


if __name__ == "__main__":
    main()
