"""Renders the dictionary of the views in Markdown: what one row of each view is, and the meaning of each column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wsparquet.render.markdown import type_text
from wsparquet.schema.flat_views import FLAT_VIEWS, ViewColumn

__all__ = ["dictionary"]

VISITS_DOC = "One row for each visit. Where a visit has several rows of a kind, each column's rule chooses one of them."


def dictionary(views: Mapping[str, tuple[ViewColumn, ...]]) -> str:
    """Return the description of each view with a table of its columns. The text ends with a newline."""
    lines = (line for view, columns in views.items() for line in _view(view, columns))
    return "\n".join(lines).rstrip("\n") + "\n"


def _view(view: str, columns: tuple[ViewColumn, ...]) -> Iterator[str]:
    yield f"# {view}"
    yield ""
    yield FLAT_VIEWS[view].doc if view in FLAT_VIEWS else VISITS_DOC
    yield ""
    yield from ("| Column | Type | Description |", "| --- | --- | --- |")
    for column in columns:
        yield f"| `{column.name}` | {type_text(column.type)} | {column.doc.replace('|', chr(92) + '|')} |"
    yield ""
