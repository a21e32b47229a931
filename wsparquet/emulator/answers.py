"""Answers of the Data Access API, in the forms of its documentation."""

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
    """US Eastern time, which the API writes dates in.

    Without daylight saving time if the machine has no time zone data.
    """
    try:
        return ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=-5))


EASTERN = _eastern()


def _date(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, EASTERN).isoformat(timespec="seconds")


def listing(account: str, resource: str, entries: Sequence[tuple[Entry, str]]) -> dict[str, Any]:
    """Return the list of files with their addresses.

    A single file is an object instead of a list, as in JSON converted from XML.
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
    """Return the links of an account."""
    rels = {"agentActivity": "agentActivity", "webSession": "webSession", "schema": "schema"}
    links = [{"@href": f"{resource}/{path}", "@rel": rel} for rel, path in rels.items()]
    return {"le": {"@accountId": account, "link": links}}


def own_schema() -> list[dict[str, Any]]:
    """Return the schema of the tables as Avro. The API's own schema is not published."""
    return [avro_schema(table) for table in TABLES.values()]


def error_body(message: str, code: str, *, form: str) -> tuple[str, str]:
    """Return the body and the content type of an error."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    if form == "json":
        return json.dumps({"error": {"time": time, "message": message, "internalCode": code}}), "application/json"
    fields = f"<time>{time}</time><message>{escape(message)}</message><internalCode>{escape(code)}</internalCode>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<error>{fields}</error>', "application/xml"
