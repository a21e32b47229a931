"""wsparquet/api/client.py over real HTTP: what is sent, to whom, and what comes of the answers."""

from __future__ import annotations

import asyncio
import gzip
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

from wsparquet.api import ApiOptions, Client, Downloaded, FileGone, ListedFile, client
from wsparquet.emulator import DEMO, EmulatorOptions, serving
from wsparquet.errors import ApiError

Result = TypeVar("Result")
ACCOUNT = "75555851"
DAY = timedelta(days=1)
SECRETS = (DEMO.app_key, DEMO.app_secret, DEMO.access_token, DEMO.access_token_secret)
FAST = {"pause_seconds": 0.002, "read_seconds": 2.0}

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers with the next of the server's answers, the last one again and again."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Answer."""
        self.server.seen.append((self.path, dict(self.headers)))
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole answer."""
        self.send_response(status)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **given}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """A server that says what it is told to, and remembers what it was asked."""

    daemon_threads = True
    answers: list[Answer]
    seen: list[tuple[str, dict[str, str]]]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def saying(*answers: Answer) -> Iterator[Server]:
    """A server with these answers."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answers, server.seen = list(answers), []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def whole(body: bytes, **headers: str) -> Answer:
    """An answer with all of a file."""
    return lambda handler: handler.send(200, body, **headers)


def asked(url: str, ask: Callable[[Client], Awaitable[Result]], **options: Any) -> Result:
    """What a client of a server gets."""

    async def run() -> Result:
        async with Client(ACCOUNT, DEMO, options=ApiOptions(base_url=url, **{**FAST, **options})) as client:
            return await ask(client)

    return asyncio.run(run())


def download(server: Server, to: Path, **options: Any) -> Downloaded:
    """A file of a server."""
    file = ListedFile("x.gz", (f"{server.url}/x.gz?a=1",))
    return asked(server.url, lambda client: client.download(file, to / "x.gz"), **options)


FILE = gzip.compress(bytes(range(256)) * 50, mtime=0) + gzip.compress(b"second member" * 30, mtime=0)


# --- What is sent -----------------------------------------------------------------------------------------------------


def test_requests_are_as_the_server_wants_them(tmp_path: Path) -> None:
    """Signed, with `Accept: */*`, at exactly the address that was listed, and with no secret in them."""
    with saying(whole(FILE)) as server:
        found = download(server, tmp_path)
    ((path, headers),) = server.seen
    assert path == "/x.gz?a=1"
    assert headers["Accept"] == "*/*"
    assert headers["Authorization"].startswith("OAuth ")
    assert 'oauth_signature_method="HMAC-SHA1"' in headers["Authorization"]
    assert headers["User-Agent"].startswith("wsparquet/")
    assert not [value for value in headers.values() if DEMO.app_secret in value or DEMO.access_token_secret in value]
    assert (found.size, found.url) == (len(FILE), f"{server.url}/x.gz")
    assert (tmp_path / "x.gz").read_bytes() == FILE


def test_resources_and_schema() -> None:
    """The base resource has its links, the schema is the JSON that is published; another version is refused."""
    with serving(EmulatorOptions(hours=1)) as emulator:
        links = asked(emulator.base_url, lambda client: client.base_resource())
        assert {link.rel for link in links} >= {"webSession", "schema"}
        schema = asked(emulator.base_url, lambda client: client.schema())
        assert {record["name"] for record in schema} >= {"geo", "navigation"}
        with pytest.raises(ApiError, match="404"):
            asked(emulator.base_url, lambda client: client.schema("0"))


