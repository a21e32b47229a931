"""Day records: they list the sources whose rows of a day are in merged files, the *day parts*.

Each source first has parts of its own. Compaction merges the parts of many sources into a few day parts, and the day
record then lists these sources as *members*. This rule decides where a source's rows of a table and day are: in the day
parts, if the day record lists the source with this table and with the content id of the source's current commit;
otherwise in the source's own parts. Rows in day parts of any other content are *void*: they do not count, and the next
run removes them.

The commit record of a member still lists the member's own parts, although these files are deleted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, NamedTuple

from wsparquet._version import software_version
from wsparquet.commit.record import FORMAT_VERSION, Commit, CommitHeader, Part, encode_json, part_to_dict
from wsparquet.layout import Day, Identity
from wsparquet.schema import SCHEMA_VERSION

__all__ = ["AT_ONCE", "Counting", "CountingPart", "DayRecord", "Member", "is_waiting"]


AT_ONCE = 0.0
"""The ``keep_until`` of a record whose predecessor's replaced files must not stay any longer."""


class Member(NamedTuple):
    """A source with rows in day parts.

    ``content_id`` is the content id of the commit with these rows. ``source_file`` is the value of the column with this
    name in the rows; no two members of a day share it. ``rows`` has the number of rows by table, for the tables that
    were merged.
    """

    content_id: str
    source_file: str
    rows: Mapping[str, int]


@dataclass(frozen=True)
class DayRecord:
    """The day parts of an account and day, and the sources with rows in these parts, by the names of their identities.

    ``token`` is new each time the record is written. ``content_id`` is the token of the attempt that last wrote day
    parts. ``obsolete`` has the paths of replaced day parts. Replaced day parts, and the members' own parts, stay until
    ``keep_until`` (seconds since 1970), or are deleted at once if it is None. ``extension`` is as in ``Commit``.
    """

    identity: Day
    token: str
    members: Mapping[str, Member]
    parts: tuple[Part, ...]
    obsolete: tuple[str, ...]
    software: str
    schema_version: int
    compacted_at: str
    content_id: str
    keep_until: float | None = None
    extension: str | None = None

    removed: ClassVar[bool] = False
    """A day record is never a tombstone. Without members, it is a record without parts."""

    @classmethod
    def new(
        cls,
        day: Day,
        token: str,
        *,
        members: Mapping[str, Member] | None = None,
        parts: Iterable[Part] = (),
        keep_until: float | None = None,
        extension: str | None = None,
    ) -> DayRecord:
        """Return the record of a new attempt, which replaces no files yet."""
        return cls(
            identity=day,
            token=token,
            members=members or {},
            parts=tuple(parts),
            obsolete=(),
            software=software_version(),
            schema_version=SCHEMA_VERSION,
            compacted_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            content_id=token,
            keep_until=keep_until,
            extension=extension,
        )

    @property
    def path(self) -> str:
        """The record's path, relative to the root."""
        return self.identity.key.record_path

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all current day parts."""
        return tuple(part.path for part in self.parts)

    @property
    def published(self) -> tuple[str, ...]:
        """The paths of the day parts that the attempt with this record's token has written."""
        return tuple(path for path in self.paths if f".{self.content_id}." in path)

    def keeps_replaced(self) -> bool:
        """Return whether files that day parts have replaced must still stay."""
        return self.keep_until is not None and self.keep_until > time.time()

    def replaceable(self) -> tuple[str, ...]:
        """The paths of the files that a successor replaces, and of replaced files that are not deleted yet."""
        return (*self.paths, *(self.obsolete if self.keeps_replaced() else ()))

    def after(self, found: DayRecord | None, obsolete: Iterable[str]) -> DayRecord:
        """Return this record as the successor of ``found``, with the files that it replaces."""
        kept = {*self.paths}
        at_once = self.keep_until == AT_ONCE
        until = [each for each in (self.keep_until, found.keep_until if found else None) if each and not at_once]
        return replace(
            self,
            obsolete=tuple(dict.fromkeys(path for path in obsolete if path not in kept)),
            keep_until=max(until, default=None),
        )

    def covers(self, commit: Commit | CommitHeader, table: str) -> bool:
        """Return whether the day parts have the rows of the commit in a table."""
        member = self.members.get(commit.identity.name)
        return member is not None and member.content_id == commit.content_id and table in member.rows

    def to_json(self) -> bytes:
        """Return the content of the record's file."""
        return encode_json(
            {
                "format_version": FORMAT_VERSION,
                "identity": self.identity.to_dict(),
                "token": self.token,
                "content_id": self.content_id,
                "members": {name: member._asdict() for name, member in self.members.items()},
                "parts": [part_to_dict(part) for part in self.parts],
                "obsolete": self.obsolete,
                "keep_until": self.keep_until,
                "software": self.software,
                "schema_version": self.schema_version,
                "extension": self.extension,
                "compacted_at": self.compacted_at,
            }
        )


def is_waiting(record: Commit | DayRecord | None) -> bool:
    """Return whether the files that a record has replaced must still stay.

    Only a day record can keep replaced files.
    """
    return isinstance(record, DayRecord) and record.keeps_replaced()


class CountingPart(NamedTuple):
    """A part with rows that count. The rows of the source files in ``void`` do not count."""

    part: Part
    void: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Counting:
    """The commits and the day records that decide which rows of a root count; read the day records last.

    The commits are those that count. If a day record is newer than a commit, the parts of the commit may be gone, but
    no row counts twice. ``CommitLog.counting`` reads again until that is excluded.
    """

    commits: Sequence[Commit]
    days: Mapping[Day, DayRecord]

    def parts(self) -> Iterator[CountingPart]:
        """Yield all parts with rows that count: the own parts of each source, then the day parts."""
        for commit in self.commits:
            for part in self.own_parts(commit):
                yield CountingPart(part)
        contents = {commit.identity: commit.content_id for commit in self.commits} if self.days else {}
        for record in self.days.values():
            void = [member for name, member in record.members.items() if not _is_current(record, name, contents)]
            for part in record.parts:
                yield CountingPart(part, frozenset(each.source_file for each in void if part.table in each.rows))

    def own_parts(self, commit: Commit) -> Iterator[Part]:
        """Yield the own parts of a commit with rows that count, because no day part has these rows."""
        account = commit.identity.account
        for part in commit.parts:
            day = self.days.get(Day(account, part.date)) if self.days else None
            if day is None or not day.covers(commit, part.table):
                yield part

    def day_parts(self, commit: Commit) -> Iterator[Part]:
        """Yield the day parts that may contain rows of a commit."""
        account = commit.identity.account
        for day in dict.fromkeys(part.date for part in commit.parts) if self.days else ():
            record = self.days.get(Day(account, day))
            yield from (part for part in record.parts if record.covers(commit, part.table)) if record else ()


def _is_current(record: DayRecord, name: str, contents: Mapping[Identity, str]) -> bool:
    return contents.get(Identity(record.identity.account, name)) == record.members[name].content_id
