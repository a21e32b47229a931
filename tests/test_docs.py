"""Whether the documentation is true: its commands and examples run, its links lead somewhere, it names everything."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest

import wsparquet
from tests.cli.program import PROGRAM, api_environment, run
from wsparquet.cli import cli
from wsparquet.emulator import Emulator, EmulatorOptions, serving
from wsparquet.generate import GenerateOptions, generate
from wsparquet.schema import TABLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "schemas").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Target of a link or image, outside of code.
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, its text, and the line that it begins on."""

    language: str
    text: str
    line: int


def blocks(text: str) -> list[Block]:
    """All fenced blocks, in order."""
    return [Block(match[1], match[2], text.count("\n", 0, match.start()) + 1) for match in FENCE.finditer(text)]


def without_code(text: str) -> str:
    """A page without fenced blocks and code spans."""
    return re.sub(r"`[^`\n]*`", "``", FENCE.sub("", text))


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that README's examples name: good ones, odd ones, a single one, and a root of them."""
    folder = tmp_path_factory.mktemp("readme")
    options = GenerateOptions(files=2, records=40)
    paths = generate(folder / "downloads", options)
    generate(folder / "odd", GenerateOptions(size=1, defects=True))
    (folder / "session.gz").write_bytes(paths[0].read_bytes())
    assert run("convert", folder / "downloads", "--to", folder / "lake").code == 0
    return folder


def shell(line: str, folder: Path, environment: dict[str, str]) -> int:
    """The exit code of a command line in a folder, with the program on the path."""
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, **environment, "PATH": path}
    return subprocess.run(["sh", "-c", line], cwd=folder, env=variables, timeout=120, check=False).returncode


def python(text: str, names: dict[str, object]) -> object:
    """Run a block, and return what its last expression is, if it ends with one."""
    tree = ast.parse(text)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "README.md", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "README.md", "eval"), names)


@pytest.fixture(scope="module")
def served() -> Iterator[Emulator]:
    """A server for the examples that speak with one."""
    with serving(EmulatorOptions(hours=2, size=20_000)) as emulator:
        yield emulator


def test_every_example_of_the_readme_runs(prepared: Path, served: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, console lines end with exit code 0 (or 3, quarantine), and Python blocks run in one namespace."""
    monkeypatch.chdir(prepared)
    names: dict[str, object] = {}
    ran: list[str] = []
    for block in blocks(README):
        if block.language in {"console", "sh"}:
            for line in re.findall(r"^\$ (.*wsparquet .+)$", block.text, re.MULTILINE):
                assert shell(line, prepared, api_environment(served)) in {0, 3}, f"README.md:{block.line}: {line}"
                ran.append("console")
        elif block.language == "python":
            python(block.text, names)
            ran.append("python")
    assert ran.count("console") > 3
    assert ran.count("python") > 1


def test_what_the_readme_asks_has_an_answer(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every query of the README finds rows: an example that answers nothing shows nothing."""
    monkeypatch.chdir(prepared)
    names: dict[str, object] = {}
    asked = 0
    for block in blocks(README):
        if block.language != "python":
            continue
        answer = python(block.text, names)
        if answer is None:
            continue
        asked += 1
        rows = getattr(answer, "num_rows", None)
        assert (rows if rows is not None else len(answer)) > 0, f"README.md:{block.line}"  # type: ignore[arg-type]
    assert asked > 0


def test_the_readme_opens_with_the_demo_and_the_tests() -> None:
    """The first thing that a reader can do is `make demo`, the second `make test`."""
    assert re.findall(r"make [a-z-]+", README)[:2] == ["make demo", "make test"]
    first = blocks(README)[0]
    assert [line.split("#")[0].strip() for line in first.text.splitlines()] == ["make demo", "make test"]
    assert first.line < 10


def test_the_readme_names_every_command_and_table() -> None:
    """No command, table or exit code is a secret."""
    for command in cli.commands:
        assert f"wsparquet {command}" in README
    for table in TABLES:
        assert f"`{table}`" in README
    for name in ("convert", "read", "open_dataset"):
        assert f"wsparquet.{name}(" in README
    (codes,) = re.findall(r"Exit codes: (.*?)\.", README.replace("\n", " "))
    assert re.findall(r"\b(\d)\b", codes) == ["0", "1", "2", "3"]


def test_every_promise_names_a_test_that_there_is() -> None:
    """Each row of the guarantees names tests, and each of them stands where it says."""
    page = (ROOT / "docs/guarantees.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith(("| promise", "| ---"))]
    assert len(rows) > 10
    for row in rows:
        named = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", row)
        assert named, row
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text("utf-8"), (path, name)


def test_options_that_pages_name_exist() -> None:
    """A page that names an option of the program names one that some command has."""
    known = {name for command in cli.commands.values() for each in command.params for name in each.opts}
    known |= {"--help", "--version"}
    for page in PAGES:
        for line in re.findall(rf"wsparquet (?:{'|'.join(cli.commands)})\b[^`\n]*", page.read_text("utf-8")):
            assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= known, f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    """Every relative link of a page leads to a file or folder of the project, and its fragment to a heading."""
    for target in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = unquote(target).partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{page.name}: {target}"
        assert found.is_relative_to(ROOT), f"{page.name}: {target}"
        if fragment:
            assert fragment in anchors(found), f"{page.name}: {target}"


def test_make_has_every_target_that_pages_name() -> None:
    """A `make` command in a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for code in re.findall(r"(?:`|^)make ((?:[a-z-]+ ?)+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert set(code.split()) <= targets, f"{page.name}: make {code}"


def test_the_changelog_has_the_current_version_and_schema() -> None:
    """The newest entry is of the version that is installed, and the changelog names the schema version."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = re.findall(r"^## \[?([0-9][^\s\]]*)", text, re.MULTILINE)
    assert entries[0] == wsparquet.__version__
    assert f"Schema version {wsparquet.SCHEMA_VERSION}." in text
