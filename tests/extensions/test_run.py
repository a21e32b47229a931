"""Whether a root that is extended is as if it had been converted with the extension."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

import wsparquet
from tests.drift import EXTENSION, drifted, extension_schema
from tests.extensions.roots import compacted, contents, drifted_sources, records, rows
from tests.scale import scaled
from tests.synchronisation.lake import ACCOUNT, names, server, sync
from wsparquet import DatasetError, SchemaError
from wsparquet.dataset import Root
from wsparquet.parquet.settings import file_schema
from wsparquet.schema.extended import adopt

REPOSITORY = Path(__file__).parents[2]
TITLE = '[structs.Navigation.fields]\ntitle = "string"\n'


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drifted sources."""
    return drifted_sources(tmp_path_factory.mktemp("drifted") / "raw", 1)


@pytest.fixture(scope="module")
def converted(sources: Path) -> Path:
    """A root that had the extension from the start."""
    root = sources.parent / "converted"
    assert wsparquet.extend(root, EXTENSION).sources == 0
    wsparquet.convert(sources, to=root).raise_for_failures()
    return root


@pytest.fixture(scope="module")
def plain(sources: Path) -> Path:
    """A root without an extension."""
    root = sources.parent / "plain"
    wsparquet.convert(sources, to=root).raise_for_failures()
    return root


@pytest.mark.parametrize("seed", range(2, scaled(40, 3)))
def test_extending_is_converting_with_the_extension(tmp_path: Path, seed: int) -> None:
    """Rows, paths in `rescued`, counts, files and dates are the same, with either decoder."""
    raw = drifted_sources(tmp_path / "raw", seed)
    roots = {name: tmp_path / name for name in ("native", "reference", "extended")}
    for name in ("native", "reference"):
        wsparquet.extend(roots[name], EXTENSION)
        wsparquet.convert(raw, to=roots[name], decoder="auto" if name == "native" else name).raise_for_failures()
    wsparquet.convert(raw, to=roots["extended"]).raise_for_failures()
    before = records(roots["extended"])
    found = wsparquet.extend(roots["extended"], EXTENSION)
    assert found.sources == 3
    assert found.values > 0
    assert found.rows > 0
    expected = rows(roots["native"])
    assert sum(map(len, expected.values())) > 50
    for name in ("reference", "extended"):
        assert rows(roots[name]) == expected
        assert contents(roots[name]) == contents(roots["native"])
    after = records(roots["extended"])
    for key in ("content_id", "committed_at", "quarantine"):
        assert [each[key] for each in after.values()] == [before[name][key] for name in after]
    assert wsparquet.verify(roots["extended"], against=raw).problems == []


def test_a_compacted_root_is_extended_too(tmp_path: Path, sources: Path, plain: Path, converted: Path) -> None:
    """Rows of day parts are promoted where they are, and rows of new tables become own parts of their sources."""
    root = tmp_path / "lake"
    shutil.copytree(plain, root)
    compacted(root)
    found = wsparquet.extend(root, EXTENSION)
    assert found.days > 0
    assert rows(root) == rows(converted)
    reports = {name: each[0] for name, each in contents(root).items()}
    assert reports == {name: each[0] for name, each in contents(converted).items()}
    assert wsparquet.verify(root, against=sources).problems == []
    compacted(root)
    assert rows(root) == rows(converted)
    assert wsparquet.verify(root).problems == []


def test_files_have_the_columns_and_the_ids_of_the_extension(tmp_path: Path, plain: Path) -> None:
    """Every file of a table has its extended schema, with ids from 10,000 on; other tables keep their files."""
    root = tmp_path / "lake"
    shutil.copytree(plain, root)
    before = set(root.glob("record_type=*/*/*.parquet"))
    (tmp_path / "more.toml").write_text(TITLE)
    wsparquet.extend(root, tmp_path / "more.toml")
    tables = Root.open(root, create=False).schema.tables
    for path in root.glob("record_type=*/*/*.parquet"):
        table = path.parts[-3].removeprefix("record_type=")
        assert pq.read_schema(path).equals(file_schema(tables[table]))
        assert (path in before) == (table != "navigation")
    assert tables["navigation"].ids == {"navigationData.element.title": 10_000}


