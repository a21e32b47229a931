"""Parses the server's responses: file lists, links, and errors, in every form that the API is known to use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from wsparquet.api.credentials import VARIABLES
from wsparquet.api.faults import FileGone, NoFiles, Transient
from wsparquet.api.trust import Trust
from wsparquet.errors import ApiError
from wsparquet.names import parse_name
from wsparquet.redaction import printable, printable_url

__all__ = ["Link", "ListedFile", "Listing", "Refused", "error_of", "links_of", "merged", "parse_json", "parse_listing"]

NO_FILES = "No Available Files"
SHOWN = 300
Hide = Callable[[str], str]
"""Replaces the secrets in a text that the server sent."""

REMEDIES = {
    401: f"check {', '.join(VARIABLES.values())}, or the file that `credentials` names, and this machine's clock",
    403: "check that the API key may read the Data Access API of this account",
    404: "check the account and the region",
    429: "the server received too many requests: use fewer `downloads`, or try again later",
}


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file on the server.

    ``name``: the name as the server sent it; never use it as a path. ``urls``: the listed URLs that the client may
    request, nearly always one. ``start``, ``end``: the time range in UTC, from the list or, if the list has none, from
    the name. ``scope_start``, ``scope_end``: the same times as text, exactly as the list has them. Each of the four is
    None if it is unknown. ``places``: the URLs without secrets, for messages and commit records.
    """

    name: str
    urls: tuple[str, ...]
    start: datetime | None = None
    end: datetime | None = None
    scope_start: str | None = None
    scope_end: str | None = None
    places: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Derive ``places`` from the URLs if they are not given."""
        object.__setattr__(self, "places", self.places or tuple(map(printable_url, self.urls)))


@dataclass(frozen=True, slots=True)
class Refused:
    """A list entry that is malformed, or whose URL the client may not request.

    ``url`` contains no secrets, so messages may show it.
    """

    name: str
    url: str
    error: str


@dataclass(frozen=True)
class Listing:
    """The files on the server, oldest first, with one entry for each name."""

    files: tuple[ListedFile, ...]
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A link in the base resource."""

    rel: str
    href: str


# --- JSON -------------------------------------------------------------------------------------------------------------


def _unchanged(text: str) -> str:
    return text


