"""Opens a root for reading, after the checks that all functions of this package make."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from wsparquet.dataset import Access, Root
from wsparquet.options import check_kind
from wsparquet.preflight import check_root

__all__ = ["checked_options", "opened_root"]


def checked_options(root: str | os.PathLike[str], storage_options: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Check the place of a root and the storage options, and return the options.

    Raises:
        OptionError: ``storage_options`` is not a dictionary.
        PlaceError: no root can be at this location.

    """
    check_kind("storage_options", storage_options, Mapping, "a dictionary", optional=True)
    check_root(root)
    return storage_options or {}


def opened_root(root: str | os.PathLike[str], storage_options: Mapping[str, Any] | None) -> Root:
    """Open a root that exists.

    Raises the errors of ``checked_options``, DatasetError if there is no root, and SchemaError if the root has another
    schema version.
    """
    return Root.open(root, create=False, access=Access(checked_options(root, storage_options)))
