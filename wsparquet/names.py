"""Parses file names of the Data Access API, removes suffixes, and encodes any text as a safe file name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

__all__ = ["SourceName", "encode", "is_account", "parse_name"]

SUFFIXES = (".gz", ".zst", ".zip", ".json", ".ndjson")
# A file name of the Data Access API. A time between 1973 and 2286, in milliseconds since 1970, has 12 or 13 digits.
API_NAME = re.compile(r"WebSession\.([0-9]{12,13})\.([0-9]{12,13})\.part-[0-9]{5,}-[0-9]+")
ACCOUNT = re.compile(r"[A-Za-z0-9_-]+")

MAX_ENCODED = 100
# ``encode`` writes uppercase hex digits and never escapes a hyphen, so this mark occurs only in truncated names.
CUT_MARK = "%2d"
HASH_DIGITS = 32


@dataclass(frozen=True, slots=True)
class SourceName:
    """The stem of a source's name, and the API name in the stem with its times, in milliseconds since 1970.

    The stem is the name without suffixes. ``api_name`` is the API name that the stem is or contains (``X``, ``X (1)``,
    ``X.gz.1``, ``Copy of X``). ``api_name`` is None if the stem contains no API name, or several.
    """

    stem: str
    api_name: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None

    @property
    def is_api(self) -> bool:
        """Whether the stem is exactly an API name."""
        return self.stem == self.api_name

    @property
    def is_copy(self) -> bool:
        """Whether the stem contains more than an API name, as in the names that browsers give to a second copy."""
        return self.api_name is not None and not self.is_api


def parse_name(name: str) -> SourceName:
    """Return the stem of a file name (without ``.gz .zst .zip .json .ndjson``), and the API name in the stem.

    A name that consists only of suffixes keeps one of them, so the stem is empty only if the name is empty.

    >>> parse_name("WebSession.1467291600000.1467295200000.part-00000-0 (1).gz").api_name
    'WebSession.1467291600000.1467295200000.part-00000-0'
    """
    stem = name
    while (shorter := _without_suffix(stem)) != stem:
        stem = shorter
    found = {match[0]: match for match in API_NAME.finditer(stem)}
    if len(found) != 1:
        return SourceName(stem)
    (api_name, match), *_ = found.items()
    return SourceName(stem, api_name, start_ms=int(match[1]), end_ms=int(match[2]))


def _without_suffix(stem: str) -> str:
    for suffix in SUFFIXES:
        if stem.lower().endswith(suffix) and len(stem) > len(suffix):
            return stem[: -len(suffix)]
    return stem


def is_account(text: str) -> bool:
    """Return whether ``text`` is a valid account: letters, digits, hyphens and underscores."""
    return ACCOUNT.fullmatch(text) is not None


def encode(text: str, *, dots: bool = True) -> str:
    """Encode any text for use in a file name: percent-encoded, 1 to 100 bytes, no leading dot or underscore.

    Different texts have different encodings: an encoding over 100 bytes is truncated, and 128 bits of the text's
    SHA-256 are appended. If ``dots`` is false, the result contains no dots, so that a dot can separate it from the rest
    of the file name.
    """
    data = text.encode("utf-8", "surrogatepass")
    encoded = quote_from_bytes(data, safe="").replace("~", "%7E")
    # Query engines ignore files whose names start with a dot or an underscore.
    if encoded[:1] in {".", "_"}:
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    if not dots:
        encoded = encoded.replace(".", "%2E")
    if 0 < len(encoded) <= MAX_ENCODED:
        return encoded
    room = MAX_ENCODED - len(CUT_MARK) - HASH_DIGITS
    kept = re.sub(r"%[0-9A-F]?$", "", encoded[:room])
    return kept + CUT_MARK + hashlib.sha256(data).hexdigest()[:HASH_DIGITS]
