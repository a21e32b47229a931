"""Python and SQL blocks of pages, run in the page's order, with what their last expressions answer."""

from __future__ import annotations

import ast
import contextlib
import io
from typing import Any

import duckdb

from tests.guides.charts import agrees_with_picture, is_chart, picture_of
from tests.guides.pages import GAP, Block, agrees, blocks


def run_python(name: str, names: dict[str, Any] | None = None) -> list[Any]:
    """The answers of all Python blocks of a page, run in one namespace; each must find at least one row.

    A ``text`` block right below a Python block is what that one prints.
    """
    names = {} if names is None else names
    found = []
    for block in blocks(name, "python"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            answer = evaluate(block.text, names, f"{name}:{block.line}")
        if block.printed is not None:
            assert agrees(block.printed, printed.getvalue()), f"{name}:{block.line} printed:\n{printed.getvalue()}"
        if is_chart(answer):
            assert block.image, f"{name}:{block.line} makes a chart, and the page has no picture of it"
            assert agrees_with_picture(answer, picture_of(name, block.image)), (
                f"{name}:{block.line} makes another chart than {block.image} shows: python -m tests.guides.rewrite"
            )
        if answer is not None:
            found.append(answer)
            rows = answer_rows(answer)
            assert rows, f"{name}:{block.line} finds nothing"
            check_rows(name, block, rows)
    return found


def evaluate(text: str, names: dict[str, Any], where: str = "<page>") -> Any:
    """Run a block, and return what its last expression is, if it ends with one."""
    tree = ast.parse(text)
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    if last is not None:
        tree.body.pop()
    exec(compile(tree, where, "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), where, "eval"), names)


def answer_rows(answer: Any) -> list[tuple[Any, ...]]:
    """The rows of an answer of DuckDB, Polars or pyarrow; of any other object, the object itself."""
    if hasattr(answer, "fetchall"):
        return list(answer.fetchall())
    if hasattr(answer, "rows") and callable(answer.rows):
        return list(answer.rows())
    if hasattr(answer, "to_pylist"):
        return [tuple(row.values()) for row in answer.to_pylist()]
    return [(answer,)]


def run_sql(name: str, connection: duckdb.DuckDBPyConnection) -> list[tuple[Block, list[tuple[Any, ...]]]]:
    """Every SQL block of a page that answers something, with its rows, which must be those of the table below it."""
    found = []
    for block in blocks(name, "sql"):
        if block.text.startswith("CREATE "):
            connection.execute(block.text)
            continue
        answer = connection.sql(block.text)
        rows = list(answer.fetchall())
        assert rows, f"{name}:{block.line} finds nothing"
        check_rows(name, block, rows)
        found.append((block, rows))
    return found


def check_rows(name: str, block: Block, rows: list[tuple[Any, ...]]) -> None:
    """The table below a block has the answer's rows in order; a row of ``…`` stands for all that follow."""
    if not block.rows:
        return
    shown = [row for row in block.rows if row[0] != GAP]
    cut = len(shown) < len(block.rows)
    answered = [tuple(cell_text(value) for value in row) for row in rows]
    assert (answered[: len(shown)] if cut else answered) == shown, f"{name}:{block.line}: {answered}"


def cell_text(value: Any) -> str:
    """A value as a page's table shows it."""
    return "" if value is None else str(value)
