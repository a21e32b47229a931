"""Chooses the visits of a file, and fills the slots of their records with identifiers, times, and random values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

from wsparquet.generate.options import HOUR_MS, PARTS_PER_HOUR, GenerateOptions
from wsparquet.generate.slots import BITS, KINDS, cents_of, dollars, mixed, name_bits
from wsparquet.generate.templates import VISITS, Script, Template, full_script, make_script, persons, pooled

__all__ = ["Stamper", "records"]

_DAY_MS = 24 * HOUR_MS
_LENGTHS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 9.0, 20.0)
"""The quantiles of the lengths of visits, as multiples of the median: a few are very long."""
_LONGEST_MS = 12 * HOUR_MS
_REGULARS = 2
"""On average, a returning visitor is in one of this many files of the same part of the hour."""


class Stamper:
    """Fills the slots of one file: identifiers and times of its visits, and random digits.

    All visits end within the hour of the file, because files have closed sessions. The times of a visit are in order.
    """

    def __init__(self, rng: Random, options: GenerateOptions, *, file_number: int = 0) -> None:
        self._random = rng.random
        self.new_bits = partial(rng.getrandbits, BITS)
        self._digits = partial(rng.getrandbits, 160)
        self._options = options
        self._mix = options.mix
        self._file_number = file_number
        self._first, self._last = options.hour(file_number)
        self._persons = persons(self._mix.distinct)
        self._regulars = 0
        self._makers = _Makers(self)
        self._makers |= {
            "account": _constant(json.dumps(options.account)[1:-1].encode()),
            "hour": _constant(b"%d" % self._first),
            "until": _constant(b"%d" % self._last),
            "ms": self._ms,
        }
        self.begin(Script((), 1))

    # --- Visits -------------------------------------------------------------------------------------------------------

    def next_visit(self) -> Script:
        """Begin a visit of a new or a returning visitor, and return the records of the visit."""
        regular = self._random() < self._mix.returning
        visitor = self._regular() if regular else self.new_bits()
        person = (visitor >> 64) % self._persons
        options = self._options
        visit = int(self._random() * VISITS)
        script = pooled(options.seed, person, visit, options.form, self._mix.distinct)
        self.begin(script, visitor=visitor, within_hour=regular)
        return script

    def full_visit(self) -> Script:
        """Begin a visit in which every field has a value, and return the records of the visit."""
        options = self._options
        # Different files show different persons, so that small files are not all alike.
        person = self._file_number % self._persons
        script = full_script(options.seed, person, options.form, self._mix.distinct)
        self.begin(script)
        return script

    def begin(self, script: Script, *, visitor: int | None = None, within_hour: bool = False) -> None:
        """Begin a visit: choose its identifiers and times."""
        self.visitor_bits = self.new_bits() if visitor is None else visitor
        self.visit_bits = self.new_bits()
        self._choose_times(within_hour=within_hour)
        self._step = self._active / (script.times + 1)
        self._turn = 0
        visitor_key = KINDS["key"](mixed(self.visitor_bits, 1))
        key, digits = self.new_bits(), self._digits()
        self._makers |= {
            "visit": _constant(KINDS["key"](key) + b".%040x" % digits),
            "visitor": _constant(visitor_key),
            "context": _constant(b"%032x" % mixed(self.visit_bits, 1)),
            "start": _constant(b"%d" % self._start),
        }

    def _regular(self) -> int:
        """Return the bits of a visitor who also has visits in other files, and has at most one visit in this file.

        Files of the same hour have different visitors, so no visitor has two visits at the same time.
        """
        self._regulars += 1
        part = self._file_number % PARTS_PER_HOUR
        member = int(self._random() * _REGULARS) * PARTS_PER_HOUR + part
        return mixed(name_bits(f"{self._options.seed}"), self._regulars * _REGULARS * PARTS_PER_HOUR + member)

    def _choose_times(self, *, within_hour: bool) -> None:
        """Choose the start, the end, and the hours in between in which the visitor is away."""
        end = self._first + 1 + int(self._random() * (HOUR_MS - 1))
        length = self._length()
        today = end - end % _DAY_MS
        midnight = self._mix.midnight
        self._away_at = self._away = 0
        if within_hour:
            self._start = max(end - length, self._first)
        elif midnight is not None and self._random() < midnight and today > 0:
            # The visitor leaves the page open over night.
            evening = min(max(60_000, int(length * (0.2 + 0.6 * self._random()))), today)
            morning = min(max(60_000, length - evening), end - today)
            self._start, self._away_at = today - evening, evening
            self._away = end - morning - today
        else:
            self._start = max(end - length, 0 if midnight is None else today)
        self._active = max(end - self._start - self._away, 1)

    def _length(self) -> int:
        """Return the length of a visit in milliseconds."""
        place = self._random() * (len(_LENGTHS) - 1)
        below = int(place)
        factor = _LENGTHS[below] + (place - below) * (_LENGTHS[below + 1] - _LENGTHS[below])
        return min(int(factor * self._mix.session_minutes * 60_000), _LONGEST_MS)

    # --- Slots --------------------------------------------------------------------------------------------------------

    def fill(self, record: Template) -> bytes:
        """Fill the slots of a template for the current visit and return the text."""
        makers = self._makers
        filled = [record.parts[0]]
        for slot, part in zip(record.slots, record.parts[1:], strict=True):
            filled.append(makers[slot]())
            filled.append(part)
        return b"".join(filled)

    def _ms(self) -> bytes:
        passed = min(int((self._turn + self._random()) * self._step), self._active - 1)
        self._turn += 1
        return b"%d" % (self._start + passed + (self._away if passed >= self._away_at else 0))


def _constant(text: bytes) -> Callable[[], bytes]:
    return lambda: text


class _Makers(dict[str, Callable[[], bytes]]):
    """The functions that make the text of each slot. Adds the maker of a slot when a template first has the slot."""

    def __init__(self, stamper: Stamper) -> None:
        super().__init__()
        self._stamper = stamper

    def __missing__(self, slot: str) -> Callable[[], bytes]:
        made = self[slot] = self._sum(slot) if slot.startswith("sum_") else self._maker(slot)
        return made

    def _maker(self, slot: str) -> Callable[[], bytes]:
        text, bits = KINDS[slot.partition("@")[0].partition("~")[0]], self._bits_of(slot)
        return lambda: text(bits())

    def _bits_of(self, slot: str) -> Callable[[], int]:
        stamper, more = self._stamper, name_bits(slot)
        if "@" in slot:
            return lambda: mixed(stamper.visit_bits, more)
        if "~" in slot:
            return lambda: mixed(stamper.visitor_bits, more)
        return stamper.new_bits

    def _sum(self, slot: str) -> Callable[[], bytes]:
        """Return the maker of a total: ``sum_2x999_1xprice@p1`` is 2 × 9.99 and the price of ``price@p1``."""
        terms = [(int(count), cents) for count, _, cents in (term.partition("x") for term in slot.split("_")[1:])]
        known = sum(count * int(cents) for count, cents in terms if cents.isdigit())
        made = [(count, self._bits_of(cents)) for count, cents in terms if not cents.isdigit()]
        return lambda: dollars(known + sum(count * cents_of(bits()) for count, bits in made))


def records(rng: Random, options: GenerateOptions | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ``(table, record)`` pairs without end, each record as ``json.loads`` returns it; for property tests."""
    options = options or GenerateOptions()
    stamper = Stamper(rng, options)
    while True:
        script = make_script(rng, form="lines", distinct=options.mix.distinct)
        stamper.begin(script)
        for record in script.records:
            yield record.table, json.loads(stamper.fill(record))
