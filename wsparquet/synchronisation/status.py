"""Reports whether a root is up to date: the last commit, covered hours, gaps, and missing files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal, TypedDict, Unpack

from wsparquet.commit import CommitHeader
from wsparquet.dataset import Access, Root
from wsparquet.json_values import JsonResult, in_json
from wsparquet.names import parse_name
from wsparquet.options import check_duration, make_options
from wsparquet.results import Result
from wsparquet.synchronisation.state import Missing, State

__all__ = ["AccountStatus", "Status", "StatusKeywords", "StatusLimits", "status"]

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
LISTS = ("missing", "failing", "expiring", "gone")


class StatusKeywords(TypedDict, total=False):
    """The fields of ``StatusLimits`` as keyword arguments."""

    stale: timedelta
    failing: timedelta
    expiring: timedelta


@dataclass(frozen=True)
class StatusLimits:
    """Limits beyond which an account needs attention.

    ``stale``: the longest time that may pass after the last commit. ``failing``: the longest time for which a file may
    keep failing. ``expiring``: a missing file needs attention if the server may delete it within this time.

    >>> from datetime import timedelta
    >>> limits = wsparquet.StatusLimits(stale=timedelta(hours=6))
    >>> wsparquet.status("lake", limits=limits).exit_code
    0
    """

    stale: timedelta = timedelta(hours=24)
    failing: timedelta = timedelta(hours=24)
    expiring: timedelta = timedelta(days=3)

    def __post_init__(self) -> None:
        """Reject invalid values."""
        for name in ("stale", "failing", "expiring"):
            check_duration(name, getattr(self, name))


def _spans(gaps: Iterable[tuple[datetime, datetime]]) -> list[dict[str, str]]:
    return [{"start": start.isoformat(), "end": end.isoformat()} for start, end in gaps]


@dataclass(frozen=True)
class AccountStatus(JsonResult):
    """The status of one account; times are in UTC.

    ``hours``: the number of covered hours, which are the hours with a committed file. ``gaps``: the start and end of
    each span of hours without a committed file, between the first and the last covered hour. ``missing``: the files
    that are not committed but still on the server. ``failing``: the missing files that have failed for too long.
    ``expiring``: the missing files that the server may delete soon. ``gone``: the files that are not committed and that
    the server has deleted.

    >>> (account,) = wsparquet.status("lake").accounts
    >>> account.account, account.commits, account.hours, account.state
    ('75555851', 2, 1, 'never synced')
    """

    json_properties = (("state", "account"), ("well", "account"))

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
    def needs_attention(self) -> bool:
        """Whether the last commit is too old, or a file has failed for too long, will be deleted soon, or is gone."""
        return bool(self.stale or self.failing or self.expiring or self.gone)

    @property
    def state(self) -> Literal["ok", "needs attention", "never synced"]:
        """The state in words.

        ``never synced`` means that nothing needs attention, although ``sync`` has never listed the server's files.
        """
        if self.needs_attention:
            return "needs attention"
        return "never synced" if self.last_listing is None else "ok"

    @property
    def well(self) -> bool:
        """Whether a run of ``sync`` has listed the server's files, and nothing needs attention."""
        return self.state == "ok"


@dataclass(frozen=True, repr=False)
class Status(Result):
    """The status of a root, with one entry for each account.

    >>> wsparquet.status("lake")
    <Status root=...lake, accounts=75555851, never_synced=75555851, commits=2>
    """

    json_properties = (("well", "root"),)

    root: str
    accounts: tuple[AccountStatus, ...]

    @property
    def well(self) -> bool:
        """Whether all accounts are well; False if the root has no commits."""
        return bool(self.accounts) and all(account.well for account in self.accounts)

    @property
    def exit_code(self) -> int:
        """The exit code: 1 if an account needs attention or nothing is committed, else 0."""
        return 0 if self.accounts and not any(account.needs_attention for account in self.accounts) else 1

    def facts(self) -> Mapping[str, object]:
        """Return the accounts, and the number of their files that need attention."""
        counts = {name: sum(len(getattr(each, name)) for each in self.accounts) or None for name in LISTS}
        return {
            "root": self.root,
            "accounts": " ".join(each.account for each in self.accounts) or "none",
            "never_synced": " ".join(each.account for each in self.accounts if each.last_listing is None),
            "stale": " ".join(each.account for each in self.accounts if each.stale),
            "commits": sum(each.commits for each in self.accounts),
            "gaps": sum(len(each.gaps) for each in self.accounts) or None,
            **counts,
        }

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Yield the files that have failed for too long or are gone, with the reasons."""
        for account in self.accounts:
            yield from ((each.name, each.error or "failed") for each in (*account.failing, *account.gone))


def status(
    root: str | os.PathLike[str],
    *,
    account: str | None = None,
    limits: StatusLimits | None = None,
    now: datetime | None = None,
    storage_options: Mapping[str, Any] | None = None,
    **keywords: Unpack[StatusKeywords],
) -> Status:
    """Return the status of ``account``, or of all accounts. Only the root is read; the server is not asked.

    ``storage_options``: the options of s3fs for a root on S3. The keyword arguments are the fields of ``StatusLimits``
    and override those of ``limits``.

    >>> from datetime import timedelta
    >>> wsparquet.status("lake", stale=timedelta(hours=6)).raise_for_failures()
    <Status root=...lake, accounts=75555851, never_synced=75555851, commits=2>

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.
        DatasetError: there is no root, or its metadata is unreadable. SchemaError: the root has another schema version.

    """
    wanted_limits = make_options(StatusLimits, limits, keywords)
    opened = Root.open(root, create=False, access=Access(storage_options or {}))
    heads: dict[str, list[CommitHeader]] = {}
    commits = opened.commits()
    for head in filter(commits.counted, commits.headers()):
        heads.setdefault(head.identity.account, []).append(head)
    states = {state.account: state for state in State.read_all(opened)}
    wanted = sorted({*heads, *states}) if account is None else [account]
    at = now or datetime.now(UTC)
    found = (_account(name, heads.get(name, []), states.get(name, State(name)), wanted_limits, at) for name in wanted)
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
    """Return the start of each hour with a committed file, in order. Files without an API name are ignored."""
    found: set[datetime] = set()
    for head in heads:
        name = parse_name(head.identity.name)
        if name.is_api and name.start_ms is not None and name.end_ms is not None:
            first, end = name.start_ms // HOUR_MS, -(-name.end_ms // HOUR_MS)
            # A real file covers one hour. If the name of a file claims more than a day, count only the first day.
            for number in range(first, first + max(1, min(24, end - first))):
                found.add(datetime.fromtimestamp(number * HOUR_MS / 1000, UTC))
    return sorted(found)


def _gaps(hours: list[datetime]) -> Iterable[tuple[datetime, datetime]]:
    for one, next_one in pairwise(hours):
        if next_one - one > HOUR:
            yield one + HOUR, next_one
