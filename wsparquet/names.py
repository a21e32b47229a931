"""What files are called: the Data Access API's names, stems without suffixes, and names safe in a path.

Sources, datasets and synchronisation go by the same names, so the rules for them are here.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

__all__ = ["SourceName", "encode", "is_account", "parse_name"]

SUFFIXES = (".gz", ".zst", ".zip", ".json", ".ndjson")
# The form of the Data Access API's file names; 12 or 13 digits of milliseconds reach from 1973 to 2286.
API_NAME = re.compile(r"WebSession\.([0-9]{12,13})\.([0-9]{12,13})\.part-[0-9]{5,}-[0-9]+")
ACCOUNT = re.compile(r"[A-Za-z0-9_-]+")

MAX_ENCODED = 100
# Encoding writes capital hex digits and never needs to escape a hyphen, so no name can look like a cut one.
CUT_MARK = "%2d"
HASH_DIGITS = 32


@dataclass(frozen=True, slots=True)
class SourceName:
    """A source's name shed of suffixes; ``start_ms`` and ``end_ms`` are the API's, in milliseconds since 1970."""

    stem: str
    is_api: bool
    start_ms: int | None = None
    end_ms: int | None = None


def parse_name(name: str) -> SourceName:
    """The stem of a file name, without ``.gz .zst .zip .json .ndjson``, and the times that an API name carries.

    A name of nothing but suffixes keeps its last one, so that a stem is never empty unless the name is.
    """
    stem = name
    while (shed := _shed(stem)) != stem:
        stem = shed
    match = API_NAME.fullmatch(stem)
    if match is None:
        return SourceName(stem, is_api=False)
    return SourceName(stem, is_api=True, start_ms=int(match[1]), end_ms=int(match[2]))


def _shed(stem: str) -> str:
    for suffix in SUFFIXES:
        if stem.lower().endswith(suffix) and len(stem) > len(suffix):
            return stem[: -len(suffix)]
    return stem


def is_account(text: str) -> bool:
    """Whether an account may be called that: letters, digits, hyphens and underscores."""
    return ACCOUNT.fullmatch(text) is not None


def encode(text: str, *, dots: bool = True) -> str:
    """A file name's part from any text: percent-encoded, never empty, hidden or longer than 100 bytes.

    Different texts have different encodings: an over-long one is cut and gets 128 bits of its SHA-256. Without ``dots``
    there are none in it, so that whoever reads a name made of several parts sees where this one ends.
    """
    data = text.encode("utf-8", "surrogatepass")
    encoded = quote_from_bytes(data, safe="").replace("~", "%7E")
    # Engines take files whose names begin with a dot or an underscore for hidden ones.
    if encoded[:1] in {".", "_"}:
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    if not dots:
        encoded = encoded.replace(".", "%2E")
    if 0 < len(encoded) <= MAX_ENCODED:
        return encoded
    room = MAX_ENCODED - len(CUT_MARK) - HASH_DIGITS
    kept = re.sub(r"%[0-9A-F]?$", "", encoded[:room])
    return kept + CUT_MARK + hashlib.sha256(data).hexdigest()[:HASH_DIGITS]
