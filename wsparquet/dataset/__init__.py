"""Roots: create and open them, read their tables, clean up leftover files."""

from __future__ import annotations

from wsparquet.dataset.access import Access
from wsparquet.dataset.lake import LakeDataset, open_dataset
from wsparquet.dataset.root import Root

__all__ = ["Access", "LakeDataset", "Root", "open_dataset"]