def parse_json(body: bytes, place: str, *, hide: Hide = _unchanged) -> Any:
    """Parse a response as JSON.

    Raises Transient if the response is not JSON: a proxy may have sent it, so a retry may help.

    Messages quote the server's text as ``hide`` returns it; so do the messages of the other functions here.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        found = _one_line(_plain(hide(body.decode("utf-8", "replace"))))
        raise Transient(ApiError(f"{place}: expected JSON, found {found!r}; is that the API's address?")) from None


def parse_listing(body: bytes, *, account: str, trust: Trust, place: str, hide: Hide = _unchanged) -> Listing:
    """Return the files in one response of the list endpoint.

    Raises:
        ApiError: the response is not a list of files, or it belongs to another account.

    """
    answer = parse_json(body, place, hide=hide)
    files = answer.get("dataAccessFiles") if isinstance(answer, dict) else None
    if not isinstance(files, dict):
        raise ApiError(
            f"{place}: expected an object with dataAccessFiles, found {_one_line(hide(json.dumps(answer)))}; "
            "is it the API's?"
        )
    _check_account(files, account, place, hide)
    entries = files.get("file")
    listed: list[ListedFile] = []
    refused: list[Refused] = []
    for entry in entries if isinstance(entries, list) else [] if entries is None else [entries]:
        found = _entry(entry, trust, hide)
        (listed if isinstance(found, ListedFile) else refused).append(found)  # type: ignore[arg-type]
    return Listing(tuple(listed), tuple(refused))


def _check_account(values: Mapping[str, Any], account: str, place: str, hide: Hide) -> None:
    found = values.get("@id", values.get("@accountId"))
    if found is not None and str(found) != account:
        raise ApiError(f"{place}: expected account {account}, found {_one_line(hide(str(found)))}; check the account")


def _entry(entry: object, trust: Trust, hide: Hide) -> ListedFile | Refused:
    values = entry if isinstance(entry, dict) else {}
    name, href = values.get("@name"), values.get("@href")
    if not isinstance(name, str) or not isinstance(href, str) or not name:
        shown, url = _one_line(hide(json.dumps(entry))), printable_url(hide(str(href or "")))
        return Refused(hide(str(name or "?")), url, f"expected @name and @href, found {shown}")
    place = printable_url(hide(href))
    try:
        trust.check(href)
    except ApiError as error:
        return Refused(hide(name), place, hide(str(error)))
    first, last = (_text(values.get(key)) for key in ("@scopeStartDate", "@scopeEndDate"))
    api = parse_name(name)
    start, end = _moment(first) or _instant(api.start_ms), _moment(last) or _instant(api.end_ms)
    return ListedFile(name, (href,), start, end, first, last, places=(place,))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def merged(listings: Iterable[Listing]) -> Listing:
    """Merge several lists into one. Entries with the same name become one file with all their distinct URLs."""
    files: dict[str, ListedFile] = {}
    refused: dict[Refused, None] = {}
    for listing in listings:
        refused.update(dict.fromkeys(listing.refused))
        for file in listing.files:
            known = files.setdefault(file.name, file)
            urls = dict(zip((*known.urls, *file.urls), (*known.places, *file.places), strict=True))
            files[file.name] = replace(known, urls=tuple(urls), places=tuple(urls.values()))
    first = datetime.min.replace(tzinfo=UTC)
    return Listing(tuple(sorted(files.values(), key=lambda file: (file.start or first, file.name))), tuple(refused))


def links_of(body: bytes, *, account: str, place: str, hide: Hide = _unchanged) -> tuple[Link, ...]:
    """Return the links in the base resource.

    Raises ApiError if the response is not a base resource, or belongs to another account.
    """
    answer = parse_json(body, place, hide=hide)
    resource = answer.get("le") if isinstance(answer, dict) else None
    if not isinstance(resource, dict):
        found = _one_line(hide(json.dumps(answer)))
        raise ApiError(f"{place}: expected an object with le, found {found}; is it the API's?")
    _check_account(resource, account, place, hide)
    links = resource.get("link")
    return tuple(_links(links if isinstance(links, list) else [links]))


def _links(entries: Iterable[object]) -> Iterator[Link]:
    for entry in entries:
        if isinstance(entry, dict) and isinstance(entry.get("@href"), str):
            yield Link(str(entry.get("@rel", "")), entry["@href"])


# --- Errors -----------------------------------------------------------------------------------------------------------


def error_of(status: int, body: bytes, place: str) -> ApiError:
    """Return the error in a response, whose body may be XML, JSON of the same structure, or any other text."""
    text = body.decode("utf-8", "replace")
    if NO_FILES.lower() in text.lower():
        return NoFiles(f"{place}: no files", status=status)
    message, code = _xml_error(text) or _json_error(text) or (_plain(text), None)
    remedy = REMEDIES.get(status, "the server failed: try again later" if status >= 500 else "check the request")
    number = f", internal code {_one_line(code)}" if code else ""
    said = f": {_one_line(message)}" if message else ""
    kind = FileGone if status == 410 else ApiError
    return kind(
        f"{place}: expected an answer, found HTTP status {status}{number}{said}; {remedy}",
        status=status,
        internal_code=code,
    )


def _xml_error(text: str) -> tuple[str, str | None] | None:
    # XML entities could expand a small document into a huge one. The API's errors contain no entities.
    if "<error" not in text or "<!" in text:
        return None
    try:
        root = ET.fromstring(text.strip())  # noqa: S314 - the text is of bounded size and has no declarations
    except ET.ParseError:
        return None
    return root.findtext("message") or "", root.findtext("internalCode")


def _json_error(text: str) -> tuple[str, str | None] | None:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    values = values.get("error", values) if isinstance(values, dict) else None
    if not isinstance(values, dict) or "message" not in values:
        return None
    code = values.get("internalCode")
    return str(values["message"]), None if code is None else str(code)


def _plain(text: str) -> str:
    """Return the plain text of a response that does not come from the API, such as an HTML page of a proxy."""
    return re.sub(r"<[^>]*>", " ", re.sub(r"(?is)<(style|script).*?</\1>", " ", text))


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))[:SHOWN]
