"""The file ``_wsparquet/root.json``, which only this module reads, writes and checks.

The file contains the root's id, its schema version, and the features that software must support to use the root. All
files of a root have the same schema version, because query engines drop or reject columns that only some files have.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from functools import partial

from wsparquet._version import software_version
from wsparquet.commit.log import CommitLog
from wsparquet.commit.parsing import remedy_for
from wsparquet.commit.record import FORMAT_VERSION, encode_json
from wsparquet.errors import DatasetError, OptionError, SchemaError
from wsparquet.layout import ROOT_FILE
from wsparquet.privacy.policy import Policy
from wsparquet.schema import DOCUMENTED, SCHEMA_VERSION, TABLES, Schema
from wsparquet.schema.extended import KeptExtension
from wsparquet.store.changes import change_file, put_expected
from wsparquet.store.store import Absent, Changed, Store

__all__ = [
    "ERASED",
    "EXPIRED",
    "EXTENDED",
    "MASKED",
    "PUBLISHED",
    "Extending",
    "Masking",
    "Publication",
    "RootVersion",
    "change_version",
    "check_new",
    "create_version",
    "has_version",
    "is_published",
    "read_version",
]


PUBLISHED = "published"
"""The feature of published roots: software without it would delete parts that a published snapshot names."""

EXTENDED = "extension"
"""The feature of roots with an extension: software without it would write files with other columns."""

EXPIRED = "expired"
"""The feature of roots with expired days: software without it would convert rows of these days again."""

ERASED = "erased"
"""The feature of roots with erased people: software without it would convert their rows again."""

MASKED = "masked"
"""The feature of roots with a policy of masks: software without it would write rows that are not masked."""

FEATURES = frozenset({ERASED, EXPIRED, EXTENDED, MASKED, PUBLISHED})
"""The features of roots that this software supports. Each root names the features that it requires."""


@dataclass(frozen=True, slots=True)
class Publication:
    """Where a root is published as Iceberg tables.

    ``catalog`` is ``NAME`` or ``NAME.NAMESPACE`` in the configuration of pyiceberg, or None if the tables are in the
    root itself. ``keep_seconds`` is how long old snapshots and their metadata are kept. ``location`` is the root's
    location when it was published: a copy of the root has another location.
    """

    catalog: str | None
    keep_seconds: float
    location: str


@dataclass(frozen=True, slots=True)
class Extending:
    """An extension that began, but has not finished: ``before`` is the extension of the parts that it has not reached.

    It is None if the root had no extension.
    """

    before: KeptExtension | None

    @property
    def tables(self) -> Schema:
        """The tables of the parts that are not extended yet."""
        return DOCUMENTED if self.before is None else self.before.schema


@dataclass(frozen=True, slots=True)
class Masking:
    """The policy that masks all rows of a root, and the fingerprint of the key of its hashes, if it has any."""

    policy: Policy
    key_fingerprint: str | None

    def to_json(self) -> dict[str, object]:
        """Return the member ``masking`` of ``root.json``. ``policy_hash`` tells people whether two roots agree."""
        values = {"policy": self.policy.to_json(), "policy_hash": self.policy.hash}
        return values | {"key_fingerprint": self.key_fingerprint}


@dataclass(frozen=True, slots=True)
class RootVersion:
    """The schema version of a root, and the other facts that decide which software may use the root.

    During a replay, ``replaying_from`` is the version of the sources that are not yet replayed. ``root_id`` is a random
    value that identifies the root. ``requires`` names the features that software must support to read and write the
    root correctly. ``publication`` says where the root is published, if it is. ``extension`` is what the
    root adds to the documented schema; while ``extending`` is not None, some parts do not have it yet. ``expired`` has
    the first day that did not expire, by table: no run adds rows of earlier days. ``masking`` is the policy of its
    masks, if it has one, and never changes.
    """

    schema: int
    replaying_from: int | None = None
    root_id: str = field(default_factory=lambda: secrets.token_hex(16))
    requires: tuple[str, ...] = ()
    publication: Publication | None = None
    extension: KeptExtension | None = None
    extending: Extending | None = None
    expired: Mapping[str, date] = field(default_factory=dict)
    masking: Masking | None = None

    def check(self, store: Store) -> None:
        """Raise SchemaError unless all files of the root have the schema version of this software."""
        self.check_not_newer(store)
        where = store.place(ROOT_FILE)
        if self.schema < SCHEMA_VERSION:
            raise SchemaError(
                f"{where}: expected schema version {SCHEMA_VERSION}, found the older {self.schema}; update the "
                "root with `wsparquet replay`, or use the version of wsparquet that wrote it"
            )
        if self.replaying_from is not None:
            raise SchemaError(
                f"{where}: expected one schema version, found an unfinished replay from {self.replaying_from} to "
                f"{self.schema}; run `wsparquet replay` until it finishes"
            )
        self.check_extended(store)

    def check_extended(self, store: Store) -> None:
        """Raise SchemaError unless all parts of the root have its extension."""
        if self.extending is not None:
            raise SchemaError(
                f"{store.place(ROOT_FILE)}: expected that all parts have the root's extension, found that `wsparquet "
                "extend` has not finished; run it again with the same file"
            )

    def is_published_in(self, location: str) -> bool:
        """Return whether the root at this location has its published tables in itself.

        The tables of a copied root are in the original.
        """
        found = self.publication
        return found is not None and found.catalog is None and found.location == location

    @property
    def tables(self) -> Schema:
        """The tables of the root. Raises SchemaError if the extension is not valid."""
        return DOCUMENTED if self.extension is None else self.extension.schema

    def checked(self, store: Store) -> Schema:
        """Return the tables of the root. Raises the errors of ``check``."""
        self.check(store)
        return self.tables

    def check_not_newer(self, store: Store) -> None:
        """Raise SchemaError if the root has a newer schema version, or requires a feature that is not supported."""
        if unknown := sorted({*self.requires} - FEATURES):
            raise SchemaError(
                f"{store.place(ROOT_FILE)}: expected a root that this version of wsparquet supports, found one that "
                f"requires {', '.join(unknown)}; upgrade wsparquet"
            )
        if self.schema > SCHEMA_VERSION:
            raise SchemaError(
                f"{store.place(ROOT_FILE)}: expected schema version {SCHEMA_VERSION}, found {self.schema}; "
                "upgrade wsparquet"
            )

    def to_json(self) -> bytes:
        """Return the content of ``root.json``."""
        values = {
            "format_version": FORMAT_VERSION,
            "schema_version": self.schema,
            "replaying_from": self.replaying_from,
            "root_id": self.root_id,
            "requires": self.requires,
            "published": asdict(self.publication) if self.publication else None,
            "extension": self.extension.to_dict() if self.extension else None,
            "extending": {"before": each.to_dict() if (each := self.extending.before) else None}
            if self.extending
            else None,
            "expired": {table: day.isoformat() for table, day in self.expired.items()},
            "masking": self.masking.to_json() if self.masking else None,
            "software": software_version(),
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        return encode_json(values)


def has_version(store: Store) -> bool:
    """Return whether ``root.json`` exists."""
    return store.read(ROOT_FILE) is not None


def read_version(store: Store) -> RootVersion:
    """Return the version in ``root.json``. Raises DatasetError if the file is missing or not valid."""
    return _decoded(store, store.read(ROOT_FILE))


def _decoded(store: Store, data: bytes | None) -> RootVersion:
    where = store.place(ROOT_FILE)
    if data is None:
        raise DatasetError(f"{store.place()}: expected a root with {ROOT_FILE}, found none; check the path")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _unreadable(where, "a JSON object", data) from error
    if not isinstance(values, dict):
        raise _unreadable(where, "a JSON object", data)
    _check_format(where, values.get("format_version"))
    version, before = values.get("schema_version"), values.get("replaying_from")
    if type(version) is not int or version < 0:
        raise _unreadable(where, "a number of 0 or more as schema_version", version)
    if before is not None and (type(before) is not int or not 0 <= before < version):
        raise _unreadable(where, f"a number from 0 to {version - 1} as replaying_from, or null", before)
    return RootVersion(
        version,
        before,
        *_identity(where, values),
        _publication(where, values.get("published")),
        _extension(where, values.get("extension")),
        _extending(where, values.get("extending")),
        _expired(where, values.get("expired", {})),
        _masking(where, values.get("masking")),
    )


def _extension(where: str, values: object) -> KeptExtension | None:
    """Return the root's extension, or None. Raises DatasetError if the values are not valid."""
    if values is None:
        return None
    match values:
        case {"hash": str() as expected, "text": str() as text, "ids": dict() as ids} if all(
            map(_are_ids, ids.values())
        ):
            found = KeptExtension(text, ids)
            if found.schema.hash == expected:
                return found
    raise _unreadable(where, "an object with hash, text and ids as extension, which fit together, or null", values)


