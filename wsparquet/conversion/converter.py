"""Converts single sources, each into one commit of a root.

This module does not write to a terminal: it reports events to a callback.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeGuard

from wsparquet.commit import Attempt, CommitConflict, CommitFacts, CommitHeader, CommitIndex, Text
from wsparquet.conversion.claims import Claims
from wsparquet.conversion.dry_run import rehearse
from wsparquet.conversion.identity import (
    Content,
    Decision,
    Refer,
    Skip,
    Write,
    choose_account,
    decide,
    sighting,
    skip_known,
)
from wsparquet.conversion.memory import MemoryPlan, plan_memory
from wsparquet.conversion.options import ConvertOptions
from wsparquet.conversion.outcome import Outcome
from wsparquet.conversion.prefetch import ahead
from wsparquet.conversion.sieve import Rules
from wsparquet.dataset import Root
from wsparquet.dataset.erased import ErasedMeanwhile
from wsparquet.decode import Days, Decoded, DecoderOptions, active_decoder, make_decoder
from wsparquet.errors import DatasetError, SourceError, WsparquetError
from wsparquet.json_values import milliseconds
from wsparquet.layout import Identity
from wsparquet.names import parse_name
from wsparquet.parquet.writers import shared_pool
from wsparquet.privacy.options import loaded
from wsparquet.progress import Listener, Progress
from wsparquet.schema import DOCUMENTED
from wsparquet.source import Failed, Source, SourceReader, interruptible
from wsparquet.stream import decoded

__all__ = ["TRIES", "Converter"]

TRIES = 5
"""How many times a source is converted if other runs keep committing it during the conversion."""

UPLOADS_PER_JOB = 2
"""How many sources each job uploads to an object store while it decodes others."""

DECODED_AHEAD = 4 << 20
"""The maximum size of decoded rows that wait to be written, if a source has separate threads to decode and to write.

