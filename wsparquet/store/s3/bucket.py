"""The S3 requests that a store needs, made with s3fs's client and retried for minutes.

s3fs itself retries a request for about two seconds, which is not enough if the object store asks clients to slow down.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import stamina
from botocore.exceptions import (  # type: ignore[import-untyped]
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]
from fsspec.exceptions import FSTimeoutError  # type: ignore[import-untyped]

from wsparquet.private import s3fs
from wsparquet.store.s3.pages import Listed, OddAnswer, Page, decoded, page_of
from wsparquet.store.store import Absent, Changed, Expectation, Refused, Unfinished

__all__ = ["NO_TAG", "Bucket", "code_of", "is_redirected", "reason_of", "status_of"]

Result = TypeVar("Result")
AT_ONCE = 32
CHUNK_BYTES = 1 << 20
FIRST_SECONDS = 20.0
"""How many seconds the first request is retried; a wrong endpoint should fail quickly."""

WAITS = {"wait_initial": 0.2, "wait_max": 20.0, "wait_jitter": 0.5}
"""The seconds between two tries of a request: the first wait, the longest wait, and the maximum of the random
addition."""

TRANSIENT = (
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
    FSTimeoutError,
    TimeoutError,
    ConnectionError,
    aiohttp.ClientError,
)
TRANSIENT_STATUSES = {408, 409, 429, 500, 502, 503, 504}
"""S3 answers 409 if another conditional request for the same key is in progress ("Conditional writes")."""

REDIRECTS = {301, 302, 303, 307, 308}

REFUSALS = {"NotImplemented", "InvalidArgument", "InvalidRequest"}
"""Error codes of stores that do not support a request or one of its headers."""

NO_TAG = "sha256-"
"""The prefix of a version that is a checksum, which replaces the entity tag if the store sends none."""


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that caused an error of s3fs, or None if the server did not answer."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ClientError):
            found: int | None = seen.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return found
        seen = seen.__cause__
    return None


def code_of(error: BaseException) -> str | None:
    """Return the server's code for the error, such as ``AccessDenied``, or None if the server did not answer."""
    cause = error if isinstance(error, ClientError) else error.__cause__
    return str(cause.response.get("Error", {}).get("Code", "an error")) if isinstance(cause, ClientError) else None


def reason_of(error: BaseException) -> str:
    """Return the server's code and message; the message may quote the request, including secrets."""
    if has_endless_redirects(error):
        return "expected an answer, found redirects without end"
    cause = error if isinstance(error, ClientError) else error.__cause__
    if isinstance(cause, ClientError):
        return f"{code_of(error)}: {cause.response.get('Error', {}).get('Message', '')}".rstrip(": ")
    return str(error) or type(error).__name__


