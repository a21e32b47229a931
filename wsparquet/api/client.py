"""The client: signs requests, sends them only to trusted addresses, and retries failed ones."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.request
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote, unquote

import aiohttp
from oauthlib import oauth1
from yarl import URL

from wsparquet._version import __version__
from wsparquet.api.answers import Link, ListedFile, Listing, error_of, links_of, merged, parse_json, parse_listing
from wsparquet.api.credentials import Credentials
from wsparquet.api.download import Downloaded, Transfer
from wsparquet.api.faults import FileGone, NoFiles, Transient, translated
from wsparquet.api.options import KEPT, REGIONS, ApiOptions
from wsparquet.api.retry import Retry, parse_retry_after, retried
from wsparquet.api.trust import Trust
from wsparquet.errors import ApiError
from wsparquet.log import quiet_libraries
from wsparquet.names import is_account
from wsparquet.redaction import hide_secrets, printable_url, spellings

__all__ = ["Client"]

quiet_libraries()
Result = TypeVar("Result")
REDIRECTS = {301, 302, 303, 307, 308}
MOST_HOPS = 5
SIGNATURE = re.compile('oauth_signature="([^"]*)"')
LARGEST_ANSWER = 64 << 20
LARGEST_ERROR = 64 << 10
WINDOW = timedelta(days=7)
"""The longest time range of one request. Longer ranges have timed out in practice."""
OVERLAP = timedelta(hours=1)
"""The overlap of adjacent time windows: the documentation does not say whether their bounds are inclusive."""


class Client:
    """A connection to the Data Access API for one account; an asynchronous context manager.

    ``on_retry`` is called before each retry of a request.

    >>> import asyncio
    >>> async def names():
    ...     options = wsparquet.ApiOptions(base_url=server)
    ...     async with wsparquet.Client("75555851", credentials, options=options) as client:
    ...         since, until = wsparquet.FetchOptions(account="75555851", credentials=credentials).span()
    ...         return [file.name for file in (await client.list_files(since, until)).files]
    >>> len(asyncio.run(names()))
    2

    Raises:
        ApiError: the account or the base URL is malformed.

    """

    def __init__(
        self,
        account: str,
        credentials: Credentials,
        *,
        options: ApiOptions = ApiOptions(),  # noqa: B008 - frozen
        on_retry: Callable[[Retry], None] | None = None,
    ) -> None:
        if not is_account(account):
            raise ApiError(f"expected an account, letters and digits, found {account[:100]!r}; check `account`")
        self.account = account
        self.options = options
        self.on_retry = on_retry
        self._trust = Trust(host=REGIONS[options.region], base_url=options.base_url)
        self._resource = f"{str(self._trust.base).rstrip('/')}/data_access_le/account/{account}/le"
        self._signer = oauth1.Client(
            credentials.app_key,
            client_secret=credentials.app_secret,
            resource_owner_key=credentials.access_token,
            resource_owner_secret=credentials.access_token_secret,
            signature_method=oauth1.SIGNATURE_HMAC_SHA1,
        )
        self._secrets = spellings(
            (credentials.app_key, credentials.app_secret, credentials.access_token, credentials.access_token_secret)
        )
        # The signatures of all requests in progress: one for each connection and each of its redirects.
        self._signatures: deque[str] = deque(maxlen=options.connections * (MOST_HOPS + 1))
        self._busy_until = 0.0
        self._answered = False
        self._slots = asyncio.Semaphore(options.connections)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        options = self.options
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=options.connections),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=options.connect_seconds, sock_read=options.read_seconds
            ),
            # The API responds to `Accept: application/gzip` with an error. The identity encoding makes the server send
            # the stored bytes unchanged.
            headers={"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": f"wsparquet/{__version__}"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(self._sign,),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    # --- Requests -----------------------------------------------------------------------------------------------------

    async def list_files(self, start: datetime, end: datetime) -> Listing:
        """Return the server's files for a time range, oldest first, with one entry for each name.

        The client requests the range in windows of at most 7 days that overlap by an hour. The client does not request
        times more than 30 days ago, because the server has deleted those files.

        Raises:
            ApiError: the range is invalid, the server rejects the request or is unreachable, or the response is not a
                list of this account's files.

        """
        found = f"found {start.isoformat()} to {end.isoformat()}"
        if start.tzinfo is None or end.tzinfo is None:
            raise ApiError(f"expected times with time zones, {found}; add the time zones")
        if start >= end:
            raise ApiError(f"expected a start before the end, {found}; change one of them")
        start = max(start, datetime.now(UTC) - KEPT)
        return merged(await asyncio.gather(*(self._window(*window) for window in _windows(start, end))))

    async def _window(self, start: datetime, end: datetime) -> Listing:
        url = f"{self._resource}/webSession?startTime={_milliseconds(start)}&endTime={_milliseconds(end)}"
        try:
            place = printable_url(url)
            return await self._asked(
                url,
                lambda body: parse_listing(
                    body, account=self.account, trust=self._trust, place=place, hide=self._hidden
                ),
            )
        except NoFiles:
            return Listing(())

    async def download(
        self,
        file: ListedFile,
        to: Path,
        *,
        url: str | None = None,
        on_bytes: Callable[[int], None] | None = None,
        durable: bool = False,
    ) -> Downloaded:
        """Download a complete file from ``url`` to the path ``to``. An existing file there is replaced.

        The bytes first go to a hidden file ``.….partial`` in the same folder. An interrupted download resumes if the
        server supports ranges; otherwise it starts over. Before the hidden file is renamed, a gzip file is decompressed
        to the end to check it. ``on_bytes`` is called with the number of bytes downloaded so far. With ``durable``, the
        file is synced to the disk before it is renamed, so that a power failure cannot leave a damaged file ``to``.

        Raises:
            FileGone: the server no longer has the file.
            ApiError: the complete file cannot be downloaded, or cannot be written.

        """
        address = url or file.urls[0]
        place = self._hidden(printable_url(address))
        transfer = Transfer(file.name, place, to, on_bytes=on_bytes, durable=durable)
        with transfer:
            found = await self._tried(lambda: self._step(transfer, address), address)
        # The server's own words about the file go into the commit record.
        etag, last_modified = (text and self._hidden(text) for text in (found.etag, found.last_modified))
        return replace(found, etag=etag, last_modified=last_modified)

    async def _step(self, transfer: Transfer, url: str) -> Downloaded:
        async with self._answer(url, transfer.headers()) as response:
            if response.status in {404, 410}:
                raise _gone(response.status, url)
            if response.status not in {200, 206, 416}:
                raise await self._error(response, url)
            await transfer.receive(response)
        if transfer.total is None:
            # A chunked response does not announce its length. A file that is truncated between two gzip members looks
            # complete.
            transfer.total = await self._total(url)
        return await transfer.finished()

    async def stored_size(self, file: ListedFile) -> int | None:
        """Return the size of a file on the server in bytes, or None if the size is unknown. Nothing is downloaded.

        Raises:
            FileGone: the server no longer has the file.
            ApiError: the server rejects the request or is unreachable.

        """
        url = file.urls[0]
        return await self._tried(lambda: self._total(url), url)

    async def _total(self, url: str) -> int | None:
        async with self._answer(url, {"Range": "bytes=0-0"}) as response:
            if response.status in {404, 410}:
                raise _gone(response.status, url)
            if response.status == 206:
                total = response.headers.get("Content-Range", "").rpartition("/")[2]
                return int(total) if total.isascii() and total.isdigit() else None
            if response.status == 200:
                # Do not read the body; closing the response closes the connection.
                response.close()
                return response.content_length
            raise await self._error(response, url)

    async def base_resource(self) -> tuple[Link, ...]:
        """Return the links in the account's base resource. Raises ApiError if the links cannot be read."""
        place = printable_url(self._resource)
        return await self._asked(
            self._resource, lambda body: links_of(body, account=self.account, place=place, hide=self._hidden)
        )

    async def schema(self, version: str = "latest") -> Any:
        """Return the published schema as JSON values. Raises ApiError if the schema cannot be read."""
        url = f"{self._resource}/schema?schemaId={quote(version, safe='')}"
        return await self._asked(url, lambda body: parse_json(body, printable_url(url), hide=self._hidden))

    # --- One request -------------------------------------------------------------------------------------------------

    async def _asked(self, url: str, parse: Callable[[bytes], Result]) -> Result:
        """Send a request and parse the response, whose size is limited.

        Retry if the response cannot be parsed: a proxy may have sent it.
        """

        async def ask() -> Result:
            async with asyncio.timeout(self.options.list_seconds), self._answer(url, {}) as response:
                if response.status != 200:
                    raise await self._error(response, url)
                body = await _bounded(response, LARGEST_ANSWER)
            if len(body) > LARGEST_ANSWER:
                raise ApiError(f"{printable_url(url)}: expected at most {LARGEST_ANSWER} bytes, found more")
            return parse(body)

        return await self._tried(ask, url)

    async def _tried(self, call: Callable[[], Awaitable[Result]], url: str) -> Result:
        async def attempt() -> Result:
            if (left := self._busy_until - time.monotonic()) > 0:
                await asyncio.sleep(left)
            async with self._slots:
                with self._without_secrets(), translated(url):
                    try:
                        result = await call()
                    except Transient as failure:
                        self._note(failure)
                        raise
                    return result

        shown = self._hidden(printable_url(url))
        return await retried(
            attempt, shown, options=self.options, on_retry=self.on_retry, answered=lambda: self._answered
        )

    @contextmanager
    def _without_secrets(self) -> Iterator[None]:
        """Replace credentials and signatures in the text of errors, because the server may have sent them back."""
        try:
            yield
        except (ApiError, Transient) as error:
            fault = error.error if isinstance(error, Transient) else error
            fault.args = error.args = (self._hidden(str(fault)),)
            fault.internal_code = fault.internal_code and self._hidden(fault.internal_code)
            raise

    def _hidden(self, text: str) -> str:
        return hide_secrets(text, self._secrets | spellings(self._signatures))

    def _note(self, failure: Transient) -> None:
        """Delay all requests if the server answered one of them by asking the client to slow down."""
        if failure.busy and failure.retry_after:
            until = time.monotonic() + min(failure.retry_after, self.options.total_seconds)
            self._busy_until = max(self._busy_until, until)

    @asynccontextmanager
    async def _answer(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a signed GET request and yield the response. Each redirect is checked and signed again."""
        if self._session is None:
            raise ApiError("expected an open client, found it closed; use it as `async with Client(…) as client`")
        for _ in range(MOST_HOPS + 1):
            target = self._trust.check(url)
            async with self._session.get(
                target,
                headers=headers,
                allow_redirects=False,
                proxy=_proxy(target),
            ) as response:
                self._answered = True
                location = response.headers.get("Location")
                if response.status not in REDIRECTS or location is None:
                    yield response
                    return
                url = self._next(target, location)
        raise ApiError(
            f"{printable_url(url)}: expected an answer, found more than {MOST_HOPS} redirects; try again later"
        )

    def _next(self, target: URL, location: str) -> str:
        try:
            return str(target.join(URL(location, encoded=True)))
        except ValueError:
            raise ApiError(
                f"{printable_url(str(target))}: expected an address to be redirected to, "
                f"found {printable_url(location)!r}"
            ) from None

    async def _sign(self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        """Sign a request (RFC 5849, 3.4.2 and 3.5.1) when it is sent.

        aiohttp silently resends a request if a kept-alive connection turns out to be closed, and the server rejects a
        repeated signature. Signing at the time of sending gives each attempt its own signature.
        """
        url = str(request.url)
        self._trust.check(url)
        try:
            _, headers, _ = self._signer.sign(url, http_method="GET")
        except ValueError:
            raise ApiError(
                f"{printable_url(url)}: expected an address that can be signed, found another address"
            ) from None
        request.headers["Authorization"] = headers["Authorization"]
        self._signatures.extend(map(unquote, SIGNATURE.findall(headers["Authorization"])))
        return await handler(request)

    async def _error(self, response: aiohttp.ClientResponse, url: str) -> Exception:
        """Return the exception for an error response: Transient if a retry may help, otherwise ApiError."""
        body = (await _bounded(response, LARGEST_ERROR))[:LARGEST_ERROR]
        # The server's message may quote the signed request, and is shortened afterwards.
        text = self._hidden(body.decode("utf-8", "replace"))
        error = error_of(response.status, text.encode("utf-8", "replace"), printable_url(url))
        if isinstance(error, NoFiles):
            return error
        retry_after = parse_retry_after(response.headers.get("Retry-After"))
        if response.status == 429:
            return Transient(error, busy=True, retry_after=retry_after)
        return Transient(error, retry_after=retry_after) if response.status >= 500 else error


def _gone(status: int, url: str) -> FileGone:
    return FileGone(
        f"{printable_url(url)}: expected the listed file, found HTTP status {status}: "
        "the server has deleted it; the file is lost if no other copy exists",
        status=status,
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _windows(start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Split the range into windows of at most 7 days. Each window begins an hour before the end of the previous one."""
    windows = [(start, min(start + WINDOW, end))]
    while windows[-1][1] < end:
        begin = windows[-1][1] - OVERLAP
        windows.append((begin, min(begin + WINDOW, end)))
    return windows


def _proxy(url: URL) -> str | None:
    """Return the proxy for https from the environment. The proxy only tunnels TLS, so it cannot read requests."""
    if url.scheme != "https" or url.host is None or urllib.request.proxy_bypass(url.host):
        return None
    return urllib.request.getproxies().get("https")


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read the body. If the body is longer than ``limit`` bytes, read only slightly more than ``limit`` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > limit:
            break
    return bytes(body)
