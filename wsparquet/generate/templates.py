"""Makes many records quickly: renders templates once, and fills in new identifiers and times each time it uses one.

Building a record value by value is slow, so each seed has a pool of rendered records, split at their slots. Files
with the same seed use the same records in turn. Each file fills their slots with random values of its own.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Literal

from wsparquet.generate.options import HOUR_MS, GenerateOptions
from wsparquet.generate.shapes import RECORD_TABLES, record_maker
from wsparquet.generate.values import Draw

__all__ = ["Stamper", "Template", "pooled", "records", "template"]

POOL = 2048
_WEIGHTS = {
    "navigation": 40,
    "eligibility": 18,
    "impression": 16,
    "session_info": 9,
    "geo": 8,
    "engagement_attributes": 7,
    "goal_achieved": 3,
}
_OTHER_WEIGHT = 3
_ASCII_RATE = 0.15
_SLOT = re.compile(r'"\{\{#(\w+)\}\}"|\{\{(\w+)\}\}')
_INDENT = "\n    "


@dataclass(frozen=True, slots=True)
class Template:
    """The rendered text of a record, split at its slots. ``parts`` has one element more than ``slots``."""

    table: str
    parts: tuple[bytes, ...]
    slots: tuple[str, ...]


def template(text: str | bytes, *, table: str = "") -> Template:
    """Split a text at its slots: ``{{name}}``, or ``"{{#name}}"`` including the quotes."""
    encoded = text.encode() if isinstance(text, str) else text
    pieces = re.split(_SLOT.pattern.encode(), encoded)
    slots = tuple((bare or quoted).decode() for bare, quoted in zip(pieces[1::3], pieces[2::3], strict=True))
    return Template(table, tuple(pieces[::3]), slots)


# --- Stamping ---------------------------------------------------------------------------------------------------------


class Stamper:
    """Fills the slots of one file: identifiers and times of its visits, and random digits.

    Each visit has a few consecutive records. All times are within the hour of the file.
    """

    def __init__(self, rng: Random, options: GenerateOptions, *, file_number: int = 0) -> None:
        self._random = rng.random
        self._bits = rng.getrandbits
        self._first, self._last = options.hour(file_number)
        self._visit: dict[str, bytes] = {}
        self._now = 0
        self._constants = {
            "account": json.dumps(options.account)[1:-1].encode(),
            "hour": str(self._first).encode(),
            "until": str(self._last).encode(),
        }
        self._makers: dict[str, Callable[[], bytes]] = self._slot_makers()
        self._new_visit()

    def _slot_makers(self) -> dict[str, Callable[[], bytes]]:
        makers: dict[str, Callable[[], bytes]] = {name: self._constant(name) for name in self._constants}
        makers |= {name: self._of_visit(name) for name in ("visit", "visitor", "context", "start")}
        makers |= {f"d{count}": self._digits(count) for count in (1, 2, 4, 6, 9)}
        makers |= {f"hex{count}": self._hex(count) for count in (4, 8, 24)}
        return makers | {"ms": self._ms, "money": self._money, "octet": self._octet, "uuid": self._uuid}

    def stamp(self, record: Template) -> bytes:
        """Fill the slots of a template and return the text. Sometimes start a new visit first."""
        if self._random() < 0.2:
            self._new_visit()
        return self.fill(record)

    def fill(self, record: Template) -> bytes:
        """Fill the slots of a template for the current visit and return the text."""
        makers = self._makers
        filled = [record.parts[0]]
        for slot, part in zip(record.slots, record.parts[1:], strict=True):
            filled.append(makers[slot]())
            filled.append(part)
        return b"".join(filled)

    def _new_visit(self) -> None:
        start = self._first + int(self._random() * (HOUR_MS - 600_000))
        self._now = start
        self._visit = {
            "visit": self._key() + b".%040x" % self._bits(160),
            "visitor": self._key(),
            "context": b"%032x" % self._bits(128),
            "start": b"%d" % start,
        }

    def _key(self) -> bytes:
        return urlsafe_b64encode(self._bits(128).to_bytes(16, "big"))[:22]

    def _constant(self, name: str) -> Callable[[], bytes]:
        return lambda: self._constants[name]

    def _of_visit(self, name: str) -> Callable[[], bytes]:
        return lambda: self._visit[name]

    def _digits(self, count: int) -> Callable[[], bytes]:
        form, least, span = b"%d", 10 ** (count - 1), 9 * 10 ** (count - 1)
        return lambda: form % (least + int(self._random() * span))

    def _hex(self, count: int) -> Callable[[], bytes]:
        form, bits = b"%%0%dx" % count, 4 * count
        return lambda: form % self._bits(bits)

    def _ms(self) -> bytes:
        self._now = min(self._now + 1 + int(self._random() * 20_000), self._last - 1)
        return b"%d" % self._now

    def _money(self) -> bytes:
        return repr(int(self._random() * 50_000) / 100).encode()

    def _octet(self) -> bytes:
        return b"%d" % (1 + int(self._random() * 254))

    def _uuid(self) -> bytes:
        text = b"%032x" % self._bits(128)
        return b"-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


# --- The pool ---------------------------------------------------------------------------------------------------------


def _weighted(draw: Draw) -> str:
    weights = [_WEIGHTS.get(name, _OTHER_WEIGHT) for name in RECORD_TABLES]
    left = draw.below(sum(weights))
    for name, weight in zip(RECORD_TABLES, weights, strict=True):
        left -= weight
        if left < 0:
            return name
    return RECORD_TABLES[-1]


def _render(record: dict[str, Any], *, form: str, ascii_only: bool) -> str:
    if form == "document":
        return json.dumps(record, indent=2, ensure_ascii=ascii_only).replace("\n", _INDENT)
    return json.dumps(record, separators=(",", ":"), ensure_ascii=ascii_only)


def _make(rng: Random, *, form: str, full: str | None = None) -> Template:
    draw = Draw(rng, full=full is not None)
    table = full or _weighted(draw)
    text = _render(record_maker(table)(draw), form=form, ascii_only=rng.random() < _ASCII_RATE)
    return template(text, table=table)


@lru_cache(maxsize=2 * POOL)
def _pool_member(seed: int, index: int, form: str) -> Template:
    # Each template at the beginning of the pool shows every field and branch of one table.
    full = RECORD_TABLES[index] if index < len(RECORD_TABLES) else None
    return _make(Random((seed << 40) | index), form=form, full=full)


def pooled(seed: int, *, form: Literal["lines", "document"], file_number: int) -> Iterator[Template]:
    """Yield the templates of a file without end: a full record of each table, then the pool from a random position.

    Both forms, ``lines`` and ``document``, have the same records in the same order.
    """
    count = len(RECORD_TABLES)
    for index in range(count):
        yield _pool_member(seed, index, form)
    index = file_number * 613
    while True:
        yield _pool_member(seed, count + index % POOL, form)
        index += 1


def records(rng: Random, options: GenerateOptions | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ``(table, record)`` pairs without end, each record as ``json.loads`` returns it; for property tests."""
    stamper = Stamper(rng, options or GenerateOptions())
    while True:
        record = _make(rng, form="lines")
        yield record.table, json.loads(stamper.stamp(record))
