"""Generates synthetic Web Session files that look like real ones, with or without bad input, and counts their content.

The text depends only on the options. With these files, tests, benchmarks and demonstrations need no customer data.
"""

from __future__ import annotations

from wsparquet.generate.broken import BrokenFile, broken_files
from wsparquet.generate.defects import DEFECTS, Defect
from wsparquet.generate.files import generate, generate_files
from wsparquet.generate.options import GenerateOptions
from wsparquet.generate.stamper import records
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
