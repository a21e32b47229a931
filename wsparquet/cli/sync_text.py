"""What synchronisation did and what is missing, in lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wsparquet.cli.terminal import human_bytes, with_flags

if TYPE_CHECKING:
    from wsparquet.synchronisation import AccountStatus, FetchSummary, Files, Status
    from wsparquet.synchronisation.state import Missing

__all__ = ["fetched", "listed", "status"]

MOST_SHOWN = 20


def fetched(summary: FetchSummary, *, present: str = "there already") -> Iterator[str]:
    """What became of the files of a list."""
    yield (
        f"account {summary.account}: {summary.listed:,} files listed, {summary.present:,} {present}, "
        f"{len(summary.downloaded):,} downloaded ({human_bytes(summary.downloaded_bytes)}), "
        f"{len(summary.failures):,} failed, {summary.seconds:.1f} s"
    )
    if summary.retries:
        yield f"requests that were tried again: {summary.retries:,}"
    for kind, failures in (("gone", summary.gone), ("refused", summary.refused), ("failed", summary.failures)):
        for failure in failures:
            yield f"{kind}: {failure.name}: {with_flags(failure.error)}"
    if summary.interrupted:
        yield "interrupted: the rest is left for the next run"


def listed(files: Files) -> Iterator[str]:
    """Every file that the server has, and what is known of it."""
    counts = Counter(file.state for file in files.files)
    states = ", ".join(f"{counts[state]:,} {state}" for state in ("committed", "missing", "failed"))
    yield f"account {files.account}: {len(files.files):,} files on the server: {states}"
    for file in files.files:
        until = "" if file.state == "committed" else f"  there until {_time(file.expires)}"
        why = f"  {file.error}" if file.error else ""
        yield f"  {file.state:9}  {_time(file.start)}{until}  {file.name}{why}"
    for refusal in files.refused:
        yield f"refused: {refusal.name}: {with_flags(refusal.error)}"


def _time(moment: datetime | str | None) -> str:
    if moment is None:
        return "?"
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%MZ}"


def status(found: Status) -> Iterator[str]:
    """Account by account, what is there and what is not."""
    if not found.accounts:
        yield f"{found.root}: nothing is committed yet; begin with `wsparquet sync` or `wsparquet convert`"
    for account in found.accounts:
        yield from _account(account)


def _account(account: AccountStatus) -> Iterator[str]:
    yield f"account {account.account}: {'well' if account.well else 'look here'}"
    stale = ": too long ago" if account.stale else ""
    yield f"  last commit:   {_time(account.last_commit)}{stale}"
    yield f"  last listing:  {_time(account.last_listing)}"
    span = f", {_time(account.first_hour)} to {_time(account.last_hour)}" if account.hours else ""
    yield f"  hours covered: {account.hours:,} in {account.commits:,} commits{span}"
    spans = [f"{_time(start)} to {_time(end)}" for start, end in account.gaps]
    yield from _some(spans, f"gaps, hours of which nothing is committed: {len(spans):,}")
    yield from _files(account.missing, "files that the server has and nothing is committed of")
    yield from _files(account.failing, "files that have failed for too long")
    yield from _files(account.expiring, "files that the server may soon delete")
    yield from _files(account.gone, "files that the server deleted before they could be taken")


def _files(files: Sequence[Missing], title: str) -> Iterator[str]:
    lines = []
    for file in files:
        since = f", failing since {_time(file.failed_since)}: {file.error}" if file.failed_since else ""
        gone = f", gone since {_time(file.gone_at)}" if file.gone_at else f", there until {_time(file.expires)}"
        lines.append(f"{file.name}{gone}{since}")
    yield from _some(lines, f"{title}: {len(files):,}")


def _some(lines: Sequence[str], title: str) -> Iterator[str]:
    if lines:
        yield f"  {title}"
        yield from (f"    {line}" for line in lines[:MOST_SHOWN])
    if len(lines) > MOST_SHOWN:
        yield f"    and {len(lines) - MOST_SHOWN:,} more; see all with --output json"
