"""Finds stray files of a root, which no commit record names, and deletes them on request."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from wsparquet.commit.log import is_intent_file
from wsparquet.dataset.root import Root
from wsparquet.errors import DatasetError
from wsparquet.json_values import in_json
from wsparquet.layout import PROBES, QUARANTINE, TMP, is_object_path, is_part_path, is_quarantine_path
from wsparquet.results import Result
from wsparquet.store.store import Store, Unfinished

__all__ = ["Cleaning", "Stray", "clean", "find_strays"]

Kind = Literal["part", "quarantine", "intent", "probe", "temporary", "upload", "foreign"]
TABLES = re.compile(r"record_type=[^/]+/")
DELETED = frozenset({"part", "quarantine", "probe"})
"""The kinds of strays that ``clean`` deletes itself. The recovery deletes intents and temporary files."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A file that no commit record names; ``size`` in bytes, ``modified`` in seconds since 1970.

    An ``upload`` is an unfinished multipart upload. A ``foreign`` file or upload is not from wsparquet, and is never
    deleted.

    >>> from datetime import timedelta
    >>> _ = Path("lake/record_type=geo/notes.txt").write_text("mine")
    >>> [stray.kind for stray in wsparquet.clean("lake", older_than=timedelta(0)).strays]
    ['foreign']
    """

    path: str
    kind: Kind
    size: int
    modified: float
    upload: Unfinished | None = field(default=None, metadata=in_json(hidden=True))


@dataclass(frozen=True, repr=False)
class Cleaning(Result):
    """The result of ``clean``: the files that no commit record names. ``deleted``: whether these files were deleted.

    ``unlisted``: the reason why unfinished uploads or private folders could not be listed, or None if all were listed.

    >>> wsparquet.clean("lake", delete=True)
    <Cleaning root=...lake, strays=0, deleted=True>
    """

    root: str
    deleted: bool
    strays: tuple[Stray, ...]
    unlisted: str | None = field(default=None, metadata=in_json(message=True))

    def facts(self) -> Mapping[str, object]:
        """Return the number of files, and whether they were deleted."""
        strays, deleted, unlisted = len(self.strays), self.deleted, self.unlisted
        return {"root": self.root, "strays": strays, "deleted": deleted, "unlisted": unlisted}


def clean(root: Root, *, older_than: float, delete: bool) -> Cleaning:
    """Find stray files older than ``older_than`` seconds; with ``delete``, delete them.

    Raises:
        DatasetError: the store fails, or a commit record or an intent is not valid.

    """
    latest = time.time() - older_than
    denied: list[str] = []
    strays = {each.path: each for each in find_strays(root, latest=latest, live_since=latest, denied=denied)}
    uploads, unlisted = _uploads(root.store, latest)
    if denied:
        unlisted = f"this user may not list the private folders {' and '.join(denied)}; run as the root's owner"
    if delete:
        # First finish or undo dead attempts. After that, every remaining intent belongs to a live attempt.
        root.recover(dead_seconds=older_than)
        left = {each.path: each for each in find_strays(root, latest=latest, live_since=0)}
        # A published snapshot may name a part that a superseded attempt has left.
        root.retired.delete(path for path, each in left.items() if each.kind in DELETED)
        for each in uploads:
            if each.kind == "upload" and each.upload is not None:
                root.store.abort(each.upload)
        strays = left | strays
    found = sorted([*strays.values(), *uploads], key=lambda each: (each.path, each.kind))
    return Cleaning(root.place, delete, tuple(found), unlisted)


def _uploads(store: Store, latest: float) -> tuple[list[Stray], str | None]:
    """Return the unfinished uploads started no later than ``latest``, or the error if uploads could not be listed.

    The error is returned, not raised, because a user who may read and write objects may not always list uploads.
    """
    try:
        found = store.unfinished()
    except DatasetError as error:
        return [], str(error)
    kinds: dict[bool, Kind] = {True: "upload", False: "foreign"}
    old = [each for each in found if each.begun <= latest]
    return [Stray(each.path, kinds[is_object_path(each.path)], 0, each.begun, each) for each in old], None


def find_strays(
    root: Root,
    *,
    latest: float,
    live_since: float,
    named: Callable[[], set[str]] | None = None,
    denied: list[str] | None = None,
) -> Iterator[Stray]:
    """Yield stray files modified no later than ``latest``; intents modified after ``live_since`` count as live.

    Both times are in seconds since 1970. ``named`` returns the paths that commit records name; by default it reads the
    records. Files are listed first, then intents, then the parts that wait for a publication, and commit records last.
    If a listed file is committed before the records are read, a record therefore names the file. If the attempt of a
    listed file is unfinished, an intent names the file. The folders of temporary files and of quarantine are private.
    If this user may not list these folders, their paths are appended to ``denied``.

    Raises:
        DatasetError: the store fails, this user may not list another folder, or a record or an intent is not valid.

    """
    store = root.store
    skipped: list[str] = []
    found = [entry for entry in store.entries("", denied=skipped) if entry.modified <= latest]
    _check_private(store, skipped)
    if denied is not None:
        denied += skipped
    live = set(root.log.paths_of_live_intents(live_since))
    live.update(path for paths in root.retired.waiting().values() for path in paths)
    kept = named() if named else {path for commit in root.log.commits() for path in commit.paths}
    kept.update(_files_of_days(root))
    dead = store.workspaces.dead()
    for entry in found:
        kind = _kind(entry.path, dead)
        if kind is not None and entry.path not in kept and entry.path not in live:
            yield Stray(entry.path, kind, entry.size, entry.modified)


def _files_of_days(root: Root) -> Iterator[str]:
    """Yield the paths of day parts, and what belongs to replaced files that must still stay."""
    for record in root.log.days().values():
        yield from record.replaceable()
        if record.keeps_replaced():
            yield from root.log.intents_of(record.identity.key)


def _check_private(store: Store, skipped: Iterable[str]) -> None:
    for folder in skipped:
        if not f"{folder}/".startswith((f"{TMP}/", f"{QUARANTINE}/")):
            raise DatasetError(
                f"cannot list {store.place(folder)}: Permission denied; make it readable for this user, or run as its "
                "owner"
            )


def _kind(path: str, dead: set[str]) -> Kind | None:
    """Return the kind of a file that may be a stray, or None for a file that belongs to the root."""
    if TABLES.match(path):
        return "part" if is_part_path(path) else "foreign"
    if path.startswith(f"{QUARANTINE}/"):
        return "quarantine" if is_quarantine_path(path) else "foreign"
    if is_intent_file(path):
        return "intent"
    if path.startswith(f"{PROBES}/"):
        return "probe"
    # A live attempt may have temporary files of any age, so only the temporary files of dead attempts are strays.
    is_dead = path.startswith(f"{TMP}/") and path.removeprefix(f"{TMP}/").partition("/")[0] in dead
    return "temporary" if is_dead else None
