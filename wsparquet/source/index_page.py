"""Lists the files and folders that an HTTP server's index page links to.

fsspec's own listing does not decompress a page, does not unescape links, and follows links that only sort the page.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from wsparquet.errors import SourceError
from wsparquet.private import fsspec
from wsparquet.source.formats import BLOCK, CODECS, Feeder, inflate, sniff

__all__ = ["links", "list_page"]

LARGEST_PAGE = 64 << 20
"""The maximum size of a page in bytes, both as sent and decompressed."""
PAGES = {"text/html", "application/xhtml+xml", ""}
PORTS = {"http": 80, "https": 443}


def list_page(filesystem: Any, url: str) -> list[dict[str, Any]]:
    """Return the entries of the folder at ``url``, in the form of fsspec's ``ls``.

    Raises ValueError if the page is corrupt or larger than 64 MiB. The other errors are those of fsspec's ``ls``.
    """
    body, kind, charset = fsspec.page(filesystem, url, LARGEST_PAGE + 1)
    if kind not in PAGES:
        return []
    text = _decompressed(body).decode(charset, "replace")
    return [{"name": link, "size": None, "type": _kind(link)} for link in links(text, url)]


def _decompressed(body: bytes) -> bytes:
    """Undo the server's ``Content-Encoding``: some servers compress a page although the request forbids it."""
    pieces = _inflated(body) if sniff(body[:4]) in CODECS else [body]
    whole = bytearray()
    for piece in pieces:
        whole += piece
        if len(whole) > LARGEST_PAGE:
            raise ValueError(f"an index page with more than {LARGEST_PAGE} bytes")
    return bytes(whole)


def _inflated(body: bytes) -> Iterator[bytes]:
    try:
        yield from inflate(Feeder(io.BytesIO(body).read), CODECS[sniff(body[:4])], where="the index page", chunk=BLOCK)
    except SourceError as error:
        raise ValueError(str(error)) from error


def links(text: str, url: str) -> list[str]:
    """Return the absolute URLs, without repetition, of all links to files and folders below the folder at ``url``.

    Links to the folder itself are omitted: they sort the page (``?C=N;O=D``) or lead to a position in it.
    """
    parser = _Links()
    parser.feed(text)
    base = urlsplit(url)
    resolved = (_below(link, base) for link in parser.links)
    return list(dict.fromkeys(link for link in resolved if link is not None))


class _Links(HTMLParser):
    """Collects the targets of all ``<a>`` elements."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the target of one element."""
        if tag == "a":
            self.links += [value.strip() for name, value in attrs if name == "href" and value]


def _below(link: str, base: SplitResult) -> str | None:
    """Return a link as an absolute URL, or None if the link does not lead to a file or folder below ``base``.

    If the link leads to the same server, the URL has the user info of ``base``.
    """
    folder = base.path.rstrip("/") + "/"
    try:
        found = urlsplit(urljoin(base._replace(path=folder, query="").geturl(), link))
        netloc = _netloc(found, base)
    except ValueError:
        return None
    path, above = unquote(found.path), unquote(folder)
    if netloc is None or not path.startswith(above) or path.rstrip("/") == above.rstrip("/"):
        return None
    return found._replace(netloc=netloc, fragment="").geturl()


def _netloc(found: SplitResult, base: SplitResult) -> str | None:
    """Return the network location for a link, or None if the link leads to another host or is neither http nor https.

    Raises ValueError if the link's port is not a number.
    """
    if found.scheme not in PORTS or found.hostname != base.hostname:
        return None
    if found.scheme != base.scheme:
        return found.netloc
    same_port = (found.port or PORTS[found.scheme]) == (base.port or PORTS[base.scheme])
    return base.netloc if same_port else None


def _kind(link: str) -> str:
    return "directory" if urlsplit(link).path.endswith("/") else "file"
