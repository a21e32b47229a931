"""The publication of a root as Iceberg tables: begins and ends a publication, and publishes the changes of each run.

This module imports pyiceberg only for a published root, because the import takes longer than a short run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from wsparquet.dataset import Access, Root
from wsparquet.dataset.version import PUBLISHED, Publication, RootVersion, change_version, has_version
from wsparquet.errors import DatasetError, OptionError
from wsparquet.iceberg.outcome import KEEP, Mismatch, PublishedTable, Publishing
from wsparquet.layout import ICEBERG, RETIRED
from wsparquet.log import LOGGER
from wsparquet.options import check_duration, check_kind

__all__ = ["mismatches", "publish", "publish_as", "publish_changes", "publish_root", "stop_publishing"]


AT_ONCE_SECONDS = -3600.0
"""Keep nothing, even if the clock of the store is up to an hour ahead of that of this machine."""


def publish(
    root: str | os.PathLike[str],
    *,
    catalog: str | None = None,
    keep: timedelta | None = None,
    stop: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    single_writer: bool = False,
) -> Publishing:
    """Publish a root as Iceberg tables: metadata over the same Parquet files, with exactly the rows that count.

    From then on, every run that changes the root publishes at its end, until a call with ``stop``. Each table changes
    in one step, so readers never see a row twice and never miss a row. The files that a run replaces are deleted after
    its publication.

    Without ``catalog``, the tables are folders below ``_wsparquet/iceberg`` in the root. ``catalog`` is the name of a
    catalog in pyiceberg's configuration, ``NAME`` or ``NAME.NAMESPACE``; the default namespace is ``wsparquet``.
    ``keep``: how long old snapshots and metadata are kept, 7 days by default. ``stop`` removes the tables from the
    catalog, or their metadata from the root; the Parquet files stay. A call for a published root publishes again, and
    cleans up after publishers that died.

    This function needs pyiceberg: ``pip install 'wsparquet[iceberg]'``.

    >>> [table.name for table in wsparquet.publish("lake").tables if table.rows]
    ['geo', 'navigation', ...]
    >>> wsparquet.publish("lake", stop=True)
    <Publishing root=...lake, stopped=True>

    Raises:
        OptionError: a parameter has an invalid value; this error is also a ValueError.
        DatasetError: there is no root, it is published elsewhere, the store or the catalog fails, or pyiceberg is not
            installed. No part was deleted.
        SchemaError: the root has another schema version.

    """
    _check(catalog, keep, stop=stop)
    opened = Root.open(root, create=False, access=Access.checked(storage_options, single_writer=single_writer))
    return stop_publishing(opened) if stop else publish_root(opened, catalog=catalog, keep=keep)


def publish_root(root: Root, *, catalog: str | None = None, keep: timedelta | None = None) -> Publishing:
    """Publish an open root, as ``publish`` does. Raises DatasetError if the store or the catalog fails."""
    _check_pyiceberg()
    root.recover()
    root.settle(root.commits())
    publication = _begin(root, catalog, keep)
    tables = publish_as(root, publication, thorough=True)
    return Publishing(root.place, publication.catalog, tuple(tables), keep=timedelta(seconds=publication.keep_seconds))


def publish_changes(root: Root, *, forget: bool = False) -> None:
    """If the root is published, publish the changes of a run. Every run that may retire parts ends with this call.

    With ``forget``, all older snapshots and their metadata are deleted at once, whatever the publication keeps.

    Raises DatasetError if the store or the catalog fails, or if pyiceberg is not installed. After such an error, no
    part was deleted, and the next run publishes.
    """
    if not has_version(root.store):
        return
    publication = root.version.publication
    if publication is None:
        # A process that ended the publication may have died before it deleted the waiting parts.
        root.delete_waiting(root.retired.waiting())
        return
    try:
        _check_pyiceberg()
        if forget:
            publish_as(root, replace(publication, keep_seconds=AT_ONCE_SECONDS), thorough=True)
        else:
            publish_as(root, publication)
    except DatasetError as error:
        raise DatasetError(
            f"{root.place}: the run is committed, but its changes are not published: {error}; the files that it "
            "replaced are kept until the next run, or `wsparquet publish`, has published"
        ) from error


def mismatches(root: Root) -> list[Mismatch]:
    """Compare the published tables of a root with its commit records. If the root is not published, the list is empty.

    Between the commits of a run and its end, the tables differ from the records. Raises DatasetError if the store or
    the catalog fails, or if pyiceberg is not installed.
    """
    publication = root.version.publication
    if publication is None:
        return []
    _check_pyiceberg()
    from wsparquet.iceberg.check import compare_tables

    waiting = sum(len(paths) for paths in root.retired.waiting().values())
    found = list(compare_tables(root, publication))
    if waiting:
        found.append(Mismatch(RETIRED, "no parts that wait for a publication", f"{waiting}"))
    return found


def publish_as(root: Root, publication: Publication, *, thorough: bool = False) -> list[PublishedTable]:
    """Publish a root that was just marked with ``publication``.

    If another process has ended the publication in the meantime, remove the tables again.
    """
    from wsparquet.iceberg.publisher import publish_tables

    found = publish_tables(root, publication, thorough=thorough)
    if root.version.publication is None:
        _drop(root, publication)
        _delete_metadata(root)
    changed = [each for each in found if each.added or each.removed]
    LOGGER.info("published %s: %d tables changed", root.place, len(changed))
    return found


def _check(catalog: str | None, keep: timedelta | None, *, stop: bool) -> None:
    check_kind("catalog", catalog, str, "the name of a catalog as text", optional=True)
    check_kind("stop", stop, bool, "True or False")
    if catalog is not None and not all(catalog.split(".")):
        raise OptionError("catalog", f"expected NAME or NAME.NAMESPACE, found {catalog!r}")
    if keep is not None:
        check_duration("keep", keep)
    if stop and (catalog is not None or keep is not None):
        raise OptionError("stop", "expected neither `catalog` nor `keep` with `stop`, found one of them; omit it")


def _check_pyiceberg() -> None:
    try:
        import pyiceberg  # noqa: F401
    except ImportError as error:
        raise DatasetError(
            "expected the package pyiceberg, found none; install it with: pip install 'wsparquet[iceberg]'"
        ) from error


def _begin(root: Root, catalog: str | None, keep: timedelta | None) -> Publication:
    """Mark the root as published, and return the place of the publication.

    The mark comes before the records are read: from then on, no run deletes a part that a snapshot may name.
    """

    def published(version: RootVersion) -> RootVersion:
        before = version.publication
        if before is not None and catalog is not None and catalog != before.catalog:
            where = "in the root itself" if before.catalog is None else f"in the catalog {before.catalog}"
            raise DatasetError(
                f"{root.place}: expected a root that is not published yet, found that it is published {where}; first "
                "end that publication with `stop`"
            )
        seconds = before.keep_seconds if before is not None else KEEP.total_seconds()
        publication = Publication(
            catalog=catalog if before is None else before.catalog,
            keep_seconds=seconds if keep is None else keep.total_seconds(),
            location=root.location,
        )
        requires = tuple(sorted({*version.requires, PUBLISHED}))
        return replace(version, requires=requires, publication=publication)

    publication = change_version(root.store, published).publication
    assert publication is not None  # noqa: S101 - `published` has set it
    return publication


def stop_publishing(root: Root) -> Publishing:
    """End the publication of an open root.

    First the tables disappear, then the mark, then the parts that waited, and the metadata. Raises DatasetError if the
    store or the catalog fails.
    """
    publication = root.version.publication
    if publication is not None:
        _check_pyiceberg()
        root.recover()
        _drop(root, publication)
        change_version(root.store, _unpublished)
    root.delete_waiting(root.retired.waiting())
    _delete_metadata(root)
    return Publishing(root.place, stopped=True)


def _unpublished(version: RootVersion) -> RootVersion:
    requires = tuple(each for each in version.requires if each != PUBLISHED)
    return replace(version, requires=requires, publication=None)


def _drop(root: Root, publication: Publication) -> None:
    from wsparquet.iceberg.publisher import open_tables

    tables = open_tables(root, publication)
    for name in root.schema.tables:
        tables.drop(name)


def _delete_metadata(root: Root) -> None:
    if next(iter(root.store.entries(ICEBERG)), None) is None:
        return
    from wsparquet.iceberg.expiry import delete_all_files
    from wsparquet.iceberg.files import StoreFiles

    files = StoreFiles(root)
    for name in root.schema.tables:
        delete_all_files(name, files)
