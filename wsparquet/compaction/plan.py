"""Decides which parts of which days are merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from wsparquet.commit import Commit, Part
from wsparquet.commit.days import Counting, DayRecord, Member
from wsparquet.compaction.options import CompactOptions
from wsparquet.dataset.day_parts import DayChange, Input
from wsparquet.layout import Day, Identity
from wsparquet.schema import Schema

__all__ = ["Candidates", "planned_days"]


@dataclass(frozen=True)
class Candidates:
    """A day of an account: its current record, and the commits with own parts of this day."""

    day: Day
    found: DayRecord | None
    commits: tuple[Commit, ...]

    @property
    def is_changing(self) -> bool:
        """Whether day parts have void rows of one of the commits, so that another run is about to remove these rows."""
        members = self.found.members if self.found else {}
        pairs = ((members.get(commit.identity.name), commit) for commit in self.commits)
        return any(member is not None and member.content_id != commit.content_id for member, commit in pairs)

    def change(self, options: CompactOptions, schema: Schema) -> DayChange | None:
        """Return the change that merges small files, or None if no table has enough of them.

        Call this only if the day is not changing.
        """
        commits = list(self._without_shared_names())
        merged: dict[str, list[Input]] = {}
        members = dict(self.found.members) if self.found else {}
        kept = list(self.found.parts) if self.found else []
        for table in options.tables or schema.tables:
            own = [(commit, part) for commit in commits for part in self._own_parts(commit, table)]
            small = [part for part in kept if part.table == table and part.bytes < options.target_size // 2]
            if own and len(own) + len(small) >= options.min_files:
                merged[table] = [Input(part, part.rows) for part in small]
                merged[table] += [Input(part, part.rows, source_file=each.facts.source_name) for each, part in own]
                kept = [part for part in kept if part not in small]
                for commit, part in own:
                    members[commit.identity.name] = _with_rows(members, commit, part)
        return DayChange(self.day, self.found, members, kept, merged) if merged else None

    def _own_parts(self, commit: Commit, table: str) -> Iterator[Part]:
        """Yield the own parts of a commit in a table and this day that no day part covers."""
        if self.found is None or not self.found.covers(commit, table):
            yield from (part for part in commit.parts if part.table == table and part.date == self.day.day)

    def _without_shared_names(self) -> Iterator[Commit]:
        """Yield the commits whose rows can be recognized: no other member has their value of ``source_file``."""
        owners = {member.source_file: name for name, member in (self.found.members if self.found else {}).items()}
        for commit in self.commits:
            if owners.setdefault(commit.facts.source_name, commit.identity.name) == commit.identity.name:
                yield commit


def _with_rows(members: Mapping[str, Member], commit: Commit, part: Part) -> Member:
    before = members.get(commit.identity.name)
    rows = dict(before.rows) if before else {}
    rows[part.table] = rows.get(part.table, 0) + part.rows
    return Member(commit.content_id, commit.facts.source_name, rows)


def planned_days(counting: Counting, options: CompactOptions, schema: Schema) -> list[Candidates]:
    """Return the days that may be merged, by account and date."""
    commits: dict[Day, dict[Identity, Commit]] = {}
    for commit in counting.commits:
        for part in commit.parts:
            if part.table in schema.tables:
                commits.setdefault(Day(commit.identity.account, part.date), {})[commit.identity] = commit
    days = sorted(_chosen(commits, options), key=lambda day: (day.account, day.day or date.min))
    return [Candidates(day, counting.days.get(day), tuple(commits[day].values())) for day in days]


def _chosen(days: Iterable[Day], options: CompactOptions) -> Iterator[Day]:
    latest = datetime.now(UTC) - options.older_than
    for day in days:
        if options.dates:
            if day.day in options.dates:
                yield day
        elif day.day is None or _end(day.day) <= latest:
            yield day


def _end(day: date) -> datetime:
    """Return the last instant of a UTC day. The next day would not exist for the last day of the calendar."""
    return datetime.combine(day, time.max, UTC)
