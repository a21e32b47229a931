"""Render the reference of the tables in Markdown, from the schema."""

from __future__ import annotations

from wsparquet.render import render as rendered
from wsparquet.schema import TABLES

__all__ = ["render"]


def render() -> str:
    """Return a section for each table, with its description, its body tags, and every column."""
    # Each rendering begins with a first-level heading, but a page has only one such heading.
    return "\n".join(f"#{rendered(table, 'markdown')}" for table in TABLES)