@pytest.mark.parametrize("more", [0, 1])
def test_an_answer_may_be_as_large_as_the_limit(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of exactly the largest size is read, and one of a byte more is an error that names the limit."""
    monkeypatch.setattr(client, "LARGEST_ANSWER", 1000)
    with saying(whole(b"[" + b" " * (998 + more) + b"]")) as server:
        if not more:
            assert asked(server.url, lambda client: client.schema()) == []
            return
        with pytest.raises(ApiError, match="expected at most 1000 bytes, found more"):
            asked(server.url, lambda client: client.schema())
    assert len(server.seen) == 1


def test_a_list_covers_the_range_and_no_more_than_the_server_keeps() -> None:
    """A year is asked for as 30 days in five windows, united; an empty range is an empty list."""
    now = datetime.now(UTC)
    with serving(EmulatorOptions(hours=700, size=100)) as emulator:
        names = list(emulator.catalogue.files())
        listing = asked(emulator.base_url, lambda client: client.list_files(now - 365 * DAY, now))
        assert len(listing.files) == len(names) == 700
        assert [file.name for file in listing.files] == names
        assert len(emulator.log) == 5
        empty = asked(emulator.base_url, lambda client: client.list_files(now + DAY, now + 2 * DAY))
        assert empty.files == ()
    with serving(EmulatorOptions(hours=1, errors="json")) as emulator:
        one = asked(emulator.base_url, lambda client: client.list_files(now - DAY, now + DAY))
        assert len(one.files) == 1
    zoneless, order = now.replace(tzinfo=None), "a start before the end"
    for start, end, says in ((now, now, order), (now, now - DAY, order), (zoneless, zoneless, "times with time zones")):
        with pytest.raises(ApiError, match=f"expected {says}"):
            asked(emulator.base_url, lambda client, one=start, two=end: client.list_files(one, two))


# --- To whom ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_else_is_asked(tmp_path: Path, status: int) -> None:
    """A redirect to another port, host or scheme is refused; no request reaches that server."""
    with saying(whole(FILE)) as other:
        places = (f"{other.url}/x.gz", f"//127.0.0.1:{other.server_port}/x.gz", f"http://x@{other.url[7:]}/")
        for place in places:
            with saying(lambda handler, at=place: handler.send(status, Location=at)) as server:
                with pytest.raises(ApiError, match="nothing was sent there"):
                    download(server, tmp_path)
                assert len(server.seen) == 1
        assert other.seen == []
    assert list(tmp_path.iterdir()) == []


def test_hostile_lists_and_redirects_never_reach_another_server(tmp_path: Path) -> None:
    """With every trap that the emulator has, a server on another port sees nothing at all."""
    now = datetime.now(UTC)
    with saying(whole(FILE)) as other:
        faults = {"hostile-href": 1.0}
        with serving(EmulatorOptions(hours=2, size=1000, faults=faults, hostile_url=other.url)) as emulator:
            listing = asked(emulator.base_url, lambda client: client.list_files(now - DAY, now))
            assert (len(listing.files), len(listing.refused)) == (2, 21)
        faults = {"redirect-elsewhere": 1.0}
        with serving(EmulatorOptions(hours=2, size=1000, faults=faults, hostile_url=other.url)) as emulator:
            with pytest.raises(ApiError, match="nothing was sent there"):
                asked(emulator.base_url, lambda client: client.list_files(now - DAY, now))
            file = ListedFile("x", (f"{emulator.resource}/webSession/{next(iter(emulator.catalogue.files()))}",))
            with pytest.raises(ApiError, match="nothing was sent there"):
                asked(emulator.base_url, lambda client: client.download(file, tmp_path / "x"))
        for href in (f"{other.url}/x.gz", f"http://127.0.0.1:{other.server_port}/"):
            with pytest.raises(ApiError):
                asked(emulator.base_url, lambda c, at=href: c.download(ListedFile("x", (at,)), tmp_path / "x"))
        assert other.seen == []


def test_redirects_on_the_same_server_are_signed_anew(tmp_path: Path) -> None:
    """A hop within the API's own address is followed with a signature of its own, but not without end."""
    with saying(lambda handler: handler.send(302, Location="/there?b=2"), whole(FILE)) as server:
        assert download(server, tmp_path).size == len(FILE)
    assert [path for path, _ in server.seen] == ["/x.gz?a=1", "/there?b=2"]
    assert len({headers["Authorization"] for _, headers in server.seen}) == 2
    hop: Answer = lambda handler: handler.send(302, Location="/x.gz")  # noqa: E731
    with saying(*[hop] * 5, whole(FILE)) as server:
        assert download(server, tmp_path).size == len(FILE)
    with saying(hop) as server:
        with pytest.raises(ApiError, match="more than 5 redirects"):
            download(server, tmp_path)
        assert len(server.seen) == 6


# --- What comes of the answers ----------------------------------------------------------------------------------------


def cut(body: bytes, at: int, **headers: str) -> Answer:
    """An answer that is cut: all is announced, and the connection closed before."""

    def answer(handler: Handler) -> None:
        handler.send(200, b"", Content_Length=str(len(body)), **headers)
        handler.wfile.write(body[:at])
        handler.close_connection = True

    return answer


def rest(body: bytes, start: int, *, total: int | None = None, first: int | None = None, **headers: str) -> Answer:
    """The rest of a file, as a 206."""
    begin = start if first is None else first
    span = f"bytes {begin}-{len(body) - 1}/{len(body) if total is None else total}"
    return lambda handler: handler.send(206, body[start:], Content_Range=span, **headers)


def test_a_cut_download_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    """The rest is asked for on the condition that it is the same file, and put behind what is here."""
    with saying(cut(FILE, 70, ETag='"v1"'), rest(FILE, 70, ETag='"v1"')) as server:
        found = download(server, tmp_path)
    assert (tmp_path / "x.gz").read_bytes() == FILE
    assert (found.resumed, found.restarted, len(server.seen)) == (1, 0, 2)
    assert [(headers.get("Range"), headers.get("If-Range")) for _, headers in server.seen] == [
        (None, None),
        ("bytes=70-", '"v1"'),
    ]


@pytest.mark.parametrize(
    ("validators", "condition"),
    [
        ({"ETag": 'W/"v1"', "Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}, "Thu, 01 Jan 2026 00:00:00 GMT"),
        ({"Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}, "Thu, 01 Jan 2026 00:00:00 GMT"),
        ({}, None),
    ],
)
def test_conditions_are_strong_ones(tmp_path: Path, validators: dict[str, str], condition: str | None) -> None:
    """A weak ETag is no condition; the time of change is, and without either the range goes alone."""
    with saying(cut(FILE, 70, **validators), rest(FILE, 70)) as server:
        download(server, tmp_path)
    assert server.seen[1][1].get("If-Range") == condition
    assert (tmp_path / "x.gz").read_bytes() == FILE


OTHER = gzip.compress(b"another content, of another length" * 9, mtime=0)


@pytest.mark.parametrize(
    "second",
    [
        whole(OTHER),
        rest(OTHER, 40, ETag='"v2"'),
        rest(OTHER, 30, first=30, ETag='"v1"'),
        lambda handler: handler.send(206, OTHER[40:], Content_Range="nonsense"),
        lambda handler: handler.send(206, OTHER[40:]),
        lambda handler: handler.send(416, Content_Range=f"bytes */{len(OTHER)}"),
        lambda handler: handler.send(416),
    ],
)
def test_another_file_in_its_place_is_begun_anew(tmp_path: Path, second: Answer) -> None:
    """Whatever shows that the rest is not that of the same file, the file is downloaded from its beginning."""
    with saying(cut(FILE, 40, ETag='"v1"'), second, whole(OTHER, ETag='"v2"')) as server:
        found = download(server, tmp_path)
    assert (tmp_path / "x.gz").read_bytes() == OTHER
    assert found.restarted == 1
    assert len(server.seen) in {2, 3}


def test_a_range_behind_the_end_means_that_all_is_here(tmp_path: Path) -> None:
    """A body that was shorter than announced is whole if the server says that nothing is behind it."""
    answers = (
        cut(FILE + b"x" * 100, len(FILE), ETag='"v1"'),
        lambda handler: handler.send(416, Content_Range=f"bytes */{len(FILE)}"),
    )
    with saying(*answers) as server:
        assert download(server, tmp_path).size == len(FILE)
    assert (tmp_path / "x.gz").read_bytes() == FILE


def chunked(body: bytes) -> Answer:
    """An answer in chunks that ends as it should, without a length."""

    def answer(handler: Handler) -> None:
        handler.send(200, b"", Content_Length="", Transfer_Encoding="chunked")
        handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    return answer


def test_an_answer_without_a_length_is_asked_for_one(tmp_path: Path) -> None:
    """A body in chunks that ends between two gzip members looks whole; the server's length says that it is not."""
    first = len(gzip.compress(bytes(range(256)) * 50))
    probe: Answer = lambda handler: handler.send(206, FILE[:1], Content_Range=f"bytes 0-0/{len(FILE)}")  # noqa: E731
    with saying(chunked(FILE[:first]), probe, rest(FILE, first)) as server:
        assert download(server, tmp_path).size == len(FILE)
    assert [headers.get("Range") for _, headers in server.seen] == [None, "bytes=0-0", f"bytes={first}-"]
    with saying(chunked(FILE), probe) as server:
        assert download(server, tmp_path).size == len(FILE)
    # A server that knows no ranges may know the length of the whole, or nothing.
    with saying(chunked(FILE), whole(FILE)) as server:
        assert download(server, tmp_path).size == len(FILE)
    with saying(chunked(FILE)) as server:
        assert download(server, tmp_path).size == len(FILE)
        assert len(server.seen) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        FILE[:-1],
        FILE[:60],
        FILE + b"garbage",
        FILE[:50] + b"\0" + FILE[51:],
        b"<html>sign in</html>",
        b"\n <error/>",
    ],
)
def test_what_is_not_whole_is_never_named(tmp_path: Path, body: bytes) -> None:
    """Gzip that is cut, corrupt or followed by something, nothing, or a page, is tried again, and never kept."""
    with saying(whole(body)) as server:
        with pytest.raises(ApiError, match="tried 4 times"):
            download(server, tmp_path, tries=4)
        assert len(server.seen) == 4
    assert list(tmp_path.iterdir()) == []
    with saying(whole(body), whole(FILE)) as server:
        assert download(server, tmp_path).size == len(FILE)
    assert [path.name for path in tmp_path.iterdir()] == ["x.gz"]


@pytest.mark.parametrize("body", [b"PK\3\4 a zip", b"(\xb5/\xfd zstd", b'{"recordCollection": []}'])
def test_other_forms_are_the_converters_to_judge(tmp_path: Path, body: bytes) -> None:
    """What is no gzip and no page is taken as it is."""
    with saying(whole(body)) as server:
        assert download(server, tmp_path).size == len(body)


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path, status: int) -> None:
    """A listed file that is not there is told apart from failures, and not tried again."""
    with saying(lambda handler: handler.send(status)) as server:
        with pytest.raises(FileGone, match="deleted"):
            download(server, tmp_path)
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "tries"), [(400, 1), (401, 1), (403, 1), (408, 1), (429, 4), (500, 4), (503, 4), (599, 4)]
)
def test_only_what_may_pass_is_tried_again(tmp_path: Path, status: int, tries: int) -> None:
    """Of the statuses 4xx only 429 is tried again, and every 5xx."""
    with saying(lambda handler: handler.send(status, b"why")) as server:
        with pytest.raises(ApiError) as caught:
            download(server, tmp_path, tries=4)
        assert (len(server.seen), caught.value.status) == (tries, status)


