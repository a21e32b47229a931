"""Whether the documentation site can be built, loads nothing from elsewhere, and leaves out nothing that is public."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import wsparquet
from tools.website.__main__ import generated
from tools.website.python import located
from tools.website.rooms import IMAGE, draw, layers
from wsparquet.cli import cli
from wsparquet.render.views import VIEWS, columns_of_view
from wsparquet.schema import TABLES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site; the build ends with 1 if there is a warning."""
    pytest.importorskip("zensical", reason="the group `docs` is not installed")
    folder = tmp_path_factory.mktemp("website")
    command = [sys.executable, "-m", "tools.website", os.fspath(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder / "site"


class Loads(HTMLParser):
    """Collects the addresses that a browser loads to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of a script, style sheet, icon, image or frame."""
        for name, value in attrs:
            if value and (name == "src" or (tag == "link" and name == "href")):
                self.addresses.append(value)


def pages(nav: Any) -> Iterator[str]:
    """The pages of a navigation, in order."""
    for entry in nav:
        for value in entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from pages(value)


def test_the_site_is_built_without_a_warning(site: Path) -> None:
    """Each Markdown page becomes an HTML page, and the derived parts are in it."""
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").stat().st_size > 0
    assert 'id="wsparquet-convert"' in (site / "reference/cli.html").read_text("utf-8")
    assert 'id="navigation"' in (site / "reference/tables.html").read_text("utf-8")
    assert "Convert sources into" in (site / "reference/python.html").read_text("utf-8")


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    """Scripts, style sheets, fonts and images are files of the site."""
    for page in site.rglob("*.html"):
        loads = Loads()
        loads.feed(page.read_text("utf-8"))
        assert loads.addresses
        assert [each for each in loads.addresses if re.match(r"([a-z]+:)?//", each)] == [], page.name


def test_every_page_is_in_the_navigation_once() -> None:
    """A reader can find each page, and no entry leads nowhere."""
    nav = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    assert sorted(pages(nav)) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_the_diagram_shows_the_rooms_of_the_import_contract() -> None:
    """`make schemas` has drawn the diagram since the contract changed."""
    assert draw(layers((ROOT / "pyproject.toml").read_text("utf-8"))) == IMAGE.read_text("utf-8")


def test_the_architecture_describes_every_room() -> None:
    """Each room of the import contract has a row, besides the one that holds only the version."""
    page = (DOCS / "architecture.md").read_text("utf-8")
    named = {name for row in re.findall(r"^\| (`.+?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)", row)}
    rooms = {room for layer in layers((ROOT / "pyproject.toml").read_text("utf-8")) for room in layer}
    assert named == rooms - {"_version"}


def test_the_reference_has_every_command_and_option() -> None:
    """Each command has a section with all of its options."""
    text = generated()["cli.md"]
    sections = dict(re.findall(r"^## wsparquet (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert sections.keys() == cli.commands.keys()
    for name, command in cli.commands.items():
        options = [option for each in command.params for option in each.opts if option.startswith("-")]
        assert [option for option in [*options, "--help"] if not mentions(sections[name], option)] == [], name


def mentions(section: str, option: str) -> bool:
    """Whether a row's first cell names the option itself, not a longer one."""
    return re.search(rf"^\| `([^`]*, )?{option}[ ,`]", section, re.MULTILINE) is not None


def test_the_reference_has_every_table_and_column() -> None:
    """Each table has a section with all of its columns."""
    text = generated()["tables.md"]
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(TABLES)
    for name, table in TABLES.items():
        assert [column for column in table.schema.names if f"| `{column}` |" not in sections[name]] == [], name


def test_the_reference_has_every_view_and_column() -> None:
    """Each view has a section with all of its columns."""
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", generated()["views.md"], re.MULTILINE | re.DOTALL))
    assert list(sections) == list(VIEWS)
    for name, section in sections.items():
        assert [each.name for each in columns_of_view(name) if f"| `{each.name}` |" not in section] == [], name


def test_the_reference_has_every_public_name_once() -> None:
    """What `wsparquet` exports is documented, and each entry leads to the object itself."""
    page = (REFERENCE / "python.md").read_text("utf-8")
    assert sorted(re.findall(r"^::: wsparquet\.(\w+)$", page, re.MULTILINE)) == sorted(wsparquet.__all__)
    homes = re.findall(r"^::: (.+)$", located(page), re.MULTILINE)
    assert wsparquet.verify.__module__ + ".verify" in homes
    assert len(homes) == len(wsparquet.__all__)


def test_the_reference_has_every_environment_variable() -> None:
    """Each variable of wsparquet's own that any code or option reads is on the page, and the page has no other."""
    files = [*ROOT.glob("wsparquet/**/*.py"), *ROOT.glob("native/**/*.rs"), *ROOT.glob("tests/**/*.py")]
    read = {name for file in [*files, ROOT / "Makefile"] for name in variables(file)}
    read |= {str(each.envvar) for command in cli.commands.values() for each in command.params if each.envvar}
    assert variables(REFERENCE / "environment.md") == read


def variables(file: Path) -> set[str]:
    """The names in a file that are environment variables of wsparquet's own."""
    return set(re.findall(r"\bWSPARQUET_[A-Z_]*[A-Z]\b", file.read_text("utf-8")))


def test_the_reference_has_every_exit_code() -> None:
    """The page has a row for each command, and all codes."""
    page = (REFERENCE / "exit-codes.md").read_text("utf-8")
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == ["0", "1", "2", "3", "130", "141"]
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == cli.commands.keys()
