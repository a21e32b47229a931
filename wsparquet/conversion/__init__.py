"""Conversion of sources into commits of a root."""

from __future__ import annotations

from wsparquet.conversion.options import ConvertOptions, default_jobs
from wsparquet.conversion.replay import replay
from wsparquet.conversion.run import convert
from wsparquet.conversion.summary import Copy, Failure, Replacement, Summary

__all__ = ["ConvertOptions", "Copy", "Failure", "Replacement", "Summary", "convert", "default_jobs", "replay"]
