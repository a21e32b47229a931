"""What of a URL or a path may be written down or said, and what in an argument is a URL."""

from __future__ import annotations

import os
import re
from urllib.parse import quote_from_bytes, unquote, unquote_plus

__all__ = ["is_half_url", "is_url", "mask", "mask_text", "sayable", "secrets_of"]

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")
HALF_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")
SURROGATE = re.compile("[\ud800-\udfff]")
URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")


def sayable(text: str) -> str:
    """``text`` as UTF-8 can hold it: bytes of a path that are no UTF-8 are escaped, as in the path's URL (``%FF``)."""
    return SURROGATE.sub(lambda found: quote_from_bytes(_bytes_of(found[0])), text)


def _bytes_of(surrogate: str) -> bytes:
    """The byte that Python has a surrogate stand for in paths and arguments; of any other one its own three."""
    try:
        return surrogate.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return surrogate.encode("utf-8", "surrogatepass")


def is_url(text: str) -> bool:
    """Whether an argument is a URL, or a chain of them as fsspec has it, and no path."""
    return URL.match(text) is not None


def is_half_url(text: str) -> bool:
    """Whether an argument looks like a URL that lacks a slash (``s3:/bucket/x``), and no folder makes it a path."""
    return HALF_URL.match(text) is not None and not os.path.lexists(text.partition("/")[0])


def mask(url: str) -> str:
    """``url`` without user info, query and fragment, in every link of a chained URL."""
    return "::".join(_split(part)[0] for part in url.split("::"))


def _split(url: str) -> tuple[str, str, str]:
    """The URL that may be written down, its user info, its query and fragment."""
    bare = re.split(r"[?#]", url, maxsplit=1)
    scheme, separator, rest = bare[0].partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if not separator or not at:
        return bare[0], "", "".join(bare[1:])
    return f"{scheme}://{host}{slash}{path}", user, "".join(bare[1:])


def secrets_of(url: str) -> frozenset[str]:
    """Everything in ``url`` that no message may quote, percent-decoded: user info, query, fragment and their parts."""
    found: set[str] = set()
    for part in url.split("::"):
        _, user, tail = _split(part)
        values = [pair.partition("=")[2] for pair in re.split(r"[&;#]", tail)]
        found.update((user, *user.split(":"), tail, *values))
    return frozenset(decoded for text in found for decoded in (unquote(text), unquote_plus(text)) if decoded)


def mask_text(text: str, secrets: frozenset[str]) -> str | None:
    """``text`` with every URL in it masked; None if it still quotes one of ``secrets``."""
    masked = URL_IN_TEXT.sub(lambda match: mask(match[0]), text)
    spelled = (masked, unquote(masked), unquote_plus(masked))
    return None if any(secret in form for secret in secrets for form in spelled) else masked
