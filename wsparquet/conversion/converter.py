"""Converts single sources, each into one commit of a root.

This module does not write to a terminal: it reports events to a callback.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

from wsparquet.commit import Attempt, CommitConflict, CommitFacts, CommitHeader, CommitIndex
from wsparquet.conversion.options import ConvertOptions
from wsparquet.conversion.outcome import Outcome
from wsparquet.conversion.prefetch import ahead
from wsparquet.dataset import Root
from wsparquet.decode import Decoded, DecoderOptions, make_decoder
from wsparquet.errors import DatasetError, SourceError, WsparquetError
from wsparquet.layout import Identity
from wsparquet.names import parse_name
from wsparquet.progress import Listener, Progress
from wsparquet.source import Failed, Source, SourceReader, interruptible
from wsparquet.stream import decoded

__all__ = ["Converter"]

TRIES = 5
"""How many times a source is converted if other runs keep committing it during the conversion."""

UPLOADS_PER_JOB = 2
"""How many sources each job uploads to an object store while it decodes others."""

DECODED_AHEAD = 4 << 20
"""The maximum size of decoded rows that wait to be written, if a source has separate threads to decode and to write.

Measured on two cores, wall time, medians of 7: one file of 400 MB took 2.36 s with one thread, and with two threads
1.99 s at a limit of 4 MiB and 1.85 s at 8 MiB. A third thread for inflating gained nothing (1.96 s instead of 1.99 s),
since writing is half of the work and inflating a tenth. Peak memory for a file of 1 GB was 130 MiB with one thread, and
with two threads 137 MiB at 4 MiB and 141 MiB at 8 MiB; the latter is 1.09 times the peak of a file of 100 MB.
"""


class Converter:
    """Converts sources into commits of one root; any number of threads may use it at the same time.

    ``commits``: the commits already in the root. ``expected``: the number of sources to come. ``tell``: the progress
    callback, called from any thread that uses the converter. If ``root`` is None, sources are decoded and counted, but
    nothing is written.
    """

    def __init__(
        self, root: Root | None, commits: CommitIndex, options: ConvertOptions, tell: Listener, *, expected: int
    ) -> None:
        self.root = root
        self.commits = commits
        self.options = options
        self.tell = tell
        self._stopped = threading.Event()
        self._counting = threading.Lock()
        self._unfinished = expected
        self._claiming = threading.Lock()
        self.decoding = threading.Semaphore(max(options.jobs, 1))
        self._claims: dict[Identity, tuple[str, str]] = {}

    @property
    def threads(self) -> int:
        """How many threads should use the converter: more than ``jobs`` if commits wait for a network."""
        jobs = max(self.options.jobs, 1)
        return jobs * UPLOADS_PER_JOB + jobs if self.root is not None and self.root.is_remote else jobs

    def stop(self) -> None:
        """Make every source in progress fail, at its next chunk or during its upload.

        Each one deletes its own files. If it cannot, the next run deletes them.
        """
        self._stopped.set()
        if self.root is not None:
            self.root.interrupt()

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopped.is_set()

    def one(self, source: Source | Failed) -> Outcome:
        """Convert or skip one source; if it fails, the outcome has the error."""
        try:
            if isinstance(source, Failed):
                raise source.error
            self.tell(Progress("started", source.name, source.url, source.size))
            with interruptible(self._stopped.is_set):
                outcome = self._convert(source)
        except WsparquetError as error:
            outcome = Outcome(source.name, "failed", url=source.url, error=str(error))
        finally:
            with self._counting:
                self._unfinished -= 1
        if outcome.kind == "failed" and self.stopped:
            # The run itself was interrupted, which its caller reports once.
            return outcome
        self.tell(
            Progress(
                "replaced" if outcome.replaced else outcome.kind,
                outcome.name,
                source.url,
                stored_bytes=outcome.stored_bytes,
                inflated_bytes=outcome.inflated_bytes,
                rows=outcome.report.rows.total() if outcome.report is not None else 0,
                error=outcome.error or None,
                rows_before=outcome.rows_before,
            )
        )
        return outcome

    @property
    def jobs_to_spare(self) -> bool:
        """Whether fewer sources remain than there are jobs.

        Only then is it worth using two threads for one source: with two jobs on two cores, 8 files of 50 MB took 2 %
        more CPU and wall time with two threads each (medians of 9), and 10 MiB more memory.
        """
        with self._counting:
            return self._unfinished < self.options.jobs

    def _convert(self, source: Source) -> Outcome:
        commits = self.commits
        for _ in range(TRIES):
            if not self.options.again and (head := self._committed(source, commits)):
                self.claim(head.identity, head.checksum, source)
                return Outcome(source.name, "skipped", url=source.url)
            try:
                return _Conversion(self, source, commits).outcome()
            except CommitConflict as error:
                if self.root is None or not source.rereadable:
                    raise
                commits = commits.updated(error.found, error.identity)
        raise DatasetError(
            f"{source.name}: another run committed this source {TRIES} times while this one converted it; "
            "let only one run at a time write this source"
        )

    def _committed(self, source: Source, commits: CommitIndex) -> CommitHeader | None:
        """Return the existing commit of the source's content, if any, without inflating the source.

        If URL, size and ETag (or time) are unchanged, the source is not even read.
        """
        account = self.options.account
        unchanged = commits.find_unchanged_source(
            url=source.url, size=source.size, etag=source.etag, mtime=source.mtime, account=account
        )
        if unchanged is not None:
            return unchanged
        named = [head for head in commits.by_source_name(source.name) if account in {None, head.identity.account}]
        if not named or not source.rereadable:
            return None
        checksum = source.checksum()
        return next((head for head in named if head.checksum == checksum), None)

    def claim(self, identity: Identity, checksum: str, source: Source) -> None:
        """Reject a source that has the same identity as another source of this run, but other content.

        If both were committed, each would replace the other, in this run and in every later run.
        """
        with self._claiming:
            url, claimed = self._claims.setdefault(identity, (source.url, checksum))
        if claimed != checksum:
            raise SourceError(
                f"{source.url}: expected one content for {identity.name} of account {identity.account}, but {url} in "
                "this run has other content; convert only the correct one, or give them different accounts by `account`"
            )


@dataclass(frozen=True, slots=True)
class _Step:
    """The decoded form of a chunk, and the source's totals after that chunk; the decoder may be ahead of them."""

    piece: Decoded
    stored_bytes: int
    inflated_bytes: int
    rows: int
    quarantined: int

    def weight(self) -> int:
        """Return the size in memory, in bytes."""
        piece = self.piece
        return sum(batch.nbytes for _, batch in piece.batches) + sum(len(entry.data) for entry in piece.quarantined)


