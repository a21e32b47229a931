"""Reports how sources drift away from the documentation: rescued and undocumented values, and quarantine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args

from wsparquet.commit.record import Commit
from wsparquet.commit.twins import counting
from wsparquet.dataset import Root
from wsparquet.options import check_choice
from wsparquet.query.opening import opened_root
from wsparquet.results import Result

__all__ = ["Drift", "DriftKind", "Finding", "Period", "drift", "findings_of", "reported_commits"]

DriftKind = Literal["rescued", "undocumented", "unrecognized", "container value", "quarantined", "item"]
Period = Literal["day", "hour", "schema-version"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the documentation does not have, and when sources had it.

    ``kind`` is ``rescued`` for values without a matching column, ``undocumented`` for undocumented values of an enum,
    ``unrecognized`` for records of an unknown type, ``container value`` for values of containers without a column,
    ``quarantined`` for records that are not valid, and ``item`` for damaged text outside of records. ``path`` is the
    path of the values, or None if the kind has no paths. ``count`` is the number of values, records or texts, and
    ``sources`` the number of sources. ``first`` and ``last`` are the earliest start and the latest end of the sources'
    containers, or None if the containers state no times. ``period`` is the day, hour or version if the result has them.

    >>> _ = wsparquet.drift("lake").findings
    """

    kind: DriftKind
    table: str | None
    path: str | None
    period: str | None
    count: int
    sources: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, repr=False)
class Drift(Result):
    """The result of ``drift``: the findings, in the order in which they first appeared.

    >>> wsparquet.drift("lake")
    <Drift root=...lake, sources=2, findings=0>
    """

    root: str
    sources: int
    findings: tuple[Finding, ...]

    def facts(self) -> Mapping[str, object]:
        """Return the numbers of sources and findings."""
        return {"root": self.root, "sources": self.sources, "findings": len(self.findings)}


class _Key(NamedTuple):
    kind: DriftKind
    table: str | None
    path: str | None
    period: str | None


def drift(
    root: str | os.PathLike[str], *, by: Period | None = None, storage_options: Mapping[str, Any] | None = None
) -> Drift:
    """Return what the sources of a root contain but the documentation does not. Only commit records are read.

    With ``by``, there is a finding for each day or hour (in UTC, of the start of the source's first container), or for
    each version that the source states for its own schema; a source with several versions lists all of them, as in
    ``1.0.0.22, 1.0.0.35``. Only sources whose rows count are reported. No data file is read.

    ``root`` is a folder or ``s3://bucket/…``; ``storage_options`` are options of s3fs.

    >>> wsparquet.drift("lake", by="day").sources
    2

    Raises:
        OptionError: a parameter has an invalid value.
        DatasetError: there is no root, or a commit record is unreadable.
        SchemaError: the root has another schema version.

    """
    if by is not None:
        check_choice("by", by, get_args(Period))
    opened = opened_root(root, storage_options)
    commits = reported_commits(opened)
    return Drift(opened.place, len(commits), findings_of(commits, by))


def reported_commits(root: Root) -> list[Commit]:
    """Return the commits whose rows count, with their reports. A copy has no report, and is omitted.

    Raises DatasetError if a record is unreadable.
    """
    # The checkpoint has no reports, so each record is read from its own file.
    return [commit for commit in counting(root.log.commits()) if commit.same_as is None]


def findings_of(commits: Iterable[Commit], by: Period | None) -> tuple[Finding, ...]:
    """Return what the sources of these commits contain but the documentation does not, as ``drift`` does."""
    found: dict[_Key, Finding] = {}
    for commit in commits:
        for key, one in _of_source(commit, by).items():
            found[key] = _together(found[key], one) if key in found else one
    return tuple(sorted(found.values(), key=_order))


def _of_source(commit: Commit, by: Period | None) -> dict[_Key, Finding]:
    """Return the findings of one source. A source may have a path in several spans of its containers."""
    found: dict[_Key, Finding] = {}
    for one in _findings(commit, by):
        key = _Key(one.kind, one.table, one.path, one.period)
        found[key] = replace(one, count=one.count + found[key].count) if key in found else one
    return found


def _findings(commit: Commit, by: Period | None) -> Iterator[Finding]:
    """Yield the findings of one source; some findings are in several pieces."""
    report = commit.facts.report
    first, last = _time(report.get("start_time")), _time(report.get("end_time"))
    period = _period(report, first, by)

    def finding(kind: DriftKind, count: int, table: str | None = None, path: str | None = None) -> Finding:
        return Finding(kind, table, path, period, count, 1, first, last)

    yield from _of_paths(report.get("rescued"), "rescued", finding)
    yield from _of_paths(report.get("undocumented"), "undocumented", finding)
    if unrecognized := report.get("rows", {}).get("unrecognized"):
        yield finding("unrecognized", unrecognized, "unrecognized")
    for spans in report.get("container_values", ()):
        start, end = spans["containers"]
        for path in spans["values"]:
            yield finding("container value", end - start + 1, None, path)
    if quarantined := report.get("quarantined"):
        yield finding("quarantined", quarantined)
    if items := report.get("items"):
        yield finding("item", items)


def _of_paths(counts: Mapping[str, Mapping[str, int]] | None, kind: DriftKind, finding: Any) -> Iterator[Finding]:
    for table, paths in (counts or {}).items():
        for path, count in paths.items():
            yield finding(kind, count, table, path)


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else EPOCH + timedelta(milliseconds=milliseconds)


def _period(report: Mapping[str, Any], first: datetime | None, by: Period | None) -> str | None:
    if by == "schema-version":
        return ", ".join(sorted(report.get("schema_versions", ()))) or None
    if by is None or first is None:
        return None
    return first.strftime("%Y-%m-%d" if by == "day" else "%Y-%m-%dT%HZ")


def _together(one: Finding, other: Finding) -> Finding:
    """Return the sum of two findings."""
    firsts = [time for time in (one.first, other.first) if time is not None]
    lasts = [time for time in (one.last, other.last) if time is not None]
    return replace(
        one,
        count=one.count + other.count,
        sources=one.sources + other.sources,
        first=min(firsts, default=None),
        last=max(lasts, default=None),
    )


def _order(finding: Finding) -> tuple[Any, ...]:
    late = datetime.max.replace(tzinfo=UTC)
    return (
        finding.period or "",
        get_args(DriftKind).index(finding.kind),
        finding.first or late,
        finding.table or "",
        finding.path or "",
    )
