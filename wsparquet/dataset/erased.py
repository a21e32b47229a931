"""The list of erased people in ``_wsparquet/erased.json``: hashes of their ids. Only this module reads and writes it.

The hashes are keyed (HMAC-SHA256), so that nobody without the key can look up whether somebody was erased. The list is
never shortened. It has two counters, by which a run that is about to commit notices that the list has changed since the
run looked at it:

- ``marks`` rises when ids are added, before any row is erased. A commit that was prepared with an older list must not
  be made, because it may have rows of these people.
- ``ends`` rises when all commit records are without these people. A compaction that began before must not be made: it
  may have merged rows that no longer count.

Each attempt compares them after its intent exists. An erasure first changes the list, and then has the recovery finish
or fence off all attempts with an intent. So either the attempt sees the change, or the erasure sees the attempt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from wsparquet.commit.record import FORMAT_VERSION, encode_json
from wsparquet.dataset.version import ERASED, RootVersion, change_version, read_version
from wsparquet.errors import DatasetError, OptionError
from wsparquet.layout import ERASED_FILE
from wsparquet.privacy.ids import KINDS, Kind
from wsparquet.privacy.keys import KEY_VARIABLE, SecretKey
from wsparquet.privacy.people import Digests, People
from wsparquet.store.changes import change_file
from wsparquet.store.store import Store

__all__ = ["ErasedList", "ErasedMeanwhile", "add_erased", "change_erased", "people_of", "read_erased"]

HEX_DIGITS = 64


class ErasedMeanwhile(DatasetError):
    """People were erased from the root while an attempt was prepared that may have rows of them."""


@dataclass(frozen=True)
class ErasedList:
    """The hashes of erased ids by kind, and the fingerprint of the key that made them.

    ``unfinished``: whether an erasure has begun and not ended, so that rows of these people may still be in the root.
    """

    fingerprint: str
    digests: Digests = field(default_factory=lambda: dict.fromkeys(KINDS, frozenset()))
    marks: int = 0
    ends: int = 0
    unfinished: bool = False

    @property
    def state(self) -> tuple[int, int]:
        """The two counters."""
        return self.marks, self.ends

    def to_json(self) -> bytes:
        """Return the content of the file."""
        digests = {kind: sorted(self.digests[kind]) for kind in KINDS}
        return encode_json({"format_version": FORMAT_VERSION, **asdict(self), "digests": digests})

    def check_key(self, key: SecretKey | None, store: Store) -> SecretKey:
        """Return the key if it is the one of this list. Raises OptionError otherwise."""
        remedy = f"set {KEY_VARIABLE}, or name its file with `key_file`"
        if key is None:
            raise OptionError(
                "key_file", f"expected the key with which people were erased from {store.place()}, found none; {remedy}"
            )
        if key.fingerprint != self.fingerprint:
            raise OptionError(
                "key_file",
                f"expected the key with the fingerprint {self.fingerprint}, with which people were erased from "
                f"{store.place()}, found one with {key.fingerprint}; {remedy}",
            )
        return key


def read_erased(store: Store) -> ErasedList | None:
    """Return the list of erased people, or None if nobody was erased.

    Raises DatasetError if the root requires a list and it is missing, or if it is not valid.
    """
    if ERASED not in read_version(store).requires:
        return None
    data = store.read(ERASED_FILE)
    if data is None:
        raise _wrong(store, "the list of erased people", "no file")
    return _decoded(store, data)


def people_of(store: Store, key: Callable[[], SecretKey | None]) -> tuple[People, ErasedList] | None:
    """Return the erased people of a root and their list, or None if nobody was erased; only then no key is needed.

    Raises OptionError if the key is missing, or is another one than that of the list.
    """
    found = read_erased(store)
    return None if found is None else (People.erased(found.check_key(key(), store), found.digests), found)


def state_of(store: Store) -> tuple[int, int]:
    """Return the counters of the list as it is now, even if the root does not yet require it."""
    data = store.read(ERASED_FILE)
    return (0, 0) if data is None else _decoded(store, data).state


def add_erased(store: Store, key: SecretKey, digests: Mapping[Kind, Iterable[str]]) -> tuple[ErasedList, bool]:
    """Add hashes to the list, mark it as unfinished, and make the root require the list.

    Return the list, and whether it was unfinished before. The file is written first: a root that requires a list always
    has one. Raises OptionError if the list has hashes of another key.
    """
    unfinished = False

    def added(found: ErasedList | None) -> ErasedList:
        nonlocal unfinished
        before = found or ErasedList(key.fingerprint)
        before.check_key(key, store)
        unfinished = before.unfinished
        after = {kind: before.digests[kind] | frozenset(digests.get(kind, ())) for kind in KINDS}
        if found is not None and after == before.digests:
            return replace(before, unfinished=True)
        return replace(before, digests=after, marks=before.marks + 1, unfinished=True)

    found = change_erased(store, added)

    def requiring(version: RootVersion) -> RootVersion:
        return replace(version, requires=tuple(sorted({*version.requires, ERASED})))

    change_version(store, requiring)
    return found, unfinished


def change_erased(store: Store, change: Callable[[ErasedList | None], ErasedList]) -> ErasedList:
    """Replace the list by what ``change`` makes of it; ``change`` is called again if another process was first."""

    def decode(data: bytes | None) -> ErasedList | None:
        return None if data is None else _decoded(store, data)

    return change_file(store, ERASED_FILE, decode=decode, change=change, encode=ErasedList.to_json)


def _decoded(store: Store, data: bytes) -> ErasedList:
    """Return the list in the file's content. Raises DatasetError if it is not valid."""
    try:
        values: dict[str, Any] = json.loads(data)
        lists = {kind: values["digests"][kind] for kind in KINDS}
        numbers = [values[name] for name in ("format_version", "marks", "ends")]
        texts = [values["fingerprint"], *(each for found in lists.values() for each in found)]
        right = all(type(each) is str for each in texts) and all(type(each) is int for each in numbers)
        right = right and type(values["unfinished"]) is bool and values["format_version"] == FORMAT_VERSION
        right = right and all(len(each) == HEX_DIGITS for each in texts[1:])
    except (ValueError, KeyError, TypeError, RecursionError):
        right = False
    if not right:
        raise _wrong(store, "a list of hashes", f"{len(data)} other bytes")
    digests: Digests = {kind: frozenset(lists[kind]) for kind in KINDS}
    return ErasedList(values["fingerprint"], digests, values["marks"], values["ends"], values["unfinished"])


def _wrong(store: Store, expected: str, found: str) -> DatasetError:
    return DatasetError(
        f"{store.place(ERASED_FILE)}: expected {expected}, found {found}; restore the file from a copy, because "
        "without it rows of erased people would come back"
    )
