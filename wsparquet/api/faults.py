"""What can go wrong with a request: refusals, which stay, and failures, which may pass; all end as ``ApiError``."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from wsparquet.api.trust import masked
from wsparquet.errors import ApiError

__all__ = ["FileGone", "NoFiles", "Transient", "translated"]


class FileGone(ApiError):
    """A file that was listed is there no more."""


class NoFiles(ApiError):
    """The server's way to say that a list is empty."""


class Transient(Exception):
    """A failure that may pass; ``error`` is what it is if it does not.

    ``busy`` if the server asked to be left alone for a while, for ``retry_after`` seconds if it said how long.
    """

    def __init__(self, error: ApiError, *, busy: bool = False, retry_after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.busy = busy
        self.retry_after = retry_after


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turns what the HTTP client raises into ``Transient``, or ``ApiError`` where another try would be no use.

    Nothing is chained: the client's errors hold the request, and with it the signature.
    """
    place = masked(url)
    try:
        yield
    except (ssl.CertificateError, aiohttp.ClientSSLError) as error:
        raise ApiError(
            f"{place}: expected a server whose certificate can be verified, found: {_text(error)}; check the clock, "
            "the address, and whether something in between opens TLS connections"
        ) from None
    except TimeoutError:
        raise Transient(
            ApiError(f"{place}: expected an answer, found none in time; check the connection, and try again later")
        ) from None
    except (aiohttp.ClientPayloadError, ConnectionError) as error:
        raise Transient(
            ApiError(f"{place}: expected a whole answer, found it cut off ({_text(error)}); try again later")
        ) from None
    except aiohttp.ClientError as error:
        raise Transient(
            ApiError(f"{place}: expected an answer, found: {_text(error)}; check the address and the connection")
        ) from None


def _text(error: BaseException) -> str:
    """What happened, in words that cannot quote a request."""
    reason = getattr(error, "os_error", None) or error
    text = getattr(reason, "strerror", None)
    return text if isinstance(text, str) and text else type(reason).__name__
