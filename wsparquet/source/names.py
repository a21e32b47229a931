"""What a source is called: its name shed of suffixes, and what of its URL may be written down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

__all__ = ["SourceName", "account_of", "last_component", "mask", "parse_name", "secrets_of", "wrong_suffix"]

SUFFIXES = (".gz", ".zst", ".zip", ".json", ".ndjson")
# The form of the Data Access API's file names; 12 or 13 digits of milliseconds reach from 1973 to 2286.
API_NAME = re.compile(r"WebSession\.([0-9]{12,13})\.([0-9]{12,13})\.part-[0-9]{5,}-[0-9]+")
ACCOUNT = re.compile(r"/account/([A-Za-z0-9_-]+)/")
URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
FORMAT_SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zip": "zip"}


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


def wrong_suffix(name: str, format_name: str) -> str | None:
    """The suffix of ``name`` that promises another format than ``format_name``, as it is written; else None."""
    for suffix, promised in FORMAT_SUFFIXES.items():
        if name.lower().endswith(suffix) and promised not in format_name.split("+"):
            return name[-len(suffix) :]
    return None


def last_component(path: str) -> str:
    """The last component of a path, of either slash, as it is written; never a path."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def account_of(url: str) -> str | None:
    """The account in a URL's ``/account/<id>/``, if it is there."""
    match = ACCOUNT.search(unquote(url))
    return match[1] if match else None


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
