"""`wsparquet convert`: files in, datasets out."""

from __future__ import annotations

from typing import Any

import click

from wsparquet.cli.options import conversion_options, limits
from wsparquet.cli.output import make_output
from wsparquet.cli.progress import progress

__all__ = ["convert", "convert_options"]


@click.command(short_help="Turn Web Session files into datasets below a root.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--to", "root", required=True, metavar="ROOT", help="The folder, or s3://BUCKET/PATH, of the datasets.")
@click.option("--jobs", type=click.IntRange(min=1), help="Sources at a time.  [default: one for each core]")
@click.option("--account", metavar="ID", help="The account of all sources, where they do not say.")
@click.option("--dry-run", is_flag=True, help="Decode and count, write nothing.")
@click.option("--again", is_flag=True, help="Convert also what is committed already, replacing its rows.")
@click.option("--max-quarantined", type=click.IntRange(min=0), metavar="N", help="More in one source, and it fails.")
@conversion_options
def convert(sources: tuple[str, ...], root: str, output: str, quiet: bool, **options: Any) -> int:
    """Turn Web Session files into nested Parquet datasets below ROOT.

    A SOURCE is a file, a glob, a directory, an fsspec URL, or - for standard input; gzip, zstd, zip or plain. Each
    source becomes one commit: all of its rows or none. What is committed already is skipped, so the same command can be
    run again after anything. Exit code 3 says that all is done but something was quarantined.

    \b
    Examples:
      wsparquet convert downloads/ --to lake
      wsparquet convert 'raw/WebSession.*.gz' --to lake --jobs 4 --output json
      zcat session.gz | wsparquet convert - --to lake --account 75555851
    """
    from wsparquet.conversion.run import convert as run

    with progress(quiet=quiet or output == "json") as listener:
        summary = run(sources, root, options=convert_options(**options), on_progress=listener)
    make_output(output).summary(summary)
    return summary.exit_code


def convert_options(**options: Any) -> Any:
    """The ``ConvertOptions`` that a command's options mean."""
    from wsparquet.conversion.options import ConvertOptions, default_jobs

    source_limits, decoder_limits = limits(options)
    return ConvertOptions(
        jobs=options["jobs"] or default_jobs(),
        account=options.get("account"),
        dry_run=options["dry_run"],
        max_quarantined=options["max_quarantined"],
        again=options.get("again", False),
        decoder=options["decoder"],
        source_limits=source_limits,
        limits=decoder_limits,
        storage_options=options["storage"] or None,
        single_writer=options["single_writer"],
    )
