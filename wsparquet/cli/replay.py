"""`wsparquet replay`: sources converted again, once more of them is understood."""

from __future__ import annotations

from typing import Any

import click

from wsparquet.cli.convert import convert_options
from wsparquet.cli.options import conversion_options
from wsparquet.cli.output import make_output
from wsparquet.cli.progress import progress

__all__ = ["replay"]


@click.command(short_help="Convert again what an older version did not understand.")
@click.argument("root")
@click.argument("raw", nargs=-1, required=True, metavar="RAW...")
@click.option("--jobs", type=click.IntRange(min=1), help="Sources at a time.  [default: one for each core]")
@click.option("--dry-run", is_flag=True, help="Find the files, decode and count, write nothing.")
@click.option("--max-quarantined", type=click.IntRange(min=0), metavar="N", help="More in one source, and it fails.")
@conversion_options
def replay(root: str, raw: tuple[str, ...], output: str, quiet: bool, **options: Any) -> int:
    """Convert sources below ROOT again of which not all was understood.

    Those are sources that an older schema version committed, or that had values rescued or text quarantined. Their
    files are looked for below RAW, paths or URLs, by name and checksum, and if they were piped in by checksum alone.
    What of RAW cannot be read has failed. After an upgrade that knows more fields this brings the root to the new
    schema version as a whole: nothing is begun unless all files are there, and until all are converted only another
    replay can use the root.

    \b
    Examples:
      wsparquet replay lake raw/
      wsparquet replay lake raw/ --dry-run --output json
    """
    from wsparquet.conversion.replay import replay as run

    with progress(quiet=quiet or output == "json") as listener:
        summary = run(root, raw, options=convert_options(**options), on_progress=listener)
    make_output(output).summary(summary)
    return summary.exit_code