The wall time for one file of 400 MB was measured on two cores (medians of 7). One thread took 2.36 s. Two threads took
1.99 s with a limit of 4 MiB, and 1.85 s with 8 MiB. A third thread for inflating gained nothing (1.96 s instead of 1.99
s), because writing is half of the work and inflating only a tenth. Peak memory for a file of 1 GB was 130 MiB with one
thread. With two threads it was 137 MiB with a limit of 4 MiB, and 141 MiB with 8 MiB. 141 MiB is 1.09 times the peak
for a file of 100 MB.
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
        self.rules = self._rules()
        self.masks = root.masks if root is not None else None
        self.plan = self._plan(expected)
        self._stopped = threading.Event()
        self._counting = threading.Lock()
        self._unfinished = expected
        self.claims = Claims()
        self._referring: list[tuple[Source, Identity]] = []
        self.decoding = threading.Semaphore(self.plan.jobs)

    def _plan(self, sources: int) -> MemoryPlan:
        """Divide the memory between the jobs and the writers. Report if there is not enough for all jobs."""
        options = self.options
        # If some jobs are idle, a source uses a second job.
        most = max(min(options.jobs, sources + 1), 1)
        plan = plan_memory(options.memory, jobs=most, decoder=active_decoder(options.decoder))
        wanted = min(most, sources)
        if plan.jobs < wanted:
            reason = f"{plan.jobs} instead of {wanted}, because `memory` is not enough for more"
            self.tell(Progress("limited", "jobs", reason=reason))
        shared_pool().allow(plan.writers)
        return plan

    def _rules(self) -> Rules:
        """Return what the root must not get, as the root says now."""
        return Rules.of(self.root, partial(loaded, self.options.key_file))

    @property
    def threads(self) -> int:
        """How many threads should use the converter: more than its jobs if commits wait for a network."""
        jobs = self.plan.jobs
        return jobs * UPLOADS_PER_JOB + jobs if self.root is not None and self.root.is_remote else jobs

    def stop(self) -> None:
        """Make every source in progress fail, at its next chunk or during its upload.

        The attempt of each source deletes its own files. Files that an attempt cannot delete are deleted by the next
        run.
        """
        self._stopped.set()
        if self.root is not None:
            self.root.interrupt()

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopped.is_set()

    def one(self, source: Source | Failed, into: Identity | None = None) -> Outcome:
        """Convert or skip one source. If the source fails, the outcome has the error.

        ``into``: the identity of the commit that the source repeats, if any.
        """
        try:
            if isinstance(source, Failed):
                raise source.error
            self.tell(Progress("started", source.name, source.url, source.size))
            with interruptible(self._stopped.is_set):
                outcome = self._convert(source, into)
        except WsparquetError as error:
            outcome = Outcome(source.name, "failed", url=source.url, error=str(error))
        finally:
            with self._counting:
                self._unfinished -= 1
        if outcome.kind == "failed" and self.stopped:
            # The run itself was interrupted. The caller of the run reports this once.
            return outcome
        self.tell(outcome.event(source.url))
        return outcome

    @property
    def jobs_to_spare(self) -> bool:
        """Whether the number of remaining sources is lower than the number of jobs.

        Only then does a second thread for a source pay off. With two jobs on two cores, 8 files of 50 MB took 2 % more
        CPU and wall time (medians of 9) and 10 MiB more memory with two threads for each file than with one.
        """
        with self._counting:
            return self._unfinished < self.plan.jobs

    def _convert(self, source: Source, into: Identity | None) -> Outcome:
        for _ in range(TRIES):
            if not self.options.again and into is None and (skip := self._committed(source)):
                return self.skipped(source, skip)
            try:
                return _Conversion(self, source, into).outcome()
            except CommitConflict as error:
                if self.root is None or not source.rereadable:
                    raise
                self.commits.put(error.identity, error.found)
            except ErasedMeanwhile:
                if not source.rereadable:
                    raise
                self.rules = self._rules()
        raise DatasetError(
            f"{source.name}: another run committed this source {TRIES} times while this one converted it; "
            "let only one run at a time write this source"
        )

    def _committed(self, source: Source) -> Skip | None:
        """Skip a source whose stored bytes are committed, or return None. The source is not inflated.

        If URL, size and ETag (or time) are unchanged, the source is not even read.
        """
        if unchanged := self.unchanged(source):
            return unchanged
        candidates = self._candidates(source)
        if not candidates or not source.rereadable:
            return None
        checksum = source.checksum()
        found = next((head for head in candidates if head.checksum == checksum), None)
        return skip_known(source, found) if found else None

    def unchanged(self, source: Source) -> Skip | None:
        """Return the decision to skip a source whose URL, size and ETag (or time) are those of a commit."""
        found = self.commits.find_unchanged_source(
            url=source.url, size=source.size, etag=source.etag, mtime=source.mtime, account=self.options.account
        )
        return None if found is None else skip_known(source, *found)

    def _candidates(self, source: Source) -> list[CommitHeader]:
        """Return the commits that may cover a source. The source's checksum then decides.

        These are the commits with the source's name and, if the source does not need its own record, the commits with
        its size.
        """
        account, commits = self.options.account, self.commits
        found = [head for head in commits.by_source_name(source.name) if account in {None, head.identity.account}]
        if source.size is not None and not source.listing and not parse_name(source.name).is_api:
            found += [head for head in commits.by_size(source.size) if head.row_count]
        return [head for head in found if commits.counted(head)]

    def refers(self, source: Source, identity: Identity) -> None:
        """Record that a source has no rows of its own: its record refers to another commit."""
        self._referring.append((source, identity))

    def take_lost_references(self) -> list[Source]:
        """Return the sources whose records refer to rows that this run has since replaced. Forget all references.

        The contents of these sources no longer have rows, so the sources must be converted again.
        """
        referring, self._referring = self._referring, []
        return [source for source, identity in referring if not self.commits.counted(self.commits.get(identity))]

    def skipped(self, source: Source, skip: Skip) -> Outcome:
        """Return the outcome of a skipped source, and record its place, so that later runs need not read it."""
        holder = skip.holder
        if parse_name(source.name).is_api and not skip.reason and holder.text is not None:
            self.claims.claim(holder.identity, holder.text, source)
        if holder.same_as is not None:
            self.refers(source, holder.identity)
        place = sighting(source, skip)
        if place is not None and self.root is not None and not self.options.dry_run:
            self.root.note(self.commits, holder, place)
        return Outcome(source.name, "skipped", url=source.url, reason=skip.reason)


@dataclass(frozen=True, slots=True)
class _Step:
    """The rows of a decoded chunk, and the source's totals up to that chunk. The decoder may be further ahead."""

    piece: Decoded
    stored_bytes: int
    inflated_bytes: int
    rows: int
    quarantined: int

    def weight(self) -> int:
        """Return about the size in memory, in bytes; 0 only if there is nothing to write."""
        piece = self.piece
        # An entry of quarantine may have no text, and is written all the same.
        quarantined = sum(1 + len(entry.data) for entry in piece.quarantined)
        return sum(batch.nbytes for _, batch in piece.batches) + quarantined


