"""Whether the documentation is true: its commands and examples run, its links lead somewhere, it names everything."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import unquote

import pytest

import wsparquet
from tests.cli.program import PROGRAM
from tests.support.forked import folder_for_path
from wsparquet.api.credentials import VARIABLES
from wsparquet.cli import cli
from wsparquet.schema import TABLES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "schemas").rglob("*.md")])
# Pages that people write; the others are rendered from the schema.
WRITTEN = [page for page in (*PAGES, ROOT / "benchmarks/README.md") if page.parent.name != "markdown"]
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


@dataclass(frozen=True)
class Followed:
    """What came of the README's commands: the folder they ran in, and each with its line and exit code."""

    folder: Path
    codes: list[tuple[str, int]]


def commands() -> list[str]:
    """Every line of a console block, in order."""
    lines = [block.text.splitlines() for block in blocks(README) if block.language == "console"]
    return [line.removeprefix("$ ") for line in chain.from_iterable(lines)]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """A reader who types all commands of the README, as they stand, into one shell in an empty folder."""
    folder = tmp_path_factory.mktemp("readme")
    script = ["trap 'kill $(jobs -p)' EXIT"]
    for number, line in enumerate(commands()):
        script += [line, f"echo {number} $? >> codes"]
        if "serve" in line:
            # Whoever types has waited for what it prints.
            script.append("until [ -f server.txt ] && [ $(wc -l < server.txt) -ge 5 ]; do sleep 0.1; done")
    names = {*VARIABLES.values(), "WSPARQUET_BASE_URL"}
    variables = {name: value for name, value in os.environ.items() if name not in names}
    variables["PATH"] = os.pathsep.join([str(folder_for_path()), str(PROGRAM.parent), os.environ["PATH"]])
    subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=variables, timeout=240, check=False)
    ended = [line.split() for line in (folder / "codes").read_text().splitlines()]
    lines = commands()
    return Followed(folder, [(lines[int(number)], int(code)) for number, code in ended])


def python(text: str, names: dict[str, object]) -> object:
    """Run a block, and return what its last expression is, if it ends with one."""
    tree = ast.parse(text)
    last = tree.body[-1] if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    if last is not None:
        tree.body.pop()
    exec(compile(tree, "README.md", "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), "README.md", "eval"), names)


def test_every_command_of_the_readme_works_as_written(followed: Followed) -> None:
    """From an empty folder on, each ends with exit code 0: none needs what the README has not made by then."""
    assert [line for line, _ in followed.codes] == commands()
    assert [(line, code) for line, code in followed.codes if code] == []
    assert len(followed.codes) > 10
    assert commands()[0].startswith("wsparquet generate ")


def test_what_the_readme_asks_has_an_answer(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python blocks run in one namespace, and every query finds rows: what answers nothing shows nothing."""
    monkeypatch.chdir(followed.folder)
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
    assert re.findall(r"\b(\d+) [a-z]", codes) == ["0", "1", "2", "3", "130"]


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


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_lines_of_prose_fit_an_editor(page: Path) -> None:
    """Outside of tables and code, where a line cannot be broken, no line has more than 120 characters."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8")).splitlines()
    assert [line for line in prose if len(line) > 120 and not line.startswith("|") and line.count(" ") > 1] == []


def test_lines_of_code_fit_an_editor() -> None:
    """No line of the crate, the Makefile or the site's settings has more than 120 characters; ruff checks Python."""
    crate = [path for path in (ROOT / "native").rglob("*.rs") if "target" not in path.parts]
    for path in [*crate, ROOT / "native/Cargo.toml", ROOT / "Makefile", ROOT / "zensical.toml"]:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if len(line) > 120] == [], path.name


def test_contributing_names_files_that_are_there() -> None:
    """Each path of a recipe is a file or folder, unless a word in capitals stands for a part of it."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    paths = set(re.findall(r"`((?:wsparquet|native|tests|docs)/[a-z0-9_./-]+)`", text))
    assert len(paths) > 30
    # The example of a new command brings a file of its own.
    assert {path for path in paths if not (ROOT / path).exists()} == {"wsparquet/dataset/counting.py"}


def test_contributing_pairs_modules_that_are_there() -> None:
    """Each module of the table of Python and Rust modules is a file; a row names its folder once."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = text.split("## Python and Rust modules")[1]
    named = set(re.findall(r"`([a-z0-9_/]+\.(?:py|rs))`", table))
    there = [path.as_posix() for top in ("wsparquet", "native/src") for path in (ROOT / top).rglob("*.*")]
    assert len(named) > 40
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in there)] == []


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
