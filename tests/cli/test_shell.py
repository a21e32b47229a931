"""The shell of `wsparquet sql` on a real terminal: answers, errors, later commits, history, and its end."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from tests.cli.program import spawn, start
from tests.dataset.helpers import put
from tests.drift import extension_schema
from tests.query import roots
from wsparquet.cli.shell import completer
from wsparquet.dataset import Root
from wsparquet.layout import Identity
from wsparquet.schema import DOCUMENTED, Schema

SECONDS = 60
PROMPT = "wsparquet>"


class Terminal:
    """What a person sees and types."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.seen = ""

    def wait_for(self, text: str) -> str:
        """Read until a text appears; return what came before it, and forget both."""
        ends = time.monotonic() + SECONDS
        while text not in self.seen:
            assert time.monotonic() < ends, f"{text!r} is not in {self.seen!r}"
            if select.select([self._master], [], [], 0.2)[0]:
                read = os.read(self._master, 65536).decode(errors="replace")
                self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", read)
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text: str) -> None:
        """Type a text; a carriage return is the key Enter."""
        os.write(self._master, text.encode())


@contextmanager
def shell(root: Path, home: Path) -> Iterator[Terminal]:
    """The shell of a root in a terminal, at its first prompt; it has to end well."""
    master, slave = pty.openpty()
    environment = {"XDG_STATE_HOME": str(home), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "NO_COLOR": "1"}
    with start(
        "sql", root, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    ) as process:
        os.close(slave)
        terminal = Terminal(master)
        try:
            greeting = terminal.wait_for(PROMPT)
            assert ": the tables and views are " in greeting
            assert ", visits, drift; .help explains the shell" in greeting
            yield terminal
            assert process.wait(timeout=SECONDS) == 0
        finally:
            process.kill()
            os.close(master)


def test_a_session(tmp_path: Path) -> None:
    """Queries are answered, of one line and several; an error ends nothing; `.refresh` shows a later commit."""
    root = roots.two_sources(tmp_path / "lake")
    with shell(tmp_path / "lake", tmp_path / "state") as terminal:
        terminal.type("SELECT 'rows: ' || count(*) AS n FROM geo;\r")
        terminal.wait_for("rows: 24")
        terminal.type("SELECT 'pages' ||\r': ' || count(*) AS n\rFROM page_views;\r")
        terminal.wait_for("pages: ")
        terminal.type("SELECT nothing FROM geo;\r")
        terminal.wait_for("expected a query that DuckDB can run")
        terminal.type("DROP VIEW geo;\r")
        terminal.wait_for("expected one query that reads")
        terminal.type(".describe visits\r")
        terminal.wait_for("landing_page")
        terminal.type(".describe visit\r")
        terminal.wait_for("did you mean visits?")
        terminal.type(".tables\r")
        terminal.wait_for("engagement_attributes")
        terminal.type(".nonsense\r")
        terminal.wait_for("found .nonsense")
        put(root, Identity("7", "third"), seed=8, count=9, tables=("geo",))
        terminal.type("SELECT 'before: ' || count(*) AS n FROM geo;\r")
        terminal.wait_for("before: 24")
        terminal.type(".refresh\r")
        terminal.wait_for(".help explains the shell")
        terminal.type("SELECT 'after: ' || count(*) AS n FROM geo;\r")
        terminal.wait_for("after: 33")
        terminal.type(".quit\r")


def completions(typed: str, schema: Schema = DOCUMENTED) -> set[str]:
    """What Tab offers after the typed text."""
    found = completer(schema).get_completions(Document(typed), CompleteEvent(completion_requested=True))
    return {each.text for each in found}


def test_names_are_completed() -> None:
    """Commands with their dot, columns after the name of their table, and what an extension has added."""
    assert completions(".ta") == {".tables"}
    assert completions("SELECT g.countryC") == {"countryCode"}
    assert completions("SELECT landing_") >= {"landing_page"}
    schema = extension_schema()
    (added, *_) = [name for name in schema.tables if name not in DOCUMENTED.tables]
    assert completions(f"FROM {added[:-1]}") == set()
    assert added in completions(f"FROM {added[:-1]}", schema)


def test_history_and_the_end_of_input(tmp_path: Path) -> None:
    """The key Up brings an earlier query back, also in the next shell; only this user can read the file."""
    roots.two_sources(tmp_path / "lake")
    with shell(tmp_path / "lake", tmp_path / "state") as terminal:
        terminal.type("SELECT 'first: ' || count(*) AS n FROM geo;\r")
        terminal.wait_for("first: 24")
        terminal.wait_for(PROMPT)
        terminal.type("SELECT half of a query\x03")
        # Prompts are drawn again while a line is given up, so only a prompt that follows an answer is surely a new one.
        # The end of input, typed before that, would be lost.
        terminal.type("SELECT 'second: ' || count(*) AS n FROM geo;\r")
        terminal.wait_for("second: 24")
        terminal.wait_for(PROMPT)
        terminal.type("\x04")
    file = tmp_path / "state" / "wsparquet" / "sql_history"
    assert (file.stat().st_mode & 0o777, "first" in file.read_text()) == (0o600, True)
    with shell(tmp_path / "lake", tmp_path / "state") as terminal:
        terminal.type("\x1b[A\x1b[A\r")
        terminal.wait_for("first: 24")
        terminal.wait_for(PROMPT)
        terminal.type("\x04")


def test_without_a_terminal_a_query_is_expected(tmp_path: Path) -> None:
    """A program that forgets the query gets an error, not a shell that waits."""
    Root.open(tmp_path)
    ran = spawn("sql", tmp_path)
    assert (ran.code, "expected one of QUERY, --from, --tables, --describe, found none" in ran.err) == (2, True)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a terminal of Unix")
def test_a_root_that_is_none_is_an_error(tmp_path: Path) -> None:
    """The shell does not begin."""
    master, slave = pty.openpty()
    with start("sql", tmp_path, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        Terminal(master).wait_for("expected a root with _wsparquet/root.json, found none")
        assert process.wait(timeout=SECONDS) == 1
    os.close(master)
