"""Where batches go: partitioning, Parquet settings, the commit protocol on a local disk, reading commits back."""

from __future__ import annotations

from wsparquet.dataset.attempt import Attempt
from wsparquet.dataset.commits import Commits
from wsparquet.dataset.layout import Identity
from wsparquet.dataset.open import LakeDataset, open_dataset
from wsparquet.dataset.protocol import Superseded
from wsparquet.dataset.records import Commit, CommitFacts, Head, Part
from wsparquet.dataset.root import Root
from wsparquet.dataset.settings import WriterLimits
from wsparquet.dataset.stores import Access
from wsparquet.dataset.writer import WriterPool

__all__ = [
    "Access",
    "Attempt",
    "Commit",
    "CommitFacts",
    "Commits",
    "Head",
    "Identity",
    "LakeDataset",
    "Part",
    "Root",
    "Superseded",
    "WriterLimits",
    "WriterPool",
    "open_dataset",
]
