"""Maintains roots: removes sources, and deletes files that no commit record names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Any, Self

from wsparquet.commit import Commit, CommitHeader, CommitIndex
from wsparquet.dataset import cleaning
from wsparquet.dataset.access import Access
from wsparquet.dataset.cleaning import Cleaning
from wsparquet.dataset.root import Root
from wsparquet.errors import DatasetError, OptionError
from wsparquet.iceberg import publish_changes
from wsparquet.json_values import in_json
from wsparquet.layout import Identity
from wsparquet.log import LOGGER
from wsparquet.names import parse_name
from wsparquet.options import check_duration, check_kind
from wsparquet.results import Result

__all__ = ["Removal", "Removed", "clean", "remove"]

DAY = timedelta(days=1)
GLOB = re.compile(r"[*?\[]")


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
    """The result of ``remove``: the sources that were removed from ``root``, or would be in a dry run.

    >>> wsparquet.Removal("lake", (wsparquet.Removed("a.gz", "75555851", 20),))
    <Removal root=lake, removed=1, rows=20>
    """

    root: str = field(metadata=in_json(hidden=True))
    removed: tuple[Removed, ...] = ()
    dry_run: bool = False

    def facts(self) -> Mapping[str, object]:
        """Return the number of removed sources and the number of their rows."""
        rows = sum(each.rows for each in self.removed)
        return {"root": self.root, "removed": len(self.removed), "rows": rows, "dry_run": self.dry_run}


def remove(
    root: str | os.PathLike[str],
    names: str | Iterable[str] = (),
    *,
    before: date | None = None,
    account: str | None = None,
    yes: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    single_writer: bool = False,
) -> Removal:
    """Remove the rows and the quarantine of sources from the datasets of a root, and return these sources.

    Without ``yes``, only return the sources that would be removed, and write nothing. ``names`` is the file name of a
    source, with or without its suffix, a glob such as ``WebSession.1467*``, or several of them. ``before`` selects the
    sources whose rows all lie in partitions of days before this one. ``account`` selects the sources of one account. A
    source is removed only if it fits all that is given. A later conversion of a removed source commits it again.

    >>> wsparquet.remove("lake", "WebSession.1467291600000.1467295200000.part-00000-0.gz", yes=True)
    <Removal root=...lake, removed=1, rows=20>
    >>> from datetime import date
    >>> wsparquet.remove("lake", before=date(2030, 1, 1))
    <Removal root=...lake, removed=1, rows=20, dry_run=True>

    Raises:
        OptionError: a parameter has an invalid value; this error is also a ValueError.
        DatasetError: there is no root, or a name is unknown or ambiguous; nothing was removed. Also raised if the
            removal could not be published in a published root; the next run that publishes then deletes the files.
        SchemaError: the root has another schema version.

    """
    choice = _Choice.checked(names, before, account)
    check_kind("yes", yes, bool, "True or False")
    opened = Root.open(root, create=False, access=Access.checked(storage_options, single_writer=single_writer))
    if not yes:
        known = opened.commits()
        found = (known.read(each) for each in choice.among(opened, known))
        return _removal(opened, [commit for commit in found if commit is not None], dry_run=True)
    opened.recover()
    known = opened.commits()
    opened.settle(known)
    commits = opened.remove_all(choice.among(opened, known))
    if commits:
        opened.settle_days(opened.commits())
    publish_changes(opened)
    return _removal(opened, commits)


def _removal(root: Root, commits: Iterable[Commit], *, dry_run: bool = False) -> Removal:
    removed = []
    for commit in commits:
        # Such a record has no rows of its own.
        if commit.same_as is None:
            removed.append(Removed(commit.facts.source_name, commit.identity.account, commit.row_count))
            if not dry_run:
                LOGGER.info("removed %s: %d rows", commit.facts.url or commit.facts.source_name, removed[-1].rows)
    return Removal(root.place, tuple(removed), dry_run)


@dataclass(frozen=True)
class _Choice:
    """The sources that a removal is about: those that fit everything that is given."""

    names: tuple[str, ...] | None
    before: date | None
    account: str | None

    @classmethod
    def checked(cls, names: str | Iterable[str], before: object, account: object) -> Self:
        """Check the parameters of ``remove``. Raises OptionError."""
        given = (names,) if isinstance(names, str) else tuple(names)
        if not all(isinstance(name, str) for name in given):
            raise OptionError("names", "expected file names as text, found a value of another type")
        check_kind("account", account, str, "the account's number as text", optional=True)
        if before is not None and type(before) is not date:
            raise OptionError("before", f"expected a date, found a value of type {type(before).__name__}")
        if not given and before is None and account is None:
            raise OptionError("names", "expected names, `before` or `account`, found none of them")
        return cls(given or None, before, account)  # type: ignore[arg-type]  # checked above

    def among(self, root: Root, commits: CommitIndex) -> tuple[Identity, ...]:
        """Return the identities of the sources, and those that refer to their rows. Raises DatasetError."""
        if self.names is None:
            everything = [each.identity for each in commits.headers() if each.row_count or each.same_as is None]
            found = commits.with_references(each for each in everything if self.account in {None, each.account})
        else:
            found = commits.select(_full_names(self.names, commits.headers(), self.account), account=self.account)
        if self.before is None:
            return found
        old = {commit.identity for commit in root.log.cached_commits() if _is_before(commit, self.before)}
        return commits.with_references(each for each in found if each in old)


def _is_before(commit: Commit, day: date) -> bool:
    """Return whether a commit has rows, and all of them have an earlier day. Rows without a day have no age."""
    return bool(commit.parts) and all(part.date is not None and part.date < day for part in commit.parts)


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
    opened = Root.open(root, create=False, access=Access.checked(storage_options, single_writer=single_writer))
    found = cleaning.clean(opened, older_than=older_than.total_seconds(), delete=delete)
    if found.deleted:
        publish_changes(opened)
        LOGGER.info("cleaned %s: %d files that no commit record names", found.root, len(found.strays))
    return found


def _full_names(names: Iterable[str], heads: Sequence[CommitHeader], account: str | None) -> list[str]:
    """Complete each name that is not known but is a source's file name without its suffix, or a glob.

    Raises:
        DatasetError: a name fits several file names that differ only in their suffixes, or a glob fits none.

    """
    heads = [head for head in heads if account in {None, head.identity.account}]
    known = {name for head in heads for name in (head.facts.source_name, head.identity.name, head.identity.key.name)}
    full: dict[str, set[str]] = {}
    for name in [name for head in heads for name in (head.facts.source_name, *(each.name for each in head.also))]:
        full.setdefault(parse_name(name).stem, set()).add(name)
    found: list[str] = []
    for name in names:
        meant = {name} if name in known else full.get(name, {name})
        if name not in known and name not in full and GLOB.search(name):
            meant = {head.facts.source_name for head in heads if fnmatchcase(head.facts.source_name, name)}
            if not meant:
                raise DatasetError(f"{name}: expected a glob that fits the file name of a committed source, found none")
        elif len(meant) > 1:
            raise DatasetError(f"{name}: expected the name of one file, found {', '.join(sorted(meant))}; name one")
        found += sorted(meant)
    return found
