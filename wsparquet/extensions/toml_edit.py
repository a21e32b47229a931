"""Adds an entry to the text of an extension, which people have written and keep as it is otherwise."""

from __future__ import annotations

import tomllib
from typing import Any

from wsparquet.extensions.toml_text import Entry, Keys, key_text
from wsparquet.schema.keys import normalise
from wsparquet.schema.toml_lines import line_of

__all__ = ["spelled", "with_entry"]


def with_entry(text: str, entry: Entry) -> str:
    """Return the text of an extension with an entry at its end, or else in the inline table that it belongs to.

    TOML does not accept a table outside of an inline table whose part it is.
    """
    try:
        tomllib.loads(text + entry.text)
    except tomllib.TOMLDecodeError:
        return _inserted(text, entry) or text + entry.text
    return text + entry.text


def spelled(text: str, keys: Keys) -> Keys:
    """Return the keys of an entry as the text has them: names of structs are compared without case and blanks."""
    kind, name, *rest = keys
    values = tomllib.loads(text).get(kind, {})
    same = [each for each in values if kind == "structs" and normalise(each) == normalise(name)]
    return (kind, *(same[:1] or [name]), *rest)


def _inserted(text: str, entry: Entry) -> str | None:
    """Return the text with an entry in its inline table. Return None if there is no such table, or if it is empty."""
    expected = tomllib.loads(text)
    inner: Any = expected
    for key in entry.keys[:-1]:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        return None
    (inner[entry.keys[-1]],) = tomllib.loads(f"value = {entry.value}").values()
    lines = text.splitlines(keepends=True)
    at = len("".join(lines[: line_of(text, entry.keys[:-1]) - 1]))
    # Where the table ends is only known to a parser: the right brace is the one that gives the expected values.
    while (at := text.find("}", at + 1)) >= 0:
        before = text[:at].rstrip(" ")
        changed = f"{before}, {key_text(entry.keys[-1])} = {entry.value} {text[at:]}"
        if _values(changed) == expected:
            remarks = (f"# {each}" for each in entry.remarks)
            return changed + "".join(f"{line}\n" for line in ("", "# Added above:", *remarks))
    return None


def _values(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
