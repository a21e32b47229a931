"""The options of a conversion."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Self, TypedDict

from wsparquet.conversion.memory import DEFAULT_MEMORY, check_memory
from wsparquet.conversion.shard import Shard
from wsparquet.dataset import Access
from wsparquet.decode import Limits
from wsparquet.errors import OptionError
from wsparquet.options import check_kind, check_number
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.options import check_privacy, loaded
from wsparquet.privacy.policy import Policy
from wsparquet.source import SourceLimits
from wsparquet.stream import check_common

__all__ = ["ConvertKeywords", "ConvertOptions", "default_jobs"]


class ConvertKeywords(TypedDict, total=False):
    """The fields of ``ConvertOptions`` as keyword arguments."""

    jobs: int
    account: str | None
    dry_run: bool
    max_quarantined: int | None
    max_failures: int | None
    memory: int
    max_days: int
    again: bool
    force_account: bool
    compact: bool
    decoder: str
    source_limits: SourceLimits
    limits: Limits
    storage_options: dict[str, object] | None
    single_writer: bool
    shard: str | None
    policy: Policy | None
    key_file: str | os.PathLike[str] | SecretKey | None


def default_jobs() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class ConvertOptions:
    """The options of ``convert`` and ``replay``. Both functions also take each field as a keyword argument.

    ``jobs``: how many sources are converted at the same time, unless ``memory`` is too little for this many.
    ``account``: the account of all sources, needed if their URLs and contents do not name it. A source that states
    another account fails, unless ``force_account`` is true. ``dry_run``: decode and count, but write nothing.
    ``max_quarantined``: how many records and items of one source may be quarantined; a source with more of them fails.
    ``max_failures``: ``convert`` begins no further source after this many failures without a success, because the
    folder is then probably the wrong one; None or 0 means no limit. ``memory``: the memory in bytes that the process
    may take; simultaneous runs of one process share the memory, and the run that began last sets its size.
    ``max_days``: how many days the rows of one source may have; a source with more days fails, because each day of a
    table is a file. ``again``: also convert sources that are committed already, and replace their rows; ``replay`` then
    also repeats sources that this version itself has converted but not fully understood. ``compact``: merge small files
    of the root's older days at the end, as ``compact`` does. ``decoder``: ``auto``, ``native`` or ``reference``.
    ``source_limits`` and ``limits``: how much memory and disk space one source may take. ``storage_options``: options
    for fsspec, and for s3fs if the root is on S3. ``single_writer``: the caller's promise that no other run writes to
    this root at the same time. ``shard``: ``NUMBER/OF``, such as ``3/16``: ``convert`` converts only one of 16 shards,
    numbered from 0. The name of a source decides on its shard, so 16 runs with the same sources convert each source
    once; ``sync`` and ``replay`` refuse a shard. ``policy``: the policy of masks with which a
    new root is created, and which an existing root must have; without it, a root applies its own policy. ``key_file``:
    the file with the secret key of hashes, or a ``SecretKey``, needed if columns are hashed or if people were erased
    from the root; by default the key is in the environment variable ``WSPARQUET_KEY``.

    >>> options = wsparquet.ConvertOptions(jobs=2, max_quarantined=0)
    >>> wsparquet.convert("downloads/", to="lake", options=options).exit_code
    0

    Raises:
        OptionError: a field has an invalid value.

    """

    jobs: int = field(default_factory=default_jobs)
    account: str | None = None
    dry_run: bool = False
    max_quarantined: int | None = None
    max_failures: int | None = 20
    memory: int = DEFAULT_MEMORY
    max_days: int = 1000
    again: bool = False
    force_account: bool = False
    compact: bool = False
    decoder: str = "auto"
    source_limits: SourceLimits = field(default_factory=SourceLimits)
    limits: Limits = field(default_factory=Limits)
    storage_options: dict[str, object] | None = field(default=None, repr=False)
    single_writer: bool = False
    shard: str | None = None
    policy: Policy | None = None
    key_file: str | os.PathLike[str] | SecretKey | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Reject invalid values."""
        check_number("jobs", self.jobs, minimum=1)
        check_memory(self.memory)
        check_number("max_days", self.max_days, minimum=1)
        check_kind("account", self.account, str, "the account's number as text", optional=True)
        for name in ("max_quarantined", "max_failures"):
            check_number(name, getattr(self, name), minimum=0, optional=True)
        for name in ("dry_run", "again", "force_account", "compact", "single_writer"):
            check_kind(name, getattr(self, name), bool, "True or False")
        Shard.parse(self.shard)
        check_privacy(self.policy, self.key_file)
        check_common(self.decoder, self.source_limits, self.limits, self.storage_options)

    def check_whole(self) -> None:
        """Refuse a shard, for functions that cannot work on a shard. Raises OptionError."""
        if self.shard is not None:
            raise OptionError("shard", f"expected none here, found {self.shard}; only a conversion has shards")

    def with_key(self) -> Self:
        """Return these options with the key itself in place of its file, for tasks on other machines."""
        return replace(self, key_file=loaded(self.key_file))

    @property
    def access(self) -> Access:
        """How to access the root."""
        return Access(
            self.storage_options or {}, single_writer=self.single_writer, policy=self.policy, key=loaded(self.key_file)
        )
