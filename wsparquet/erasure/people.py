"""Reads the ids of the people to erase, from arguments and from a file."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from wsparquet.errors import OptionError
from wsparquet.privacy.ids import KINDS, Kind

__all__ = ["Ids", "given_ids"]

Ids = dict[Kind, frozenset[str]]
"""Ids by kind."""

LINE = re.compile(rf"({'|'.join(KINDS)})[\s,;:=]+(\S.*)", re.IGNORECASE)


def given_ids(
    *,
    visitors: str | Iterable[str],
    visits: str | Iterable[str],
    customers: str | Iterable[str],
    file: str | os.PathLike[str] | None,
) -> Ids:
    """Return all given ids. Raises OptionError if one is empty or no text, or if the file is not readable."""
    given = {"visitor": visitors, "visit": visits, "customer": customers}
    ids: Ids = {kind: _checked(f"{kind}s", given[kind]) for kind in KINDS}
    for kind, value in _in_file(file) if file is not None else ():
        ids[kind] |= {value}
    return ids


def _checked(name: str, values: str | Iterable[str]) -> frozenset[str]:
    found = frozenset([values] if isinstance(values, str) else values)
    if not all(isinstance(value, str) for value in found):
        raise OptionError(name, "expected ids as text, found a value of another type")
    if not all(value.strip() for value in found):
        # Many rows could have an empty id.
        raise OptionError(name, "expected ids, found an empty one")
    return found


def _in_file(file: str | os.PathLike[str]) -> Iterable[tuple[Kind, str]]:
    try:
        text = sys.stdin.read() if os.fspath(file) == "-" else Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "text that is not UTF-8"
        raise OptionError("from_file", f"expected a readable file with ids, found: {reason}") from None
    kinds: Mapping[str, Kind] = {kind: kind for kind in KINDS}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = LINE.fullmatch(line.strip())
        if match is None:
            # The line may be an id, which must not appear in output.
            raise OptionError(
                "from_file", f"line {number}: expected {', '.join(KINDS)} and an id, such as `visitor ID`"
            )
        yield kinds[match[1].lower()], match[2].strip().strip('"')
