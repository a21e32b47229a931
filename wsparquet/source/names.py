"""What of a source's URL may be written down, and what its parts say."""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus

__all__ = ["account_of", "last_component", "mask", "mask_text", "secrets_of", "wrong_suffix"]

ACCOUNT = re.compile(r"/account/([A-Za-z0-9_-]+)/")
URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
FORMAT_SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zip": "zip"}


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
