"""Renders the records of visits once, with slots for the values that differ each time a visit is used.

Building a record value by value is slow, so each seed has a pool of rendered visits: a number of persons, each with a
number of visits. All files with that seed choose from the pool, and fill the slots with their own random values.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from wsparquet.generate.draw import Draw, Person, make_person, spread
from wsparquet.generate.shapes import RECORD_TABLES, record_maker
from wsparquet.generate.slots import SLOT
from wsparquet.generate.story import Step, full_story, story

__all__ = ["VISITS", "Script", "Template", "full_script", "make_script", "persons", "pooled", "template"]

VISITS = 3
"""The number of visits of each person in the pool."""
_PERSONS = 80
_MOST_PERSONS = 5 * _PERSONS
_ASCII_RATE = 0.15
_INDENT = "\n    "


@dataclass(frozen=True, slots=True)
class Template:
    """The rendered text of a record, split at its slots. ``parts`` has one element more than ``slots``."""

    table: str
    parts: tuple[bytes, ...]
    slots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """The records of a visit in the order of time. ``times``: the number of slots for times."""

    records: tuple[Template, ...]
    times: int


def template(text: str | bytes, *, table: str = "") -> Template:
    """Split a text at its slots."""
    encoded = text.encode() if isinstance(text, str) else text
    pieces = SLOT.split(encoded)
    slots = tuple((bare or quoted).decode() for bare, quoted in zip(pieces[1::3], pieces[2::3], strict=True))
    return Template(table, tuple(pieces[::3]), slots)


def _render(record: dict[str, Any], *, form: str, ascii_only: bool) -> str:
    if form == "document":
        return json.dumps(record, indent=2, ensure_ascii=ascii_only).replace("\n", _INDENT)
    return json.dumps(record, separators=(",", ":"), ensure_ascii=ascii_only)


def _script(draw: Draw, steps: list[Step], *, form: str) -> Script:
    records = []
    for step in steps:
        record = record_maker(step.table)(draw, step.planned)
        text = _render(record, form=form, ascii_only=draw.random() < _ASCII_RATE)
        records.append(template(text, table=step.table))
    return Script(tuple(records), sum(record.slots.count("ms") for record in records))


def make_script(rng: Random, *, form: str, distinct: float) -> Script:
    """Return a visit of a person who is not in the pool."""
    draw = Draw(rng, distinct=distinct)
    return _script(draw, story(draw), form=form)


# --- The pool ---------------------------------------------------------------------------------------------------------


def persons(distinct: float) -> int:
    """Return the number of persons in the pool. The fewer values repeat, the more persons."""
    return _PERSONS * (1 + int(4 * distinct))


@lru_cache(maxsize=2 * _MOST_PERSONS)
def _person(seed: int, number: int) -> Person:
    key = (seed << 40) | (1 << 38) | number
    return make_person(Draw(Random(key)), seed=key, number=number + seed)


@lru_cache(maxsize=2 * _MOST_PERSONS * VISITS)
def pooled(seed: int, person: int, visit: int, form: str, distinct: float) -> Script:
    """Return one of the visits of a person in the pool of a seed. Both forms have the same records."""
    rng = Random((seed << 40) | (1 << 37) | (person << 8) | visit)
    draw = Draw(rng, distinct=distinct, person=_person(seed, person))
    draw.at = spread(person * VISITS + visit + seed)
    return _script(draw, story(draw), form=form)


@lru_cache(maxsize=2 * _PERSONS)
def full_script(seed: int, person: int, form: str, distinct: float) -> Script:
    """Return a visit with one record of each table, in which every field and every branch has a value."""
    visitors = (_person(seed, (person + step) % _PERSONS) for step in range(_PERSONS))
    draw = Draw(
        Random((seed << 40) | (1 << 36) | person),
        full=True,
        distinct=distinct,
        person=next(visitor for visitor in visitors if visitor.segment is not None),
    )
    return _script(draw, full_story(draw, RECORD_TABLES), form=form)
