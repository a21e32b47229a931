"""Decides which URLs may receive a signed request: only URLs of the API, whatever a response or redirect names.

This module and aiohttp both parse URLs with yarl, so aiohttp connects to exactly the host that was checked.
"""

from __future__ import annotations

import ipaddress
import re

from yarl import URL

from wsparquet.errors import ApiError
from wsparquet.redaction import printable_url

__all__ = ["Trust", "check_base_url"]

# The characters of a URL (RFC 3986), except those that different parsers interpret differently.
PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+da\.liveperson\.net")


class Trust:
    """The trusted servers: https on ``*.da.liveperson.net``, or only the ``base_url`` if the user set it."""

    def __init__(self, *, host: str, base_url: str | None) -> None:
        self._exact = base_url is not None
        self.base = URL(f"https://{host}") if base_url is None else _base(base_url)

    def check(self, url: str) -> URL:
        """Check a URL and return the parsed URL, which can be signed and sent unchanged.

        Raises:
            ApiError: a signed request must not be sent to this URL.

        """
        parsed = _parse(url)
        if parsed is None:
            raise self._refusal(url, "text that is not a URL by RFC 3986")
        if parsed.user is not None or parsed.password is not None or "@" in parsed.raw_authority:
            raise self._refusal(url, "a URL with user info")
        if self._exact:
            if _origin(parsed) != _origin(self.base):
                raise self._refusal(url, "another one")
        elif parsed.scheme != "https" or not DOMAIN.fullmatch((parsed.raw_host or "").lower()):
            raise self._refusal(url, "another one")
        elif parsed.explicit_port not in {None, 443}:
            raise self._refusal(url, f"port {parsed.explicit_port}")
        return parsed

    def _refusal(self, url: str, found: str) -> ApiError:
        expected = str(self.base) if self._exact else "https on *.da.liveperson.net"
        return ApiError(
            f"{printable_url(url)}: expected an address of the API ({expected}), found {found}; "
            "nothing was sent there. If it belongs to the API, set `base_url` to it"
        )


def _parse(url: str) -> URL | None:
    if not PLAIN.fullmatch(url):
        return None
    try:
        parsed = URL(url, encoded=True)
        # yarl validates the port only when the attribute is read.
        return parsed if parsed.absolute and parsed.port is not None else None
    except ValueError:
        return None


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, (url.raw_host or "").lower(), url.port


def check_base_url(url: str) -> None:
    """Refuse a URL that is not the base URL of a server.

    Raises:
        ApiError: the URL is malformed, contains more than a host and a port, or uses http for another machine.

    """
    _base(url)


def _base(url: str) -> URL:
    """Return the base URL that the user gave."""
    parsed = _parse(url)
    if parsed is None or parsed.scheme not in {"http", "https"} or parsed.raw_authority.count("@"):
        raise ApiError(f"`base_url`: expected https://HOST[:PORT], found {printable_url(url)!r}")
    if parsed.path not in {"", "/"} or parsed.raw_query_string or parsed.raw_fragment:
        raise ApiError(f"`base_url`: expected https://HOST[:PORT] and nothing after it, found {printable_url(url)!r}")
    if parsed.scheme == "http" and not _is_loopback(parsed.host or ""):
        raise ApiError(f"`base_url`: expected https, found {printable_url(url)!r}; only this machine may use http")
    return parsed.origin()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
