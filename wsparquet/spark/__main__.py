"""Runs commands on a Spark cluster: ``python -m wsparquet.spark convert SOURCE... --to ROOT``, also by spark-submit.

The commands have the options of ``wsparquet``, but not ``--jobs`` and ``--every``. The session comes from spark-submit,
or from Spark's configuration files and environment variables.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from wsparquet.cli import cli, run_program
from wsparquet.cli.arguments import takes
from wsparquet.cli.compact import Arguments as CompactArguments
from wsparquet.cli.compact import execute as compact
from wsparquet.cli.convert import Arguments as ConvertArguments
from wsparquet.cli.convert import execute as convert
from wsparquet.cli.output import present
from wsparquet.cli.progress import sync_progress
from wsparquet.cli.replay import Arguments as ReplayArguments
from wsparquet.cli.replay import execute as replay
from wsparquet.cli.sync import Arguments as SyncArguments
from wsparquet.cli.verify import Arguments as VerifyArguments
from wsparquet.cli.verify import execute as verify

__all__ = ["main"]

LEFT_OUT = {"jobs", "every"}
"""The parameters that Spark's own settings, or a scheduler, replace."""


def _session() -> Any:
    from wsparquet.spark.session import imported_pyspark

    imported_pyspark()
    from pyspark.sql import SparkSession

    return SparkSession.builder.appName("wsparquet").getOrCreate()


def _on_spark(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a function of ``wsparquet.spark`` with a session."""
    return function(_session(), *arguments, **keywords)


def _sync(given: SyncArguments) -> int:
    from wsparquet.spark import sync

    with sync_progress(given.progress, given.output, log_format=given.log_format) as shown:
        summary = _on_spark(sync, given.root, options=given.options(), on_progress=shown)
    present(summary, given.output, quiet=given.progress.quiet, shown=shown.failures)
    code: int = summary.exit_code
    return code


def _runner(execute: Callable[..., int], name: str) -> Callable[[Any], int]:
    def run(given: Any) -> int:
        import wsparquet.spark

        return execute(given, partial(_on_spark, getattr(wsparquet.spark, name)))

    return run


def _command(name: str, kind: type, run: Callable[[Any], int]) -> click.Command:
    """Return the command of the same name on a cluster."""
    local = cli.commands[name]
    params = [_for_tasks(each) for each in local.params if each.name not in LEFT_OUT]
    left_out = {each.name: None for each in local.params if each.name in LEFT_OUT}
    callback = partial(takes(kind)(run), **left_out)
    text = f"{local.short_help}\n\nThe executors of a Spark cluster do the work. `wsparquet {name} --help` says more."
    return click.Command(name, params=params, callback=callback, help=text, short_help=local.short_help)


def _for_tasks(parameter: click.Parameter) -> click.Parameter:
    """Return a parameter of the command: each task downloads one file at once by default, because tasks are many."""
    if parameter.name == "downloads":
        parameter = copy.copy(parameter)
        parameter.default = 1
    return parameter


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def program() -> None:
    """Convert, synchronize, compact, replay and verify on a Spark cluster."""


for _name, _kind, _execute in (
    ("compact", CompactArguments, compact),
    ("convert", ConvertArguments, convert),
    ("replay", ReplayArguments, replay),
    ("verify", VerifyArguments, verify),
):
    program.add_command(_command(_name, _kind, _runner(_execute, _name)))
program.add_command(_command("sync", SyncArguments, _sync))


def main() -> None:
    """Run a command, and end the process with its exit code."""
    run_program(program, "wsparquet.spark")


if __name__ == "__main__":
    main()
