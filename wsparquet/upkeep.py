"""Maintains roots: removes sources, and deletes files that no commit record names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from wsparquet.commit.record import CommitHeader
from wsparquet.dataset import cleaning
from wsparquet.dataset.access import Access
from wsparquet.dataset.cleaning import Cleaning
from wsparquet.dataset.root import Root
from wsparquet.errors import DatasetError, OptionError
from wsparquet.iceberg import publish_changes
from wsparquet.json_values import in_json
from wsparquet.log import LOGGER
from wsparquet.names import parse_name
from wsparquet.options import check_duration, check_kind
from wsparquet.results import Result

__all__ = ["Removal", "Removed", "clean", "remove"]

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Removed:
    """A source that was removed from a root, with the number of its rows.

    >>> wsparquet.Removed(name="a.gz", account="75555851", rows=20).rows
    20
    """

    name: str
    account: str
    rows: int


@dataclass(frozen=True, repr=False)
class Removal(Result):
    """The result of ``remove``: the sources that were removed from ``root``.

    >>> wsparquet.Removal("lake", (wsparquet.Removed("a.gz", "75555851", 20),))
    <Removal root=lake, removed=1, rows=20>
    """

    root: str = field(metadata=in_json(hidden=True))
    removed: tuple[Removed, ...] = ()

    def facts(self) -> Mapping[str, object]:
        """Return the number of removed sources and the number of their rows."""
        return {"root": self.root, "removed": len(self.removed), "rows": sum(each.rows for each in self.removed)}


def remove(
    root: str | os.PathLike[str],
    names: str | Iterable[str],
    *,
    account: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
    single_writer: bool = False,
) -> Removal:
    """Remove the rows and the quarantine of sources from the datasets of a root, and return the removed sources.

    ``names`` is the file name of a source, with or without its suffix, or several names. ``account`` is needed if
    several accounts have a source with that name. A later conversion of a removed source commits it again.

    >>> wsparquet.remove("lake", "WebSession.1467291600000.1467295200000.part-00000-0.gz")
    <Removal root=...lake, removed=1, rows=20>

    Raises:
        OptionError: a parameter has an invalid value; this error is also a ValueError.
        DatasetError: there is no root, or a name is unknown or ambiguous; nothing was removed. Also raised if the
        removal could not be published in a published root; the next run that publishes then deletes the files.
        SchemaError: the root has another schema version.

    """
    given = [names] if isinstance(names, str) else list(names)
    if not all(isinstance(name, str) for name in given):
        raise OptionError("names", "expected file names as text, found a value of another type")
    opened = Root.open(root, create=False, access=_access(storage_options, single_writer))
    opened.recover()
    known = opened.commits()
    opened.settle(known)
    commits = opened.remove(_with_suffixes(given, known.headers()), account=account)
    if commits:
        opened.settle_days(opened.commits())
    publish_changes(opened)
    removed = []
    for commit in commits:
        if commit.same_as is not None:
            continue
        removed.append(Removed(commit.facts.source_name, commit.identity.account, sum(commit.rows.values())))
        LOGGER.info("removed %s: %d rows", commit.facts.url or commit.facts.source_name, removed[-1].rows)
    return Removal(opened.place, tuple(removed))


def clean(
    root: str | os.PathLike[str],
    *,
    older_than: timedelta = DAY,
    delete: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    single_writer: bool = False,
) -> Cleaning:
    """Find the files of a root that no commit record names, and delete them if ``delete`` is true.

    Such files are leftovers of runs that were killed: parts, quarantine, intents, temporary files and unfinished
    uploads. Files younger than ``older_than`` are skipped. Files that wsparquet did not make are listed as ``foreign``,
    and they are never deleted.

    >>> wsparquet.clean("lake").strays
    ()

    Raises:
        OptionError: a parameter has an invalid value; this error is also a ValueError.
        DatasetError: there is no root, the store fails, a commit record or an intent is unreadable, or the root is
            published and cannot be published again, so that no part was deleted.
        SchemaError: the root has another schema version.

    """
    check_duration("older_than", older_than)
    check_kind("delete", delete, bool, "True or False")
    opened = Root.open(root, create=False, access=_access(storage_options, single_writer))
    found = cleaning.clean(opened, older_than=older_than.total_seconds(), delete=delete)
    if found.deleted:
        publish_changes(opened)
        LOGGER.info("cleaned %s: %d files that no commit record names", found.root, len(found.strays))
    return found


def _access(storage_options: Mapping[str, Any] | None, single_writer: bool) -> Access:
    check_kind("storage_options", storage_options, Mapping, "a dictionary", optional=True)
    check_kind("single_writer", single_writer, bool, "True or False")
    return Access(storage_options or {}, single_writer=single_writer)


def _with_suffixes(names: Iterable[str], heads: Sequence[CommitHeader]) -> list[str]:
    """Complete each name that is not known but is a source's file name without its suffix.

    Raises:
        DatasetError: a name fits several file names that differ only in their suffixes.

    """
    known = {name for head in heads for name in (head.facts.source_name, head.identity.name, head.identity.key.name)}
    full: dict[str, set[str]] = {}
    for name in [name for head in heads for name in (head.facts.source_name, *(each.name for each in head.also))]:
        full.setdefault(parse_name(name).stem, set()).add(name)
    meant = {name: {name} if name in known else full.get(name, {name}) for name in names}
    for name, found in meant.items():
        if len(found) > 1:
            raise DatasetError(f"{name}: expected the name of one file, found {', '.join(sorted(found))}; name one")
    return [each for found in meant.values() for each in found]