def _are_ids(values: object) -> bool:
    return isinstance(values, dict) and all(type(number) is int for number in values.values())


def _extending(where: str, values: object) -> Extending | None:
    match values:
        case None:
            return None
        case {"before": before}:
            return Extending(_extension(where, before))
    raise _unreadable(where, "an object with before as extending, or null", values)


def _identity(where: str, values: dict[str, object]) -> tuple[str, tuple[str, ...]]:
    """Return the root's id and the features that it requires.

    Raises DatasetError if the id or a feature is not valid.
    """
    root_id, requires = values.get("root_id"), values.get("requires")
    if not isinstance(root_id, str) or not root_id:
        raise _unreadable(where, "text as root_id", root_id)
    if not isinstance(requires, list) or not all(isinstance(feature, str) for feature in requires):
        raise _unreadable(where, "a list of names as requires", requires)
    return root_id, tuple(requires)


def _publication(where: str, values: object) -> Publication | None:
    """Return where the root is published, or None. Raises DatasetError if the values are not valid."""
    if values is None:
        return None
    match values:
        case {"catalog": str() | None as catalog, "keep_seconds": int() | float() as keep, "location": str() as place}:
            return Publication(catalog, keep, place)
    raise _unreadable(where, "an object with catalog, keep_seconds and location as published, or null", values)


