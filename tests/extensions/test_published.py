"""Whether the Iceberg tables of a published root follow its extension."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import wsparquet
from tests.drift import EXTENSION
from tests.extensions.roots import compacted, drifted_sources, rows
from tests.scale import FULL
from wsparquet.dataset import Root
from wsparquet.iceberg.in_root import TablesInRoot

pytest.importorskip("pyiceberg")
from tests.iceberg.helpers import counting_files, files_of, published

REPOSITORY = Path(__file__).parents[2]
STEPS = (50, 100, 150, 200, 300, 700, 1000)
"""Some of the changes of the disk: about 250 extend a root, and 850 publish it then."""


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


@pytest.mark.skipif(not FULL, reason="ten seconds; part of make test-full")
def test_killed_and_done_again_a_published_and_compacted_root_ends_right(tmp_path: Path) -> None:
    """Killed between any two changes of the disk, also while it publishes, all is as after an undisturbed run."""
    raw = drifted_sources(tmp_path / "raw", 1, files=2, containers=3)
    template, undisturbed = tmp_path / "template", tmp_path / "undisturbed"
    wsparquet.convert(raw, to=template).raise_for_failures()
    compacted(template)
    wsparquet.convert(raw, to=undisturbed).raise_for_failures()
    assert wsparquet.extend(undisturbed, EXTENSION).rows > 0
    expected = rows(undisturbed)
    killed = 0
    for step in STEPS:
        root = tmp_path / "lake"  # A published root must stay where it was published.
        shutil.copytree(template, root)
        wsparquet.publish(root)
        killed += killed_at(root, step) == "killed"
        wsparquet.extend(root, EXTENSION)
        assert rows(root) == expected
        assert wsparquet.verify(root).problems == []
        check_published(root)
        shutil.rmtree(root)
    assert killed == len(STEPS)


def killed_at(root: Path, step: int) -> str:
    """Extend in a process that is killed before its n-th change of the disk; say whether it was."""
    command = [sys.executable, "-m", "tests.extensions.workload", str(step), "1", str(root)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()


def check_published(root: Path) -> None:
    """Each Iceberg table has the columns with the ids that the root keeps, and names the parts that count."""
    opened = Root.open(root, create=False)
    for name, table in opened.schema.tables.items():
        found = published(str(root), name)
        assert {path: found.schema().find_field(path).field_id for path in table.ids} == table.ids
        assert files_of(found) == counting_files(opened, name), name
