"""Collects the data about a root, and writes them as one page of HTML."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wsparquet.dataset import Root
from wsparquet.errors import DatasetError, OptionError
from wsparquet.layout import root_around
from wsparquet.options import check_number
from wsparquet.overview.facts import quarantined_sources, rows_by_day, slow_sources, table_files
from wsparquet.overview.root_report import RootReport
from wsparquet.overview.samples import samples_of
from wsparquet.query.drift import findings_of, reported_commits
from wsparquet.query.opening import opened_root
from wsparquet.synchronisation import status

__all__ = ["report"]

SLOWEST = 15
"""How many of the slowest sources a report has."""

SAMPLED = 50
"""How many sources have samples in a report. The sources with the most quarantined text come first."""


def report(
    root: str | os.PathLike[str],
    html: str | os.PathLike[str],
    *,
    samples: int = 0,
    storage_options: Mapping[str, Any] | None = None,
) -> RootReport:
    """Write a page about a root to the file ``html``, which is replaced, and return what the page shows.

    The page has the rows by day and table, the covered hours and the gaps, the drift, the quarantine, the sizes of the
    files, and the slowest and failed sources. The page is one file without scripts, and loads nothing when it is
    opened. All facts come from the commit records and from the state that the last `sync` saved; no data file is read.

    ``samples`` is the number of quarantined texts to show of each source. These texts are content of the sources, so
    the default is 0, and only this user can read a page with samples.

    ``root`` is a folder or ``s3://bucket/…``; ``storage_options`` are options of s3fs. This function needs
    ``pip install 'wsparquet[report]'``.

    >>> found = wsparquet.report("lake", "lake.html")
    >>> found.sources, sum(each.rows for each in found.tables)
    (2, 40)

    Raises:
        WsparquetError: Altair, vl-convert or Jinja is not installed.
        OptionError: the file is in a root, or a parameter has an invalid value.
        DatasetError: there is no root, a commit record is unreadable, or the file cannot be written.
        SchemaError: the root has another schema version.

    """
    check_number("samples", samples, minimum=0)
    target = Path(os.path.realpath(html))
    if (inside := root_around(target)) is not None:
        raise OptionError("html", f"expected a file outside of all roots, found one in {inside}; choose another one")
    found = _gathered(opened_root(root, storage_options), target, samples, storage_options)
    from wsparquet.overview.page import page

    _write(target, page(found), private=samples > 0)
    return found


def _gathered(root: Root, html: Path, samples: int, storage_options: Mapping[str, Any] | None) -> RootReport:
    commits = reported_commits(root)
    days = rows_by_day(commits)
    quarantine = [
        replace(source, samples=samples_of(root, commit, samples if number < SAMPLED else 0))
        for number, (commit, source) in enumerate(quarantined_sources(commits))
    ]
    return RootReport(
        root=root.place,
        html=os.fspath(html),
        created_at=datetime.now(UTC).replace(microsecond=0),
        sources=len(commits),
        days=days,
        tables=table_files(days, (each.part for each in root.log.counting().parts())),
        accounts=status(root.place, storage_options=storage_options).accounts,
        drift=findings_of(commits, None),
        drift_by_day=findings_of(commits, "day"),
        quarantine=tuple(quarantine),
        slowest=slow_sources(commits, SLOWEST),
    )


def _write(target: Path, text: str, *, private: bool) -> None:
    """Replace a file as a whole. Only this user can read a private file."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        try:
            temporary.touch(mode=0o600 if private else 0o666, exist_ok=False)
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DatasetError(
            f"{target}: cannot write the page: {error.strerror or error}; choose another file, or make room"
        ) from error
