"""`wsparquet inspect`: show what files contain, without writing anything."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.options import (
    LimitOptions,
    decoder_option,
    extension_option,
    limit_options,
    output_option,
    storage_option,
)
from wsparquet.cli.output import present

__all__ = ["inspect"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet inspect`."""

    sources: tuple[str, ...]
    samples: int
    extension: str | None
    decoder: str
    storage: dict[str, object] = field(repr=False)
    output: str
    limits: LimitOptions = field(metadata=group(LimitOptions))


@click.command(short_help="Show what Web Session files contain, without writing anything.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Number of rows of each table, and of quarantined texts, to show; samples contain personal data.",
)
@extension_option
@decoder_option
@limit_options
@storage_option
@output_option
@takes(Arguments)
def inspect(given: Arguments) -> int:
    """Show what Web Session files contain, without writing anything.

    For each SOURCE, the command shows compression, form, containers, account, schema version, times, records per table,
    and the values that a conversion would rescue or quarantine. The totals of several sources come last. Samples are
    personal data, and are shown only with --samples.

    \b
    Examples:
      wsparquet inspect session.gz
      wsparquet inspect downloads/ --samples 2 --output json
    """
    from wsparquet.inspection import InspectOptions
    from wsparquet.inspection import inspect as look

    options = InspectOptions(
        samples=given.samples,
        decoder=given.decoder,
        source_limits=given.limits.source_limits,
        limits=given.limits.limits,
        storage_options=given.storage,
        extension=given.extension,
    )
    found = look(given.sources, options=options)
    present(found, given.output)
    return found.exit_code
