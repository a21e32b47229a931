"""Gives each option its environment variable: ``WSPARQUET_`` and the option's name."""

from __future__ import annotations

import click

__all__ = ["EXCLUDED", "add_variables"]

EXCLUDED = frozenset(
    {
        *("--again", "--delete", "--dry-run", "--force-account", "--recheck", "--shard", "--single-writer", "--stop"),
        "--yes",
        *(
            "--additions",
            "--as",
            "--check",
            "--describe",
            "--diff",
            "--extension",
            "--format",
            "--from",
            "--propose",
            "--remote",
        ),
        *("--tables", "--version", "--views"),
        # A root keeps its masks. `--policy` has a variable.
        *("--mask", "--mask-network", "--mask-pii"),
        # A root remembers where it is published.
        *("publish --catalog", "publish --keep"),
        # `--since` of `changes` is a file with a token, while `--since` of other commands is a time.
        *("changes --since", "changes --next", "drift --by"),
        # With `--keep`, readers of folders count rows twice for a while.
        *("compact --date", "compact --table", "compact --keep"),
        *("report --html", "report --samples"),
        # A forgotten account would select all of its sources, and a forgotten age old days.
        *("remove --account", "remove --before"),
        *("erase --visitor", "erase --visit", "erase --customer", "erase --search", "erase --into"),
        *("expire --older-than", "expire --table"),
    }
)
"""The options without a variable. Some of them delete or replace rows, keep a run from writing some or all rows, or
assert something, which a forgotten variable must not do. A root itself says where it is published, and what it masks.
The others choose what a single call of `schema`, `extend`, `inspect`, `sql`, `changes`, `drift` or `report` shows, what
a single call of `compact` merges, or what a single call of `remove`, `expire` or `erase` takes out. A name with a
command excludes the option of this command."""


def add_variables(command: click.Command) -> None:
    """Give each option of a command its environment variable, and show it in the help."""
    for parameter in command.params:
        names = {parameter.opts[0], f"{command.name} {parameter.opts[0]}"}
        if isinstance(parameter, click.Option) and not names & EXCLUDED:
            flag = parameter.opts[0].removeprefix("--").replace("-", "_")
            parameter.envvar = f"WSPARQUET_{flag.upper()}"
            parameter.show_envvar = True
