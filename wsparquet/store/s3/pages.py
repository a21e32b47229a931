"""The pages of a store's listings, with a check of each field that wsparquet needs.

S3's documentation guarantees hardly any of these fields, and other stores omit some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

__all__ = ["Listed", "OddAnswer", "Page", "decoded", "page_of"]


class OddAnswer(Exception):
    """An answer of a store that S3 would not send. The text says what was expected and what was found."""


class Listed(NamedTuple):
    """An object of a listing: ``size`` in bytes, ``modified`` in seconds since 1970.

    A field is None if the listing omits it. The answer to a HEAD request has the size and the time. Without an
    ``etag``, a listing does not show whether an object has changed.
    """

    key: str
    size: int | None
    modified: float | None
    etag: str | None

    @property
    def is_complete(self) -> bool:
        """Whether the size and the time are known."""
        return self.size is not None and self.modified is not None


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of a listing, and the token of the next page. The token of the last page is None."""

    objects: tuple[Listed, ...]
    next: str | None


def page_of(answer: Mapping[str, Any], prefix: str) -> Page:
    """Return the page in ``answer``, the answer to a request for the objects whose keys start with ``prefix``.

    Raises:
        OddAnswer: the answer is not a listing, has a key with another prefix, or lacks the token of the next page.

    """
    if "IsTruncated" not in answer and "Name" not in answer:
        # Such an answer may be the login page of a network, which answers every request.
        raise OddAnswer("expected a listing of objects, found an answer that has neither Name nor IsTruncated")
    objects = tuple(_listed(each, prefix) for each in answer.get("Contents") or ())
    if not answer.get("IsTruncated"):
        return Page(objects, None)
    if not answer.get("NextContinuationToken"):
        raise OddAnswer("expected a NextContinuationToken in a truncated listing, found none")
    return Page(objects, answer["NextContinuationToken"])


def _listed(values: Mapping[str, Any], prefix: str) -> Listed:
    key = values.get("Key")
    if not isinstance(key, str) or not key.startswith(prefix):
        raise OddAnswer(f"expected a listing of keys that start with {prefix!r}, found {key!r}")
    modified = values.get("LastModified")
    return Listed(key, values.get("Size"), modified.timestamp() if modified else None, values.get("ETag") or None)


def decoded(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer. If the store encoded the keys, as the request asked, decode them."""
    if answer.get("EncodingType") != "url":
        return answer
    objects = [{**each, "Key": unquote_plus(each["Key"])} for each in answer.get("Contents") or ()]
    return {**answer, "Contents": objects}
