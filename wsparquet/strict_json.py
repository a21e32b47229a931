"""Converts the JSON of sources to strict JSON, which every engine reads, and back.

Sources may contain tokens that strict JSON (RFC 8259, as query engines implement it) does not have: lone surrogates,
numbers beyond the range of a double, and the bare words ``NaN``, ``Infinity`` and ``-Infinity``. A single lone
surrogate makes DuckDB and ClickHouse reject a query over a complete table. Source of the rules: docs/decoding.md,
"Strict JSON".
"""

from __future__ import annotations

import re

__all__ = ["MARKER", "original_json", "strict_json", "strict_number", "strict_string", "strict_word"]

MARKER = "\ufdd0"
"""A noncharacter, which Unicode reserves for internal use. Every replacement begins with this character."""

_UNSUPPORTED = re.compile("[\ud800-\udfff\ufdd0]")
_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf"(?P<string>{_STRING})|(?P<word>-?Infinity|NaN)|(?P<number>-?[0-9][0-9.eE+-]*)", re.DOTALL)
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_UNIT = re.compile(rf"{_PAIR}|\\u(?P<lone>[dD][89a-fA-F][0-9a-fA-F]{{2}})|(?P<marker>{MARKER}|\\u[fF][dD][dD]0)|\\.")
_MARKER = rf"(?:{MARKER}|\\u[fF][dD][dD]0)"
_REPLACED = re.compile(rf'"{_MARKER}[nw](?P<token>[^"\\]*)"')
_MARKED = re.compile(rf"(?P<marker>{_MARKER}){_MARKER}|{_MARKER}(?P<lone>d[89a-f][0-9a-f]{{2}})|\\.", re.DOTALL)
_SAFE_LENGTH = 300  # A number with fewer digits, and without an exponent, is within the range of a double.


def strict_string(text: str) -> str:
    """Return a decoded string without lone surrogates."""
    return _UNSUPPORTED.sub(lambda found: _marked(found[0]), text)


def _marked(character: str) -> str:
    return MARKER + (MARKER if character == MARKER else f"{ord(character):04x}")


def strict_number(literal: str) -> str:
    """Return the JSON text of a number literal: itself, or a string if its nearest double is infinite."""
    if len(literal) < _SAFE_LENGTH and "e" not in literal and "E" not in literal:
        return literal
    return f'"{MARKER}n{literal}"' if abs(float(literal)) == float("inf") else literal


def strict_word(word: str) -> str:
    """Return the JSON text of a bare ``NaN``, ``Infinity`` or ``-Infinity``."""
    return f'"{MARKER}w{word}"'


def strict_json(text: str) -> str:
    """Return JSON text in which unsupported tokens are replaced and all other tokens are unchanged."""
    return _TOKEN.sub(_strict_token, text)


def _strict_token(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "word":
            return strict_word(found[0])
        case "number":
            return strict_number(found[0])
        case _:
            return _UNIT.sub(_strict_unit, found[0])


def _strict_unit(found: re.Match[str]) -> str:
    if found["lone"]:
        return MARKER + found["lone"].lower()
    return found["marker"] * 2 if found["marker"] else found[0]


def original_json(text: str) -> str:
    r"""Restore the original tokens of the source in the text of the column ``rescued`` or ``record``.

    ``text`` is the complete text of the column, or one JSON value in it. The result may not be strict JSON, but
    Python's ``json.loads`` reads it.

    >>> import json
    >>> wsparquet.original_json('{"$.title": "\ufdd0d83d", "$.price": "\ufdd0n1e999"}')
    '{"$.title": "\\ud83d", "$.price": 1e999}'
    >>> json.loads(_)
    {'$.title': '\ud83d', '$.price': inf}
    """
    return re.sub(_STRING, _original_string, text, flags=re.DOTALL)


def _original_string(found: re.Match[str]) -> str:
    replaced = _REPLACED.fullmatch(found[0])
    return replaced["token"] if replaced else _MARKED.sub(_original_unit, found[0])


def _original_unit(found: re.Match[str]) -> str:
    if found["lone"]:
        return rf"\u{found['lone']}"
    return found["marker"] or found[0]
