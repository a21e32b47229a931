"""A root: made and opened, its tables read, its leftovers cleaned."""

from __future__ import annotations

from wsparquet.dataset.access import Access
from wsparquet.dataset.lake import LakeDataset, open_dataset
from wsparquet.dataset.root import Root

__all__ = ["Access", "LakeDataset", "Root", "open_dataset"]