class _Conversion:
    """The conversion of one source."""

    def __init__(self, run: Converter, source: Source, commits: CommitIndex) -> None:
        self.run = run
        self.options = run.options
        self.source = source
        self.commits = commits
        self.decoder = make_decoder(DecoderOptions(source.name, run.options.limits), decoder=run.options.decoder)
        self.rows_before: int | None = None

    def outcome(self) -> Outcome:
        """Convert the source.

        Raises:
            WsparquetError: the source cannot be converted.
            CommitConflict: another run committed the source during this conversion.

        """
        fallback = parse_name(self.source.name).start_ms
        with self.source.open(self.options.source_limits) as reader:
            if self.run.root is None or self.options.dry_run:
                with self.run.decoding:
                    self._decode(reader, None)
                self._count_before(self._identity(reader.sha256))
                return self._done("committed", reader)
            with self.run.root.begin(fallback_day_ms=fallback) as attempt:
                with self.run.decoding:
                    self._decode(reader, attempt)
                    self._check_rows(attempt)
                kind = self._commit(attempt, reader)
                return self._done(kind, reader)

    def _done(self, kind: Literal["committed", "skipped"], reader: SourceReader) -> Outcome:
        report = self.decoder.report if kind == "committed" else None
        return Outcome(
            self.source.name,
            kind,
            report,
            self.source.url,
            stored_bytes=reader.stored_bytes,
            inflated_bytes=reader.inflated_bytes,
            rows_before=self.rows_before,
        )

    def _count_before(self, identity: Identity) -> None:
        """Count the rows that the commit is about to replace, for the report to the user."""
        if self.commits.get(identity) is not None and (commit := self.commits.read(identity)) is not None:
            self.rows_before = sum(commit.rows.values())

    def _decode(self, reader: SourceReader, attempt: Attempt | None) -> None:
        """Decode the source and write its rows; decode in a second thread if there are jobs to spare."""
        steps = self._steps(reader)
        apart = attempt is not None and self.run.jobs_to_spare
        with ahead(steps, weight=_Step.weight, limit=DECODED_AHEAD) if apart else nullcontext(steps) as taken:
            for step in taken:
                self._check_quarantine(step.quarantined)
                if attempt is not None:
                    _write(step.piece, attempt)
                self._tell(step)
                if self.run.stopped:
                    raise SourceError(f"{self.source.url}: interrupted; run again to convert it")

    def _steps(self, reader: SourceReader) -> Iterator[_Step]:
        report = self.decoder.report
        for piece in decoded(self.source, reader, self.decoder):
            refused = report.quarantined + report.items
            yield _Step(piece, reader.stored_bytes, reader.inflated_bytes, report.rows.total(), refused)

    def _check_quarantine(self, quarantined: int) -> None:
        limit = self.options.max_quarantined
        if limit is not None and quarantined > limit:
            raise SourceError(
                f"{self.source.url}: expected at most {limit} records or items to quarantine, found more; "
                "list them with `wsparquet inspect`, or allow more with `max_quarantined`"
            )

    def _tell(self, step: _Step) -> None:
        source = self.source
        self.run.tell(
            Progress("read", source.name, source.url, source.size, step.stored_bytes, step.inflated_bytes, step.rows)
        )

    def _check_rows(self, attempt: Attempt) -> None:
        """Check that the counts of records split, of rows built, and of rows in the file footers agree."""
        report, written = self.decoder.report, attempt.close()
        rows = {table: count for table, count in report.rows.items() if count}
        if written != rows or report.records != report.rows.total() + report.quarantined:
            raise DatasetError(
                f"{self.source.name}: the counts disagree ({report.records} records, {report.quarantined} quarantined, "
                f"rows {rows}, written {written}); nothing was committed, please report this as a bug"
            )

    def _commit(self, attempt: Attempt, reader: SourceReader) -> Literal["committed", "skipped"]:
        source, report = self.source, self.decoder.report
        identity = self._identity(reader.sha256)
        self.run.claim(identity, reader.sha256, source)
        before = self.commits.get(identity)
        if before is not None and before.checksum == reader.sha256 and not self.options.again:
            return "skipped"
        self._count_before(identity)
        facts = CommitFacts(
            source_name=source.name,
            checksum=reader.sha256,
            size=reader.stored_bytes if source.size is None else source.size,
            url=source.url,
            etag=source.etag,
            mtime=source.mtime,
            report=report.to_dict(),
            listing=source.listing,
        )
        attempt.commit(identity, facts, expected=before)
        return "committed"

    def _identity(self, checksum: str) -> Identity:
        name = parse_name(self.source.name)
        account = self.options.account or self.source.account or _agreed(list(self.decoder.report.accounts.counts))
        return Identity(account, name.stem if name.is_api else f"{name.stem}.{checksum[:16]}")


def _write(piece: Decoded, attempt: Attempt) -> None:
    for table, batch in piece.batches:
        attempt.write(table, batch)
    attempt.quarantine(piece.quarantined)


def _agreed(accounts: list[str]) -> str:
    if not accounts:
        return "unknown"
    return accounts[0] if len(accounts) == 1 else "multiple"
