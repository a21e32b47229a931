"""Collects the values that were seen at one place of the source, and derives their type.

A tag of Avro gives the type exactly. Without tags, the values give it: whole numbers become ``long``, other numbers
``double``. Structs and lists are the union of what was seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from wsparquet.decode.reference.values import CONVERTERS, MISFIT, Constant, Literal, LoneSurrogates
from wsparquet.schema.extension import LIST, MOST_LEVELS
from wsparquet.schema.fields import plausible_ms
from wsparquet.schema.keys import AVRO_NAMES, is_tag, normalise

__all__ = ["Conflict", "LeftOut", "Seen", "Typed"]

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
INVALID_TEXT = "invalid Unicode"
MOST_KEYS = 500
"""The most different keys of a struct. An object with more of them is a map, not a struct."""


class Conflict(Exception):
    """The values have no common type. The message says what was seen."""


class LeftOut(NamedTuple):
    """Values for which nothing can be proposed: their path within what is proposed, how many, and why."""

    path: str
    number: int
    reason: str

    def within(self, outer: str) -> LeftOut:
        """Return the same with the path of what is around it."""
        return self._replace(path=outer + self.path)


@dataclass
class Typed:
    """A type as an extension's file has it; ``fields`` if it is a struct or a list of structs.

    ``left_out`` are values in it that the type does not have. ``seen`` are all its values.
    """

    type: str
    fields: dict[str, Typed] = field(default_factory=dict)
    alias: str | None = None
    comment: str = ""
    left_out: list[LeftOut] = field(default_factory=list)
    seen: Seen = field(default_factory=lambda: Seen())  # noqa: PLW0108 - Seen is defined below


@dataclass
class Seen:
    """The values at one place: how many, from which day to which, and what they are.

    ``kinds`` counts the values of each kind. The counts of a published schema are 0, because no values were seen; only
    such a schema has ``symbols``, those of enums, and ``doc``, a description. ``enum``: the symbols are all values.
    """

    count: int = 0
    first: date | None = None
    last: date | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    keys: dict[str, tuple[str, Seen]] = field(default_factory=dict)
    element: Seen | None = None
    times: bool = True
    symbols: tuple[str, ...] = ()
    enum: bool = False
    doc: str = ""

    def add(self, value: Any, day: date | None, *, tagged: bool = False) -> None:
        """Add a value in the form of ``wsparquet.decode.reference.values``."""
        self.count += not tagged
        if day is not None:
            self.first, self.last = min(self.first or day, day), max(self.last or day, day)
        if not tagged and type(value) is tuple and len(value) == 1 and is_tag(value[0][0], frozenset()):
            tag, inner = value[0]
            self._add_tagged(tag, inner, day)
        elif type(value) is tuple:
            self._add_object(value, day)
        elif type(value) is list:
            self.kinds["list"] += 1
            for each in value:
                self.element = self.element or Seen()
                self.element.add(each, day)
        elif value is not None:
            self._add_scalar(value)

    def merge(self, other: Seen) -> None:
        """Add what another published type has, for the same place."""
        self.kinds.update(other.kinds)
        self.enum = self.enum and other.enum
        self.symbols = tuple(dict.fromkeys((*self.symbols, *other.symbols)))
        self.doc = self.doc or other.doc
        for key, (name, inner) in other.keys.items():
            if key in self.keys:
                self.keys[key][1].merge(inner)
            else:
                self.keys[key] = (name, inner)
        if self.element is not None and other.element is not None:
            self.element.merge(other.element)
        else:
            self.element = self.element or other.element

    def _add_tagged(self, tag: str, inner: Any, day: date | None) -> None:
        if inner is None:
            return
        if tag == "map":
            self.kinds["map"] += 1
        elif (kind := TAGS.get(tag)) is not None:
            fits = CONVERTERS[_kind_of_column(kind)](inner) is not MISFIT
            self.kinds[kind if fits else f"invalid {tag}"] += 1
            self._note_time(inner)
        else:
            # An array, or the name of a record or an enum.
            self.add(inner, day, tagged=True)

    def _add_object(self, members: tuple[tuple[str, Any], ...], day: date | None) -> None:
        self.kinds["struct"] += 1
        for key, value in members:
            # The keys of a map are not kept: only that there are too many.
            if normalise(key) in self.keys or len(self.keys) <= MOST_KEYS:
                _, seen = self.keys.setdefault(normalise(key), (key, Seen()))
                seen.add(value, day)

    def _add_scalar(self, value: Any) -> None:
        if isinstance(value, Literal):
            whole = CONVERTERS["int64"](value) is not MISFIT
            self.kinds["long" if whole else "double"] += 1
            self._note_time(value)
        elif isinstance(value, Constant):
            self.kinds["double"] += 1
        elif isinstance(value, bool):
            self.kinds["boolean"] += 1
        else:
            self.kinds[INVALID_TEXT if isinstance(value, LoneSurrogates) else "string"] += 1

    def _note_time(self, value: Any) -> None:
        number = CONVERTERS["int64"](value) if isinstance(value, Literal) else None
        self.times = self.times and isinstance(number, int) and plausible_ms(number)

    def typed(self, level: int = 1) -> Typed:
        """Return the type of all values.

        Raises:
            Conflict: there is none, or it cannot be a column.

        """
        kinds = {*self.kinds}
        if not kinds:
            raise Conflict("only null was seen")
        if kinds == {INVALID_TEXT}:
            raise Conflict(f"{self.described()}, which no column can have")
        typed = self._typed(kinds - {INVALID_TEXT}, level)
        typed.seen = self
        if odd := self.kinds.get(INVALID_TEXT, 0):
            typed.left_out.append(LeftOut("", odd, f"{INVALID_TEXT}, which no column can have"))
        return typed

    def described(self) -> str:
        """Return the kinds of the values and their numbers, as in ``seen as long in 3 and as string in 12 values``."""
        kinds = sorted(self.kinds)
        if not self.kinds.total():
            return f"published {_and([f'as {kind}' for kind in kinds])}" if kinds else "only null was seen"
        last = self.kinds[kinds[-1]]
        return f"seen {_and([f'as {kind} in {self.kinds[kind]:,}' for kind in kinds])} value{'' if last == 1 else 's'}"

    def _typed(self, kinds: set[str], level: int) -> Typed:
        if kinds <= {*NUMBERS}:
            kind = next(each for each in reversed(NUMBERS) if each in kinds)
            looks = 'all values look like times: type = "timestamp" is possible'
            return Typed(kind, comment=looks if kind == "long" and self.times else "")
        if len(kinds) > 1:
            raise Conflict(f"{self.described()}, which have no common type")
        (kind,) = kinds
        if kind == "struct":
            return self._struct(level)
        if kind == "list":
            return self._list(level)
        if kind in {"string", "boolean"}:
            return Typed(kind)
        raise Conflict(f"{self.described()}, which no column can have")

    def _list(self, level: int) -> Typed:
        if self.element is None:
            raise Conflict("only empty lists were seen")
        element = self.element.typed(level)
        if element.type.startswith(LIST):
            raise Conflict("lists of lists were seen")
        left_out = [each.within("[]") for each in element.left_out]
        return Typed(f"{LIST}{element.type}", element.fields, comment=element.comment, left_out=left_out)

    def _struct(self, level: int) -> Typed:
        if level >= MOST_LEVELS:
            raise Conflict(f"more than {MOST_LEVELS} structs in one another were seen")
        if len(self.keys) > MOST_KEYS:
            raise Conflict(f"objects with more than {MOST_KEYS} different keys were seen, which are maps")
        struct = Typed("struct")
        names: dict[str, str] = {}
        for key, seen in self.keys.values():
            try:
                name = _name_of(key, names)
                typed = seen.typed(level + 1)
            except Conflict as conflict:
                # The other fields are of use without this one, which stays in `rescued`.
                struct.left_out.append(LeftOut(f".{key}", seen.count, str(conflict)))
                continue
            names[name.casefold()] = key
            typed.alias = key if normalise(name) != normalise(key) else None
            struct.fields[name] = typed
            struct.left_out += [each.within(f".{key}") for each in typed.left_out]
        if not struct.fields:
            raise Conflict("only objects without usable fields were seen" + _inner(struct.left_out))
        return struct


def _name_of(key: str, names: Mapping[str, str]) -> str:
    """Return the name of a key's column. Raises Conflict if the key cannot have one beside the names that are taken."""
    if type(key) is not str:
        raise Conflict("the key is invalid Unicode, which no file of TOML can have")
    if not normalise(key):
        raise Conflict("the key has only blanks and underscores")
    if key in AVRO_NAMES or "." in key:
        raise Conflict("the key looks like a tag of Avro")
    name = column_name(key)
    if (other := names.get(name.casefold())) is not None:
        raise Conflict(f"its column would have the name of that of the key {other}")
    return name


def _inner(left_out: Sequence[LeftOut]) -> str:
    return "".join(f"; {each.path[1:]} ({each.number:,}): {each.reason}" for each in left_out)


def _and(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))


def _kind_of_column(tag: str) -> str:
    return {"int": "int32", "long": "int64", "double": "float64"}.get(tag, tag)


def column_name(key: str) -> str:
    """Return a name of a column for a key: the key itself, with ``_`` instead of what a name cannot have."""
    name = "".join(each if each.isascii() and (each.isalnum() or each == "_") else "_" for each in key)
    return name if name and not name[0].isdigit() else f"_{name}"
