"""An attempt to convert one source into one commit; an attempt that ends without ``commit`` leaves no files."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import pyarrow as pa

from wsparquet._version import software_version
from wsparquet.commit.protocol import CommitProtocol, Draft, unchecked
from wsparquet.commit.record import Commit, CommitFacts, CommitHeader, Part
from wsparquet.commit.replaced import all_texts_before
from wsparquet.decode.model import Quarantined
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity, part_path
from wsparquet.parquet.file import PartFacts
from wsparquet.parquet.writers import WriterPool, Writers, WrittenPart
from wsparquet.schema import DOCUMENTED, SCHEMA_VERSION, Schema
from wsparquet.store.disk import create_file, sync_file
from wsparquet.store.disk_errors import translated
from wsparquet.store.workspace import Workspace

__all__ = ["Attempt"]

QUARANTINE_FILE = "quarantine.ndjson"


class Attempt:
    """A context manager that collects the batches and the quarantined text of one source, and commits them to a root.

    An attempt must not be used by several threads concurrently; different threads may use different attempts.
    """

    def __init__(
        self,
        protocol: CommitProtocol,
        work: Workspace,
        pool: WriterPool,
        *,
        fallback_day_ms: int | None,
        before_commit: Callable[[], None] = lambda: None,
        schema: Schema = DOCUMENTED,
        check: Callable[[], None] = unchecked,
    ) -> None:
        self._protocol = protocol
        self._before_commit = before_commit
        self._schema = schema
        self._check = check
        self._work = work
        self._writers = Writers(self._work.folder, fallback_day_ms=fallback_day_ms, pool=pool, schema=schema)
        self._quarantine: BinaryIO | None = None
        self._quarantined = False
        self._written: tuple[WrittenPart, ...] | None = None
        self._copied: list[WrittenPart] = []
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def token(self) -> str:
        """The random token in the names of all files of this attempt."""
        return self._work.token

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Add a batch of any days, which must have the table's schema.

        Raises DatasetError if the batch has another schema, or if earlier rows of this attempt could not be written.
        """
        self._check_open()
        self._writers.write(table, batch)

    def write_day(self, table: str, day: date | None, batch: pa.RecordBatch) -> None:
        """Add a batch whose rows all have the UTC day ``day``, or all have none. Raises like ``write``."""
        self._check_open()
        self._writers.write_day(table, day, batch)

    def quarantine(self, entries: Iterable[Quarantined]) -> None:
        """Add text that could not be converted to rows.

        Each text becomes a line: a JSON object with ``text``, or with ``base64`` if the text is not valid UTF-8.
        """
        self._check_open()
        path = self._work.path(QUARANTINE_FILE)
        with translated("write", path):
            for entry in entries:
                if self._quarantine is None:
                    self._quarantine = create_file(path, mode=0o600)
                    self._quarantined = True
                self._quarantine.write(quarantine_line(entry))

    def close(self) -> dict[str, int]:
        """Finish all files and return the number of rows by table, as counted by the writers, without empty tables.

        After ``finish``, ``write`` and ``quarantine`` raise. Raises DatasetError if a file could not be written.
        """
        if self._written is None:
            self._check_open()
            self._written = (*self._writers.close(), *self._copied)
            self._close_quarantine()
        rows: dict[str, int] = {}
        for part in self._written:
            rows[part.table] = rows.get(part.table, 0) + part.facts.rows
        return rows

    def _close_quarantine(self) -> None:
        file, self._quarantine = self._quarantine, None
        if file is not None:
            path = self._work.path(QUARANTINE_FILE)
            with translated("write", path):
                file.close()
                sync_file(path)

    def commit(
        self,
        identity: Identity,
        facts: CommitFacts,
        *,
        expected: Commit | CommitHeader | None,
        same_as: Identity | None = None,
        texts_before: Sequence[str] = (),
    ) -> Commit:
        """Publish all files in one commit and return its record.

        The new record replaces ``expected``, the record at the start of the attempt. With ``same_as``, the rows of the
        source ``same_as`` count for this source, too, and no file is published. ``texts_before``: the hashes of older
        texts of the source that ``expected`` does not list.

        Raises CommitConflict if the current record is not ``expected``, DatasetError if the store fails. In either case
        the attempt has ended.
        """
        self.close()
        try:
            self._before_commit()
            draft = self._draft(identity, facts)
            texts = all_texts_before(expected, facts, texts_before)
            record = replace(draft.record, texts_before=texts)
            draft = replace(draft, record=record)
            if same_as is not None:
                draft = Draft(record.yielded(self.token, same_as), (), self._check)
            return self._protocol.commit(self._work, draft, expected=expected)
        finally:
            self._end()

    def replace_parts(self, commit: Commit, facts: CommitFacts, kept: Sequence[Part]) -> Commit:
        """Publish all files instead of the parts of a commit that are not ``kept``, and return the new record.

        The rows are the same, so the record keeps its content id, its quarantine and its time. Raises like ``commit``.
        """
        self.close()
        try:
            draft = self._draft(commit.identity, facts)
            changes = draft.record
            record = replace(
                commit,
                token=self.token,
                facts=facts,
                parts=(*kept, *changes.parts),
                software=changes.software,
                extension=changes.extension,
            )
            return self._protocol.commit(self._work, Draft(record, draft.moves, self._check), expected=commit)
        finally:
            self._end()

    def copy(self, part: Part, file: Path) -> None:
        """Add a part of another commit as it is; ``file`` is a local copy of it, which is not changed.

        Its rows must have been counted and checked before. Raises DatasetError if the disk fails.
        """
        self._check_open()
        number, path = self._writers.next_file()
        with translated("write", path):
            try:
                path.hardlink_to(file)
            except FileNotFoundError:
                raise
            except OSError:
                shutil.copyfile(file, path)
                sync_file(path)
        checksum = part.checksum or ""
        facts = PartFacts(part.rows, part.bytes, part.min_time, part.max_time, checksum)
        self._copied.append(WrittenPart(path, number, part.table, part.date, facts))

    def rewrite(self, found: Commit, facts: CommitFacts, *, quarantine: str | None) -> Commit:
        """Replace the commit ``found`` by one with the rows of this attempt, and return its record.

        Everything else stays as it was, apart from ``facts``. ``quarantine``: the path of the quarantine file of
        ``found`` if the new commit keeps it; otherwise it has the text that was quarantined in this attempt.

        Raises like ``commit``.
        """
        self.close()
        try:
            draft = self._draft(found.identity, facts)
            same = {"software": found.software, "schema_version": found.schema_version}
            record = replace(draft.record, texts_before=found.texts_before, **same)
            record = replace(record, quarantine=record.quarantine or quarantine, same_as=found.same_as)
            return self._protocol.commit(self._work, replace(draft, record=record), expected=found)
        finally:
            self._end()

    def replace_quarantine(self, keep: Callable[[Path, BinaryIO], int]) -> None:
        """Replace the quarantined text so far by what ``keep`` writes.

        ``keep`` gets the path of the file with the text, which does not exist if there is none, and a new file to
        write; it returns how many texts it has written.
        """
        self._close_quarantine()
        path, other = self._work.path(QUARANTINE_FILE), self._work.path(f"kept-{QUARANTINE_FILE}")
        with translated("write", path):
            with create_file(other, mode=0o600) as file:
                self._quarantined = keep(path, file) > 0
            if self._quarantined:
                sync_file(other)
                other.replace(path)

    def _draft(self, identity: Identity, facts: CommitFacts) -> Draft:
        key, moves, parts = identity.key, [], []
        for part in self._written or ():
            path = part_path(key, part.table, part.day, f"{self.token}.{part.number}")
            moves.append((part.file, path))
            parts.append(Part(path, part.table, part.day, *part.facts))
        quarantine = key.quarantine_path(self.token) if self._quarantined else None
        if quarantine:
            moves.append((self._work.path(QUARANTINE_FILE), quarantine))
        record = Commit(
            identity=identity,
            token=self.token,
            facts=facts,
            parts=tuple(parts),
            quarantine=quarantine,
            obsolete=(),
            software=software_version(),
            schema_version=SCHEMA_VERSION,
            extension=self._schema.hash,
            committed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            content_id=self.token,
        )
        return Draft(record, tuple(moves), self._check)

    def _check_open(self) -> None:
        if self._ended or self._written is not None:
            raise DatasetError(f"attempt {self.token}: expected an open attempt, found a closed one; begin another one")

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        try:
            self._writers.discard()
            if self._quarantine is not None:
                with translated("close", self._work.path(QUARANTINE_FILE)):
                    self._quarantine.close()
        finally:
            self._work.remove()


def quarantine_line(entry: Quarantined) -> bytes:
    """Encode quarantined text as a line of JSON that preserves every byte."""
    values: dict[str, Any] = {
        "kind": entry.kind,
        "start": entry.start,
        "end": entry.end,
        "container": entry.container,
        "record_number": entry.record_number,
        "path": entry.path,
        "reason": entry.reason,
        "continued": entry.continued,
    }
    try:
        values["text"] = entry.data.decode("utf-8")
    except UnicodeDecodeError:
        values["base64"] = base64.b64encode(entry.data).decode("ascii")
    # Encode as ASCII, so that the text cannot contain an unescaped line separator.
    return json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n"