def _expired(where: str, values: object) -> dict[str, date]:
    """Return the first day that did not expire, by table. Raises DatasetError if the values are not valid."""
    try:
        if isinstance(values, dict):
            return {table: date.fromisoformat(day) for table, day in values.items()}
    except (TypeError, ValueError):
        pass
    raise _unreadable(where, "an object of days such as 2026-06-30 as expired", values)


def _masking(where: str, values: object) -> Masking | None:
    """Return the root's policy of masks, or None. Raises DatasetError if the values are not valid."""
    if values is None:
        return None
    match values:
        case {"policy": dict() as policy, "policy_hash": str() as digest, "key_fingerprint": str() | None as key}:
            with suppress(OptionError, KeyError, TypeError, ValueError):
                found = Masking(Policy.from_json(policy), key)
                if found.policy.hash == digest and found.policy.needs_key == (key is not None):
                    return found
    raise _unreadable(where, "a policy that fits policy_hash and key_fingerprint as masking, or null", values)


def is_published(store: Store) -> bool:
    """Return whether the root is published now. Raises DatasetError if ``root.json`` exists and is not valid."""
    return has_version(store) and read_version(store).publication is not None


def _check_format(where: str, found: object) -> None:
    """Raise DatasetError unless the file has the format version that this software writes."""
    if type(found) is not int or found < 1:
        raise _unreadable(where, "a number of 1 or more as format_version", found)
    if found != FORMAT_VERSION:
        raise SchemaError(f"{where}: expected format version {FORMAT_VERSION}, found {found}; {remedy_for(found)}")


def _unreadable(where: str, expected: str, found: object) -> DatasetError:
    return DatasetError(
        f"{where}: expected {expected}, found {repr(found)[:100]}; restore the file from a copy, or convert into a new "
        "root"
    )


def check_new(store: Store) -> None:
    """Check that a new root can be created here.

    Raises DatasetError if the place already has commits, because their schema version is unknown. Also raises
    DatasetError if the place has datasets without commits: their sources would be converted again, and each row would
    exist twice.
    """
    commit = CommitLog(store).first_path()
    part = next((entry.path for table in TABLES for entry in store.entries(f"record_type={table}")), None)
    if has_version(store):
        # Another process has created the root since the caller looked.
        return
    if commit is not None:
        raise DatasetError(
            f"{store.place(ROOT_FILE)}: expected the root's schema version, found no file, although the root has "
            f"{commit}; restore the file from a copy, or convert into a new root"
        )
    if part is not None:
        raise DatasetError(
            f"{store.place()}: expected an empty place for a new root, found datasets without commit records, such as "
            f"{part}; if this is a copy of a root, copy its folder _wsparquet too, otherwise choose another place"
        )


def create_version(store: Store, masking: Masking | None = None) -> None:
    """Write ``root.json`` of a new root, which ``check_new`` allows, unless another process writes it first."""
    requires = (MASKED,) if masking is not None else ()
    data = RootVersion(SCHEMA_VERSION, requires=requires, masking=masking).to_json()
    # Otherwise another process has written the file. If the store has no conditional writes, and the user has not
    # promised a single writer, the first commit fails.
    with suppress(Changed):
        put_expected(store, ROOT_FILE, data, Absent())


def change_version(store: Store, change: Callable[[RootVersion], RootVersion]) -> RootVersion:
    """Replace the version in ``root.json`` by the result of ``change``, and return the new version.

    If another process replaces the file at the same time, ``change`` is called again. Raises DatasetError if the file
    is missing or not valid, and any error of ``change``.
    """
    decode = partial(_decoded, store)
    return change_file(store, ROOT_FILE, decode=decode, change=change, encode=RootVersion.to_json)
