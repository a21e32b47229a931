"""Whether a root is up to date: last commit, hours covered, gaps, and missing files with their deadlines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from wsparquet.commit import CommitHeader
from wsparquet.dataset import Access, Root
from wsparquet.json_values import JsonResult, in_json
from wsparquet.names import parse_name
from wsparquet.synchronisation.state import Missing, State

__all__ = ["AccountStatus", "Status", "StatusLimits", "status"]

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class StatusLimits:
    """Limits within which a root is ok.

    ``stale`` is the longest time since the last commit. ``failing`` is the longest time that a file may keep failing.
    ``expiring`` is how long before its possible deletion a missing file is reported.
    """

    stale: timedelta = timedelta(hours=24)
    failing: timedelta = timedelta(hours=24)
    expiring: timedelta = timedelta(days=3)


def _spans(gaps: Iterable[tuple[datetime, datetime]]) -> list[dict[str, str]]:
    return [{"start": start.isoformat(), "end": end.isoformat()} for start, end in gaps]


@dataclass(frozen=True)
class AccountStatus(JsonResult):
    """The status of one account. Times are UTC.

    ``hours`` counts the distinct hours with at least one committed file. ``gaps`` are the spans without a committed
    file between the first and the last of those hours. The lists hold files that are not committed: ``missing`` those
    that the server still has, ``failing`` those of them that have failed for too long, ``expiring`` those that the
    server may delete soon, and ``gone`` those that it has deleted.
    """

    json_properties = (("well", "account"),)

    account: str
    stale: bool
    commits: int
    last_commit: datetime | None
    last_listing: datetime | None
    first_hour: datetime | None
    last_hour: datetime | None
    hours: int
    gaps: tuple[tuple[datetime, datetime], ...] = field(metadata=in_json(convert=_spans))
    missing: tuple[Missing, ...]
    failing: tuple[Missing, ...]
    expiring: tuple[Missing, ...]
    gone: tuple[Missing, ...]

    @property
    def well(self) -> bool:
        """Whether nothing needs attention."""
        return not (self.stale or self.failing or self.expiring or self.gone)


@dataclass(frozen=True)
class Status(JsonResult):
    """The status of a root, by account."""

    json_properties = (("well", "root"),)

    root: str
    accounts: tuple[AccountStatus, ...]

    @property
    def well(self) -> bool:
        """Whether no account needs attention; False for a root without commits."""
        return bool(self.accounts) and all(account.well for account in self.accounts)

    @property
    def exit_code(self) -> int:
        """0 if no account needs attention, else 1."""
        return 0 if self.well else 1


def status(
    root: str | os.PathLike[str],
    *,
    account: str | None = None,
    limits: StatusLimits = StatusLimits(),
    now: datetime | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Status:
    """The status of ``account``, or of all accounts in the root.

    Reads the root only and sends no request to the server.

    ``storage_options`` are s3fs's own, for a root on S3.

    Raises:
        DatasetError: there is no root, or it cannot be read. SchemaError: the root has another schema version.

    """
    opened = Root.open(root, create=False, access=Access(storage_options or {}))
    heads: dict[str, list[CommitHeader]] = {}
    for head in opened.commits().headers():
        heads.setdefault(head.identity.account, []).append(head)
    states = {state.account: state for state in State.read_all(opened)}
    wanted = sorted({*heads, *states}) if account is None else [account]
    at = now or datetime.now(UTC)
    found = (_account(name, heads.get(name, []), states.get(name, State(name)), limits, at) for name in wanted)
    return Status(opened.place, tuple(found))


def _account(
    account: str, heads: list[CommitHeader], state: State, limits: StatusLimits, now: datetime
) -> AccountStatus:
    hours = _hours(heads)
    last = max((datetime.fromisoformat(head.committed_at) for head in heads), default=None)
    files = sorted(state.files.values(), key=lambda each: (each.start or "", each.name))
    missing = [each for each in files if each.gone_at is None]
    return AccountStatus(
        account=account,
        commits=len(heads),
        last_commit=last,
        last_listing=_time(state.listed_at),
        first_hour=hours[0] if hours else None,
        last_hour=hours[-1] if hours else None,
        hours=len(hours),
        gaps=tuple(_gaps(hours)),
        missing=tuple(missing),
        failing=tuple(each for each in missing if _before(each.failed_since, now - limits.failing)),
        expiring=tuple(each for each in missing if _before(each.expires, now + limits.expiring)),
        gone=tuple(each for each in files if each.gone_at is not None),
        stale=last is None or now - last > limits.stale,
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _before(text: str | None, moment: datetime) -> bool:
    time = _time(text)
    return time is not None and time <= moment


def _hours(heads: Iterable[CommitHeader]) -> list[datetime]:
    """The start of each hour with a committed file, in order. Files without an API name are ignored."""
    found: set[datetime] = set()
    for head in heads:
        name = parse_name(head.identity.name)
        if name.start_ms is not None and name.end_ms is not None:
            start = datetime.fromtimestamp(name.start_ms // 3_600_000 * 3600, UTC)
            # A real file covers one hour. A claim of more than a day is ignored.
            for number in range(max(1, min(24, -(-(name.end_ms - name.start_ms) // 3_600_000)))):
                found.add(start + number * HOUR)
    return sorted(found)


def _gaps(hours: list[datetime]) -> Iterable[tuple[datetime, datetime]]:
    for one, next_one in pairwise(hours):
        if next_one - one > HOUR:
            yield one + HOUR, next_one