def test_a_busy_server_is_left_alone_by_all_requests(tmp_path: Path) -> None:
    """After a 429 with Retry-After, no request of the client is sent before that time."""
    moments: list[float] = []

    def busy(handler: Handler) -> None:
        handler.send(429, Retry_After="1")

    with saying(busy, whole(FILE)) as server:

        async def two(client: Client) -> None:
            loop = asyncio.get_running_loop()
            began = loop.time()
            first = asyncio.create_task(client.download(ListedFile("a", (f"{server.url}/a",)), tmp_path / "a"))
            while not client._busy_until:
                await asyncio.sleep(0.005)
            await client.download(ListedFile("b", (f"{server.url}/b",)), tmp_path / "b")
            moments.append(loop.time() - began)
            await first

        asked(server.url, two)
    assert moments[0] >= 1.0


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A connection that is refused is tried again, and then an error that says so."""
    with saying(whole(FILE)) as server:
        pass
    with pytest.raises(ApiError, match="tried 3 times"):
        download(server, tmp_path, tries=3)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A folder that is none is the disk's error, and no reason to ask again."""
    (tmp_path / "file").write_text("")
    with saying(whole(FILE)) as server, pytest.raises(ApiError, match="expected to write"):
        download(server, tmp_path / "file")
    assert server.seen == []


