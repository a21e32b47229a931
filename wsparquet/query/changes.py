"""Lists the sources that were added, replaced and removed since an earlier moment, for incremental loads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from wsparquet.commit.days import Counting
from wsparquet.commit.record import Commit
from wsparquet.layout import is_day_part_path
from wsparquet.options import check_kind
from wsparquet.query.change_token import Known, read_token, write_token
from wsparquet.query.opening import opened_root
from wsparquet.results import Result

__all__ = ["ChangedSource", "Changes", "changes"]


@dataclass(frozen=True, slots=True)
class ChangedSource:
    """A source whose rows are new, or gone.

    ``source_file`` is the value of the column ``source_file`` in its rows. ``before`` is the value of ``source_file``
    in the source's rows at the earlier moment, or None if it had no rows: delete those rows. ``rows`` is the number of
    rows in all tables, and ``parts`` has the paths of the files with these rows by table, relative to the root; both
    are empty for a source that is gone. After a compaction, these files also have rows of other sources
    (``is_merged``): filter them by ``source_file``.

    >>> [(source.before, source.rows) for source in wsparquet.changes("lake").added]
    [(None, 20), (None, 20)]
    """

    account: str
    source_file: str
    before: str | None
    rows: int = 0
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_merged: bool = False


@dataclass(frozen=True, repr=False)
class Changes(Result):
    """The result of ``changes``: each source is in at most one of ``added``, ``replaced`` and ``removed``.

    ``token`` names the moment of the call: give it to the next call. A token has about 20 bytes for each source.

    >>> first = wsparquet.changes("lake")
    >>> wsparquet.changes("lake", first.token)
    <Changes root=...lake, added=0, replaced=0, removed=0>
    """

    root: str
    added: tuple[ChangedSource, ...]
    replaced: tuple[ChangedSource, ...]
    removed: tuple[ChangedSource, ...]
    token: str

    def facts(self) -> Mapping[str, object]:
        """Return the numbers of added, replaced and removed sources."""
        counts = {"added": len(self.added), "replaced": len(self.replaced), "removed": len(self.removed)}
        return {"root": self.root, **counts}

    def files(self, table: str) -> list[str]:
        """Return the paths of the files of a table that have the rows of added and replaced sources, sorted.

        The paths are relative to the root.
        """
        found = (path for source in (*self.added, *self.replaced) for path in source.parts.get(table, ()))
        return sorted(set(found))

    def source_files(self, table: str) -> dict[str, tuple[str, ...]]:
        """Return the values of ``source_file`` to keep, by the path of each file that also has rows of other sources.

        The paths are relative to the root.
        """
        found: dict[str, tuple[str, ...]] = {}
        for source in (*self.added, *self.replaced):
            for path in source.parts.get(table, ()):
                if is_day_part_path(path):
                    found[path] = (*found.get(path, ()), source.source_file)
        return found


def changes(
    root: str | os.PathLike[str],
    since: str | Changes | None = None,
    *,
    storage_options: Mapping[str, Any] | None = None,
) -> Changes:
    """Return the sources that were added, replaced and removed since an earlier call.

    ``since`` is the token of an earlier call, or its result. Without ``since``, all sources are added. To load a
    warehouse, delete the rows of replaced and removed sources by their ``before``, insert the rows of added and
    replaced sources, and then store the new token. If the load fails, call again with the old token, which stays valid.

    A source is replaced if its rows were written again, for example because its content changed or because `replay`
    converted it again. If a source becomes a copy of another source, it is removed, and the other source is added.
    If you pass the result to ``scan`` as ``changes``, it returns the rows of added and replaced sources.

    ``root`` is a folder or ``s3://bucket/…``; ``storage_options`` are options of s3fs.

    >>> found = wsparquet.changes("lake")
    >>> len(found.added), len(wsparquet.changes("lake", found.token).added)
    (2, 0)
    >>> wsparquet.scan("lake", "navigation", changes=found).collect().height > 0
    True

    Raises:
        OptionError: ``since`` is no token, or a token of another root.
        DatasetError: there is no root, or a commit record is unreadable.
        SchemaError: the root has another schema version.

    """
    check_kind("since", since, (str, Changes), "a token", optional=True)
    opened = opened_root(root, storage_options)
    root_id = opened.version.root_id
    token = since.token if isinstance(since, Changes) else since
    known = read_token(token, root_id) if token is not None else {}
    counting = opened.log.counting()
    commits = [commit for commit in counting.commits if commit.same_as is None]
    found = _compared(known, counting, commits)
    return Changes(root=opened.place, **found, token=write_token(root_id, commits))


def _compared(
    known: Mapping[Any, Known], counting: Counting, commits: Iterable[Commit]
) -> dict[str, tuple[ChangedSource, ...]]:
    gone = dict(known)
    added, replaced = [], []
    for commit in commits:
        before = gone.pop(commit.identity, None)
        if before is None:
            added.append(_source(counting, commit, None))
        elif before.content_id != commit.content_id:
            replaced.append(_source(counting, commit, before.source_file))
    removed = tuple(ChangedSource(each.account, was.source_file, was.source_file) for each, was in gone.items())
    return {"added": tuple(added), "replaced": tuple(replaced), "removed": removed}


def _source(counting: Counting, commit: Commit, before: str | None) -> ChangedSource:
    parts: dict[str, tuple[str, ...]] = {}
    merged = list(counting.day_parts(commit))
    for part in (*counting.own_parts(commit), *merged):
        parts[part.table] = (*parts.get(part.table, ()), part.path)
    name = commit.facts.source_name
    return ChangedSource(commit.identity.account, name, before, commit.row_count, parts, bool(merged))
