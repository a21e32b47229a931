"""`wsparquet serve`: an emulator of the Data Access API."""

from __future__ import annotations

from typing import Any

import click

from wsparquet.cli.options import BYTES

__all__ = ["serve"]


def _faults(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    """The pairs of ``--fault KIND=PROBABILITY``."""
    faults = {}
    for value in values:
        kind, _equals, probability = value.partition("=")
        try:
            faults[kind] = float(probability)
        except ValueError:
            raise click.BadParameter(f"expected KIND=PROBABILITY, found {value!r}", param=parameter) from None
    return faults


@click.command(short_help="Emulate the Data Access API on this machine.")
@click.option("--account", default="75555851", show_default=True, metavar="ID", help="Whose sessions.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port.  [default: any that is free]")
@click.option("--hours", type=click.IntRange(min=1), default=24, show_default=True, help="Of files.")
@click.option("--parts", type=click.IntRange(min=1), default=1, show_default=True, help="Files an hour.")
@click.option("--size", type=BYTES, default="100000", show_default=True, help="Bytes of JSON in each.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Same seed, same sessions.")
@click.option("--late", type=click.FloatRange(0, 1), default=0, help="Share of files that come up to 6 h late.")
@click.option("--latency", type=click.FloatRange(min=0), default=0, metavar="MS", help="Milliseconds, each way.")
@click.option(
    "--fault", "faults", multiple=True, metavar="KIND=P", callback=_faults, help="With which probability; all=0.2."
)
@click.option("--errors", type=click.Choice(["xml", "json"]), default="xml", show_default=True, help="Form of errors.")
def serve(latency: float, **options: Any) -> int:
    """Emulate the Data Access API on this machine, with generated sessions, until interrupted.

    The first line that it prints is its address, the next ones are the credentials that it takes, for a shell to read.

    \b
    Example:
      wsparquet serve --hours 48 --fault 503=0.1 --fault reset-mid-body=0.1
    """
    import asyncio

    from wsparquet.emulator import EmulatorOptions

    try:
        wanted = EmulatorOptions(latency_seconds=latency / 1000, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    asyncio.run(_serve(wanted))
    return 0


async def _serve(options: Any) -> None:
    import asyncio
    import signal

    from wsparquet.api.credentials import VARIABLES
    from wsparquet.emulator import Emulator

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Emulator(options) as emulator:
        click.echo(emulator.base_url)
        for name, variable in VARIABLES.items():
            click.echo(f"export {variable}={getattr(options.credentials, name)}")
        await stop.wait()