def test_sizes_are_known_without_downloading() -> None:
    """The length comes from a range of one byte, or the headers of all; None if the server says neither."""
    answers = (
        (rest(FILE, 0, first=0), len(FILE)),
        (whole(FILE), len(FILE)),
        (chunked(FILE), None),
        (lambda handler: handler.send(206, b"x", Content_Range="bytes 0-0/*"), None),
    )
    for answer, size in answers:
        with saying(answer) as server:
            file = ListedFile("x", (f"{server.url}/x",))
            assert asked(server.url, lambda client, one=file: client.stored_size(one)) == size


def test_no_error_has_a_secret_in_it(tmp_path: Path) -> None:
    """Whatever fails, neither message nor traceback nor what it was raised from quotes a secret."""

    def echo(handler: Handler) -> None:
        handler.send(403, str(handler.headers).encode())

    def close(handler: Handler) -> None:
        handler.close_connection = True

    def nonsense(handler: Handler) -> None:
        handler.wfile.write(b"NONSENSE\r\n\r\n")
        handler.close_connection = True

    for answer in (echo, close, nonsense, cut(FILE, 9), whole(b"<x>"), lambda handler: handler.send(500, b"no")):
        with saying(answer) as server, pytest.raises(ApiError) as caught:
            download(server, tmp_path, tries=2)
        text = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert not [secret for secret in SECRETS if secret in text], answer


@pytest.mark.parametrize("account", ["", "1/2", "..", "a b", "1?x", "é"])
def test_an_account_must_be_one(account: str) -> None:
    """What cannot be an account never becomes part of an address."""
    with pytest.raises(ApiError, match="`account`"):
        Client(account, DEMO)


def test_a_client_is_used_when_open() -> None:
    """Outside of its context a client says how it is meant."""
    with pytest.raises(ApiError, match="async with"):
        asyncio.run(Client(ACCOUNT, DEMO).base_resource())
