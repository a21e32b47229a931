"""Iceberg tables in a catalog that pyiceberg's own configuration names: REST, Glue, Hive, SQL and others."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.table import Table
from pyiceberg.utils.config import Config

from wsparquet.dataset import Root
from wsparquet.errors import DatasetError, WsparquetError
from wsparquet.iceberg.metadata import initial_metadata, is_own, table_path
from wsparquet.iceberg.tables import Change, Lost, State
from wsparquet.redaction import hide_secrets, printable, secrets_in_options

__all__ = ["NAMESPACE", "TablesInCatalog"]

NAMESPACE = "wsparquet"
"""The namespace of the tables if the name of the catalog has none."""

LONGEST = 300
"""The longest message of a catalog that is quoted, in characters."""


class TablesInCatalog:
    """The Iceberg tables of a root in a catalog; ``catalog`` is ``NAME`` or ``NAME.NAMESPACE``."""

    def __init__(self, root: Root, catalog: str) -> None:
        self._store = root.store
        self._tables = root.schema.tables
        self._root_id = root.version.root_id
        self._base = root.location
        self.place = f"the catalog {catalog}"
        name, _, namespace = catalog.partition(".")
        self._namespace = tuple((namespace or NAMESPACE).split("."))
        self._secrets = secrets_in_options(Config().get_catalog_config(name) or {})
        with self._translated("open"):
            self._catalog: Catalog = load_catalog(name)
            self._secrets = secrets_in_options(self._catalog.properties)
            if not self._catalog.namespace_exists(self._namespace):
                self._catalog.create_namespace_if_not_exists(self._namespace)

    def load(self, name: str) -> State:
        """Return the catalog's table. Raises DatasetError if the table belongs to another root."""
        with self._translated("read"):
            try:
                table = self._catalog.load_table(self._identifier(name))
            except NoSuchTableError:
                return State(
                    name, initial_metadata(self._tables[name], self._location(name), self._root_id), exists=False
                )
        if not is_own(table.metadata, self._location(name), self._root_id):
            raise DatasetError(
                f"{self.place}: expected {self._shown(name)} to be the table of the root {self._base}, found one at "
                f"{printable(table.metadata.location)}; if this root is a copy of another root, or was moved, publish "
                "it in another namespace: end its publication with `stop`, then name the `catalog` as NAME.NAMESPACE"
            )
        return _state(name, table)

    def commit(self, state: State, change: Change) -> State:
        """Create or change the catalog's table. Raises Lost if another publisher was first, or may have been first."""
        with self._translated("write"):
            try:
                if not state.exists:
                    return _state(state.name, self._create(state, change))
                answer = self._catalog.commit_table(state.handle, change.requirements, change.updates)
            except (CommitFailedException, CommitStateUnknownException, TableAlreadyExistsError) as error:
                raise Lost from error
        location = answer.metadata_location
        return State(state.name, answer.metadata, exists=True, location=location, handle=state.handle)

    def _create(self, state: State, change: Change) -> Table:
        """Register a table with its first snapshot: a catalog's own creation would assign new field ids."""
        path = f"{table_path(state.name)}/metadata/00000-{uuid.uuid4()}.metadata.json"
        self._store.put(path, change.applied_to(state).model_dump_json(exclude_none=True).encode("utf-8"))
        return self._catalog.register_table(self._identifier(state.name), f"{self._base}/{path}")

    def settle(self, state: State) -> None:
        """Do nothing: a catalog has one current version."""

    def is_settled(self, state: State) -> bool:
        """Return True: a catalog has one current version."""
        return state.exists

    def drop(self, name: str) -> None:
        """Remove a table from the catalog, without its files. Raises DatasetError if the table is another root's."""
        if self.load(name).exists:
            with self._translated("change"):
                self._catalog.drop_table(self._identifier(name))

    def _identifier(self, name: str) -> tuple[str, ...]:
        return (*self._namespace, name)

    def _shown(self, name: str) -> str:
        return ".".join(self._identifier(name))

    def _location(self, name: str) -> str:
        return f"{self._base}/{table_path(name)}"

    @contextmanager
    def _translated(self, action: str) -> Iterator[None]:
        """Raise DatasetError for any error of a catalog, because each kind of catalog has its own client library."""
        try:
            yield
        except (WsparquetError, Lost):
            raise
        except Exception as error:
            raise DatasetError(
                f"cannot {action} {self.place}: {self._reason(error)}; check the catalog, and its configuration for "
                "pyiceberg (.pyiceberg.yaml, or variables PYICEBERG_CATALOG__...)"
            ) from error

    def _reason(self, error: Exception) -> str:
        reason = hide_secrets(f"{type(error).__name__}: {error}", self._secrets)
        return " ".join(printable(reason).split())[:LONGEST]


def _state(name: str, table: Any) -> State:
    return State(name, table.metadata, exists=True, location=table.metadata_location, handle=table)
