"""The presets of masks, which follow from what each column says about a person (``wsparquet.schema.personal``)."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from wsparquet.privacy.columns import Column, all_columns

__all__ = ["PRESETS", "preset"]

PRESETS: Final = ("pii", "network")

KEPT_TEXT: Final = ("record", "rescued")
"""Free text with its own rules: ``record`` by the policy of records, and ``rescued`` by the path of each value."""


def preset(name: str) -> dict[str, str]:
    """Return the action of each column that a preset masks, by table and path.

    ``pii`` hashes identifiers, so that joins work, drops identifying numbers such as the year of birth, and redacts
    free text. ``network`` truncates IP addresses and URLs.

    Example:
        >>> preset("network")["geo.iPV4"], preset("pii")["geo.visitorId"]
        ('truncate', 'hash')

    """
    action = _pii if name == "pii" else _network
    found = ((column.name, action(column)) for column in all_columns().values())
    return {path: chosen for path, chosen in found if chosen is not None}


def _pii(column: Column) -> str | None:
    if column.personal == "text":
        return None if column.path in KEPT_TEXT else "redact"
    if column.personal not in {"direct", "pseudonymous"}:
        return None
    return "hash" if pa.types.is_string(column.type) else "drop"


def _network(column: Column) -> str | None:
    return "truncate" if column.truncate else None
