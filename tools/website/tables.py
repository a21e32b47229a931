"""Render the reference of the tables in Markdown, from the schema."""

from __future__ import annotations

from wsparquet.render import render as rendered
from wsparquet.schema import TABLES

__all__ = ["render"]


def render() -> str:
    """One section for each table: its description, its body tags, and every column."""
    # Each rendering begins with a heading of the first level, which a page has once.
    return "\n".join(f"#{rendered(table, 'markdown')}" for table in TABLES)
