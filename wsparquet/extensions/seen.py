"""Collects the values that were seen at one place of the source, and derives their type.

A tag of Avro gives the type exactly. Without tags, the values give it: whole numbers become ``long``, other numbers
``double``. Structs and lists are the union of what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from wsparquet.decode.reference.values import CONVERTERS, MISFIT, Constant, Literal, LoneSurrogates
from wsparquet.schema.extension import LIST, MOST_LEVELS
from wsparquet.schema.fields import plausible_ms
from wsparquet.schema.keys import AVRO_NAMES, is_tag, normalise

__all__ = ["Conflict", "Seen", "Typed"]

LOW, HIGH = -(1 << 31), 1 << 31
NUMBERS = ("int", "long", "double")
TAGS = {
    "string": "string",
    "bytes": "string",
    "boolean": "boolean",
    "int": "int",
    "long": "long",
    "float": "double",
    "double": "double",
}
MOST_KEYS = 500
"""The most different keys of a struct. An object with more of them is a map, not a struct."""


class Conflict(Exception):
    """The values have no common type. The message says what was seen."""


@dataclass
class Typed:
    """A type as an extension's file has it; ``fields`` if it is a struct or a list of structs."""

    type: str
    fields: dict[str, Typed] = field(default_factory=dict)
    alias: str | None = None
    comment: str = ""


@dataclass
class Seen:
    """The values at one place: how many, since which day, and what they are."""

    count: int = 0
    since: date | None = None
    kinds: set[str] = field(default_factory=set)
    keys: dict[str, tuple[str, Seen]] = field(default_factory=dict)
    element: Seen | None = None
    times: bool = True

    def add(self, value: Any, day: date | None, *, tagged: bool = False) -> None:
        """Add a value in the form of ``wsparquet.decode.reference.values``."""
        self.count += not tagged
        if day is not None:
            self.since = day if self.since is None else min(self.since, day)
        if not tagged and type(value) is tuple and len(value) == 1 and is_tag(value[0][0], frozenset()):
            tag, inner = value[0]
            self._add_tagged(tag, inner, day)
        elif type(value) is tuple:
            self._add_object(value, day)
        elif type(value) is list:
            self.kinds.add("list")
            self.element = self.element or Seen()
            for each in value:
                self.element.add(each, day)
        elif value is not None:
            self._add_scalar(value)

    def _add_tagged(self, tag: str, inner: Any, day: date | None) -> None:
        if inner is None:
            return
        if tag == "map":
            self.kinds.add("map")
        elif (kind := TAGS.get(tag)) is not None:
            fits = CONVERTERS[_kind_of_column(kind)](inner) is not MISFIT
            self.kinds.add(kind if fits else f"odd {tag}")
            self._note_time(inner)
        else:
            # An array, or the name of a record or an enum.
            self.add(inner, day, tagged=True)

    def _add_object(self, members: tuple[tuple[str, Any], ...], day: date | None) -> None:
        self.kinds.add("struct")
        for key, value in members:
            if type(key) is str and normalise(key):
                _, seen = self.keys.setdefault(normalise(key), (key, Seen()))
                seen.add(value, day)
        if len(self.keys) > MOST_KEYS:
            self.kinds.add("map")

    def _add_scalar(self, value: Any) -> None:
        if isinstance(value, Literal):
            whole = CONVERTERS["int64"](value) is not MISFIT
            self.kinds.add("long" if whole else "double")
            self._note_time(value)
        elif isinstance(value, Constant):
            self.kinds.add("double")
        elif isinstance(value, bool):
            self.kinds.add("boolean")
        else:
            self.kinds.add("odd text" if isinstance(value, LoneSurrogates) else "string")

    def _note_time(self, value: Any) -> None:
        number = CONVERTERS["int64"](value) if isinstance(value, Literal) else None
        self.times = self.times and isinstance(number, int) and plausible_ms(number)

    def typed(self, level: int = 1) -> Typed:
        """Return the type of all values.

        Raises:
            Conflict: there is none, or it cannot be a column.

        """
        kinds = self.kinds - {"odd text"}
        if not kinds:
            raise Conflict("only null was seen")
        if kinds <= {*NUMBERS}:
            kind = next(each for each in reversed(NUMBERS) if each in kinds)
            looks = 'all values look like times: type = "timestamp" is possible'
            return Typed(kind, comment=looks if kind == "long" and self.times else "")
        if len(kinds) > 1:
            raise Conflict(f"values of different types were seen: {', '.join(sorted(kinds))}")
        (kind,) = kinds
        if kind == "struct":
            return Typed("struct", self._fields(level))
        if kind == "list":
            return self._list(level)
        if kind in {"string", "boolean"}:
            return Typed(kind)
        raise Conflict(f"values of the kind {kind} were seen, which no column can have")

    def _list(self, level: int) -> Typed:
        if self.element is None or not self.element.count:
            raise Conflict("only empty lists were seen")
        element = self.element.typed(level)
        if element.type.startswith(LIST):
            raise Conflict("lists of lists were seen")
        return Typed(f"{LIST}{element.type}", element.fields, comment=element.comment)

    def _fields(self, level: int) -> dict[str, Typed]:
        if level >= MOST_LEVELS:
            raise Conflict(f"more than {MOST_LEVELS} structs in one another were seen")
        found: dict[str, Typed] = {}
        names: set[str] = set()
        for key, seen in self.keys.values():
            try:
                typed = seen.typed(level + 1)
            except Conflict:
                # The other fields are of use without this one, which stays in `rescued`.
                continue
            name = column_name(key)
            if name.casefold() in names or key in AVRO_NAMES or "." in key:
                continue
            names.add(name.casefold())
            typed.alias = key if normalise(name) != normalise(key) else None
            found[name] = typed
        if not found:
            raise Conflict("only objects without usable fields were seen")
        return found


def _kind_of_column(tag: str) -> str:
    return {"int": "int32", "long": "int64", "double": "float64"}.get(tag, tag)


def column_name(key: str) -> str:
    """Return a name of a column for a key: the key itself, with ``_`` instead of what a name cannot have."""
    name = "".join(each if each.isascii() and (each.isalnum() or each == "_") else "_" for each in key)
    return name if name and not name[0].isdigit() else f"_{name}"
