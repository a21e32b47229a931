"""Creates and opens roots, reads their tables, and cleans up leftover files."""

from __future__ import annotations

from wsparquet.dataset.access import Access
from wsparquet.dataset.cleaning import Cleaning, Stray
from wsparquet.dataset.lake import LakeDataset, open_dataset
from wsparquet.dataset.root import Root
from wsparquet.dataset.upkeep import Removal, Removed, clean, remove

__all__ = [
    "Access",
    "Cleaning",
    "LakeDataset",
    "Removal",
    "Removed",
    "Root",
    "Stray",
    "clean",
    "open_dataset",
    "remove",
]
