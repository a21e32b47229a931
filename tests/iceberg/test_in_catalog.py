"""wsparquet/iceberg/in_catalog.py: tables in a catalog of pyiceberg, here one in SQLite."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.utils.config import Config

from tests.iceberg.helpers import TABLE_NAMES, copied, counting_files, files_of, properties, put
from tests.scale import FULL
from tests.store.s3.lake import Lake
from wsparquet import clean, convert, publish, remove
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError, FailuresError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.in_catalog import TablesInCatalog
from wsparquet.iceberg.parts import parts_by_location
from wsparquet.iceberg.publishing import publish_changes
from wsparquet.iceberg.snapshots import next_snapshot, read_current, unchanged
from wsparquet.iceberg.tables import Change, Lost
from wsparquet.layout import Identity, is_part_path

SECRET = "pass-word-of-the-catalog"


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A catalog that pyiceberg finds under the name ``sql``."""
    configure(monkeypatch, f"sqlite:///{tmp_path}/catalog.db")
    return load_catalog("sql")


def configure(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """Configure the catalog; pyiceberg reads its configuration only once, when it is imported."""
    for name, value in {"TYPE": "sql", "URI": uri, "PASSWORD": SECRET}.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__SQL__{name}", value)
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())


@pytest.fixture
def root(tmp_path: Path, catalog: Catalog) -> Root:
    """A root that is published in the catalog."""
    made = Root.open(tmp_path / "lake")
    put(made, seed=1, tables=("geo", "navigation"))
    publish(made.place, catalog="sql")
    return made


def assert_published(root: Root, catalog: Catalog, namespace: str = "wsparquet") -> None:
    """Assert that the catalog's tables name exactly the parts that count, and that nothing else is left."""
    for name in TABLE_NAMES:
        assert files_of(catalog.load_table((namespace, name))) == counting_files(root, name)
    assert root.retired.waiting() == {}
    parts = {entry.path for entry in root.store.entries("") if is_part_path(entry.path)}
    assert parts == {part.path for commit in root.log.commits() for part in commit.parts}


def test_tables_in_a_catalog(root: Root, catalog: Catalog) -> None:
    """Published, changed and published again, with one snapshot a run; ids and values are those of the files."""
    assert_published(root, catalog)
    put(root, seed=2, tables=("geo", "navigation"))
    publish_changes(root)
    assert_published(root, catalog)
    table = catalog.load_table("wsparquet.geo")
    assert len(table.snapshots()) == 2
    assert (table.schema().find_field("visitId").field_id, table.scan().count()) == (1, 6)
    before = table.metadata_location
    publish_changes(root)
    assert catalog.load_table("wsparquet.geo").metadata_location == before


def test_a_namespace_of_its_own(root: Root, catalog: Catalog, tmp_path: Path) -> None:
    """A second root in the same catalog takes another namespace; in that of the first one it is refused."""
    other = Root.open(tmp_path / "other")
    put(other, seed=5)
    publish(other.place, catalog="sql.second.level")
    assert files_of(catalog.load_table(("second.level", "geo"))) == counting_files(other, "geo")
    publish(other.place, stop=True)
    with pytest.raises(DatasetError, match=r"expected wsparquet.geo to be the table of the root .*other, found one at"):
        publish(other.place, catalog="sql")
    assert_published(root, catalog)


def test_a_copied_root_does_not_touch_the_tables_of_the_original(root: Root, catalog: Catalog, tmp_path: Path) -> None:
    """Runs in the copy commit, say what to do, and delete nothing; after that the copy is published elsewhere."""
    copy = copied(root, tmp_path / "copy")
    put(copy, seed=3)
    with pytest.raises(DatasetError, match="if this root is a copy of another root"):
        publish_changes(copy)
    assert copy.retired.waiting() != {}
    assert_published(root, catalog)


