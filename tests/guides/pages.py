"""The pages for users as a reader follows them: their blocks, the shell that runs them, and answers to compare with."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cli.program import PROGRAM
from tests.support.forked import folder_for_path
from wsparquet.api.credentials import VARIABLES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GAP = "…"
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PRINTED = re.compile(r"\n+```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_IMAGE = re.compile(r"\n+!\[[^\]]*\]\(([^)\s]+)\)")
_ROW = re.compile(r"^\|(.*)\|$")
_MARK = "@@ block"


@dataclass(frozen=True)
class Block:
    """A fenced block with its line in the page and its heading.

    ``rows`` are those of a table right below it, ``printed`` is the text of a ``text`` block right below it, and
    ``image`` the file of an image right below it.
    """

    language: str
    text: str
    line: int
    heading: str
    rows: tuple[tuple[str, ...], ...]
    printed: str | None
    image: str | None = None


@dataclass(frozen=True)
class Command:
    """A line of a console block, what the page says that it prints, and its line in the page."""

    text: str
    expected: str
    line: int


def page(name: str) -> str:
    """The text of a page below ``docs/``."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str | None = None) -> list[Block]:
    """All fenced blocks of a page in order, or those of one language."""
    text = page(name)
    return [each for each in _blocks(text) if language in (None, each.language)]


def _blocks(text: str) -> Iterator[Block]:
    for match in _FENCE.finditer(text):
        headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", text[: match.start()]), re.MULTILINE)
        line = text.count("\n", 0, match.start()) + 1
        rest = text[match.end() :]
        printed = _PRINTED.match(rest)
        heading = headings[-1] if headings else ""
        image = _IMAGE.match(rest)
        texts = (found[1] if found else None for found in (printed, image))
        yield Block(match[1], match[2], line, heading, _table(rest), *texts)


def _table(text: str) -> tuple[tuple[str, ...], ...]:
    """The rows of the table that a text begins with, without its head."""
    rows = []
    for line in text.lstrip("\n").splitlines():
        if not (found := _ROW.match(line)):
            break
        rows.append(tuple(cell.strip().strip("`") for cell in found[1].split("|")))
    return tuple(rows[2:])


def commands(name: str) -> list[Command]:
    """Every command of a page's console blocks: a line that begins with ``$``; the lines below it are its output."""
    found: list[Command] = []
    for block in blocks(name, "console"):
        for number, line in enumerate(block.text.splitlines(), block.line + 1):
            if line.startswith("$ "):
                found.append(Command(line[2:], "", number))
            else:
                last = found.pop()
                found.append(Command(last.text, f"{last.expected}{line}\n", last.line))
    return found


def follow(name: str, folder: Path, variables: dict[str, str] | None = None) -> list[tuple[Command, int, str]]:
    """Type all commands of a page into one shell in ``folder``: each with its exit code and standard output."""
    lines = commands(name)
    script = ["trap 'kill $(jobs -p) 2> errors' EXIT"]
    for number, command in enumerate(lines):
        script += [f"echo '{_MARK} {number}'", command.text, f"echo '{_MARK} code' $?"]
        if "serve" in command.text:
            # The page asks its reader to wait until the server has printed its address and credentials.
            script.append("until [ -f server.txt ] && [ $(wc -l < server.txt) -ge 5 ]; do sleep 0.1; done")
    run = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=folder,
        env=environment() | (variables or {}),
        timeout=240,
        check=False,
        capture_output=True,
        text=True,
    )
    answers = re.findall(rf"^{_MARK} (\d+)\n(.*?){_MARK} code (\d+)$", run.stdout, re.MULTILINE | re.DOTALL)
    assert len(answers) == len(lines), run.stderr
    return [(lines[int(number)], int(code), out) for number, out, code in answers]


def environment() -> dict[str, str]:
    """The environment of tests with the program on the path, and without credentials or a server's address."""
    names = {*VARIABLES.values(), "WSPARQUET_BASE_URL"}
    found = {name: value for name, value in os.environ.items() if name not in names}
    return found | {"PATH": os.pathsep.join([str(folder_for_path()), str(PROGRAM.parent), os.environ["PATH"]])}


def agrees(expected: str, found: str) -> bool:
    """Whether an output is the one in a page, where ``…`` stands for any text and, alone on a line, for any lines."""
    pattern = "".join(_pattern(line) for line in expected.splitlines())
    return re.fullmatch(pattern, f"{found.rstrip()}\n" if found.strip() else "") is not None


def _pattern(line: str) -> str:
    if line.strip() == GAP:
        return r"(?:.*\n)*"
    return ".*".join(re.escape(piece) for piece in line.split(GAP)) + r"\n"
