"""Render the reference of the tables and views in Markdown, from the schema."""

from __future__ import annotations

import re

from wsparquet.render import render as rendered
from wsparquet.render.views import views_text
from wsparquet.schema import TABLES

__all__ = ["render", "views"]


def render() -> str:
    """Return a section for each table, with its description, its body tags, and every column."""
    # Each rendering begins with a first-level heading, but a page has only one such heading.
    return "\n".join(f"#{rendered(table, 'markdown')}" for table in TABLES)


def views() -> str:
    """Return a section for each view, with every column."""
    return re.sub("^# ", "## ", views_text("markdown"), flags=re.MULTILINE)