def test_a_catalog_that_cannot_be_reached(tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs commit, delete nothing, end with exit code 1, and say no secret; the next run does what remained."""
    files = generate(tmp_path / "raw", GenerateOptions(files=2, records=20))
    lake = tmp_path / "lake"
    convert(files, to=lake).raise_for_failures()
    publish(lake, catalog="sql")
    root = Root.open(lake)
    before = {entry.path for entry in root.store.entries("record_type=geo")}
    url = f"sqlite:////nowhere/{SECRET}.db"
    with monkeypatch.context() as broken:
        configure(broken, url)
        summary = convert(files, to=lake, again=True)
        assert (summary.exit_code, summary.failed, len(summary.committed)) == (1, [], 2)
        assert "cannot open the catalog sql" in (summary.unpublished or "")
        assert "are not published" in summary.to_dict()["unpublished"]
        assert SECRET not in str(summary.to_dict())
        with pytest.raises(FailuresError, match="not published"):
            summary.raise_for_failures()
        for run in (
            lambda: remove(lake, files[0].name, yes=True),
            lambda: clean(lake, delete=True, older_than=timedelta(0)),
        ):
            with pytest.raises(DatasetError, match="committed, but its changes are not published"):
                run()
        assert before <= {entry.path for entry in root.store.entries("record_type=geo")}
    publish_changes(root)
    assert_published(root, catalog)


def test_an_unknown_catalog_is_an_error_that_says_where_to_look(tmp_path: Path) -> None:
    """The root keeps saying where it should be published, so a corrected configuration is enough."""
    root = Root.open(tmp_path / "lake")
    put(root, seed=1)
    with pytest.raises(DatasetError, match=r"cannot open the catalog none: .*\.pyiceberg\.yaml"):
        publish(root.place, catalog="none")


def test_stop_drops_the_tables_of_this_root_alone(root: Root, catalog: Catalog) -> None:
    """The catalog's tables are gone, the Parquet files stay, and the namespace and other tables do, too."""
    from pyiceberg.schema import Schema

    catalog.create_table("wsparquet.mine", Schema(), location=f"{root.place}-mine")
    put(root, seed=2)
    publish(root.place, stop=True)
    assert catalog.list_tables("wsparquet") == [("wsparquet", "mine")]
    assert root.retired.waiting() == {}
    assert list(root.store.entries("_wsparquet/iceberg")) == []
    publish(root.place, catalog="sql")
    assert_published(root, catalog)


def test_a_slow_publisher_loses(root: Root, catalog: Catalog) -> None:
    """A part that counted only between two publications is not named afterwards, in a catalog either."""
    put(root, Identity("9", "third"), seed=2)
    tables, files = TablesInCatalog(root, "sql"), StoreFiles(root)
    state = tables.load("geo")
    current = read_current(state.metadata, files)
    difference = current.differences(parts_by_location(root, files.base)["geo"])
    updates = next_snapshot(state.metadata, current, difference, files)
    root.remove(["third.gz"])
    publish_changes(root)
    with pytest.raises(Lost):
        tables.commit(state, Change(updates, unchanged(state.metadata)))
    assert_published(root, catalog)


def test_two_publishers_create_the_tables_at_once(tmp_path: Path, catalog: Catalog) -> None:
    """The second one to register a table has lost, and begins anew."""
    root = Root.open(tmp_path / "lake")
    put(root, seed=1)
    tables = TablesInCatalog(root, "sql")
    state = tables.load("geo")
    files = StoreFiles(root)
    current = read_current(state.metadata, files)
    difference = current.differences(parts_by_location(root, files.base)["geo"])
    updates = next_snapshot(state.metadata, current, difference, files)
    publish(root.place, catalog="sql")
    with pytest.raises(Lost):
        tables.commit(state, Change(updates, ()))
    assert_published(root, catalog)


def test_old_files_of_a_catalog_are_deleted(root: Root, catalog: Catalog) -> None:
    """Snapshots, manifests and versions of the metadata, as without a catalog."""
    for seed in range(2, 6):
        put(root, seed=seed)
        publish_changes(root)
    publish(root.place, keep=timedelta(0))
    table = catalog.load_table("wsparquet.geo")
    assert len(table.snapshots()) == 1
    folder = Path(root.place) / "_wsparquet/iceberg/geo/metadata"
    names = {table.current_snapshot().manifest_list, table.metadata_location}
    names |= {manifest.manifest_path for manifest in table.current_snapshot().manifests(table.io)}
    assert {str(path) for path in folder.iterdir()} == names
    assert_published(root, catalog)


@pytest.mark.skipif(not FULL, reason="the same code as for SQL, against another server: `make test-full`")
def test_the_catalog_of_glue(bucket: Lake, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishing in AWS Glue, as moto emulates it: registered with our ids, changed, and dropped."""
    access = {f"S3__{name.removeprefix('s3.').upper().replace('-', '_')}": v for name, v in properties(bucket).items()}
    glue = {name.replace("S3__", "GLUE__"): value for name, value in access.items()}
    for name, value in {"TYPE": "glue", **access, **glue, "GLUE__ENDPOINT": endpoint}.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__AWS__{name}", value)
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())
    root = bucket.open()
    put(root, seed=1)
    publish(bucket.url, catalog="aws", storage_options=bucket.options)
    put(root, seed=2)
    publish_changes(bucket.open())
    table = load_catalog("aws").load_table("wsparquet.geo")
    assert files_of(table) == counting_files(root, "geo", bucket.options)
    assert (len(table.snapshots()), table.schema().find_field("date").field_id) == (2, 20)
    publish(bucket.url, stop=True, storage_options=bucket.options)
    assert load_catalog("aws").list_tables("wsparquet") == []
