"""The files that were missing after the last run, saved in the root for the next run and for monitors.

Only commit records decide which rows count. The saved state records only when files went missing, and why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from wsparquet.dataset import Root
from wsparquet.errors import DatasetError
from wsparquet.json_values import JsonResult, in_json

__all__ = ["Missing", "State"]

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Missing(JsonResult):
    """A file that is not committed and that the server lists or once listed.

    Times are UTC, in ISO 8601. ``failed_since``: the time of the file's first failure. ``error``: the message of the
    latest failure. Both are None if the file has not failed. ``gone_at``: the time at which a run found that the server
    no longer has the file. ``refused``: whether the client must not request the listed URL.
    """

    name: str
    start: str | None = None
    end: str | None = None
    expires: str | None = None
    failed_since: str | None = None
    error: str | None = field(default=None, metadata=in_json(message=True))
    gone_at: str | None = None
    refused: bool = False

    def failed(self, error: str, *, now: datetime, gone: bool) -> Missing:
        """Return a copy with one more failure."""
        at = now.isoformat()
        since = self.failed_since or at
        return replace(self, failed_since=since, error=error, gone_at=(self.gone_at or at) if gone else None)


@dataclass
class State:
    """The missing files of an account by name, and the time at which a run last listed them (ISO 8601, UTC)."""

    account: str
    listed_at: str | None = None
    files: dict[str, Missing] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Root, account: str) -> Self:
        """Return the saved state of an account; an empty state if none is saved.

        Raises DatasetError if the file is malformed.
        """
        data = root.read_sync_state(account)
        return cls(account) if data is None else cls._decode(data)

    @classmethod
    def read_all(cls, root: Root) -> list[Self]:
        """Return the states of all accounts. Raises DatasetError if a state file is malformed."""
        return [cls._decode(data) for data in root.read_sync_states().values()]

    def write(self, root: Root) -> None:
        """Save the state in the root."""
        values = {
            **asdict(self),
            "format_version": FORMAT_VERSION,
            "files": [each.to_dict() for each in self.files.values()],
        }
        root.write_sync_state(self.account, json.dumps(values, separators=(",", ":")).encode("ascii"))

    @classmethod
    def _decode(cls, data: bytes) -> Self:
        try:
            values = json.loads(data)
            if values["format_version"] != FORMAT_VERSION:
                raise ValueError(f"format version {values['format_version']}")  # noqa: TRY301 - handled below
            files = [_decode_missing(each) for each in values["files"]]
            listed_at = _time(values, "listed_at")
            return cls(str(values["account"]), listed_at, {each.name: each for each in files})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DatasetError(
                f"_wsparquet/sync: expected the saved state of `sync`, found {data[:100]!r} ({error}); "
                "delete the file; the next `wsparquet sync` writes a new one"
            ) from error


def _decode_missing(values: Mapping[str, Any]) -> Missing:
    times = {key: _time(values, key) for key in ("start", "end", "expires", "failed_since", "gone_at")}
    name, refused = str(values["name"]), values["refused"] is True
    return Missing(name=name, error=_text(values, "error"), refused=refused, **times)


def _time(values: Mapping[str, Any], key: str) -> str | None:
    time = _text(values, key)
    if time is not None and datetime.fromisoformat(time).tzinfo is None:
        raise ValueError(f"{time} has no time zone")
    return time


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values[key]
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{key} is not text")
    return value
