"""Merges the many small parts of days into few large files.

No package may be named `compact`, because that is the name of a public function.
"""

from __future__ import annotations

from wsparquet.compaction.options import CompactOptions
from wsparquet.compaction.outcome import Compaction, MergedTable
from wsparquet.compaction.run import compact, compact_root

__all__ = ["CompactOptions", "Compaction", "MergedTable", "compact", "compact_root"]
