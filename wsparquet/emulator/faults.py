"""Faults: the kinds that the emulator can produce, and the random choice of the requests that fail."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

__all__ = ["DOWNLOAD", "FAULTS", "LISTING", "Dice"]

FAULTS = {
    "429": "too many requests, without a Retry-After header",
    "429-retry-after": "too many requests, with the header Retry-After",
    "500": "an internal error",
    "503": "not available",
    "html-error": "an HTML page of a proxy, with status 200",
    "stall": "no response for a while, then the connection is closed",
    "stall-mid-body": "a part of the body, then nothing for a while, then the connection is closed",
    "reset": "the connection is reset before the response",
    "reset-mid-body": "the connection is reset after a part of the body",
    "truncated": "the connection is closed after a part of the body, and Content-Length is that of the whole body",
    "truncated-chunked": "a part of the body in chunks, with a correct last chunk",
    "length-too-long": "Content-Length is larger than the body",
    "length-too-short": "Content-Length is smaller than the body",
    "duplicate-names": "the list repeats entries, some with another address of the same file",
    "hostile-href": "the list has entries whose addresses and names are traps",
    "redirect": "a redirect to the same host",
    "redirect-elsewhere": "a redirect to another host",
}
"""The kinds of faults, with a description of each."""

LISTING = frozenset(FAULTS) - {"truncated-chunked", "length-too-short"}
"""The kinds of faults that apply to a list."""
DOWNLOAD = frozenset(FAULTS) - {"duplicate-names", "hostile-href"}
"""The kinds of faults that apply to a download."""
HARMLESS = frozenset({"duplicate-names", "hostile-href", "redirect"})
"""The kinds of faults with which the client still receives a complete response."""


class Dice:
    """Chooses the fault of each request at random.

    With equal seeds, the n-th request for a resource always gets the same fault.
    """

    def __init__(self, faults: Mapping[str, float], *, seed: int, most: int) -> None:
        self._faults = faults
        self._seed = seed
        self._most = most
        self._asked: Counter[str] = Counter()
        self._in_a_row: Counter[str] = Counter()

    def heal(self) -> None:
        """Stop producing faults."""
        self._faults = {}

    def throw(self, resource: str, kinds: frozenset[str]) -> str | None:
        """Return the fault for the next request for a resource: one of ``kinds``, or None for a correct response."""
        self._asked[resource] += 1
        chance = random.Random(f"{self._seed} {resource} {self._asked[resource]}")
        fault = self._pick(chance, sorted(kinds))
        if fault is None or fault in HARMLESS:
            self._in_a_row[resource] = 0
        elif self._in_a_row[resource] >= self._most:
            self._in_a_row[resource] = 0
            return None
        else:
            self._in_a_row[resource] += 1
        return fault

    def _pick(self, chance: random.Random, kinds: list[str]) -> str | None:
        if chance.random() < self._faults.get("all", 0):
            return chance.choice(kinds)
        return next((kind for kind in kinds if chance.random() < self._faults.get(kind, 0)), None)
