"""Whether the Iceberg tables of a published root follow its extension."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import wsparquet
from tests.extensions.roots import drifted_sources, rows
from wsparquet.dataset import Root
from wsparquet.iceberg.in_root import TablesInRoot

pytest.importorskip("pyiceberg")


def test_published_tables_get_the_columns_by_their_ids(tmp_path: Path) -> None:
    """After `extend`, the tables name the new parts, have the new columns, and there is a table for each new one."""
    raw = drifted_sources(tmp_path / "raw", 7, files=1, containers=3)
    root = tmp_path / "lake"
    wsparquet.convert(raw, to=root).raise_for_failures()
    wsparquet.publish(root)
    text = '[structs.Navigation.fields]\ntitle = "string"\n[tables.cobrowse]\ntags = ["WebSessionCobrowseData"]\n'
    (tmp_path / "more.toml").write_text(text + 'payload = "cobrowse"\nfields = { mode = "string" }\n')
    wsparquet.extend(root, tmp_path / "more.toml")
    tables = TablesInRoot(Root.open(root, create=False))
    schema = tables.load("navigation").metadata.schema()
    assert schema.find_field("navigationData.element.title").field_id == 10_000
    assert tables.load("cobrowse").exists
    assert len(rows(root)["cobrowse"]) > 0
    assert wsparquet.verify(root).problems == []
    shutil.rmtree(root)
