"""The token that names a moment of a root: the sources that counted at that moment, and their contents.

A token holds the content id of every source, because a root does not store earlier moments: the clocks of writers
differ, and several writers may commit at the same time. A record that is only rewritten keeps its content id. A note
about a copy is therefore not a change.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from wsparquet.commit.record import Commit
from wsparquet.errors import OptionError
from wsparquet.layout import Identity

__all__ = ["Known", "read_token", "write_token"]

PREFIX = "wsparquet-changes-1:"
"""The format of a token, which later formats change."""


class Known(NamedTuple):
    """A source in a token: the content id of its rows, and the value of ``source_file`` in these rows."""

    content_id: str
    source_file: str


def write_token(root_id: str, commits: Iterable[Commit]) -> str:
    """Return the token for a moment at which exactly these commits counted. It is one line of ASCII."""
    sources = [[each.identity.account, each.identity.name, each.content_id, each.facts.source_name] for each in commits]
    text = json.dumps([root_id, sources], separators=(",", ":"))
    return PREFIX + base64.urlsafe_b64encode(zlib.compress(text.encode("ascii"), 9)).decode("ascii")


def read_token(token: str, root_id: str) -> dict[Identity, Known]:
    """Return what a token contains about each source.

    Raises:
        OptionError: the text is not a token, is damaged, or is a token of another root.

    """
    found = token.strip()
    if not found.startswith(PREFIX):
        raise OptionError(
            "since", f"expected a token of wsparquet changes, found another text of {len(token)} characters"
        )
    try:
        of, sources = json.loads(zlib.decompress(base64.urlsafe_b64decode(found.removeprefix(PREFIX))))
        known = {Identity(account, name): Known(content, file) for account, name, content, file in sources}
    except (binascii.Error, zlib.error, ValueError, TypeError) as error:
        raise OptionError(
            "since", f"expected a whole token, found a damaged one of {len(token)} characters; use the one before it"
        ) from error
    if of != root_id:
        raise OptionError(
            "since", "expected a token of this root, found a token of another root; begin again without a token"
        )
    return known
