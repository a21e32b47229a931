"""Calls private coroutines of s3fs, and adds handlers to the botocore client that s3fs uses.

Tried with s3fs 2026.9.0 (aiobotocore 3.10.0, botocore 1.43.117).
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from xml.etree import ElementTree as ET

from wsparquet.private import fsspec

__all__ = ["call", "objects_in", "prepare", "prepare_in_thread", "upload"]

REDIRECTS = (301, 302, 307)

FIRST, LAST = b"<Contents>", b"</Contents>"


async def call(filesystem: Any, method: str, **arguments: Any) -> Any:
    """Return the answer to a request; ``method`` and ``arguments`` are those of botocore's S3 client.

    The public ``call_s3`` blocks its thread. Raises OSError and the errors of botocore.
    """
    await prepare(filesystem, arguments["Bucket"])
    return await filesystem._call_s3(method, **arguments)  # noqa: SLF001


async def upload(filesystem: Any, path: str, target: str) -> None:
    """Upload a local file, in several parts if it is large. The public ``put_file`` blocks its thread.

    Raises the same errors as ``call``.
    """
    await filesystem._put_file(path, target)  # noqa: SLF001


async def prepare(filesystem: Any, bucket: str | None) -> None:
    """Add handlers to the client of a bucket: for plain and fast listings, and for redirects that end.

    These parameters of listing requests are removed:

    - ``EncodingType``: botocore requests percent-encoded names, and decodes the names if the answer says that they are
      encoded. Some stores say so without encoding the names, and ``a%20b`` and ``a+b`` then both become ``a b``.
      Without this parameter, no store encodes names. The parameter stays if the caller has set it.
    - ``Delimiter``: s3fs sends an empty delimiter if it needs no delimiter. Some stores then split every name.

    If a store redirects a request without naming a region, botocore asks for the bucket's region. If the store
    redirects that request, too, botocore would ask again without end.
    """
    await filesystem.set_session()
    client = await filesystem.get_s3(bucket)
    # The last handler runs after botocore's own handlers. The identifier prevents a second registration.
    for operation in ("ListObjects", "ListObjectsV2"):
        event = f"before-parameter-build.s3.{operation}"
        client.meta.events.register_last(event, _make_plain, unique_id=f"wsparquet-{operation}")
    client.meta.events.register_last("before-parse.s3.ListObjectsV2", _parse_objects, unique_id="wsparquet-objects")
    # This handler must run before botocore's handler of redirects.
    client.meta.events.register_first("needs-retry.s3.HeadBucket", _end_redirects, unique_id="wsparquet-redirects")


def prepare_in_thread(filesystem: Any) -> None:
    """``prepare`` for a file system whose blocking methods are used."""
    fsspec.run(filesystem, prepare, filesystem, None)


def _make_plain(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    # botocore sets this mark if botocore itself, not the caller, has set the encoding.
    if context.get("encoding_type_auto_set"):
        params.pop("EncodingType", None)
    if params.get("Delimiter") == "":
        del params["Delimiter"]


def _end_redirects(response: Any, request_dict: dict[str, Any], **_: Any) -> None:
    if response is None or response[0].status_code not in REDIRECTS:
        return
    region = response[1].get("Error", {}).get("Region")
    if region is None and "x-amz-bucket-region" not in response[1]["ResponseMetadata"]["HTTPHeaders"]:
        # botocore follows only requests that it has not redirected before.
        request_dict["context"]["s3_redirect"]["redirected"] = True


def _parse_objects(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Parse the objects of a listing, and leave the rest of the answer to botocore, whose parser is much slower."""
    if response_dict["status_code"] == HTTPStatus.OK and (found := objects_in(response_dict["body"])) is not None:
        customized_response_dict["Contents"], response_dict["body"] = found


def objects_in(body: bytes) -> tuple[list[dict[str, Any]], bytes] | None:
    """Return the objects of a listing in botocore's form, and the answer without them.

    Return None if the answer is not of the usual form.
    """
    start, end = body.find(FIRST), body.rfind(LAST) + len(LAST)
    if start < 0 or end < start or b"<CommonPrefixes>" in body[start:end] or not _is_utf8(body[:start]):
        return None
    try:
        found = [_object({each.tag: each.text for each in element}) for element in _parsed(body[start:end])]
    except (ET.ParseError, KeyError, TypeError, ValueError):
        return None
    return found, body[:start] + body[end:]


def _parsed(objects: bytes) -> ET.Element:
    return ET.fromstring(b"<r>" + objects + b"</r>")  # noqa: S314 - without a DOCTYPE, there are no entities


def _is_utf8(head: bytes) -> bool:
    return b"<!" not in head and (b"encoding=" not in head or b'encoding="utf-8"' in head.lower())


def _object(values: dict[str, str | None]) -> dict[str, Any]:
    found: dict[str, Any] = {"Key": values["Key"] or ""}
    if (size := values.get("Size")) is not None:
        found["Size"] = int(size)
    if (modified := values.get("LastModified")) is not None:
        found["LastModified"] = datetime.fromisoformat(modified).astimezone(UTC)
    if (etag := values.get("ETag")) is not None:
        found["ETag"] = etag
    return found
