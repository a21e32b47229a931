"""One source in, one commit out, any number of times into one root.

Nothing here knows a terminal: what happens is told to a callback as events.
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
from wsparquet.source import Failed, Source, SourceReader
from wsparquet.stream import decoded

__all__ = ["Converter"]

TRIES = 5
"""How often a source is converted again because another run committed it meanwhile."""

UPLOADS_PER_JOB = 2
"""How many sources a job are uploaded to an object store while others are decoded."""

DECODED_AHEAD = 4 << 20
"""How many bytes of decoded rows wait for the thread that writes, where there is one beside the one that decodes.

Measured on two cores, wall, medians of 7: one file of 400 MB took 2.36 s without that thread, 1.99 s with 4 MiB, 1.85 s
with 8 MiB; a third thread that inflates gained nothing (1.96 against 1.99 s), since writing is half of the work and
inflating a tenth. At the peak a file of 1 GB takes 130 MiB without that thread, 137 MiB with 4 MiB and 141 MiB with
8 MiB, which would be 1.09 times what a file of 100 MB takes.
"""


class Converter:
    """Turns sources into commits of one root; any number of threads may use it at a time.

    ``commits`` are what the root holds, ``expected`` is how many sources there will be, ``tell`` is called from the
    threads that use it. Without a root everything is decoded and counted, and nothing is written.
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
        """How many threads should use it: where commits wait for a network, others decode meanwhile."""
        jobs = max(self.options.jobs, 1)
        return jobs * UPLOADS_PER_JOB + jobs if self.root is not None and self.root.is_remote else jobs

    def stop(self) -> None:
        """Have sources under way fail at their next chunk, or while they are uploaded.

        They take their own files with them if they still can, else the next run does.
        """
        self._stopped.set()
        if self.root is not None:
            self.root.interrupt()

    @property
    def stopped(self) -> bool:
        """Whether sources under way are to fail."""
        return self._stopped.is_set()

    def one(self, source: Source | Failed) -> Outcome:
        """Convert, skip or fail one source."""
        try:
            if isinstance(source, Failed):
                raise source.error
            self.tell(Progress("started", source.name, source.url, source.size))
            outcome = self._convert(source)
        except WsparquetError as error:
            outcome = Outcome(source.name, "failed", url=source.url, error=str(error))
        finally:
            with self._counting:
                self._unfinished -= 1
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
        """Whether there are more jobs than sources to give them to.

        Only then are two threads a source worth it: 8 files of 50 MB with two jobs on two cores took 2 % more CPU and
        wall time with them (medians of 9), and 10 MiB more.
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
        """The commit of the source's content, found without inflating it, and unread if nothing has changed."""
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
        """Refuse a source that is the same as another one of this run, but for its content.

        Committing both would let the later one replace the earlier one, in this run and in every one after it.
        """
        with self._claiming:
            url, claimed = self._claims.setdefault(identity, (source.url, checksum))
        if claimed != checksum:
            raise SourceError(
                f"{source.url}: expected one content for {identity.name} of account {identity.account}, but {url} in "
                "this run has other content; convert only the one that is right, or tell them apart with `account`"
            )


@dataclass(frozen=True, slots=True)
class _Step:
    """What a chunk of a source became, and the source's totals by then: the decoder may be further already."""

    piece: Decoded
    stored_bytes: int
    inflated_bytes: int
    rows: int
    quarantined: int

    def weight(self) -> int:
        """Its bytes in memory."""
        piece = self.piece
        return sum(batch.nbytes for _, batch in piece.batches) + sum(len(entry.data) for entry in piece.quarantined)


class _Conversion:
    """One source on its way from bytes to a commit."""

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
            WsparquetError: the source fails as a whole.
            CommitConflict: another run committed the source meanwhile.

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
        """Find out how many rows are about to be replaced: whoever loses rows to a new file is to be told."""
        if self.commits.get(identity) is not None and (commit := self.commits.read(identity)) is not None:
            self.rows_before = sum(commit.rows.values())

    def _decode(self, reader: SourceReader, attempt: Attempt | None) -> None:
        """Decode the source, in a thread of its own while this one writes, where there are jobs to spare."""
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
                "see what they are with `wsparquet inspect`, or allow more with `max_quarantined`"
            )

    def _tell(self, step: _Step) -> None:
        source = self.source
        self.run.tell(
            Progress("read", source.name, source.url, source.size, step.stored_bytes, step.inflated_bytes, step.rows)
        )

    def _check_rows(self, attempt: Attempt) -> None:
        """Hold the counts against each other: what was split, what was built, what the files say they hold."""
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
