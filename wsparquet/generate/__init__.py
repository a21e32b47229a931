"""Generates realistic synthetic Web Session files, correct or with every kind of defect, and knows their contents.

Text and counts depend on the options alone, so tests, benchmarks, and demonstrations need no real data.
"""

from __future__ import annotations

from wsparquet.generate.broken import BrokenFile, broken_files
from wsparquet.generate.defects import DEFECTS, Defect
from wsparquet.generate.files import generate
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
    "generate_text",
    "records",
]
