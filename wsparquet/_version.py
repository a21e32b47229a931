"""The release of this software. Only this module defines the release, and the module is fast to import."""

from __future__ import annotations

__all__ = ["__version__", "software_version"]

__version__ = "0.1.0"


def software_version() -> str:
    """Return the name and version of this software."""
    return f"wsparquet {__version__}"
