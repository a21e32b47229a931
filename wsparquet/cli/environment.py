"""Gives each option its environment variable: ``WSPARQUET_`` and the option's name."""

from __future__ import annotations

import click

__all__ = ["EXCLUDED", "add_variables"]

EXCLUDED = frozenset(
    {
        # Deletes or replaces rows or files, confirms it, or chooses which.
        *("--again", "--delete", "--recheck", "--stop", "--yes", "remove --account", "remove --before"),
        *("erase --visitor", "erase --visit", "erase --customer", "expire --older-than", "expire --table"),
        *("changes --next", "publish --keep", "report --html"),
        # Leaves out rows, or makes readers of folders count rows twice for a while.
        *("--dry-run", "--shard", "compact --keep"),
        # Asserts something about the sources or the other runs.
        *("--force-account", "--single-writer"),
        # Publishes a new root elsewhere for good, or puts text of the sources into a page.
        *("publish --catalog", "report --samples"),
        # Chooses what a single call reads, merges or prints.
        *("--additions", "--as", "--check", "--describe", "--diff", "--format", "--from", "--propose", "--remote"),
        *("--tables", "--version", "--views", "changes --since", "compact --date", "compact --table", "drift --by"),
        # `WSPARQUET_INTO` names the folder or file of other commands.
        "erase --into",
    }
)
"""The options without a variable, because a forgotten variable could do harm, or because they differ with each call. A
name with a command excludes the option of this command."""


def add_variables(command: click.Command) -> None:
    """Give each option of a command its environment variable, and show it in the help."""
    for parameter in command.params:
        names = {parameter.opts[0], f"{command.name} {parameter.opts[0]}"}
        if isinstance(parameter, click.Option) and not names & EXCLUDED:
            flag = parameter.opts[0].removeprefix("--").replace("-", "_")
            parameter.envvar = f"WSPARQUET_{flag.upper()}"
            parameter.show_envvar = True
