"""Tasks convert into an extended root as one conversion does: they open the root, and follow its extension."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import wsparquet
from tests.distributed.jobs import run_job
from tests.drift import EXTENSION, drifted, extension_schema
from tests.extensions.roots import drifted_sources, records
from tests.support.at_rest import assert_at_rest
from tests.synchronisation.lake import ACCOUNT, names, options_for, server, sync
from tests.system.helpers import assert_same, rows_on_disk
from wsparquet.distributed import plan_conversion, plan_sync


def assert_extended_alike(lake: Path, whole: Path) -> None:
    """Both roots have the same rows, some of them in a table of the extension, and its hash in each record."""
    assert {each["extension"] for each in records(lake).values()} == {extension_schema().hash}
    assert any("cobrowse" in tables for tables in rows_on_disk(lake).values())
    assert_same(rows_on_disk(lake), rows_on_disk(whole))
    assert_at_rest(lake)


def test_a_conversion(tmp_path: Path) -> None:
    """Typed columns and tables are there, whoever converts."""
    raw = drifted_sources(tmp_path / "raw", 3, files=4, containers=3)
    for name in ("lake", "whole"):
        wsparquet.extend(tmp_path / name, EXTENSION)
    assert len(run_job(plan_conversion(raw, to=tmp_path / "lake", workers=2)).committed) == 4
    wsparquet.convert(raw, to=tmp_path / "whole").raise_for_failures()
    assert_extended_alike(tmp_path / "lake", tmp_path / "whole")


def test_a_synchronization(tmp_path: Path) -> None:
    """The same with files that tasks download."""
    for name in ("lake", "whole"):
        wsparquet.extend(tmp_path / name, EXTENSION)
    with server(hours=2) as emulator:
        for number, name in enumerate(names(emulator)):
            text = "".join(drifted(Random(number * 100 + each), account=ACCOUNT) for each in range(8))
            emulator.catalogue.put(name, gzip.compress(text.encode()))
        summary = run_job(plan_sync(tmp_path / "lake", workers=2, options=options_for(emulator)))
        assert (len(summary.fetched.downloaded), len(summary.converted.committed)) == (2, 2)
        sync(tmp_path / "whole", emulator)
        assert plan_sync(tmp_path / "lake", options=options_for(emulator)).tasks == []
    assert_extended_alike(tmp_path / "lake", tmp_path / "whole")
