"""How a conversion is asked for."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from wsparquet.dataset import Access
from wsparquet.decode import Limits
from wsparquet.source import SourceLimits

__all__ = ["ConvertOptions", "default_jobs"]


def default_jobs() -> int:
    """One source for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class ConvertOptions:
    """How to convert.

    ``jobs``: sources at a time. ``account``: the account that all sources belong to, where their URLs or contents do
    not say. ``dry_run``: decode and count, write nothing. ``max_quarantined``: records and items that a source may have
    quarantined before it fails. ``again``: convert sources that are committed already, replacing their rows.
    ``storage_options``: for fsspec, by its documentation, and for s3fs, if the root is on S3. ``single_writer``: see
    ``wsparquet.dataset.Access``.
    """

    jobs: int = field(default_factory=default_jobs)
    account: str | None = None
    dry_run: bool = False
    max_quarantined: int | None = None
    again: bool = False
    decoder: str = "auto"
    source_limits: SourceLimits = field(default_factory=SourceLimits)
    limits: Limits = field(default_factory=Limits)
    storage_options: dict[str, object] | None = field(default=None, repr=False)
    single_writer: bool = False

    @property
    def access(self) -> Access:
        """How the root is reached."""
        return Access(self.storage_options or {}, single_writer=self.single_writer)
