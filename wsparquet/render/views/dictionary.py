"""Renders the dictionary of the views in Markdown: what one row of each view is, and the meaning of each column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wsparquet.render.markdown import type_text
from wsparquet.schema.flat_views import ViewColumn

__all__ = ["dictionary"]


def dictionary(views: Mapping[str, tuple[str, tuple[ViewColumn, ...]]]) -> str:
    """Return the description of each view with a table of its columns. The text ends with a newline."""
    lines = (line for view, (doc, columns) in views.items() for line in _view(view, doc, columns))
    return "\n".join(lines).rstrip("\n") + "\n"


def _view(view: str, doc: str, columns: tuple[ViewColumn, ...]) -> Iterator[str]:
    yield f"# {view}"
    yield ""
    yield doc
    yield ""
    yield from ("| Column | Type | Description |", "| --- | --- | --- |")
    for column in columns:
        yield f"| `{column.name}` | {type_text(column.type)} | {column.doc.replace('|', chr(92) + '|')} |"
    yield ""
