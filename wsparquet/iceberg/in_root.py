"""Iceberg tables without a catalog, in the layout that engines read from a folder or a bucket.

``metadata/v<N>.metadata.json`` are the versions of a table, and ``metadata/version-hint.text`` has the number of the
newest one. A version is only ever created, so of two publishers that create the same one, the second has lost. The hint
may be behind for a moment, never ahead. Old versions are deleted in ascending order (``expiry``), and a publisher that
slept meanwhile recognizes that, because the version before its own is gone.
"""

from __future__ import annotations

import re

from pyiceberg.exceptions import ValidationError
from pyiceberg.table.metadata import TableMetadata, TableMetadataUtil

from wsparquet.dataset import Root
from wsparquet.errors import DatasetError
from wsparquet.iceberg.metadata import initial_metadata, is_own, table_path
from wsparquet.iceberg.tables import Change, Lost, State
from wsparquet.store.changes import put_expected
from wsparquet.store.store import Absent, Changed, Version

__all__ = ["TablesInRoot"]

HINT = "version-hint.text"
VERSION = re.compile(r"v([1-9][0-9]{0,17})\.metadata\.json", re.ASCII)
TRIES = 100


class TablesInRoot:
    """The Iceberg tables of a root, in the folder ``_wsparquet/iceberg`` of this root."""

    def __init__(self, root: Root) -> None:
        self._store = root.store
        self._tables = root.schema.tables
        self._root_id = root.version.root_id
        self._base = root.location
        self.place = root.place

    def load(self, name: str) -> State:
        """Return the newest version of a table, or a new table if the table is missing or belongs to a copied root."""
        for _ in range(TRIES):
            version = self._newest(name)
            fresh = initial_metadata(self._tables[name], self._location(name), self._root_id)
            if version == 0:
                return State(name, fresh, exists=False)
            path = self._path(name, version)
            data = self._store.read(path)
            if data is not None:
                metadata = _parsed(data, self._store.place(path))
                own = is_own(metadata, self._location(name), self._root_id)
                location = f"{self._base}/{path}" if own else None
                return State(name, metadata if own else fresh, own, location, version, handle=data)
            # Another publisher has deleted this old version, so there is a newer one.
        raise self._restless(name)

    def commit(self, state: State, change: Change) -> State:
        """Create the next version. Raises Lost if another publisher has created that version."""
        metadata = change.applied_to(state)
        path = self._path(state.name, state.version + 1)
        try:
            data = metadata.model_dump_json(exclude_none=True).encode("utf-8")
            put_expected(self._store, path, data, Absent())
        except Changed as error:
            raise Lost from error
        self._check_awake(state)
        location = f"{self._base}/{path}"
        return State(state.name, metadata, exists=True, location=location, version=state.version + 1, handle=data)

    def _check_awake(self, state: State) -> None:
        """Raise Lost if this publisher slept so long that its new version follows nothing.

        Other publishers may have created the same version before, and deleted it as an old one. Or the publication has
        ended meanwhile, and perhaps begun anew. In all these cases the loaded version is gone, or is another one.
        """
        version = state.version
        awake = self._store.read(self._path(state.name, version)) == state.handle if version else True
        if not awake or (version == 0 and self._newest(state.name) > 1):
            self._store.delete([self._path(state.name, version + 1)])
            raise Lost

    def settle(self, state: State) -> None:
        """Move the hint to the newest version: the version of ``state``, or one that appears during this call.

        A publisher that is slow, or was killed before this step, would otherwise send readers back in time, to a
        version whose files are deleted.
        """
        path, version = f"{table_path(state.name)}/metadata/{HINT}", state.version
        for _ in range(TRIES):
            found = self._store.read_version(path)
            version = max(version, self._hinted(state.name, found))
            while self._exists(state.name, version + 1):
                version += 1
            if found is not None and found[0] == str(version).encode():
                # The publisher that moved the hint here may have been killed before this was durable.
                self._store.sync(path)
                return
            try:
                put_expected(self._store, path, str(version).encode(), Absent() if found is None else found[1])
            except Changed:
                continue
        raise self._restless(state.name)

    def is_settled(self, state: State) -> bool:
        """Return whether the hint names the version of ``state``."""
        return self._store.read(f"{table_path(state.name)}/metadata/{HINT}") == str(state.version).encode()

    def _hinted(self, name: str, found: tuple[bytes, Version] | None) -> int:
        """Return the version in the hint, or 0 if there is no hint or no such version."""
        number = int(found[0]) if found is not None and found[0].isdigit() else 0
        return number if self._exists(name, number) else 0

    def _exists(self, name: str, version: int) -> bool:
        return version > 0 and self._store.read(self._path(name, version)) is not None

    def drop(self, name: str) -> None:
        """Delete the hint and all versions of a table."""
        folder = f"{table_path(name)}/metadata"
        self._store.delete([f"{folder}/{HINT}"])
        self._store.delete(f"{folder}/{file}" for file in sorted(self._versions(name).values()))

    def _newest(self, name: str) -> int:
        return max(self._versions(name), default=0)

    def _versions(self, name: str) -> dict[int, str]:
        folder = f"{table_path(name)}/metadata"
        files = (entry.path.removeprefix(f"{folder}/") for entry in self._store.entries(folder))
        return {int(match[1]): match[0] for file in files if (match := VERSION.fullmatch(file))}

    def _location(self, name: str) -> str:
        return f"{self._base}/{table_path(name)}"

    def _path(self, name: str, version: int) -> str:
        return f"{table_path(name)}/metadata/v{version}.metadata.json"

    def _restless(self, name: str) -> DatasetError:
        return DatasetError(
            f"{self._store.place(table_path(name))}: expected a pause between changes, found "
            f"{TRIES} changes by other publishers in a moment; run again"
        )


def _parsed(data: bytes, where: str) -> TableMetadata:
    try:
        return TableMetadataUtil.parse_raw(data.decode("utf-8"))
    except (ValueError, ValidationError) as error:
        raise DatasetError(
            f"{where}: expected the metadata of an Iceberg table, found {len(data)} other bytes; end the "
            "publication with `wsparquet publish --stop`, and publish again"
        ) from error
