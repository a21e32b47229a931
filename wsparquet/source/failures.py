"""Translates the errors of file systems into a SourceError that names the location and a remedy."""

from __future__ import annotations

import struct
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wsparquet.errors import SourceError
from wsparquet.redaction import (
    hide_secrets,
    secrets_in_options,
    secrets_in_url,
    text_without_credentials,
    utf8_text,
    without_credentials,
)

__all__ = ["Place", "client_errors"]

# The standard library and fsspec raise these for a bad URL, bad options, a bad archive, or a failed connection.
LIBRARY_ERRORS: tuple[type[Exception], ...] = (
    OSError,
    ImportError,
    ValueError,
    TypeError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    KeyError,
    struct.error,
    zipfile.BadZipFile,
)
# Base classes of the errors of fsspec's clients. The clients are optional, so look only in modules that are loaded.
CLIENT_ERRORS = (
    ("aiohttp", "ClientError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("gcsfs.retry", "HttpError"),
    ("azure.core.exceptions", "AzureError"),
)
REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (FileNotFoundError, "check the name"),
    (PermissionError, "check that you may read it, or use credentials that may read it"),
    (IsADirectoryError, "name a file in it"),
    (TimeoutError, "check the connection and try again"),
    (ConnectionError, "check the connection and try again"),
    (ImportError, "install the package that is named here"),
    (zipfile.BadZipFile, "fetch or make the archive again"),
    (struct.error, "fetch or make the archive again"),
    (OSError, "check the address and the connection, and try again"),
)


@dataclass(frozen=True)
class Place:
    """The label of a location for messages, and the secrets that no message may contain.

    ``secrets``: the secrets in the URL, percent-decoded. ``hidden``: the secrets in the storage options.
    """

    label: str
    secrets: frozenset[str] = frozenset()
    is_url: bool = False
    hidden: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", utf8_text(self.label))

    @classmethod
    def of_url(cls, url: str, options: Mapping[str, Any] | None = None) -> Place:
        """Return the location of a URL that is accessed with the given storage options."""
        hidden = secrets_in_options(options or {})
        return cls(without_credentials(url), secrets_in_url(url), is_url=True, hidden=hidden)

    def error(self, message: str) -> SourceError:
        """Return a SourceError about this location."""
        return SourceError(f"{self.label}: {utf8_text(message)}")

    @contextmanager
    def translated(self, expected: str = "a file that can be read") -> Iterator[None]:
        """Turn the errors of file systems into SourceError.

        An error about a URL is not chained: tracebacks print the chain, and the original error may contain the URL with
        its secrets, or the target of a redirect.
        """
        try:
            yield
        except (*LIBRARY_ERRORS, *client_errors()) as error:
            raise self.as_source_error(error, expected) from (None if self.is_url else error)

    def as_source_error(self, error: BaseException, expected: str = "a file that can be read") -> SourceError:
        """Convert ``error`` to a SourceError without secrets in its text."""
        # fsspec reports every HTTP error as a missing file. The actual HTTP error is the exception's cause.
        if isinstance(error, FileNotFoundError) and getattr(error.__cause__, "status", 404) != 404:
            error = error.__cause__ or error
        text = hide_secrets(_text(error), self.hidden) if self.is_url or self.hidden else _text(error)
        found = text_without_credentials(text, self.secrets) or type(error).__name__
        return self.error(f"expected {expected}, found: {found}; {_remedy(error)}")


def client_errors() -> Iterator[type[Exception]]:
    """Yield the base class of the errors of each fsspec client that is loaded."""
    for module, name in CLIENT_ERRORS:
        if module in sys.modules:
            yield getattr(sys.modules[module], name)


def _text(error: BaseException) -> str:
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return f"HTTP status {status} {getattr(error, 'message', '')}".rstrip()
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, KeyError):
        return f"no {error} in an answer or in the options"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:300]


def _remedy(error: BaseException) -> str:
    status = getattr(error, "status", None)
    if status in (401, 403):
        error = PermissionError()
    elif isinstance(status, int) and status >= 500:
        error = ConnectionError()
    return next((remedy for kind, remedy in REMEDIES if isinstance(error, kind)), "check the address and the options")
