"""Whether a root is current: last commit, hours covered, gaps, what is missing and until when it can still be had."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from wsparquet.commit import Head
from wsparquet.dataset import Access, Root
from wsparquet.names import parse_name
from wsparquet.synchronisation.state import Missing, State

__all__ = ["AccountStatus", "Status", "StatusLimits", "status"]

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class StatusLimits:
    """What is still well.

    ``stale``: the longest time since the last commit. ``failing``: the longest time that a file may fail. ``expiring``:
    how long before the server may delete a missing file it is spoken of.
    """

    stale: timedelta = timedelta(hours=24)
    failing: timedelta = timedelta(hours=24)
    expiring: timedelta = timedelta(days=3)


@dataclass(frozen=True)
class AccountStatus:
    """What is known of one account; times are UTC.

    ``hours`` are distinct hours of which at least one file is committed, ``gaps`` the spans between the first and the
    last of them of which none is: from the start of the first hour without to the end of the last one. The lists hold
    files that are not committed: ``missing`` all of them that may still be had, ``failing`` those of them that have
    failed for too long, ``expiring`` those that the server may soon delete, ``gone`` those that it has deleted.
    """

    account: str
    commits: int
    last_commit: datetime | None
    last_listing: datetime | None
    first_hour: datetime | None
    last_hour: datetime | None
    hours: int
    gaps: tuple[tuple[datetime, datetime], ...]
    missing: tuple[Missing, ...]
    failing: tuple[Missing, ...]
    expiring: tuple[Missing, ...]
    gone: tuple[Missing, ...]
    stale: bool

    @property
    def well(self) -> bool:
        """Whether nobody has to look."""
        return not (self.stale or self.failing or self.expiring or self.gone)

    def to_dict(self) -> dict[str, Any]:
        """The status as plain JSON values."""
        times = {
            "last_commit": self.last_commit,
            "last_listing": self.last_listing,
            "first_hour": self.first_hour,
            "last_hour": self.last_hour,
        }
        lists = {"missing": self.missing, "failing": self.failing, "expiring": self.expiring, "gone": self.gone}
        return {
            "account": self.account,
            "well": self.well,
            "stale": self.stale,
            "commits": self.commits,
            **{name: time.isoformat() if time else None for name, time in times.items()},
            "hours": self.hours,
            "gaps": [{"start": start.isoformat(), "end": end.isoformat()} for start, end in self.gaps],
            **{name: [each.to_dict() for each in files] for name, files in lists.items()},
        }


@dataclass(frozen=True)
class Status:
    """What is known of a root, account by account."""

    root: str
    accounts: tuple[AccountStatus, ...]

    @property
    def exit_code(self) -> int:
        """0 if all is well, else 1; a root in which nothing is committed is not."""
        return 0 if self.accounts and all(account.well for account in self.accounts) else 1

    def to_dict(self) -> dict[str, Any]:
        """The status as plain JSON values."""
        return {
            "root": self.root,
            "well": self.exit_code == 0,
            "accounts": [account.to_dict() for account in self.accounts],
        }


def status(
    root: str | os.PathLike[str],
    *,
    account: str | None = None,
    limits: StatusLimits = StatusLimits(),
    now: datetime | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Status:
    """The status of ``account``, or of all accounts in the root, from what it holds: the server is not asked.

    ``storage_options`` are s3fs's own, for a root on S3.

    Raises:
        DatasetError: there is no root, or what it holds is unreadable.
        SchemaError: the root has another schema version.

    """
    opened = Root.open(root, create=False, access=Access(storage_options or {}))
    heads: dict[str, list[Head]] = {}
    for head in opened.commits().heads():
        heads.setdefault(head.identity.account, []).append(head)
    states = {state.account: state for state in State.read_all(opened)}
    wanted = sorted({*heads, *states}) if account is None else [account]
    at = now or datetime.now(UTC)
    found = (_account(name, heads.get(name, []), states.get(name, State(name)), limits, at) for name in wanted)
    return Status(opened.place, tuple(found))


def _account(account: str, heads: list[Head], state: State, limits: StatusLimits, now: datetime) -> AccountStatus:
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


def _hours(heads: Iterable[Head]) -> list[datetime]:
    """The starts of all hours of which a file is committed, in their order; other files than the API's have none."""
    found: set[datetime] = set()
    for head in heads:
        name = parse_name(head.identity.name)
        if name.start_ms is not None and name.end_ms is not None:
            start = datetime.fromtimestamp(name.start_ms // 3_600_000 * 3600, UTC)
            # A file of the field covers one hour. One that claims more than a day is not believed.
            for number in range(max(1, min(24, -(-(name.end_ms - name.start_ms) // 3_600_000)))):
                found.add(start + number * HOUR)
    return sorted(found)


def _gaps(hours: list[datetime]) -> Iterable[tuple[datetime, datetime]]:
    for one, next_one in pairwise(hours):
        if next_one - one > HOUR:
            yield one + HOUR, next_one
