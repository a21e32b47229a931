"""Errors of requests: permanent ones, and transient ones that a retry may fix. Callers see both as ``ApiError``."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from wsparquet.errors import ApiError
from wsparquet.redaction import printable_url

__all__ = ["FileGone", "NoFiles", "Transient", "translated"]


class FileGone(ApiError):
    """A file that was listed no longer exists on the server."""


class NoFiles(ApiError):
    """The server reports an empty list."""


class Transient(Exception):
    """A failure that a retry may fix.

    ``error``: the error to raise if all retries fail. ``busy``: whether the server asked clients to slow down.
    ``retry_after``: the wait in seconds that the server asked for, or None if the server asked for no wait.
    ``unreachable``: whether no connection was made, because the host is unknown, refuses connections, or does not
    respond.
    """

    def __init__(
        self, error: ApiError, *, busy: bool = False, retry_after: float | None = None, unreachable: bool = False
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.busy = busy
        self.retry_after = retry_after
        self.unreachable = unreachable


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turns errors of the HTTP client into ``Transient``, or into ``ApiError`` if a retry cannot help.

    The original error is not chained, because it contains the request with its signature.
    """
    place = printable_url(url)
    try:
        yield
    except (ssl.CertificateError, aiohttp.ClientSSLError) as error:
        raise ApiError(
            f"{place}: expected a server whose certificate can be verified, found: {_text(error)}; check the clock, "
            "the address, and whether a proxy intercepts TLS connections"
        ) from None
    except TimeoutError as error:
        raise Transient(
            ApiError(f"{place}: expected an answer, found none in time; check the connection, and try again later"),
            unreachable=isinstance(error, aiohttp.ConnectionTimeoutError),
        ) from None
    except aiohttp.ClientConnectorError as error:
        raise Transient(
            ApiError(
                f"{place}: expected a connection, found: {_text(error)}; check the address (`region`, `base_url`), the "
                "connection, and the proxy"
            ),
            unreachable=True,
        ) from None
    except (aiohttp.ClientPayloadError, ConnectionError) as error:
        raise Transient(
            ApiError(f"{place}: expected a complete response, found a truncated one ({_text(error)}); try again later")
        ) from None
    except aiohttp.ClientError as error:
        raise Transient(
            ApiError(f"{place}: expected an answer, found: {_text(error)}; check the address and the connection")
        ) from None


def _text(error: BaseException) -> str:
    """Return a description of the error that contains no part of the request."""
    reason = getattr(error, "os_error", None) or error
    text = getattr(reason, "strerror", None)
    return text if isinstance(text, str) and text else type(reason).__name__
