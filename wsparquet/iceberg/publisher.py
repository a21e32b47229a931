"""Publishes a root: makes its Iceberg tables name exactly the parts that count, then deletes the parts that wait.

The order of the steps keeps readers correct, whatever other runs and publishers do at the same time:

1. The lists of retired parts are read. No commit record names these parts any more.
2. The tables are loaded.
3. The commit records are read. A publisher that wins has therefore read records that are no older than the records of
   the previous publisher.
4. Each table with a difference gets one snapshot, provided that the table is as it was loaded. A table with retired
   parts gets a snapshot in any case: a slower publisher, which has read older records, then loses instead of naming
   these parts.
5. The retired parts are deleted, then their lists.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping

from wsparquet.dataset import Root
from wsparquet.dataset.version import Publication
from wsparquet.errors import DatasetError
from wsparquet.iceberg.expiry import delete_old_files, expire
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.in_catalog import TablesInCatalog
from wsparquet.iceberg.in_root import TablesInRoot
from wsparquet.iceberg.metadata import evolve
from wsparquet.iceberg.outcome import PublishedTable
from wsparquet.iceberg.parts import TablePart, Unsettled, parts_by_location
from wsparquet.iceberg.snapshots import Current, Difference, ManifestGone, next_snapshot, read_current, unchanged
from wsparquet.iceberg.tables import Change, Lost, State, Tables, table_names
from wsparquet.layout import table_of_part
from wsparquet.log import LOGGER

__all__ = ["open_tables", "publish_tables"]

TRIES = 20
"""How many times a publisher begins again if others keep changing the tables."""

PAUSE_SECONDS = 0.5
"""The longest pause before a publisher begins again. The pause is random, so that two publishers do not collide
again."""


def open_tables(root: Root, publication: Publication) -> Tables:
    """Return the Iceberg tables of a root, at the place of its publication.

    Raises DatasetError if the catalog cannot be opened.
    """
    return TablesInRoot(root) if publication.catalog is None else TablesInCatalog(root, publication.catalog)


def publish_tables(root: Root, publication: Publication, *, thorough: bool = False) -> list[PublishedTable]:
    """Publish all tables, and delete the parts that waited for the publication.

    With ``thorough``, also delete the files of publishers that died. Raises DatasetError if the root or the catalog
    fails; then no part is deleted, and the next publication completes the work.
    """
    tables = open_tables(root, publication)
    publisher = _Publisher(root, tables, publication.keep_seconds, thorough=thorough)
    for _ in range(TRIES):
        try:
            return publisher.publish()
        except Unsettled:
            root.settle_days(root.commits())
        except Lost:
            time.sleep(random.uniform(0, PAUSE_SECONDS))
    raise DatasetError(
        f"{tables.place}: expected a pause of other runs, found that they changed the tables, or rows of day parts, "
        f"{TRIES} times while this run published; look for problems with `wsparquet verify`, and publish again"
    )


class _Publisher:
    def __init__(self, root: Root, tables: Tables, keep_seconds: float, *, thorough: bool) -> None:
        self._root = root
        self._tables = tables
        self._files = StoreFiles(root)
        self._keep_seconds = keep_seconds
        self._thorough = thorough
        self._root_id = root.version.root_id

    def publish(self) -> list[PublishedTable]:
        """Do steps 1 to 5. Raises Lost if another publisher has changed a table."""
        waiting = self._root.retired.waiting()
        retired = {path for paths in waiting.values() for path in paths}
        states = [self._tables.load(name) for name in table_names(self._root)]
        parts = parts_by_location(self._root, self._files.base)
        changed = {table_of_part(path) for path in retired}
        found = [self._table(state, parts[state.name], anew=state.name in changed) for state in states]
        self._root.delete_waiting(waiting)
        return found

    def _table(self, state: State, wanted: Mapping[str, TablePart], *, anew: bool) -> PublishedTable:
        """Do step 4 for one table, and make its readers find the new snapshot; ``anew``: even without a difference."""
        current = self._current(state) if state.exists else Current()
        difference = current.differences(wanted)
        after = self._changed(state, current, difference, anew=anew or current.has_deletes)
        self._tables.settle(after)
        if after is not state or self._thorough:
            keep = self._keep_seconds
            delete_old_files(state, after, self._files, keep_seconds=keep, thorough=self._thorough)
        rows = sum(each.part.rows for each in wanted.values())
        added, removed = len(difference.added), len(difference.removed)
        return PublishedTable(state.name, after.location or "", len(wanted), rows, added, removed)

    def _current(self, state: State) -> Current:
        """Return the files of the table. Raises Lost if another publisher has deleted the table's old manifests.

        If manifests of the newest version do not exist, no reader can read the table. This method then returns no
        files, so that the next snapshot names all parts. A publisher that was killed while another process ended the
        publication can leave such a version.
        """
        try:
            return read_current(state.metadata, self._files)
        except DatasetError as error:
            if self._tables.load(state.name).location != state.location:
                raise Lost from None
            if not isinstance(error, ManifestGone):
                raise
            LOGGER.warning("%s", error)
            return Current()

    def _changed(self, state: State, current: Current, difference: Difference, *, anew: bool) -> State:
        """Commit the difference, what the schema needs, and the end of old snapshots, if there is any of them."""
        evolved = evolve(state.metadata, self._root.schema.tables[state.name], self._root_id)
        adding = anew or not state.exists or bool(difference.added or difference.removed) or bool(evolved)
        now_ms = time.time_ns() // 1_000_000
        expired = expire(state.metadata, keep_seconds=self._keep_seconds, now_ms=now_ms, adding=adding)
        if not adding:
            return self._tables.commit(state, Change(expired, unchanged(state.metadata))) if expired else state
        evolving = Change(evolved, ()).applied_to(state)
        updates = next_snapshot(evolving, current, difference, self._files)
        return self._tables.commit(state, Change((*evolved, *updates, *expired), unchanged(state.metadata)))
