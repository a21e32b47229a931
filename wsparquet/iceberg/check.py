"""Compares the published tables of a root with its commit records, without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wsparquet.dataset import Root
from wsparquet.dataset.version import Publication
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.metadata import evolve
from wsparquet.iceberg.outcome import Mismatch
from wsparquet.iceberg.parts import TablePart, parts_by_location
from wsparquet.iceberg.publisher import open_tables
from wsparquet.iceberg.snapshots import Current, ManifestGone, read_current
from wsparquet.iceberg.tables import State, table_names

__all__ = ["compare_tables"]


def compare_tables(root: Root, publication: Publication) -> Iterator[Mismatch]:
    """Yield each difference between a published table and the parts that count.

    Raises DatasetError if the store or the catalog fails, or if the catalog has another root's tables.
    """
    tables, files = open_tables(root, publication), StoreFiles(root)
    states = [tables.load(name) for name in table_names(root)]
    parts = parts_by_location(root, files.base, settled=False)
    for state in states:
        where = f"{tables.place}: {state.name}"
        if not state.exists:
            yield Mismatch(where, "a published table of this root", "none")
            continue
        if not tables.is_settled(state):
            yield Mismatch(where, "a version hint with the newest version", "another one: readers open older rows")
        if evolve(state.metadata, root.schema.tables[state.name], root.version.root_id):
            yield Mismatch(where, "the schema and the properties of this version of wsparquet", "others")
        try:
            current = read_current(state.metadata, files)
        except ManifestGone as error:
            yield Mismatch(where, "the manifests of its newest snapshot", f"that one is gone: {error.__cause__}")
        else:
            yield from _compare_files(where, state, current, parts[state.name])


def _compare_files(where: str, state: State, current: Current, wanted: Mapping[str, TablePart]) -> Iterator[Mismatch]:
    difference = current.differences(wanted)
    if difference.added:
        example = min(difference.added)
        found = f"{len(difference.added)} missing, or not as their records say, such as {example}"
        yield Mismatch(where, f"all {len(wanted)} parts that count", found)
    if extra := sorted(set(difference.removed) - set(difference.added)):
        yield Mismatch(where, "only parts that count", f"{len(extra)} others, such as {extra[0]}")
    if current.has_deletes:
        yield Mismatch(where, "no deleted rows", f"files of deleted rows in {state.location}; another tool wrote them")