def has_endless_redirects(error: BaseException) -> bool:
    """Whether the client gave up after many redirects. botocore reports that as an unhandled error of the client."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, aiohttp.TooManyRedirects):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def is_redirected(error: BaseException) -> bool:
    """Whether the server redirected the request to another address, which is another region or another server."""
    return status_of(error) in REDIRECTS or has_endless_redirects(error)


def is_missing(error: FileNotFoundError) -> bool:
    """Whether the object is missing, rather than its bucket."""
    return "NoSuchBucket" not in reason_of(error)


def is_unreadable(error: BaseException) -> bool:
    """Whether the answer was not XML. botocore reports such an answer as status 500 without an error code."""
    return isinstance(error, ResponseParserError) or code_of(error) == "500"


def is_transient(error: BaseException) -> bool:
    """Return whether a retry of the failed request may succeed."""
    status = status_of(error)
    if status is not None:
        return status in TRANSIENT_STATUSES
    if has_endless_redirects(error):
        return False
    # If a connection breaks within a body, s3fs raises an OSError with one of these error numbers.
    return isinstance(error, TRANSIENT) or (isinstance(error, OSError) and error.errno in {errno.EBUSY, errno.EIO})


class Bucket:
    """One bucket. The methods are coroutines that must run in s3fs's event loop.

    After ``patience_seconds`` of retries, a method raises the last error: an OSError, or an error of botocore or
    aiohttp. ``answered`` says whether the server has answered any request.
    """

    def __init__(self, filesystem: Any, name: str, *, patience_seconds: float) -> None:
        self._filesystem = filesystem
        self._name = name
        self._patience_seconds = patience_seconds
        self.answered = False

    async def get(self, key: str) -> tuple[bytes, str | None] | None:
        """Return an object's bytes and its entity tag, if any. Return None if the object does not exist."""

        async def read() -> tuple[bytes, str | None] | None:
            try:
                answer = await self._call("get_object", Key=key)
            except FileNotFoundError as error:
                if is_missing(error):
                    return None
                raise
            async with answer["Body"] as body:
                return await body.read(), answer.get("ETag") or None

        return await self._tried(read)

    async def download(self, key: str, path: Path) -> bool:
        """Write the bytes of an object to a local file, in chunks. Return False if there is no such object."""

        async def read() -> bool:
            try:
                answer = await self._call("get_object", Key=key)
            except FileNotFoundError as error:
                if is_missing(error):
                    return False
                raise
            # A second try begins the file again.
            with path.open("wb") as file:
                async with answer["Body"] as body:
                    while chunk := await body.read(CHUNK_BYTES):
                        file.write(chunk)
            return True

        return await self._tried(read)

    async def get_many(self, keys: Iterable[str]) -> list[tuple[bytes, str | None] | None]:
        """Return the bytes and entity tags of objects, in the given order; many objects are read concurrently."""
        return await _together([lambda key=key: self.get(key) for key in keys])  # type: ignore[misc]

    async def find(self, prefix: str) -> list[Listed]:
        """Return all objects whose keys start with ``prefix``, sorted by key, each with its size and time.

        Raises OddAnswer if the store's answer is not such a listing.
        """
        found: dict[str, Listed] = {}
        seen: set[str] = set()
        token: str | None = None
        while True:
            page = await self.page(prefix, token, seen)
            found.update((each.key, each) for each in page.objects)
            if page.next is None:
                return sorted(await self._completed(found.values()))
            token = page.next

    async def page(self, prefix: str, token: str | None, seen: set[str]) -> Page:
        """Return the first page of the objects whose keys start with ``prefix``, or the page with a token.

        The token of the next page is added to ``seen``. Raises OddAnswer if it was there, or if the store's answer is
        not such a page.
        """
        more = {} if token is None else {"ContinuationToken": token}
        page = page_of(await self._tried(partial(self._list, prefix, **more)), prefix)
        if page.next in seen:
            raise OddAnswer("expected a new page of the listing, found the same page twice")
        if page.next is not None:
            seen.add(page.next)
        return page

    async def _list(self, prefix: str, **more: str) -> dict[str, Any]:
        arguments = {"Prefix": prefix, **more}
        try:
            return dict(await self._call("list_objects_v2", **arguments))
        except (OSError, ResponseParserError) as error:
            if not is_unreadable(error):
                raise
            # Ask for encoded keys, because a key may contain a character that XML does not allow.
            return decoded(await self._call("list_objects_v2", EncodingType="url", **arguments))

    async def _completed(self, found: Iterable[Listed]) -> list[Listed]:
        """Return the objects with the sizes and times that the listing omitted; skip deleted objects."""
        complete = [each for each in found if each.is_complete]
        others = [each for each in found if not each.is_complete]
        asked = await _together([partial(self._head, each) for each in others])
        return [*complete, *(each for each in asked if each is not None)]

    async def _head(self, listed: Listed) -> Listed | None:
        try:
            answer = await self._tried(lambda: self._call("head_object", Key=listed.key))
        except FileNotFoundError:
            return None
        modified = answer.get("LastModified")
        found = Listed(listed.key, answer.get("ContentLength"), modified and modified.timestamp(), listed.etag)
        if not found.is_complete:
            raise OddAnswer(f"expected the size and the time of {listed.key} in a listing or a HEAD, found at most one")
        return found

    async def put(self, key: str, data: bytes, *, expect: Expectation | None = None) -> None:
        """Write an object. With ``expect``, write only if the current object matches the expectation.

        Raises:
            Changed: the current object does not match.
            Refused: the store does not support conditional writes.

        """
        condition = _condition(expect)
        try:
            await self._tried(lambda: self._call("put_object", Key=key, Body=data, **condition))
        except OSError as error:
            if expect is None:
                raise
            if code_of(error) in REFUSALS or status_of(error) == 501:
                raise Refused(reason_of(error)) from error
            if status_of(error) not in {404, 412}:
                raise
            # An earlier attempt may have succeeded although its answer was lost.
            found = await self.get(key)
            if found is None or found[0] != data:
                raise Changed(key) from error

    async def upload(self, files: Iterable[tuple[Path, str]]) -> None:
        """Upload local files, several at a time; an object becomes visible only when it is complete."""
        await _together([lambda pair=pair: self._upload(*pair) for pair in files])  # type: ignore[misc]

    async def _upload(self, path: Path, key: str) -> None:
        target = f"{self._name}/{key}"
        await self._tried(lambda: s3fs.upload(self._filesystem, str(path), target))

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete objects by their exact keys; missing objects are skipped."""
        await _together([lambda key=key: self._delete(key) for key in keys])  # type: ignore[misc]

    async def _delete(self, key: str) -> None:
        try:
            await self._tried(lambda: self._call("delete_object", Key=key))
        except FileNotFoundError as error:
            # S3 reports success for a missing object; some stores report an error.
            if not is_missing(error):
                raise

    async def uploads(self, prefix: str) -> list[Unfinished]:
        """Return the uncompleted multipart uploads whose keys start with ``prefix``; each ``path`` is a key."""
        found: list[Unfinished] = []
        marker: dict[str, str] = {}
        while True:
            page = await self._tried(
                lambda more=dict(marker): self._call("list_multipart_uploads", Prefix=prefix, **more)  # type: ignore[misc]
            )
            begun = page.get("Uploads") or ()
            found.extend(Unfinished(each["Key"], each["UploadId"], each["Initiated"].timestamp()) for each in begun)
            if not page.get("IsTruncated"):
                return found
            following = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
            if following == marker:
                raise OddAnswer("expected a new page in the listing of uploads, found the same page twice")
            marker = following

    async def abort(self, key: str, upload_id: str) -> None:
        """Abort a multipart upload without creating an object; do nothing if the upload no longer exists."""
        try:
            await self._tried(lambda: self._call("abort_multipart_upload", Key=key, UploadId=upload_id))
        except FileNotFoundError:
            return

    async def _call(self, method: str, **arguments: Any) -> Any:
        return await s3fs.call(self._filesystem, method, Bucket=self._name, **arguments)

    async def _tried(self, call: Callable[[], Awaitable[Result]]) -> Result:
        seconds = self._patience_seconds if self.answered else min(FIRST_SECONDS, self._patience_seconds)
        async for attempt in stamina.retry_context(on=is_transient, attempts=None, timeout=seconds, **WAITS):
            with attempt:
                result = await call()
        self.answered = True
        return result


async def _together(calls: list[Callable[[], Awaitable[Result]]]) -> list[Result]:
    """Run at most ``AT_ONCE`` calls at a time and return all results in order; the first error cancels the others."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(call: Callable[[], Awaitable[Result]]) -> Result:
        async with slots:
            return await call()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(call)) for call in calls]
    except BaseExceptionGroup as errors:
        # Raise the first error; the others result from the cancellation.
        raise errors.exceptions[0] from errors.exceptions[0].__cause__
    return [task.result() for task in tasks]


def _condition(expect: Expectation | None) -> dict[str, str]:
    """Return the expectation as keyword arguments for botocore."""
    if expect is None:
        return {}
    if isinstance(expect, Absent):
        return {"IfNoneMatch": "*"}
    if expect.tag.startswith(NO_TAG):
        raise Refused("its answers have no ETag")
    return {"IfMatch": expect.tag}
