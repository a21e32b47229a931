"""The location of a root, in the form that definitions of tables contain."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wsparquet.urls import is_url

__all__ = ["Location"]


@dataclass(frozen=True)
class Location:
    """A root, as an absolute path or as a URL without a slash at its end; ``empty``: the tables without files."""

    root: str
    empty: frozenset[str] = frozenset()

    @classmethod
    def of(cls, root: str | os.PathLike[str], *, empty: Iterable[str] = ()) -> Location:
        """Return the location of a root that the caller names by a path or by ``s3://BUCKET/PATH``."""
        text = os.fspath(root)
        if is_url(text):
            scheme, _, rest = text.partition("://")
            return cls(f"{'s3' if scheme == 's3a' else scheme}://{rest.rstrip('/')}", frozenset(empty))
        return cls(str(Path(text).absolute()).rstrip("/"), frozenset(empty))

    def path(self, table: str) -> str:
        """Return the path or the URL of a table's folder."""
        return f"{self.root}/record_type={table}"

    def url(self, table: str) -> str:
        """Return the URL of a table's folder."""
        path = self.path(table)
        # Engines use the text of the URL unchanged, without decoding %XX.
        return path if is_url(path) else f"file://{path}"
