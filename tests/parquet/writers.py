"""The writers that there are here, as parameters of tests."""

from __future__ import annotations

import pytest

from wsparquet.parquet.file import NativePart, PyarrowPart, best_writer

HAS_NATIVE = best_writer() is NativePart

WRITERS = [pytest.param(PyarrowPart, id="pyarrow"), *([pytest.param(NativePart, id="native")] if HAS_NATIVE else [])]
