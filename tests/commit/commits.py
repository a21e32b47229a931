"""Commits of made-up sources, for tests that need no root."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tools.commits import make_commit
from wsparquet.commit import Commit, Text
from wsparquet.commit.record import Sighting
from wsparquet.layout import Identity

__all__ = ["commit", "seen"]


def commit(
    account: str = "7", name: str = "a.gz", *, text: str | None = "t", token: str = "1", **changes: Any
) -> Commit:
    """A commit with rows of a text (its hash), or with an unknown text if None.

    ``changes`` are other fields of the record, or of its facts.
    """
    identity = Identity(account, name)
    made = make_commit(0)
    given = {key: changes.pop(key) for key in [*changes] if key in made.facts.__slots__}
    known = Text(text, 10) if text is not None else None
    facts = replace(made.facts, **{"text": known, "source_name": name, "url": f"file:///in/{name}", **given})
    return replace(made, **{"identity": identity, "token": token, "content_id": token, "facts": facts, **changes})


def seen(number: int, *, text: str = "t", listed: bool = False, **changes: Any) -> Sighting:
    """A place of a text; ``listed`` says whether the API lists the file."""
    name = f"copy {number}"
    place = Sighting(name, f"file:///in/{name}", 10, None, "1", text, {"name": name} if listed else {})
    return place._replace(**changes)
