"""The text of the results of a synchronization, a download, and a list of files."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.flags import in_flags
from wsparquet.cli.terminal import human_bytes
from wsparquet.cli.text import lines, status
from wsparquet.cli.text.parts import counted, failed, time
from wsparquet.synchronisation import FetchSummary, Files, FileState, Status, SyncSummary

lines.register(Status, status.status)


@lines.register
def _(summary: SyncSummary) -> Iterator[str]:
    """Yield the counts of downloads, and the result of their conversion."""
    yield from _fetched(summary.fetched, present="committed already")
    if summary.converted.sources:
        yield from lines(summary.converted)
    elif summary.converted.compaction is not None:
        yield from lines(summary.converted.compaction)


@lines.register
def _(summary: FetchSummary) -> Iterator[str]:
    """Yield the counts of files, and the failures."""
    yield from _fetched(summary, present="there already")


def _fetched(summary: FetchSummary, *, present: str) -> Iterator[str]:
    yield (
        f"account {summary.account}: {summary.listed:,} files listed, {summary.present:,} {present}, "
        f"{len(summary.downloaded):,} downloaded ({human_bytes(summary.downloaded_bytes)}), "
        f"{len(summary.failures):,} failed, {summary.seconds:.1f} s"
    )
    if summary.retries:
        yield f"retried requests: {summary.retries:,}"
    for kind, failures in (("gone", summary.gone), ("refused", summary.refused), ("failed", summary.failures)):
        yield from failed(failures, kind=kind)
    if summary.interrupted:
        left = f", {counted(summary.not_begun, 'file')} not begun" if summary.not_begun else ""
        yield f"interrupted{left}: the next run continues with the remaining files"


@lines.register
def _(files: Files) -> Iterator[str]:
    """Yield a line for each file that the server has."""
    states = ", ".join(f"{count:,} {state}" for state, count in files.counts().items())
    yield f"account {files.account}: {files.listed:,} files on the server: {states}"
    yield from (_file(file) for file in files.files)
    yield from failed(files.refused, kind="refused")


def _file(file: FileState) -> str:
    until = "" if file.state == "committed" else f"  there until {time(file.expires)}"
    why = f"  {in_flags(file.error)}" if file.error else ""
    return f"  {file.state:9}  {time(file.start)}{until}  {file.name}{why}"