def test_a_later_extension_contains_the_present_one_and_keeps_its_ids(tmp_path: Path, plain: Path) -> None:
    """An extension may grow; what it has, it keeps, and a field keeps its id even if others come before it."""
    root = tmp_path / "lake"
    shutil.copytree(plain, root)
    (tmp_path / "one.toml").write_text(TITLE)
    wsparquet.extend(root, tmp_path / "one.toml")
    (tmp_path / "two.toml").write_text('[structs.Navigation.fields]\ntags = "list of string"\ntitle = "string"\n')
    wsparquet.extend(root, tmp_path / "two.toml")
    ids = Root.open(root, create=False).schema.tables["navigation"].ids
    assert ids["navigationData.element.title"] == 10_000
    assert ids["navigationData.element.tags"] == 10_001
    (tmp_path / "three.toml").write_text('[structs.Navigation.fields]\ntags = "list of string"\n')
    with pytest.raises(SchemaError, match=r"found none of navigation\.navigationData\.element\.title"):
        wsparquet.extend(root, tmp_path / "three.toml")
    assert wsparquet.open_dataset(root).extension == (tmp_path / "two.toml").read_text()
    assert wsparquet.verify(root).problems == []


def test_two_extensions_one_after_the_other_are_the_second(tmp_path: Path, plain: Path, converted: Path) -> None:
    """A root that gets a part of an extension first, and then all of it, has the same rows."""
    root = tmp_path / "lake"
    shutil.copytree(plain, root)
    (tmp_path / "one.toml").write_text(
        TITLE + 'viewport = { type = "struct", fields = { width = "int", height = "int", at = "timestamp" } }\n'
    )
    wsparquet.extend(root, tmp_path / "one.toml")
    wsparquet.extend(root, EXTENSION)
    assert rows(root).keys() == rows(converted).keys()
    assert {name: len(each) for name, each in rows(root).items()} == {
        name: len(each) for name, each in rows(converted).items()
    }
    assert wsparquet.verify(root).problems == []


def test_nothing_else_opens_a_root_that_is_being_extended(tmp_path: Path, plain: Path) -> None:
    """Until all parts have the extension, readers and writers are refused, and another file is, too."""
    root = tmp_path / "lake"
    shutil.copytree(plain, root)
    Root.open(root).begin_extension(adopt(EXTENSION.read_text(), "x"))
    for run in (wsparquet.open_dataset, wsparquet.verify, wsparquet.compact):
        with pytest.raises(SchemaError, match="extend` has not finished; run it again with the same file"):
            run(root)
    with pytest.raises(SchemaError, match="has not finished"):
        wsparquet.convert(tmp_path, to=root)
    with pytest.raises(SchemaError, match="has not finished"):
        wsparquet.replay(root, tmp_path)
    (tmp_path / "other.toml").write_text(EXTENSION.read_text() + '\n[structs.Goal.fields]\nodd = "string"\n')
    with pytest.raises(SchemaError, match="the file with which `wsparquet extend` began"):
        wsparquet.extend(root, tmp_path / "other.toml")
    wsparquet.extend(root, EXTENSION)
    assert wsparquet.verify(root).problems == []


