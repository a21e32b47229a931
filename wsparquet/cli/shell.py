"""The shell of `wsparquet sql` on a terminal: queries one after the other, with history and completion."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsparquet.cli.answers import write_answer
from wsparquet.cli.output import complain, say
from wsparquet.errors import WsparquetError

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.key_binding import KeyBindings

    from wsparquet.query.answer import Asking
    from wsparquet.schema import Schema

__all__ = ["completer", "run_shell"]

HELP = """A query ends with a semicolon and may have several lines. Tab completes names.
  .tables         list the tables and views
  .describe NAME  list the columns of a table or view
  .refresh        show later commits
  .quit           leave; so does Ctrl-D"""

KEYWORDS = (
    *("SELECT", "FROM", "WHERE", "GROUP BY ALL", "ORDER BY", "LIMIT", "JOIN", "LEFT JOIN", "USING", "WITH", "AS"),
    *("AND", "OR", "NOT", "IS NULL", "IS NOT NULL", "count", "sum", "avg", "min", "max", "UNNEST", "DISTINCT"),
    "DESCRIBE",
)

# prompt_toolkit matches the text before the cursor from right to left. A dot belongs to the command that it begins, but
# not to a column with the name of its table.
WORD = re.compile(r"\w*(?:\.(?=\s|$))?")


def run_shell(root: str, *, storage_options: Mapping[str, Any], form: str) -> None:
    """Answer queries from the terminal until the user leaves. Errors are shown, and do not end the shell.

    Raises:
        WsparquetError: DuckDB or prompt_toolkit is not installed, or the root cannot be opened.

    """
    session = _session()
    leave = False
    while not leave:
        leave = _one_opening(session, root, storage_options, form)


def _one_opening(session: PromptSession[str], root: str, storage_options: Mapping[str, Any], form: str) -> bool:
    """Answer queries of the root as it is now, until the user leaves or wants to see later commits."""
    from wsparquet.query.answer import asking
    from wsparquet.query.catalog import relations

    with asking(root, storage_options=storage_options) as ask:
        say(f"{root}: the tables and views are {', '.join(relations(ask.schema))}; .help explains the shell")
        session.completer = completer(ask.schema)
        for line in _lines(session):
            if line == ".refresh":
                return False
            with _shown_errors():
                _answer(ask, line, form)
    return True


def _lines(session: PromptSession[str]) -> Iterator[str]:
    """Yield each query or command of the shell, without blanks around it, until the user leaves."""
    while True:
        try:
            line = session.prompt("wsparquet> ").strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if line.rstrip(";") in {".quit", ".exit"}:
            return
        if line:
            yield line


@contextmanager
def _shown_errors() -> Iterator[None]:
    try:
        yield
    except WsparquetError as error:
        complain(str(error))
    except KeyboardInterrupt:
        complain("interrupted")


def _answer(ask: Asking, line: str, form: str) -> None:
    from wsparquet.query.catalog import describing, listing

    command, _, argument = line.partition(" ")
    match command.rstrip(";"):
        case ".help":
            say(HELP)
        case ".tables":
            write_answer(ask(listing(ask.schema)), form, None)
        case ".describe":
            write_answer(ask(describing(argument.strip(" ;"), ask.schema)), form, None)
        case unknown if unknown.startswith("."):
            complain(f"expected a query or one of the commands of .help, found {unknown}")
        case _:
            write_answer(ask(line), form, None)


def _session() -> PromptSession[str]:
    try:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import FileHistory
    except ImportError as error:
        raise WsparquetError(
            "expected the package prompt_toolkit, found none; give a query, or install it with: "
            "pip install 'wsparquet[duckdb]'"
        ) from error
    return PromptSession(history=FileHistory(_history_file()), multiline=True, key_bindings=_keys())


def completer(schema: Schema) -> Completer:
    """Return the completion of commands, keywords, and the names of tables, views and columns of a schema."""
    from prompt_toolkit.completion import WordCompleter

    from wsparquet.query.catalog import columns_of, relations

    names = relations(schema)
    columns = (column.name for name in names for column in columns_of(name, schema))
    words = sorted({*names, *columns, *KEYWORDS, ".tables", ".describe", ".refresh", ".help", ".quit"})
    return WordCompleter(words, ignore_case=True, pattern=WORD)


def _keys() -> KeyBindings:
    """Return the keys: Enter ends a command or a query with a semicolon, and otherwise begins another line."""
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        text = event.current_buffer.text.strip()
        if not text or text.startswith(".") or text.endswith(";"):
            event.current_buffer.validate_and_handle()
        else:
            event.current_buffer.insert_text("\n")

    return keys


def _history_file() -> str:
    """Return the file with earlier queries, which only this user can read: queries may name people."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "wsparquet"
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = state / "sql_history"
    file.touch(mode=0o600)
    return str(file)
