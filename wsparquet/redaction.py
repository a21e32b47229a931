"""Makes text safe to show: removes credentials from URLs, messages and options, and terminal control characters.

Each docstring states what the function guarantees. Messages, reports and commit records use only these functions.
"""

from __future__ import annotations

import html
import json
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_from_bytes, unquote, unquote_plus

__all__ = [
    "hide_secrets",
    "printable",
    "printable_url",
    "secrets_in_options",
    "secrets_in_url",
    "spellings",
    "text_without_credentials",
    "utf8_text",
    "without_credentials",
]

SECRET_NAME = re.compile("key|secret|token|password|username|credential", re.IGNORECASE)
USER_INFO = re.compile(r"[^\s'\"<>/@]*:[^\s'\"<>/@]*@")
ESCAPE = re.compile("%[0-9A-F]{2}")
URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
SURROGATE = re.compile("[\ud800-\udfff]")
HIDDEN = "***"
AWS_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
MAX_URL = 200
"""The maximum length of a server's URL in a message, in characters."""

# Control characters, format characters (which can change the order of text), surrogates, line and paragraph separators.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


# --- Characters -------------------------------------------------------------------------------------------------------


def printable(text: str) -> str:
    """Replace every character that a terminal could interpret, such as a control character, with U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(character) in UNPRINTABLE else character for character in text)


def utf8_text(text: str) -> str:
    """Make ``text`` encodable as UTF-8: bytes of a path that are not valid UTF-8 become ``%XX``, as in a URL."""
    return SURROGATE.sub(lambda found: quote_from_bytes(_bytes_of(found[0])), text)


def _bytes_of(surrogate: str) -> bytes:
    """Return the byte that this surrogate represents in Python's surrogateescape, or else the surrogate's own bytes."""
    try:
        return surrogate.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return surrogate.encode("utf-8", "surrogatepass")


# --- URLs -------------------------------------------------------------------------------------------------------------


def without_credentials(url: str) -> str:
    """Remove user info, query and fragment from every link of a chained URL; a path is returned unchanged."""
    return "::".join(_split(part)[0] for part in url.split("::"))


def printable_url(url: str) -> str:
    """Return a server's URL for a message: printable, at most 200 characters, without user info, query or fragment.

    The URL may be relative or malformed, and is not a chain of URLs.
    """
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    bare = re.sub(r"//[^/\\]*@", "//", bare)
    return printable(bare)[:MAX_URL]


def secrets_in_url(url: str) -> frozenset[str]:
    """Return the texts in ``url`` that a message must not quote, percent-decoded.

    A message must not quote the user info, the query, the fragment, or a single value in one of these three.
    """
    found: set[str] = set()
    for part in url.split("::"):
        _, user, tail = _split(part)
        values = [pair.partition("=")[2] for pair in re.split(r"[&;#]", tail)]
        found.update((user, *user.split(":"), tail, *values))
    return frozenset(decoded for text in found for decoded in (unquote(text), unquote_plus(text)) if decoded)


def _split(url: str) -> tuple[str, str, str]:
    """Split a URL into the URL without credentials, the user info, and the query together with the fragment."""
    bare = re.split(r"[?#]", url, maxsplit=1)
    scheme, separator, rest = bare[0].partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if not separator or not at:
        return bare[0], "", "".join(bare[1:])
    return f"{scheme}://{host}{slash}{path}", user, "".join(bare[1:])


# --- Messages ---------------------------------------------------------------------------------------------------------


def text_without_credentials(text: str, secrets: frozenset[str]) -> str | None:
    """Remove credentials from each URL in ``text``; return None if the result still quotes one of ``secrets``."""
    stripped = URL_IN_TEXT.sub(lambda match: without_credentials(match[0]), text)
    spelled = (stripped, unquote(stripped), unquote_plus(stripped))
    return None if any(secret in each for secret in secrets for each in spelled) else stripped


def hide_secrets(text: str, secrets: frozenset[str]) -> str:
    """Replace each of ``secrets``, and the user info of anything that looks like a URL, with ``***`` in ``text``."""
    text = text_without_credentials(text, frozenset()) or ""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return USER_INFO.sub(f"{HIDDEN}@", text)


# --- Options ----------------------------------------------------------------------------------------------------------


def secrets_in_options(options: Mapping[str, Any]) -> frozenset[str]:
    """Return all values in ``options`` that may be secret, in every spelling that a message may quote.

    These are the values of options whose names suggest secrets, the credentials in URLs, and the credentials that
    clients of S3 take from the environment if the options have none.
    """
    environment = {name: os.environ.get(name, "") for name in AWS_CREDENTIALS}
    return spellings(_secrets({"environment": environment, "options": dict(options)}))


def _secrets(value: object, *, named: bool = False) -> Iterator[str]:
    """Yield all text in ``value`` that may be secret; ``named`` is true if the option's name suggests a secret."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _secrets(each, named=named or SECRET_NAME.search(str(name)) is not None)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _secrets(each, named=named)
    elif named:
        yield str(value)
    elif isinstance(value, str):
        # URL parsers miss user info in URLs without a scheme, and in URLs with a slash in the password.
        user, _, _ = value.rpartition("://")[2].rpartition("@")
        yield from (user, user.partition(":")[0], user.partition(":")[2], *secrets_in_url(value))


def spellings(secrets: Iterable[str]) -> frozenset[str]:
    """Return each secret as plain text, and as URLs, JSON, HTML, XML and Python spell it."""
    found: set[str] = set()
    for secret in secrets:
        for plain in (secret, unquote(secret)):
            in_json = json.dumps(plain)[1:-1]
            for quoted in (quote(plain, safe=""), quote(plain)):
                found.update((quoted, ESCAPE.sub(lambda escape: escape[0].lower(), quoted)))
            found.update((plain, repr(plain)[1:-1], in_json, in_json.replace("/", r"\/")))
            found.update((html.escape(plain), html.escape(plain, quote=False)))
    return frozenset(found - {""})
