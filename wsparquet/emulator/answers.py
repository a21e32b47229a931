"""Builds the responses of the Data Access API, in the forms that its documentation shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wsparquet.emulator.catalogue import Entry
from wsparquet.render.avro import schema as avro_schema
from wsparquet.schema import TABLES

__all__ = ["base_resource", "error_body", "listing", "own_schema"]


def _eastern() -> tzinfo:
    """Return US Eastern time, the time zone of the API's dates.

    If the machine has no time zone data, omit daylight saving time.
    """
    try:
        return ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=-5))


EASTERN = _eastern()


def _date(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, EASTERN).isoformat(timespec="seconds")


def listing(account: str, resource: str, entries: Sequence[tuple[Entry, str]]) -> dict[str, Any]:
    """Return the list of files with their URLs.

    If there is only one file, the result has an object instead of a list, as in JSON converted from XML.
    """
    files = [
        {
            "@name": entry.name,
            "@scopeStartDate": _date(entry.start_ms),
            "@scopeEndDate": _date(entry.end_ms),
            "@href": href,
        }
        for entry, href in entries
    ]
    return {
        "dataAccessFiles": {
            "@id": account,
            "link": {"@href": f"{resource}/webSession", "@rel": "self"},
            "file": files[0] if len(files) == 1 else files,
        }
    }


def base_resource(account: str, resource: str) -> dict[str, Any]:
    """Return the base resource, which contains the links of an account."""
    rels = {"agentActivity": "agentActivity", "webSession": "webSession", "schema": "schema"}
    links = [{"@href": f"{resource}/{path}", "@rel": rel} for rel, path in rels.items()]
    return {"le": {"@accountId": account, "link": links}}


def own_schema() -> list[dict[str, Any]]:
    """Return wsparquet's tables as an Avro schema, because the API's own schema is not published."""
    return [avro_schema(table) for table in TABLES.values()]


def error_body(message: str, code: str, *, form: str) -> tuple[str, str]:
    """Return the body and the content type of an error response."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    if form == "json":
        return json.dumps({"error": {"time": time, "message": message, "internalCode": code}}), "application/json"
    fields = f"<time>{time}</time><message>{escape(message)}</message><internalCode>{escape(code)}</internalCode>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<error>{fields}</error>', "application/xml"
