"""Selects the store and the commit protocol for a root's path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from wsparquet.commit.locking import LockingProtocol
from wsparquet.commit.protocol import CommitProtocol
from wsparquet.commit.retired import RetiredParts
from wsparquet.dataset.version import is_published
from wsparquet.errors import DatasetError
from wsparquet.options import check_kind
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.policy import Policy
from wsparquet.redaction import without_credentials
from wsparquet.store.local import LocalDisk
from wsparquet.store.store import Store
from wsparquet.urls import is_url

__all__ = ["Access", "open_store", "retired_parts"]


PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Access:
    """How to access a root.

    ``storage_options`` are passed to s3fs, for roots on S3. ``single_writer`` is the caller's promise that no other
    process writes to the root at the same time; with it, stores without conditional writes can be used.
    ``patience_seconds`` says how long a failing request to S3 is retried. ``policy`` is the policy of masks that a new
    root gets, and ``key`` the secret key of its hashes. They are needed only where sources are decoded.
    """

    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    single_writer: bool = False
    patience_seconds: float = PATIENCE_SECONDS
    policy: Policy | None = None
    key: SecretKey | None = field(default=None, repr=False)

    @classmethod
    def checked(cls, storage_options: Mapping[str, Any] | None, *, single_writer: bool = False) -> Self:
        """Return the access with these parameters of a function. Raises OptionError if one has a wrong type."""
        check_kind("storage_options", storage_options, Mapping, "a dictionary", optional=True)
        check_kind("single_writer", single_writer, bool, "True or False")
        return cls(storage_options or {}, single_writer=single_writer)


def open_store(path: str, access: Access) -> tuple[Store, CommitProtocol]:
    """Return the store at ``path`` and its commit protocol.

    Raises:
        DatasetError: the path is not valid for a root, or the store cannot be reached.

    """
    if not is_url(path):
        disk = LocalDisk(Path(path).absolute())
        return disk, LockingProtocol(disk, retired_parts(disk))
    if not path.startswith(("s3://", "s3a://")):
        raise DatasetError(
            f"{without_credentials(path)}: expected a folder on a local disk or s3://BUCKET/PATH, found another URL"
        )
    from wsparquet.commit.conditional import ConditionalProtocol
    from wsparquet.store.s3.store import ObjectStore

    store = ObjectStore.open(path, access.storage_options, patience_seconds=access.patience_seconds)
    return store, ConditionalProtocol(store, retired_parts(store), single_writer=access.single_writer)


def retired_parts(store: Store) -> RetiredParts:
    """Return the object that deletes the retired parts of the root in ``store``."""
    return RetiredParts(store, is_published=lambda: is_published(store))
