"""Makes commits without sources, so that tests and benchmarks can use roots with very many commits."""

from __future__ import annotations

from wsparquet.commit import Commit, CommitFacts, Part, Text
from wsparquet.layout import Identity, part_path
from wsparquet.schema import TABLES

__all__ = ["make_commit"]

WRITTEN_AT = "2026-01-01T00:00:00+00:00"
START_MS = 1_467_291_600_000
HOUR_MS = 3_600_000


def make_commit(number: int) -> Commit:
    """Return a realistic commit, with parts of all tables on two days and a report of a typical length."""
    start = START_MS + number * HOUR_MS
    identity = Identity("75555851", f"WebSession.{start}.{start + HOUR_MS}.part-00000-{number}")
    token = f"{number:016x}"
    parts = tuple(
        Part(part_path(identity.key, table, None, f"{token}.{n}"), table, None, 1000, 100_000, start, start + HOUR_MS)
        for n, table in enumerate([*TABLES, *TABLES])
    )
    return Commit(
        identity, token, _facts(number, identity), parts, None, (), "wsparquet 0.1.0", 1, WRITTEN_AT, content_id=token
    )


def _facts(number: int, identity: Identity) -> CommitFacts:
    paths = {f"$.engagementAttributes[*].data.customerInfo.field{n}": n for n in range(20)}
    return CommitFacts(
        checksum=f"{number:064x}",
        size=10,
        url=f"file:///in/{number}.gz",
        etag=None,
        mtime="1",
        source_name=f"{identity.name}.gz",
        text=Text(f"{number:064x}", 10_000),
        report={
            "records": 16_000,
            "rows": dict.fromkeys(TABLES, 2000),
            "rescued": {"engagement_attributes": paths},
        },
    )
