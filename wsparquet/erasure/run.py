"""Erases people from a root, in an order that no other run and no kill can break.

1. The ids go into the root's list of erased people, as keyed hashes. From here on, no run commits rows of these people.
2. The recovery finishes or fences off every attempt that has looked at the list before.
3. Each commit with rows or texts of these people is replaced by one without them, and void rows are removed.
4. The list says that this is done, so that no compaction that began before can come to its end.
5. A published root is published, and all older snapshots are deleted with their files.

Steps 2 to 4 are repeated until they find nothing. A run that is killed is finished by the same command, or without ids.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from wsparquet._version import software_version
from wsparquet.commit.days import AT_ONCE, Counting
from wsparquet.commit.protocol import CommitConflict, DayConflict
from wsparquet.dataset import Access, Root
from wsparquet.dataset.cleaning import find_strays
from wsparquet.dataset.day_parts import DayChange, MergeLimits, PartsGone
from wsparquet.dataset.erased import ErasedList, ErasedMeanwhile, add_erased, change_erased, read_erased
from wsparquet.erasure.certificate import NOT_REACHED, Certificate, Erased, LookedAt, RawFile, Rewritten, masked_ids
from wsparquet.erasure.finding import Finder, Findings
from wsparquet.erasure.people import Ids, given_ids
from wsparquet.erasure.raw_files import search_raw_files
from wsparquet.erasure.rewriting import RewrittenSource, rewrite
from wsparquet.errors import DatasetError, OptionError
from wsparquet.iceberg import publish_changes
from wsparquet.layout import Identity
from wsparquet.log import LOGGER
from wsparquet.options import check_kind
from wsparquet.privacy.ids import KINDS
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.people import People, digest
from wsparquet.source import Sources

__all__ = ["erase"]

STRAYS = frozenset({"part", "quarantine"})
"""The kinds of stray files that may have rows or texts of people."""

TRIES = 20
"""How often the root is searched again if other runs keep changing it."""


def erase(
    root: str | os.PathLike[str],
    *,
    visitors: str | Iterable[str] = (),
    visits: str | Iterable[str] = (),
    customers: str | Iterable[str] = (),
    from_file: str | os.PathLike[str] | None = None,
    search: Sources = (),
    yes: bool = False,
    key_file: str | os.PathLike[str] | None = None,
    storage_options: Mapping[str, Any] | None = None,
    single_writer: bool = False,
) -> Certificate:
    """Erase people from a root: all their rows and texts, in all tables and files, for all later runs too.

    Without ``yes``, only return what would be erased, and write nothing. ``visitors``, ``visits`` and ``customers`` are
    values of ``visitorId``, ``visitId`` and ``customerId``. A customer's visits are erased as a whole. ``from_file`` is
    a file with more ids, one in each line, such as ``visitor A1B2C3``. ``search``: raw files, of which the certificate
    then says whether they have an id; they are never changed.

    The root remembers the ids as keyed hashes. Later conversions, of any file, leave out what belongs to these people,
    and need the same key: ``key_file``, or the environment variable ``WSPARQUET_KEY``. Without ids, all people of the
    list are looked for again, which also finishes an erasure that was interrupted.

    >>> wsparquet.erase("lake", visitors=["A1B2C3D4E5"], yes=True).erased.rows
    {}

    Raises:
        OptionError: a parameter has an invalid value, or the key is missing or another one than that of earlier
            erasures; this error is also a ValueError.
        DatasetError: there is no root, it cannot be read or written, its masks have another key, other runs kept
            changing it, or it is published and cannot be published again. Call again to finish.
        SchemaError: the root has another schema version.

    """
    ids = given_ids(visitors=visitors, visits=visits, customers=customers, file=from_file)
    check_kind("yes", yes, bool, "True or False")
    key = SecretKey.load(key_file)
    access = replace(Access.checked(storage_options, single_writer=single_writer), key=key)
    opened = Root.open(root, create=False, access=access)
    # With another key than that of the masks, masked ids would not be found.
    opened.check_masks()
    searched = partial(search_raw_files, search, root=root, storage_options=storage_options)
    if yes:
        key = _checked_key(opened, key)
        found = _Erasure(opened, _with_hashes(ids, key), key).run(searched)
    else:
        found = _Rehearsal(opened, _with_hashes(ids, key), key).run(searched)
    return replace(found, ids={kind: len(ids[kind]) for kind in KINDS})


Search = Callable[[People], Iterable[RawFile]]


def _checked_key(root: Root, key: SecretKey | None) -> SecretKey:
    """Return the key. Raises OptionError if there is none, or another one than that of earlier erasures."""
    found = read_erased(root.store)
    if found is not None:
        return found.check_key(key, root.store)
    if key is None:
        raise OptionError(
            "key_file",
            "expected a secret key, with which the root remembers the ids, found none; make one with "
            "`openssl rand -hex 32`, keep it safe, and name its file or set WSPARQUET_KEY",
        )
    return key


@dataclass
class _Done:
    """The sums of all that was searched and rewritten."""

    started: float = field(default_factory=time.monotonic)
    looked_at: LookedAt = field(default_factory=LookedAt)
    sources: set[Identity] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    day_parts: set[str] = field(default_factory=set)
    rows: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    container_values: int = 0

    def searched(self, found: Findings) -> None:
        """Add the counts of a search, and what will be rewritten."""
        before = self.looked_at
        self.looked_at = LookedAt(
            max(before.commits, found.commits),
            before.parts + found.parts,
            before.skipped + found.skipped,
            before.quarantine_files + found.quarantine_files,
        )
        for identity, hits in found.sources.items():
            self.sources.add(identity)
            self.parts |= hits.own
            self.day_parts |= hits.merged

    def rewritten(self, source: RewrittenSource) -> None:
        """Add what was left out of a source."""
        self.rows += source.rows
        self.texts += source.texts
        self.container_values += source.container_values

    def certificate(self, root: Root, *, dry_run: bool) -> Certificate:
        """Return the certificate."""
        return Certificate(
            root=root.place,
            root_id=root.version.root_id,
            dry_run=dry_run,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            software=software_version(),
            looked_at=self.looked_at,
            rewritten=Rewritten(len(self.sources), len(self.parts), len(self.day_parts)),
            erased=Erased(dict(+self.rows), self.texts["record"], self.texts["item"], self.container_values),
            not_reached=(*NOT_REACHED, *masked_ids(root.version.masking)),
            seconds=time.monotonic() - self.started,
        )


def _with_hashes(ids: Ids, key: SecretKey | None) -> Ids:
    """Return the ids, and their hashes with the key, which stand in columns that a policy masks by hash."""
    if key is None:
        return ids
    return {
        kind: ids[kind] | {key.digest(value.encode("utf-8", "surrogatepass")) for value in ids[kind]} for kind in KINDS
    }


def _with_visits(ids: Ids, visits: Collection[str]) -> Ids:
    return {**ids, "visit": ids["visit"] | frozenset(visits)}


def _named(ids: Ids) -> People:
    return People.named((kind, value) for kind in KINDS for value in ids[kind])


def _ended(found: ErasedList | None) -> ErasedList:
    """Return the list after all commits are without these people."""
    if found is None:
        raise DatasetError(
            "expected a list of erased people, found that somebody has deleted it; restore it from a copy"
        )
    return replace(found, ends=found.ends + 1)


def _finished(found: ErasedList | None, *, marks: int) -> ErasedList:
    """Return the list after the erasure, unless another erasure has added people meanwhile, which finishes itself."""
    listed = _ended(found)
    return replace(listed, unfinished=listed.unfinished and listed.marks != marks)


class _Rehearsal:
    """A dry run: the search alone. Without ids, it searches for the people of the list."""

    def __init__(self, root: Root, ids: Ids, key: SecretKey | None) -> None:
        self._root = root
        self._ids = ids
        self._key = key

    def run(self, search: Search) -> Certificate:
        """Search, and return the certificate of a dry run."""
        done = _Done()
        ids, people = self._ids, self._people(self._ids)
        while True:
            found = Finder(self._root, people, ids if any(self._ids.values()) else None).find()
            if found.visits <= ids["visit"] or not any(self._ids.values()):
                break
            ids = _with_visits(ids, found.visits)
            people = self._people(ids)
        done.searched(found)
        done.rows = +found.rows
        for hits in found.sources.values():
            done.texts.update(kind for _, kind in hits.texts)
            done.container_values += hits.container_values
        certificate = done.certificate(self._root, dry_run=True)
        visits = len(ids["visit"]) - len(self._ids["visit"])
        return replace(certificate, visits_of_customers=visits, raw_files=tuple(search(people)))

    def _people(self, ids: Ids) -> People:
        if any(ids.values()):
            return _named(ids)
        listed = _listed(self._root)
        return People.erased(listed.check_key(self._key, self._root.store), listed.digests)


def _listed(root: Root) -> ErasedList:
    """Return the list of erased people. Raises OptionError if there is none, because then ids are needed."""
    found = read_erased(root.store)
    if found is None:
        raise OptionError("visitors", "expected the id of a visitor, visit or customer, found none")
    return found


class _Erasure:
    """An erasure; see the module."""

    def __init__(self, root: Root, ids: Ids, key: SecretKey) -> None:
        self._root = root
        self._ids = ids
        self._key = key
        self._done = _Done()
        self._by_digest = not any(ids.values())
        self._marked = False
        if self._by_digest:
            _listed(root)

    def run(self, search: Search) -> Certificate:
        """Erase the people, and return the certificate."""
        root = self._root
        root.recover()
        root.settle(root.commits())
        ids = self._with_all_visits()
        listed = self._mark(ids)
        finder, ended = self._finder(ids, listed), False
        for _ in range(TRIES):
            root.fence()
            found = finder.find()
            if new := self._unlisted(found.visits, listed):
                ids = _with_visits(ids, new)
                listed = self._mark(ids)
                finder = self._finder(ids, listed)
                continue
            self._done.searched(found)
            self._rewrite(found, People.erased(self._key, listed.digests))
            if not self._is_settled() or found.sources:
                ended = False
            elif ended:
                return self._end(ids, listed, search)
            else:
                change_erased(root.store, _ended)
                ended = True
        raise DatasetError(
            f"{root.place}: expected that other runs pause, found that they changed the root during {TRIES} searches; "
            "run the same command again to finish"
        )

    def _with_all_visits(self) -> Ids:
        """Return the ids with the visits of the customers, as far as the root has them now."""
        if not self._ids["customer"]:
            return self._ids
        only = {**dict.fromkeys(KINDS, frozenset[str]()), "customer": self._ids["customer"]}
        return _with_visits(self._ids, Finder(self._root, _named(only), only).find().visits)

    def _mark(self, ids: Ids) -> ErasedList:
        """Add the ids to the list. If another erasure has not ended, also search for its people, by their digests."""
        digests = {kind: [digest(self._key, kind, value) for value in ids[kind]] for kind in KINDS}
        listed, others_unfinished = add_erased(self._root.store, self._key, digests)
        if not self._marked:
            self._by_digest |= others_unfinished
            self._marked = True
        return listed

    def _unlisted(self, visits: Collection[str], listed: ErasedList) -> set[str]:
        """Return the visits that are not in the list yet."""
        return {visit for visit in visits if digest(self._key, "visit", visit) not in listed.digests["visit"]}

    def _people(self, ids: Ids, listed: ErasedList) -> People:
        return People.erased(self._key, listed.digests) if self._by_digest else _named(ids)

    def _finder(self, ids: Ids, listed: ErasedList) -> Finder:
        return Finder(self._root, self._people(ids, listed), None if self._by_digest else ids)

    def _rewrite(self, found: Findings, people: People) -> None:
        """Replace each commit with hits; what another run changes meanwhile is found by the next search."""
        days = self._root.log.days()
        for identity, hits in found.sources.items():
            commit = self._root.log.read(identity)
            if commit is not None and commit.content_id == hits.content_id:
                with suppress(CommitConflict, PartsGone, ErasedMeanwhile):
                    self._done.rewritten(rewrite(self._root, commit, Counting([commit], days), hits, people))
                    LOGGER.info("erased people from %s", commit.facts.source_name)

    def _is_settled(self) -> bool:
        """Remove void rows, and replaced files that wait; return whether nothing of them is left."""
        root = self._root
        root.settle_days(root.commits())
        for record in root.log.days().values():
            if record.keeps_replaced():
                with suppress(DayConflict, PartsGone):
                    root.replace_day(
                        DayChange(record.identity, record, record.members, record.parts),
                        MergeLimits(keep_until=AT_ONCE),
                    )
        commits = root.commits()
        return all(
            not record.keeps_replaced()
            and all(commits.has_content(each.content_id) for each in record.members.values())
            for record in root.log.days().values()
        )

    def _end(self, ids: Ids, listed: ErasedList, search: Search) -> Certificate:
        root = self._root
        strays = self._delete_strays()
        published = root.version.publication is not None
        publish_changes(root, forget=True)
        change_erased(root.store, partial(_finished, marks=listed.marks))
        certificate = self._done.certificate(root, dry_run=False)
        return replace(
            certificate,
            visits_of_customers=len(ids["visit"]) - len(self._ids["visit"]),
            key=self._key.fingerprint,
            digests={kind: tuple(sorted(digest(self._key, kind, each) for each in ids[kind])) for kind in KINDS},
            published=published,
            strays=strays,
            raw_files=tuple(search(self._people(ids, listed))),
        )

    def _delete_strays(self) -> int:
        """Delete files that killed runs have left, which may have rows of the people, and return their number."""
        found = [each for each in find_strays(self._root, latest=time.time() + 60, live_since=0) if each.kind in STRAYS]
        self._root.retired.delete(each.path for each in found)
        return len(found)
