"""Which release this is; the one place that says so, and quick to ask."""

from __future__ import annotations

__all__ = ["__version__", "software_version"]

__version__ = "0.1.0"


def software_version() -> str:
    """The name and version of this software."""
    return f"wsparquet {__version__}"
