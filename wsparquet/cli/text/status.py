"""The text of the status of datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wsparquet.cli.flags import in_flags
from wsparquet.cli.text.parts import time

if TYPE_CHECKING:
    from wsparquet.synchronisation import AccountStatus, Status
    from wsparquet.synchronisation.state import Missing

__all__ = ["status"]

MOST_SHOWN = 20


def status(found: Status) -> Iterator[str]:
    """Yield a block for each account with its committed and its missing files."""
    if not found.accounts:
        yield f"{found.root}: nothing is committed yet; begin with `wsparquet sync` or `wsparquet convert`"
    for account in found.accounts:
        yield from _account(account)


def _account(account: AccountStatus) -> Iterator[str]:
    yield f"account {account.account}: {account.state}"
    stale = ": too long ago" if account.stale else ""
    yield f"  last commit:   {time(account.last_commit)}{stale}"
    listing = time(account.last_listing) if account.last_listing else "never synced (by `wsparquet sync`)"
    yield f"  last listing:  {listing}"
    span = f", {time(account.first_hour)} to {time(account.last_hour)}" if account.hours else ""
    yield f"  hours covered: {account.hours:,} in {account.commits:,} commits{span}"
    spans = [f"{time(start)} to {time(end)}" for start, end in account.gaps]
    yield from _some(spans, "gaps (hours without a committed file)")
    yield from _files(account.missing, "missing files (on the server, but not committed)")
    yield from _files(account.failing, "files that have failed for too long")
    yield from _files(account.expiring, "missing files that the server may soon delete")
    yield from _files(account.gone, "gone files (the server deleted them before the download)")


def _files(files: Sequence[Missing], title: str) -> Iterator[str]:
    yield from _some([_file(file) for file in files], title)


def _file(file: Missing) -> str:
    gone = f"gone since {time(file.gone_at)}" if file.gone_at else f"there until {time(file.expires)}"
    since = f", failing since {time(file.failed_since)}: {in_flags(file.error or '')}" if file.failed_since else ""
    return f"{file.name}, {gone}{since}"


def _some(shown: Sequence[str], title: str) -> Iterator[str]:
    if shown:
        yield f"  {title}: {len(shown):,}"
        yield from (f"    {line}" for line in shown[:MOST_SHOWN])
    if len(shown) > MOST_SHOWN:
        yield f"    and {len(shown) - MOST_SHOWN:,} more; see all with --output json"
