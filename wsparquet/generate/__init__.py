"""Synthetic Web Session files that look like real ones, with or without bad input, and the counts of their content.

The text depends on the options alone, so tests, benchmarks and demonstrations need nobody's data.
"""

from __future__ import annotations

from wsparquet.generate.broken import BrokenFile, broken_files
from wsparquet.generate.defects import DEFECTS, Defect
from wsparquet.generate.files import generate, generate_files
from wsparquet.generate.options import GenerateOptions
from wsparquet.generate.templates import records
from wsparquet.generate.text import Expected, expected, generate_text

__all__ = [
    "DEFECTS",
    "BrokenFile",
    "Defect",
    "Expected",
    "GenerateOptions",
    "broken_files",
    "expected",
    "generate",
    "generate_files",
    "generate_text",
    "records",
]
