"""What lies in a root and counts for nothing: found, shown, and deleted by its exact name if that is wanted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from wsparquet.commit.index import all_commits
from wsparquet.commit.record import decode_intent, named_intent
from wsparquet.dataset.root import Root
from wsparquet.errors import DatasetError
from wsparquet.layout import INTENTS, PROBES, QUARANTINE, TMP, is_part_name, is_quarantine_name, is_written_name
from wsparquet.store.store import Store, Unfinished

__all__ = ["Cleaning", "Stray", "clean", "find_strays", "named_paths"]

Kind = Literal["part", "quarantine", "intent", "probe", "temporary", "upload", "foreign"]
TABLES = re.compile(r"record_type=[^/]+/")
DELETED = frozenset({"part", "quarantine", "probe"})
"""What is deleted by name: intents and temporary files went with their attempts."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A file that no record names; ``size`` in bytes, ``modified`` in seconds since 1970.

    An ``upload`` was begun and never ended. A ``foreign`` file, or upload, is none that wsparquet makes, and is never
    deleted.
    """

    path: str
    kind: Kind
    size: int
    modified: float
    upload: Unfinished | None = None


@dataclass(frozen=True)
class Cleaning:
    """What was found in a root, and whether it was ``deleted``.

    ``unlisted`` says what could not be listed, and why; None if all could.
    """

    root: str
    strays: tuple[Stray, ...]
    deleted: bool
    unlisted: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The cleaning as plain JSON values."""
        strays = [{key: value for key, value in asdict(each).items() if key != "upload"} for each in self.strays]
        return {"root": self.root, "deleted": self.deleted, "strays": strays, "unlisted": self.unlisted}


def clean(root: Root, *, older_than: float, delete: bool) -> Cleaning:
    """Find what counts for nothing and is older than so many seconds, and ``delete`` it if that is wanted.

    Raises:
        DatasetError: the store fails, or a record or an intent cannot be believed.

    """
    latest = time.time() - older_than
    strays = {each.path: each for each in find_strays(root, latest=latest, live_since=latest)}
    uploads, unlisted = _uploads(root.store, latest)
    if delete:
        # Attempts that cannot be alive are ended first. Whatever intent is there then is that of a live one.
        root.recover(dead_seconds=older_than)
        left = {each.path: each for each in find_strays(root, latest=latest, live_since=0)}
        root.store.delete(path for path, each in left.items() if each.kind in DELETED)
        for each in uploads:
            if each.kind == "upload" and each.upload is not None:
                root.store.abort(each.upload)
        strays = left | strays
    found = sorted([*strays.values(), *uploads], key=lambda each: (each.path, each.kind))
    return Cleaning(root.place, tuple(found), delete, unlisted)


def _uploads(store: Store, latest: float) -> tuple[list[Stray], str | None]:
    """Uploads that were begun no later than ``latest`` and not ended; and why they could not be listed, if so.

    Those who may read and write objects may not always list uploads. The rest can be cleaned without.
    """
    try:
        found = store.unfinished()
    except DatasetError as error:
        return [], str(error)
    kinds: dict[bool, Kind] = {True: "upload", False: "foreign"}
    old = [each for each in found if each.begun <= latest]
    return [Stray(each.path, kinds[is_written_name(each.path)], 0, each.begun, each) for each in old], None


def find_strays(
    root: Root, *, latest: float, live_since: float, named: Callable[[], set[str]] | None = None
) -> Iterator[Stray]:
    """Files that count for nothing and are not younger than ``latest``; intents younger than ``live_since`` are alive.

    Both are in seconds since 1970. ``named`` are the paths that records name, by default as they say. Files are listed
    first, then intents, and last records: so what is listed and then committed is named by a record that is read later,
    and a file whose attempt goes on is named by an intent.
    """
    store = root.store
    found = [entry for entry in store.entries("") if entry.modified <= latest]
    live = set(_live(store, live_since))
    kept = named() if named else named_paths(store)
    dead = store.workspaces.dead()
    for entry in found:
        kind = _kind(entry.path, dead)
        if kind is not None and entry.path not in kept and entry.path not in live:
            yield Stray(entry.path, kind, entry.size, entry.modified)


def _kind(path: str, dead: set[str]) -> Kind | None:
    """What a file is, if it may be a stray; None if it is one of the root's own."""
    if TABLES.match(path):
        return "part" if is_part_name(path) else "foreign"
    if path.startswith(f"{QUARANTINE}/"):
        return "quarantine" if is_quarantine_name(path) else "foreign"
    if path.startswith(f"{INTENTS}/"):
        return "intent"
    if path.startswith(f"{PROBES}/"):
        return "probe"
    # Temporary files of a live attempt may be of any age.
    is_dead = path.startswith(f"{TMP}/") and path.removeprefix(f"{TMP}/").partition("/")[0] in dead
    return "temporary" if is_dead else None


def _live(store: Store, since: float) -> Iterator[str]:
    """The intents that are younger than ``since``, and all paths that they name."""
    for entry in store.entries(INTENTS):
        key = named_intent(entry.path)[0]
        if entry.modified > since and (data := store.read(entry.path)) is not None:
            yield entry.path
            yield from decode_intent(data, entry.path, key).paths


def named_paths(store: Store) -> set[str]:
    """All paths that records name as their own."""
    return {path for commit in all_commits(store) for path in commit.paths}