class _Conversion:
    """The conversion of one source."""

    def __init__(self, run: Converter, source: Source, into: Identity | None) -> None:
        self.run = run
        self.options = run.options
        self.source = source
        self.into = into
        self.fallback_ms = parse_name(source.name).start_ms
        limits = replace(run.options.limits, batch_bytes=min(run.options.limits.batch_bytes, run.plan.batch_bytes))
        schema = run.root.schema if run.root is not None else DOCUMENTED
        options = DecoderOptions(source.name, limits, Days.of(self.fallback_ms), schema, run.masks)
        self.days: set[int | None] = set()
        self.decoder = make_decoder(options, decoder=run.options.decoder)
        self.rules = run.rules
        self.sieve = self.rules.sieve()

    def outcome(self) -> Outcome:
        """Convert the source.

        Raises:
            WsparquetError: the source cannot be converted.
            CommitConflict: another run committed the source during this conversion.

        """
        self.started = time.monotonic()
        with self.source.open(self.options.source_limits) as reader:
            if self.run.root is None or self.options.dry_run:
                with self.run.decoding:
                    self._decode(self._steps(reader), None)
                with self.run.claims.alone_with(self._text(reader)):
                    decision = self._decide(reader)
                    self._rehearse(decision, reader)
                return self._done(decision, reader)
            with self.run.decoding:
                steps = _begun(self._steps(reader))
            with self.run.root.begin(fallback_day_ms=self.fallback_ms, marks=self.rules.marks) as attempt:
                with self.run.decoding:
                    self._decode(steps, attempt)
                    self._check_rows(attempt)
                # If two sources have the same text, the second one decides after the first one is committed.
                with self.run.claims.alone_with(self._text(reader)):
                    decision = self._decide(reader)
                    self._carry_out(decision, attempt, self.run.root, reader)
                return self._done(decision, reader)

    def _done(self, decision: Decision, reader: SourceReader) -> Outcome:
        outcome = Outcome(
            self.source.name,
            "skipped",
            url=self.source.url,
            stored_bytes=reader.stored_bytes,
            inflated_bytes=reader.inflated_bytes,
        )
        match decision:
            case Skip() | Refer():
                return replace(outcome, reason=decision.reason)
            case Write():
                before, account = decision.before, decision.identity.account
                outcome = replace(outcome, kind="committed", report=self.decoder.report, account=account)
                return replace(outcome, rows_before=before.row_count) if _had_rows(before) else outcome

    def _decode(self, steps: Iterator[_Step], attempt: Attempt | None) -> None:
        """Decode the source and write its rows. If there are jobs to spare, decode in a second thread."""
        apart = attempt is not None and self.run.jobs_to_spare
        with ahead(steps, weight=_Step.weight, limit=DECODED_AHEAD) if apart else nullcontext(steps) as taken:
            for step in taken:
                self._check_quarantine(step.quarantined)
                piece = self.sieve.sift(step.piece) if self.sieve else step.piece
                self._check_days(piece)
                if attempt is not None:
                    _write(piece, attempt)
                self._tell(step)
                if self.run.stopped:
                    raise SourceError(f"{self.source.url}: interrupted; run again to convert it")
        if self.sieve:
            self.sieve.settle(self.decoder.report, attempt)

    def _steps(self, reader: SourceReader) -> Iterator[_Step]:
        report = self.decoder.report
        for piece in decoded(self.source, reader, self.decoder):
            refused = report.quarantined + report.items
            yield _Step(piece, reader.stored_bytes, reader.inflated_bytes, report.row_count, refused)

    def _check_quarantine(self, quarantined: int) -> None:
        limit = self.options.max_quarantined
        if limit is not None and quarantined > limit:
            raise SourceError(
                f"{self.source.url}: expected at most {limit} records or items to quarantine, found more; "
                "list them with `wsparquet inspect`, or allow more with `max_quarantined`"
            )

    def _check_days(self, piece: Decoded) -> None:
        self.days.update(piece.days)
        limit = self.options.max_days
        if len(self.days) > limit:
            raise SourceError(
                f"{self.source.url}: expected rows of {limit} days or fewer, found more; check that its timestamps are "
                "right, or allow more with `max_days`"
            )

    def _tell(self, step: _Step) -> None:
        source = self.source
        self.run.tell(
            Progress("read", source.name, source.url, source.size, step.stored_bytes, step.inflated_bytes, step.rows)
        )

    def _check_rows(self, attempt: Attempt) -> None:
        """Check that the counts of records split, of rows built, and of rows in files agree."""
        report, written = self.decoder.report, attempt.close()
        rows = {table: count for table, count in report.rows.items() if count}
        left_out = report.left_out.get("expired", 0) + report.left_out.get("erased", 0)
        if written != rows or report.records != report.row_count + report.quarantined + left_out:
            raise DatasetError(
                f"{self.source.name}: the counts disagree ({report.records} records, {report.quarantined} quarantined, "
                f"rows {rows}, written {written}); nothing was committed, please report this as a bug"
            )

    def _decide(self, reader: SourceReader) -> Decision:
        """Decide what to do with the source.

        Raises SourceError if the content of the source contradicts its account or name.
        """
        run, source, options, report = self.run, self.source, self.options, self.decoder.report
        account = self.into.account if self.into else self._account()
        given = (options.account or source.account) is not None
        found = Content(source, account, reader.sha256, self._text(reader), report.row_count, given)
        decision = decide(found, run.commits, again=options.again, done=run.claims.done, into=self.into)
        if isinstance(decision, Write) and found.name.is_api:
            run.claims.claim(decision.identity, found.text, source)
        return decision

    def _account(self) -> str:
        options, stated = self.options, [each for each in self.decoder.report.accounts.counts if each]
        return choose_account(self.source, options.account, stated, force=options.force_account)

    def _rehearse(self, decision: Decision, reader: SourceReader) -> None:
        """Enter into the index what ``_carry_out`` would commit to a root."""
        match decision:
            case Skip():
                self.run.skipped(self.source, decision)
            case Refer() | Write():
                rehearse(decision, self._facts(reader), self.run.commits, rows=self.decoder.report.row_count)
                if isinstance(decision, Write):
                    self.run.claims.add_done(decision.identity)

    def _carry_out(self, decision: Decision, attempt: Attempt, root: Root, reader: SourceReader) -> None:
        commits = self.run.commits
        match decision:
            case Skip():
                self._check_current(decision.holder, root)
                self.run.skipped(self.source, decision)
            case Refer():
                self._check_current(decision.holder, root)
                self.run.refers(self.source, decision.identity)
                facts, to = self._facts(reader), decision.holder.identity
                commit = attempt.commit(decision.identity, facts, expected=decision.before, same_as=to)
                commits.put(commit.identity, commit)
            case Write():
                facts, older = self._facts(reader), decision.texts_before
                commit = attempt.commit(decision.identity, facts, expected=decision.before, texts_before=older)
                commits.put(commit.identity, commit)
                self.run.claims.add_done(commit.identity)
                for loser in decision.yielding:
                    root.yield_to(commits, loser, commit.identity)

    def _check_current(self, holder: CommitHeader, root: Root) -> None:
        """Raise CommitConflict if another run has changed the commit whose rows would count for this source, too."""
        known = self.run.commits.with_rows(holder) or holder
        current = root.log.read(known.identity)
        if current is None or current.content_id != known.content_id:
            raise CommitConflict(known.identity, current)

    def _text(self, reader: SourceReader) -> Text:
        return Text(reader.text_blake3, reader.inflated_bytes)

    def _facts(self, reader: SourceReader) -> CommitFacts:
        source = self.source
        return CommitFacts(
            source_name=source.name,
            checksum=reader.sha256,
            size=reader.stored_bytes if source.size is None else source.size,
            url=source.url,
            etag=source.etag,
            mtime=source.mtime,
            text=self._text(reader),
            report=self.decoder.report.to_dict(),
            listing=source.listing,
            seconds=milliseconds(time.monotonic() - self.started),
        )


def _begun(steps: Iterator[_Step]) -> Iterator[_Step]:
    """Decode up to the first rows, so that a file of another kind fails before a root is created.

    Until then, at most about ``DECODED_AHEAD`` bytes of quarantined text are kept in memory.
    """
    held: list[_Step] = []
    weight = 0
    for step in steps:
        # If several steps have no content, only the last step is needed, because its totals are the newest.
        if held and not held[-1].weight():
            held.pop()
        held.append(step)
        weight += step.weight()
        if step.piece.batches or weight > DECODED_AHEAD:
            break
    return _resumed(held, steps)


def _resumed(held: list[_Step], steps: Iterator[_Step]) -> Iterator[_Step]:
    # Unlike ``itertools.chain``, this keeps no step in memory after its turn.
    held.reverse()
    while held:
        yield held.pop()
    yield from steps


def _write(piece: Decoded, attempt: Attempt) -> None:
    for table, day, batch in piece.by_day():
        attempt.write_day(table, day, batch)
    attempt.quarantine(piece.quarantined)


def _had_rows(before: CommitHeader | None) -> TypeGuard[CommitHeader]:
    """Return whether the replaced commit has rows. A record that refers to another commit has no rows."""
    return before is not None and before.same_as is None
