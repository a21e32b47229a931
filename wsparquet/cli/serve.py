"""`wsparquet serve`: emulate the Data Access API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import click

from wsparquet.cli.arguments import takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.flags import in_flags
from wsparquet.cli.output import say
from wsparquet.cli.parameter_types import BYTES, account_option
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from wsparquet.emulator import EmulatorOptions

__all__ = ["serve"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet serve`; ``latency`` is in milliseconds."""

    account: str
    host: str
    port: int
    hours: int
    parts: int
    size: int
    seed: int
    late: float
    latency: float
    faults: dict[str, float]
    errors: Literal["xml", "json"]

    def options(self) -> EmulatorOptions:
        """Return these arguments as the emulator's options.

        Raises:
            UsageError: a fault is unknown, or a probability is outside 0 to 1.

        """
        from wsparquet.emulator import EmulatorOptions

        try:
            return EmulatorOptions(
                account=self.account,
                host=self.host,
                port=self.port,
                hours=self.hours,
                parts=self.parts,
                size=self.size,
                seed=self.seed,
                late=self.late,
                latency_seconds=self.latency / 1000,
                faults=self.faults,
                errors=self.errors,
            )
        except ValueError as error:
            raise click.UsageError(printable(in_flags(str(error)))) from error


def _faults(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    """Parse the values of ``--fault KIND=PROBABILITY``."""
    faults = {}
    for value in values:
        kind, _equals, probability = value.partition("=")
        try:
            faults[kind] = float(probability)
        except ValueError:
            raise click.BadParameter(f"expected KIND=PROBABILITY, found {value!r}", param=parameter) from None
    return faults


@click.command(short_help="Emulate the Data Access API on this machine.")
@account_option("The account whose sessions are served.", default=["75555851"], show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port to listen on.  [default: any free port]"
)
@click.option(
    "--hours", type=click.IntRange(min=1), default=24, show_default=True, help="Number of past hours that have files."
)
@click.option(
    "--parts", type=click.IntRange(min=1), default=1, show_default=True, help="Number of files for each hour."
)
@click.option("--size", type=BYTES, default="100000", show_default=True, help="Bytes of JSON in each file.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the content; the same seed serves the same sessions.",
)
@click.option("--late", type=click.FloatRange(0, 1), default=0, help="Share of files that appear up to 6 hours late.")
@click.option(
    "--latency",
    type=click.FloatRange(min=0),
    default=0,
    metavar="MS",
    help="Delay of each request and of each answer, in milliseconds.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND=P",
    callback=_faults,
    help="A kind of fault and its probability for each request, such as 503=0.1; all=0.2 sets one probability for all "
    "kinds together; repeatable.",
)
@click.option(
    "--errors", type=click.Choice(["xml", "json"]), default="xml", show_default=True, help="Form of error answers."
)
@takes(Arguments)
def serve(given: Arguments) -> int:
    """Emulate the Data Access API on this machine, with generated sessions, until interrupted.

    The first line of the output is the address. The next lines set the accepted credentials, in the syntax of a shell.

    \b
    Example:
      wsparquet serve --hours 48 --fault 503=0.1 --fault reset-mid-body=0.1
    """
    import asyncio

    asyncio.run(_serve(given.options()))
    return ExitCode.DONE


async def _serve(options: EmulatorOptions) -> None:
    import asyncio
    import signal

    from wsparquet.api.credentials import VARIABLES
    from wsparquet.emulator import Emulator

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Emulator(options) as emulator:
        say(emulator.base_url)
        for name, variable in VARIABLES.items():
            say(f"export {variable}={getattr(options.credentials, name)}")
        await stop.wait()
