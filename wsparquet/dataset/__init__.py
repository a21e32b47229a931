"""Creates and opens roots, reads their tables, and finds leftover files."""

from __future__ import annotations

from wsparquet.dataset.access import Access
from wsparquet.dataset.cleaning import Cleaning, Stray
from wsparquet.dataset.lake import LakeDataset, open_dataset
from wsparquet.dataset.root import Root

__all__ = [
    "Access",
    "Cleaning",
    "LakeDataset",
    "Root",
    "Stray",
    "open_dataset",
]
