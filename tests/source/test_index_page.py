"""wsparquet/source/index_page.py: which links of an HTTP server's page are files and folders below it."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from aiohttp import web

from tests.source.conftest import Server, index
from wsparquet.source import Failed, Source, expand
from wsparquet.source.index_page import links

APACHE = """<html><body><h1>Index of /d</h1><table>
<tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M&amp;O=A">Last modified</a></th></tr>
<tr><td><a href="/">Parent Directory</a></td></tr>
<tr><td><a href="/d/?C=S;O=A">Size</a></td></tr>
<tr><td><a href="./?sort=name&order=desc">Caddy</a></td></tr>
<tr><td><a href="#top">Top</a></td></tr>
<tr><td><A HREF='a%20b.gz'>a b.gz</A></td></tr>
<tr><td><a class=x href=b.json?x=1&amp;y=2#part>b</a></td></tr>
<tr><td><a href="/d/sub/">sub</a></td></tr>
<tr><td><a href="a%20b.gz">again</a></td></tr>
</table></body></html>"""


def test_links_of_a_page() -> None:
    """Links that sort the page or jump in it are none; files and folders are, once each, unescaped."""
    found = ["http://h/d/a%20b.gz", "http://h/d/b.json?x=1&y=2", "http://h/d/sub/"]
    assert links(APACHE, "http://h/d/") == found
    assert links(APACHE, "http://h/d/?C=N;O=D") == found


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("a.gz", "http://u:p@h/d/a.gz"),
        ("http://h/d/a.gz", "http://u:p@h/d/a.gz"),
        ("http://h:80/d/a.gz", "http://u:p@h/d/a.gz"),
        ("//h/d/a.gz", "http://u:p@h/d/a.gz"),
        ("https://h/d/a.gz", "https://h/d/a.gz"),
        ("http://h:81/d/a.gz", None),
        ("http://other/d/a.gz", None),
        ("http://h:port/d/a.gz", None),
        ("http://[/d/a.gz", None),
        ("/other/a.gz", None),
        ("../a.gz", None),
        ("..", None),
        ("/d", None),
        ("/%64/", None),
        ("ftp://h/d/a.gz", None),
        ("mailto:a@h", None),
    ],
)
def test_one_link(link: str, found: str | None) -> None:
    """Only links below the folder, on the same server, count; the user info stays with that server."""
    assert links(f'<a href="{link}">', "http://u:p@h/d/") == ([found] if found else [])


def compressed(request: web.Request, content: bytes) -> web.Response:
    """A page that the server compresses whatever the client asked for."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/html; charset=nonsense"}
    return web.Response(body=gzip.compress(content), headers=headers)


def truncated(request: web.Request, content: bytes) -> web.Response:
    """A compressed page without its end."""
    return web.Response(body=gzip.compress(content)[:-5], content_type="text/html")


def as_text(request: web.Request, content: bytes) -> web.Response:
    """A page that is no HTML."""
    return web.Response(body=content, content_type="text/plain")


@pytest.mark.parametrize("answer", [index, compressed])
def test_a_listing_is_read(server: Server, answer: Callable[[web.Request, bytes], web.Response]) -> None:
    """A folder, a folder below it and a glob find the same files of a plain and a compressed page."""
    server.files |= {
        "/d/": b'<a href="?C=N;O=D">Name</a><a href="a.gz">a</a><a href="s/">s</a><a href="_SUCCESS">_</a>',
        "/d/s/": b'<a href="/d/">up</a><a href="?C=M">M</a><a href="b.json">b</a><a href="c_$folder$">c</a>',
        "/d/a.gz": gzip.compress(b"a"),
        "/d/s/b.json": b"b",
        "/d/_SUCCESS": b"{}",
        "/d/s/c_$folder$": b"",
    }
    server.answers |= {"/d/": answer, "/d/s/": answer}
    for argument, paths in (("/d/", ["/d/a.gz", "/d/s/b.json"]), ("/d/*", ["/d/a.gz", "/d/s/b.json"])):
        found = expand([server.url(argument)])
        assert [source.url for source in found] == [server.url(path) for path in paths]
        assert all(isinstance(source, Source) and source.checksum() for source in found)
    assert not [path for _, path, _ in server.asked if "C=" in path]


def test_a_page_that_cannot_be_read(server: Server) -> None:
    """A damaged page fails and says so; a page that is no HTML has no links."""
    server.files |= {"/t/": b'<a href="a.gz">', "/p/": b'<a href="a.gz">'}
    server.answers |= {"/t/": truncated, "/p/": as_text}
    (damaged,), (plain,) = expand([server.url("/t/")]), expand([server.url("/p/")])
    assert isinstance(damaged, Failed)
    assert isinstance(plain, Failed)
    assert "found: the index page: gzip member 1" in str(damaged.error)
    assert "expected a folder or a glob with files, found none" in str(plain.error)


def test_a_page_without_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that inflates to more than the limit fails before it fills the memory."""
    monkeypatch.setattr("wsparquet.source.index_page.LARGEST_PAGE", 1 << 20)
    server.files["/d/"] = b'<a href="a.gz">' + bytes(4 << 20)
    for answer in (index, compressed):
        server.answers["/d/"] = answer
        (found,) = expand([server.url("/d/")])
        assert isinstance(found, Failed)
        assert "found: an index page with more than 1048576 bytes" in str(found.error)
