"""No credential and no signature that a server sends back is ever shown or stored, wherever the server puts it."""

from __future__ import annotations

import asyncio
import gzip
import html
import json
import logging
import re
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from tests.api.test_client import Handler, Server, saying
from tests.cli.program import run
from wsparquet.api import ApiOptions, Client, Credentials, ListedFile, Retry
from wsparquet.api.credentials import VARIABLES
from wsparquet.errors import ApiError
from wsparquet.generate import GenerateOptions, generate_text

CREDENTIALS = Credentials('appkey/=1+"', "appsec+/2&<3>", "acctok=/4~", "tokensec'\\/5%41")
"""Each is spelled differently in URLs, JSON, XML and Python, and begins with six letters of its own."""
SECRETS = tuple(vars(CREDENTIALS).values())
ACCOUNT = "75555851"
NAME = "WebSession.{0}.{0}.part-00000-0.gz"
SIGNATURE = re.compile('oauth_signature="([^"]*)"')


def echo(handler: Handler) -> str:
    """All that a server knows of the client's secrets, the request's own signature and its header included."""
    header = handler.headers["Authorization"]
    return " ".join((*SECRETS, unquote(SIGNATURE.findall(header)[0]), header))


def urls(handler: Handler) -> str:
    """The same as a URL's path, query and user info."""
    words = quote(echo(handler), safe="")
    return f"{words[:70]}/{quote(SECRETS[1], safe='')}/{quote(SECRETS[0])}?signature={words}"


def listed(*entries: object, **more: object) -> bytes:
    """A list with the entries."""
    return json.dumps({"dataAccessFiles": {"@id": ACCOUNT, "file": entries, **more}}).encode()