def test_later_runs_follow_the_extension(tmp_path: Path, sources: Path, converted: Path) -> None:
    """A replay, a repeated conversion, a comparison and the readers have the extension without being told."""
    root = tmp_path / "lake"
    shutil.copytree(converted, root)
    expected = rows(root)
    assert len(wsparquet.replay(root, sources, again=True).committed) == 3
    assert len(wsparquet.convert(sources, to=root, again=True).committed) == 3
    assert rows(root) == expected
    assert {each["extension"] for each in records(root).values()} == {extension_schema().hash}
    assert wsparquet.scan(root, "cobrowse").collect().height == len(expected["cobrowse"]) > 0
    connection = wsparquet.connect(root)
    query = "SELECT count(n.title) FROM (SELECT UNNEST(navigationData) AS n FROM navigation)"
    assert connection.execute(query).fetchone() == (sum(row.count("'title': '") for row in expected["navigation"]),)
    assert connection.execute("SELECT count(*) FROM screen").fetchone() == (len(expected["screen"]),)


def test_sync_follows_the_extension(tmp_path: Path) -> None:
    """A synchronization of an extended root makes what extending later makes; a second one has nothing to do."""
    roots = {name: tmp_path / name for name in ("extended", "plain")}
    wsparquet.extend(roots["extended"], EXTENSION)
    with server(hours=2) as emulator:
        for number, name in enumerate(names(emulator)):
            text = "".join(drifted(Random(number * 100 + each), account=ACCOUNT) for each in range(8))
            emulator.catalogue.put(name, gzip.compress(text.encode()))
        for root in roots.values():
            assert len(sync(root, emulator).converted.committed) == 2
        again = sync(roots["extended"], emulator)
        assert (again.exit_code, again.fetched.downloaded) == (0, [])
    assert {each["extension"] for each in records(roots["plain"]).values()} == {None}
    assert {each["extension"] for each in records(roots["extended"]).values()} == {extension_schema().hash}
    assert wsparquet.extend(roots["plain"], EXTENSION).values > 0
    assert rows(roots["extended"]) == rows(roots["plain"])
    assert len(rows(roots["extended"])["cobrowse"]) > 0
    assert contents(roots["extended"]) == contents(roots["plain"])


def test_software_without_extensions_refuses_an_extended_root(converted: Path) -> None:
    """The root requires the feature, and names the hash that its records have."""
    values = json.loads((converted / "_wsparquet/root.json").read_bytes())
    assert values["requires"] == ["extension"]
    assert values["extension"]["hash"] == extension_schema().hash


def test_a_changed_extension_in_the_root_record_is_refused(tmp_path: Path, converted: Path) -> None:
    """The text, the ids and the hash must fit together."""
    root = tmp_path / "lake"
    shutil.copytree(converted, root)
    record = root / "_wsparquet/root.json"
    values = json.loads(record.read_bytes())
    values["extension"]["text"] = TITLE
    record.write_text(json.dumps(values))
    with pytest.raises(DatasetError, match="an object with hash, text and ids as extension, which fit together"):
        wsparquet.open_dataset(root)


MOST = 350
"""A few more steps than the extension has, so that the last one is not killed at all."""


def test_killed_before_any_step_and_done_again_a_root_ends_right(tmp_path: Path, plain: Path, converted: Path) -> None:
    """Between any two changes of the disk, a killed run leaves a root that the next run brings to the extension."""
    template = tmp_path / "template"
    shutil.copytree(plain, template)
    compacted(template)
    steps = range(scaled(1, 40), MOST, scaled(5, 100))
    roots = [tmp_path / str(step) for step in steps]
    for root in roots:
        shutil.copytree(template, root)
    command = [sys.executable, "-m", "tests.extensions.workload", str(steps.start), str(steps.step), *map(str, roots)]
    ran = subprocess.run(command, cwd=REPOSITORY, env={**os.environ}, capture_output=True, text=True, check=True)
    outcomes = ran.stdout.splitlines()
    assert len(outcomes) == len(roots)
    assert (outcomes[0], outcomes[-1]) == ("killed", "0")
    expected = rows(converted)
    for root in roots:
        wsparquet.extend(root, EXTENSION)
        assert rows(root) == expected
        assert wsparquet.verify(root).problems == []
