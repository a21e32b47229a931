"""The command `wsparquet extend`, and the option `--extension` of other commands."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import run
from tests.drift import EXTENSION

TITLE = '[structs.Navigation.fields]\ntitle = "string"\n'


def test_a_file_is_checked(tmp_path: Path) -> None:
    """`--check` lists the columns, and an error names line and key, with exit code 1."""
    (tmp_path / "more.toml").write_text(TITLE)
    ran = run("extend", "--check", tmp_path / "more.toml")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "navigation: navigationData[].title, string")
    (tmp_path / "more.toml").write_text(TITLE + 'url = "long"\n')
    ran = run("extend", "--check", tmp_path / "more.toml")
    assert ran.code == 1
    assert "more.toml, line 3, structs.Navigation.fields.url: expected the documented type, string" in ran.err


def test_a_root_gets_its_extension_and_prints_it(tmp_path: Path) -> None:
    """A new root has the extension from the start; without a file, the command prints what the root has."""
    root = tmp_path / "lake"
    ran = run("extend", root, EXTENSION, "--output", "json")
    assert (ran.code, json.loads(ran.out)["sources"]) == (0, 0)
    ran = run("extend", root)
    assert (ran.code, ran.out) == (0, EXTENSION.read_text())
    assert run("extend", tmp_path / "none").code == 1


def test_schema_and_inspect_take_an_extension(tmp_path: Path) -> None:
    """`schema --extension` has the new columns and tables; `inspect --extension` rescues less."""
    ran = run("schema", "cobrowse", "--extension", EXTENSION, "--as", "iceberg")
    assert (ran.code, json.loads(ran.out)["fields"][0]["id"]) == (0, 10_000)
    assert run("schema", "cobrowse").code == 2
    described = json.loads(run("schema", "navigation", "--extension", EXTENSION, "--output", "json").out)
    assert "navigationData[].title" in [each["column"] for each in described["columns"]]
    source = tmp_path / "source.json"
    page = '{"body": {"x.WebSessionNavigationData": {"navigationData": [{"title": "Home"}]}}}'
    source.write_text(f'{{"dataType": "WebSession", "metaData": {{}}, "recordCollection": [{page}]}}')
    for options, rescued in (((), {"navigation": {"$.navigationData[*].title": 1}}), (("--extension", EXTENSION), {})):
        found = json.loads(run("inspect", source, "--output", "json", *options).out)
        assert found["sources"][0]["rescued"] == rescued


def test_definitions_of_a_root_have_its_extension(tmp_path: Path) -> None:
    """`schema --root` and `sql` follow the extension of the root."""
    root = tmp_path / "lake"
    assert run("extend", root, EXTENSION).code == 0
    for form in ("duckdb", "athena", "spark"):
        ran = run("schema", "--as", form, "--root", root)
        assert (ran.code, "cobrowse" in ran.out, "loadtime" in ran.out.lower()) == (0, True, True)
        assert "loadtime" in run("schema", "navigation", "--as", form, "--root", root).out.lower()
        assert run("schema", "cobrowse", "--as", form, "--root", root).code == 0
    assert "cobrowse" in run("sql", root, "--tables").out
    assert "title" in run("sql", root, "SELECT n.title FROM (SELECT UNNEST(navigationData) AS n FROM navigation)").out
    assert "Cobrowse" not in run("sql", root, "--describe", "screen").err
