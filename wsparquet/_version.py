"""Which release this is; the one place that says so, and quick to ask."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
