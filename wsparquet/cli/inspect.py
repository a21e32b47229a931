"""`wsparquet inspect`: what is in a file, without writing anything."""

from __future__ import annotations

from typing import Any

import click

from wsparquet.cli.options import decoder_option, limit_options, limits, output_option, storage_option
from wsparquet.cli.output import make_output

__all__ = ["inspect"]


@click.command(short_help="Say what is in Web Session files, writing nothing.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--samples", type=click.IntRange(min=0), default=0, help="Rows per table and quarantined texts to show.")
@decoder_option
@limit_options
@storage_option
@output_option
def inspect(sources: tuple[str, ...], output: str, storage: dict[str, object], **options: Any) -> int:
    """Say what is in Web Session files, writing nothing.

    For each SOURCE: compression, form, containers, account, schema version, times, records per table, and what a
    conversion would rescue or quarantine. Samples are personal data, and are shown only when asked for.

    \b
    Examples:
      wsparquet inspect session.gz
      wsparquet inspect downloads/ --samples 2 --output json
    """
    from wsparquet.conversion.summary import Failure
    from wsparquet.errors import WsparquetError
    from wsparquet.inspection import Inspection, InspectOptions
    from wsparquet.inspection import inspect_source as look
    from wsparquet.source import Failed, expand

    source_limits, decoder_limits = limits(options)
    wanted = InspectOptions(source_limits=source_limits, limits=decoder_limits, **options)
    found: list[Inspection] = []
    failures: list[Failure] = []
    for source in expand(sources, storage_options=storage):
        try:
            if isinstance(source, Failed):
                raise source.error
            found.append(look(source, options=wanted))
        except WsparquetError as error:
            failures.append(Failure(source.name, source.url, str(error)))
    make_output(output).inspections(found, failures)
    return 1 if failures else 0
