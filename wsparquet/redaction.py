"""What of a user's options no message may quote, and messages without it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from wsparquet.urls import mask_text, secrets_of

__all__ = ["redacted", "secrets_in"]

SECRET_NAME = re.compile("key|secret|token|password|username|credential", re.IGNORECASE)
USER_INFO = re.compile(r"[^\s'\"<>/@]*:[^\s'\"<>/@]*@")
HIDDEN = "***"


def secrets_in(options: Mapping[str, Any]) -> frozenset[str]:
    """All that may be secret in options, as messages may spell it: what is named so, and user info of addresses."""
    return _spelled(_secrets(options))


def redacted(text: str, secrets: frozenset[str]) -> str:
    """``text`` without secrets, and without user info in whatever else looks like an address."""
    text = mask_text(text, frozenset()) or ""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return USER_INFO.sub(f"{HIDDEN}@", text)


def _secrets(value: object, *, named: bool = False) -> Iterator[str]:
    """All text that may be secret: of options that are ``named`` so, and user info and queries of addresses."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _secrets(each, named=named or SECRET_NAME.search(str(name)) is not None)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _secrets(each, named=named)
    elif named:
        yield str(value)
    elif isinstance(value, str):
        # Also without a scheme, or with a slash in the password, where it is no URL to others.
        user, _, _ = value.rpartition("://")[2].rpartition("@")
        yield from (user, user.partition(":")[0], user.partition(":")[2], *secrets_of(value))


def _spelled(secrets: Iterator[str]) -> frozenset[str]:
    """Secrets as messages may spell them."""
    found: set[str] = set()
    for secret in secrets:
        for plain in (secret, unquote(secret)):
            found.update((plain, quote(plain, safe=""), repr(plain)[1:-1], json.dumps(plain)[1:-1]))
    return frozenset(found - {""})