def send(handler: Handler, status: int, body: str | bytes = b"", reason: str | None = None, **headers: str) -> None:
    """An answer with a reason phrase and headers of any kind."""
    data = body.encode() if isinstance(body, str) else body
    handler.send_response(status, reason)
    for name, value in {"Content-Length": str(len(data)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


def in_json(key: str, **more: str) -> Callable[[Handler], None]:
    """An error as JSON whose key has the secrets."""
    return lambda handler: send(handler, 400, json.dumps({"error": {**more, key: echo(handler)}}).replace("/", "\\/"))


def page(handler: Handler) -> None:
    """A page that is longer than what a message shows, and has a secret where it is cut off."""
    send(handler, 200, f"<html>{'x' * 290}{SECRETS[0]} {html.escape(echo(handler))}</html>")


PLACES: dict[str, Callable[[Handler], object]] = {
    "reason of a 4xx": lambda handler: send(handler, 403, reason=echo(handler)),
    "reason of a 5xx": lambda handler: send(handler, 500, reason=quote(echo(handler))),
    "text of a 403": lambda handler: send(handler, 403, f"app_secret {SECRETS[1]} access_token_secret {SECRETS[3]}"),
    "text of a 5xx": lambda handler: send(handler, 503, echo(handler)),
    "text of a 429": lambda handler: send(handler, 429, echo(handler), Retry_After="0"),
    "text where it is cut off": lambda handler: send(handler, 400, "x" * 290 + echo(handler)),
    "percent-encoded text": lambda handler: send(handler, 401, quote(" ".join(SECRETS), safe="").lower()),
    "an XML message": lambda handler: send(
        handler, 400, f"<error><message>{html.escape(echo(handler))}</message><internalCode>1</internalCode></error>"
    ),
    "an XML code": lambda handler: send(
        handler, 400, f"<error><message/><internalCode>{html.escape(echo(handler))}</internalCode></error>"
    ),
    "a JSON message": in_json("message"),
    "a JSON code": in_json("internalCode", message="no"),
    "JSON of another kind": in_json("fault"),
    "a page": page,
    "another JSON": lambda handler: send(handler, 200, json.dumps({"fault": {"request": echo(handler)}})),
    "another account": lambda handler: send(
        handler, 200, json.dumps({key: {"@accountId": echo(handler)} for key in ("dataAccessFiles", "le")})
    ),
    "an entry without address": lambda handler: send(handler, 200, listed({"@name": "a", "x": echo(handler)})),
    "an entry elsewhere": lambda handler: send(
        handler, 200, listed({"@name": f"{SECRETS[0]}", "@href": f"https://other.example/{urls(handler)}"})
    ),
    "an address that is none": lambda handler: send(handler, 200, listed({"@name": "a", "@href": echo(handler)})),
    "an address here": lambda handler: send(
        handler, 200, listed({"@name": "a", "@href": f"http://{handler.headers['Host']}/{urls(handler)}"})
    ),
    "a redirect elsewhere": lambda handler: send(handler, 302, Location=f"https://other.example/{urls(handler)}"),
    "a redirect with user info": lambda handler: send(
        handler, 302, Location=f"https://{quote(SECRETS[0], safe='')}:{quote(SECRETS[1], safe='')}@other.example/"
    ),
    "a redirect here": lambda handler: send(handler, 302, Location=f"/{urls(handler)}"),
    "a redirect to an invalid URL": lambda handler: send(handler, 302, Location=f"http://[{urls(handler)}"),
    "a redirect to an invalid port": lambda handler: send(handler, 302, Location=f"http://h:{urls(handler)}"),
    "headers": lambda handler: send(
        handler,
        200,
        b"x",
        ETag=f'"{echo(handler)}"',
        Last_Modified=echo(handler),
        Set_Cookie=f"{quote(SECRETS[0])}; =,={echo(handler)}",
        Content_Type=f"text/{echo(handler)}; charset={quote(SECRETS[1])}",
    ),
    "odd headers": lambda handler: send(handler, 206, b"x", Content_Range=f"bytes {echo(handler)}", Date=echo(handler)),
    "a broken header": lambda handler: send(handler, 200, b"x", Content_Encoding=echo(handler)),
    "a broken status line": lambda handler: handler.wfile.write(f"HTTP/1.1 {echo(handler)}\r\n\r\n".encode()),
    "a broken header line": lambda handler: handler.wfile.write(f"HTTP/1.1 200 OK\r\n{echo(handler)}\r\n\r\n".encode()),
}
SHOW_NOTHING = tuple(place for place in PLACES if place.startswith(("reason", "a broken", "odd", "a redirect with")))
"""What of these answers messages do not quote at all."""

CALLS: dict[str, Callable[[Client, Server, Path], Awaitable[object]]] = {
    "list": lambda client, _server, _to: client.list_files(*_span()),
    "links": lambda client, _server, _to: client.base_resource(),
    "download": lambda client, server, to: client.download(ListedFile("x", (f"{server.url}/x?a=1",)), to / "x"),
    "size": lambda client, server, _to: client.stored_size(ListedFile("x", (f"{server.url}/x?a=1",))),
}


def _span() -> tuple[datetime, datetime]:
    """The last hour."""
    now = datetime.now(UTC)
    return now - timedelta(hours=1), now


def said_by(call: str, server: Server, to: Path) -> str:
    """All that a client says: its result or its error with the traceback, and its retries."""
    retries: list[Retry] = []
    options = ApiOptions(base_url=server.url, pause_seconds=0.001, read_seconds=2.0, tries=2)

    async def ask() -> object:
        async with Client(ACCOUNT, CREDENTIALS, options=options, on_retry=retries.append) as client:
            return await CALLS[call](client, server, to)

    try:
        result = asyncio.run(ask())
        # An address that may be asked is kept as it is, for the request, and is shown in `places` only.
        text = re.sub(r"\burls=\(.*?\)", "", repr(result))
    except ApiError as error:
        text = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error)
    return text + repr(retries)


def quoted(text: str, signatures: list[str]) -> list[str]:
    """The secrets of which a text has the beginning, however they are spelled, and the signatures that it has."""
    plain = unquote(html.unescape(text))
    return [each[:6] for each in SECRETS if each[:6] in plain] + [each for each in signatures if each in plain]


@pytest.mark.parametrize("place", PLACES)
def test_what_a_server_sends_back_is_not_shown(
    place: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither a result nor an error, with its traceback, nor a retry or a log line has a secret, or a part of one."""
    signatures: list[str] = []

    def answer(handler: Handler) -> None:
        signatures.extend(map(unquote, SIGNATURE.findall(handler.headers["Authorization"])))
        PLACES[place](handler)
        handler.close_connection = True

    caplog.set_level(logging.DEBUG)
    everything = ""
    for call in CALLS:
        with saying(answer) as server:
            text = said_by(call, server, tmp_path) + caplog.text + "".join(capfd.readouterr())
        assert quoted(text, signatures) == [], call
        everything += text
    assert signatures
    assert ("***" in everything) or place in SHOW_NOTHING


def answer_run(handler: Handler) -> None:
    """A server that sends secrets back in all that a run asks for, and has one good file."""
    here = f"http://{handler.headers['Host']}"
    path = handler.path.partition("?")[0]
    if path.endswith("/webSession"):
        signed = f"x.gz?signature={quote(' '.join(SECRETS), safe='')}"
        entries = [
            {"@name": NAME.format(1467291600000 + number), "@href": f"{here}/{kind}/{signed}"}
            for number, kind in enumerate(("good", "denied", "failing", "elsewhere", "gone"))
        ]
        foreign = {"@name": "foreign", "@href": f"https://u:{quote(SECRETS[1], safe='')}@h/{urls(handler)}"}
        send(handler, 200, listed(*entries, foreign, {"@name": "none", "odd": echo(handler)}))
    elif path.startswith("/good"):
        text = b"".join(generate_text(GenerateOptions(records=3)))
        send(handler, 200, gzip.compress(text, mtime=0), ETag=f'"{echo(handler)}"', Last_Modified=echo(handler))
    elif path.startswith("/elsewhere"):
        send(handler, 302, Location=f"https://other.example/{urls(handler)}")
    else:
        status = {"/failing/x.gz": 500, "/gone/x.gz": 410}.get(path, 403)
        send(handler, status, echo(handler))


def test_what_a_server_sends_back_is_not_printed_and_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command that asks the server prints a secret, in any form, and no file of the root or of raw files has one."""
    signatures: list[str] = []

    def answer(handler: Handler) -> None:
        signatures.extend(map(unquote, SIGNATURE.findall(handler.headers["Authorization"])))
        answer_run(handler)

    for variable, value in zip(VARIABLES.values(), SECRETS, strict=True):
        monkeypatch.setenv(variable, value)
    lake, raw = tmp_path / "lake", tmp_path / "raw"
    said = ""
    with saying(answer) as server:
        asking = ("--account", ACCOUNT, "--base-url", server.url, "--pause", "0.001")
        for command in (
            ("sync", *asking, "--to", lake, "--raw", raw, "--verbose"),
            ("sync", *asking, "--to", lake, "--log-format", "json", "--output", "json"),
            ("list", *asking, "--to", lake),
            ("list", *asking, "--to", lake, "--output", "json"),
            ("fetch", *asking, "--into", tmp_path / "fetched", "--verbose"),
            ("schema", "--remote", *asking),
            ("status", lake, "--output", "json"),
        ):
            found = run(*command)
            assert found.code in {0, 1}, found.err
            said += found.out + found.err
    files = {path: path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()}
    assert [path for path, text in files.items() if quoted(text, signatures) and path.suffix != ".parquet"] == []
    assert quoted(said, signatures) == []
    assert "***" in said
    assert len([path for path in files if path.suffix == ".gz"]) == 2
    assert [path for path, text in files.items() if "***" in text and "/sync/" in str(path)]
