"""Fills slots, which are the places in rendered text that get a new value each time the text is used.

A slot is ``{{kind}}``, or ``"{{#kind}}"`` including the quotes for a complete number. ``{{kind@name}}`` has one value
for each name throughout a visit, and ``{{kind~name}}`` has one value throughout all visits of a visitor. These values
are computed from the bits of the visit or visitor and from the name, so nothing has to be remembered.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

__all__ = ["BITS", "KINDS", "SLOT", "cents_of", "dollars", "in_scope", "mixed", "name_bits"]

BITS = 128
"""The number of random bits from which a kind of slot makes its value."""
SLOT = re.compile(rb'"\{\{#([\w@~]+)\}\}"|\{\{([\w@~]+)\}\}')
_MASK = (1 << BITS) - 1
_FACTOR = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835


def mixed(bits: int, more: int) -> int:
    """Return bits that depend on both arguments, and look random if ``bits`` is random."""
    product = ((bits ^ more) * _FACTOR) & _MASK
    return product ^ (product >> 67)


def name_bits(name: str) -> int:
    """Return a hash of a name as a number that is the same on every machine."""
    return int.from_bytes(blake2b(name.encode(), digest_size=BITS // 8).digest(), "big")


# --- Kinds ------------------------------------------------------------------------------------------------------------


def _digits(count: int) -> Callable[[int], bytes]:
    least, span = 10 ** (count - 1), 9 * 10 ** (count - 1)
    return lambda bits: b"%d" % (least + (bits >> 8) % span)


def _hex(count: int) -> Callable[[int], bytes]:
    form, shift = b"%%0%dx" % count, BITS - 4 * count
    return lambda bits: form % (bits >> shift)


def _uuid(bits: int) -> bytes:
    text = b"%032x" % bits
    return b"-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def cents_of(bits: int) -> int:
    """Return the price in cents that a slot ``price`` shows."""
    return 99 + (bits >> 8) % 49_901


def dollars(cents: int) -> bytes:
    """Return an amount as a number in JSON. Avro writes an integral double without a fraction."""
    return b"%d" % (cents // 100) if cents % 100 == 0 else repr(cents / 100).encode()


KINDS: dict[str, Callable[[int], bytes]] = {
    **{f"d{count}": _digits(count) for count in (1, 2, 4, 6, 9)},
    **{f"hex{count}": _hex(count) for count in (4, 8, 24)},
    "octet": lambda bits: b"%d" % (1 + (bits >> 8) % 254),
    "money": lambda bits: repr((bits >> 8) % 50_000 / 100).encode(),
    "price": lambda bits: dollars(cents_of(bits)),
    "uuid": _uuid,
    "key": lambda bits: urlsafe_b64encode(bits.to_bytes(16, "big"))[:22],
}
"""Makes the text of each kind of slot from random bits."""


# --- Scopes -----------------------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"\{\{(#?)(" + "|".join(KINDS) + r")\}\}")


def in_scope(value: Any, scope: str, prefix: str) -> Any:
    """Return a value in which every random slot has one text for each visit (``@``) or visitor (``~``)."""
    count = 0

    def scoped(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{{{{{found[1]}{found[2]}{scope}{prefix}{count}}}}}"

    return json.loads(_PLAIN.sub(scoped, json.dumps(value)))
