"""The certificate of an erasure: what was looked at, what was rewritten, and what could not be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wsparquet.dataset.version import Masking
from wsparquet.json_values import in_json, milliseconds
from wsparquet.privacy.ids import COLUMNS
from wsparquet.results import Result

__all__ = ["NOT_REACHED", "Certificate", "Erased", "LookedAt", "RawFile", "Rewritten", "masked_ids"]

NOT_REACHED = (
    "raw files, which wsparquet never changes; `search` says which of them have the ids",
    "backups, snapshots of disks, and copies of this root",
    "old versions of objects in a bucket with versioning, until its life-cycle rules delete them",
    "the server of the Data Access API, which keeps files for 30 days after it made them",
    "other systems that have loaded rows; `changes` lists the sources that this erasure has replaced",
    "rows in which an id occurs only inside other text, such as the query of a URL",
    "rows and texts of a visitor's visits that do not have the visitor's id; erase the visits to reach them",
    "later visits of a customer, except for rows and texts with the customer's id; erase the visits to reach them",
)
"""What no erasure reaches. The certificate lists it, so that nobody takes the certificate for more than it is."""


def masked_ids(masking: Masking | None) -> Iterator[str]:
    """Yield what an erasure does not reach because the root's masks have changed an id otherwise than by a hash."""
    tables: dict[tuple[str, str], list[str]] = {}
    for path, action in masking.policy.masks if masking is not None else ():
        table, _, column = path.partition(".")
        if action != "hash" and column.rpartition(".")[2] in COLUMNS.values():
            tables.setdefault((column, action), []).append(table)
    for (column, how), names in sorted(tables.items()):
        yield f"rows that only `{column}` could identify, in {', '.join(names)}: the root's masks {how} it"


@dataclass(frozen=True)
class LookedAt:
    """What was searched. ``skipped``: the number of parts that statistics or Bloom filters have excluded unread."""

    commits: int = 0
    parts: int = 0
    skipped: int = 0
    quarantine_files: int = 0


@dataclass(frozen=True)
class Rewritten:
    """What was written anew, or would be: sources, and the parts of sources and of days that had rows of the people."""

    sources: int = 0
    parts: int = 0
    day_parts: int = 0


@dataclass(frozen=True)
class Erased:
    """What was erased: rows by table, quarantined records and items, and values of containers in commit records."""

    rows: Mapping[str, int] = field(default_factory=dict)
    quarantined: int = 0
    items: int = 0
    container_values: int = 0


@dataclass(frozen=True)
class RawFile:
    """A raw file that was searched. ``found``: whether it has one of the ids, or None if it could not be read.

    >>> found = wsparquet.erase("lake", visitors=["A1B2C3D4E5"], search="downloads/")
    >>> [each.found for each in found.raw_files]
    [False, False]
    """

    url: str
    found: bool | None
    error: str | None = field(default=None, metadata=in_json(message=True))


@dataclass(frozen=True, repr=False)
class Certificate(Result):
    """The result of ``erase``. It has no ids, only their number by kind, and ``digests``, their keyed hashes.

    There are two hashes of each id: of itself, and of its form in columns that are masked by hash. ``key``: the
    fingerprint of the key. ``visits_of_customers``: how many visits were erased because a customer was recognized in
    them. ``published``: whether older snapshots of published tables were deleted. ``strays``: how many files of killed
    runs were deleted. ``not_reached``: what no erasure reaches.

    >>> wsparquet.erase("lake", visitors=["A1B2C3D4E5"])
    <Certificate root=...lake, dry_run=True, sources=0, rows=0, ...>
    """

    root: str
    root_id: str
    dry_run: bool
    at: str
    software: str
    ids: Mapping[str, int] = field(default_factory=dict)
    visits_of_customers: int = 0
    key: str | None = None
    digests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    looked_at: LookedAt = field(default_factory=LookedAt)
    rewritten: Rewritten = field(default_factory=Rewritten)
    erased: Erased = field(default_factory=Erased)
    published: bool = False
    strays: int = 0
    raw_files: tuple[RawFile, ...] = ()
    not_reached: tuple[str, ...] = NOT_REACHED
    seconds: float = field(default=0.0, metadata=in_json(convert=milliseconds))

    @property
    def exit_code(self) -> int:
        """1 if a raw file could not be searched, otherwise 0."""
        return 1 if any(each.found is None for each in self.raw_files) else 0

    def facts(self) -> Mapping[str, object]:
        """Return what was erased, or would be."""
        with_ids = sum(each.found is True for each in self.raw_files)
        return {
            "root": self.root,
            "dry_run": self.dry_run,
            "sources": self.rewritten.sources,
            "rows": sum(self.erased.rows.values()),
            "raw_files": with_ids or None,
            "seconds": self.seconds,
        }

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Yield each raw file that could not be searched, with the reason."""
        return [(each.url, each.error or "") for each in self.raw_files if each.found is None]
