"""Which schema version a root has, one for all of its files: engines drop or refuse columns that some files have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from wsparquet._version import software_version
from wsparquet.commit.record import FORMAT_VERSION, encode_json
from wsparquet.errors import DatasetError, SchemaError
from wsparquet.layout import COMMITS, ROOT_RECORD
from wsparquet.schema import SCHEMA_VERSION
from wsparquet.store.store import Absent, Changed, Refused, Store

__all__ = ["RootVersion", "create_version", "read_version", "replace_version"]


@dataclass(frozen=True, slots=True)
class RootVersion:
    """The schema version of a root; ``replaying_from`` is the older one that some of its sources may still be of."""

    schema: int
    replaying_from: int | None = None

    def check(self, where: str) -> None:
        """Raise SchemaError unless all of the root is of this software's version."""
        self.check_not_newer(where)
        if self.schema < SCHEMA_VERSION:
            raise SchemaError(
                f"{where}: expected schema version {SCHEMA_VERSION}, found the older {self.schema}; bring the root up "
                "to date with `wsparquet replay`, or go on with the wsparquet that wrote it"
            )
        if self.replaying_from is not None:
            raise SchemaError(
                f"{where}: expected one schema version, found a root on its way from {self.replaying_from} to "
                f"{self.schema}; run `wsparquet replay` to its end"
            )

    def check_not_newer(self, where: str) -> None:
        """Raise SchemaError if the root is of a newer version than this software's."""
        if self.schema > SCHEMA_VERSION:
            raise SchemaError(
                f"{where}: expected schema version {SCHEMA_VERSION}, found {self.schema}; upgrade wsparquet"
            )

    def to_json(self) -> bytes:
        """The root's record as its file holds it."""
        values = {
            "format_version": FORMAT_VERSION,
            "schema_version": self.schema,
            "replaying_from": self.replaying_from,
            "software": software_version(),
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        return encode_json(values)


def read_version(store: Store) -> RootVersion:
    """The version that a root says it has. Raises DatasetError if there is no root, or nothing that can be read."""
    where = store.place(ROOT_RECORD)
    data = store.read(ROOT_RECORD)
    if data is None:
        raise DatasetError(f"{store.place()}: expected a root with {ROOT_RECORD}, found none; check the path")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _unreadable(where, "a JSON object", data) from error
    if not isinstance(values, dict):
        raise _unreadable(where, "a JSON object", data)
    _check_format(where, values.get("format_version"))
    version, before = values.get("schema_version"), values.get("replaying_from")
    if type(version) is not int or version < 0:
        raise _unreadable(where, "a number from 0 on as schema_version", version)
    if before is not None and (type(before) is not int or not 0 <= before < version):
        raise _unreadable(where, f"a number from 0 to {version - 1} as replaying_from, or null", before)
    return RootVersion(version, before)


def _check_format(where: str, found: object) -> None:
    """Raise unless the file is of the format that this software writes."""
    if type(found) is not int or found < 1:
        raise _unreadable(where, "a number from 1 on as format_version", found)
    if found != FORMAT_VERSION:
        remedy = "upgrade wsparquet" if found > FORMAT_VERSION else "use the wsparquet that wrote it"
        raise SchemaError(f"{where}: expected format version {FORMAT_VERSION}, found {found}; {remedy}")


def _unreadable(where: str, expected: str, found: object) -> DatasetError:
    return DatasetError(
        f"{where}: expected {expected}, found {repr(found)[:100]}; restore the file from a copy, or convert into a new "
        "root"
    )


def create_version(store: Store) -> None:
    """Say which schema version a new root has, unless it is said already."""
    commit = next(store.entries(COMMITS), None)
    if commit is not None:
        raise DatasetError(
            f"{store.place(ROOT_RECORD)}: expected the root's schema version, found no file, though there is "
            f"{commit.path}; restore the file from a copy, or convert into a new root"
        )
    data = RootVersion(SCHEMA_VERSION).to_json()
    try:
        store.put(ROOT_RECORD, data, expect=Absent())
    except Changed:
        # Another process was faster.
        return
    except Refused:
        # Such a store has one writer at a time, or is refused before anything is committed.
        store.put(ROOT_RECORD, data)


def replace_version(store: Store, version: RootVersion) -> None:
    """Have a root say another version."""
    store.put(ROOT_RECORD, version.to_json())
