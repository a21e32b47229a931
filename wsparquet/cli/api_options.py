"""Options that are shared by the commands that call the Data Access API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from wsparquet.cli.flags import in_flags
from wsparquet.cli.options import Command, added
from wsparquet.cli.parameter_types import MOMENT, account_option
from wsparquet.errors import ApiError
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from wsparquet.api import ApiOptions, Credentials
    from wsparquet.synchronisation import FetchOptions

__all__ = ["RangeOptions", "ServerOptions", "api_options", "fetch_options", "range_options"]


@dataclass(frozen=True)
class ServerOptions:
    """The server that a command calls, the account whose data it requests, and the credentials.

    ``account`` can be None only for commands that do not require an account.
    """

    account: str
    region: str | None
    base_url: str | None
    pause: float
    credentials: str | None
    profile: str | None

    def api(self) -> ApiOptions:
        """Return the library's options for the chosen server.

        Raises:
            UsageError: the options contradict each other, or the URL is not acceptable.

        """
        from wsparquet.api import ApiOptions
        from wsparquet.api.trust import check_base_url

        if self.region is not None and self.base_url is not None:
            raise click.UsageError("expected one of --region and --base-url, found both")
        if self.base_url is not None:
            try:
                check_base_url(self.base_url)
            except ApiError as error:
                raise click.UsageError(printable(in_flags(str(error)))) from error
        return ApiOptions(region=self.region or "us", base_url=self.base_url, pause_seconds=self.pause)

    def loaded_credentials(self) -> Credentials:
        """Load the credentials from the file or from the environment.

        Raises:
            UsageError: a credential is missing, or the file is not acceptable.

        """
        from wsparquet.api import Credentials

        try:
            return Credentials.load(self.credentials, profile=self.profile)
        except ApiError as error:
            raise click.UsageError(printable(in_flags(str(error)))) from error


def api_options(*, required: bool = True) -> Callable[[Command], Command]:
    """Return a decorator that adds the options of ``ServerOptions``."""
    return lambda command: added(
        command,
        account_option("The account whose sessions are requested.", checked=True, required=required),
        click.option(
            "--region",
            type=click.Choice(["us", "uk", "apac"]),
            help="Use the server of this region.  [default: us]",
        ),
        click.option(
            "--base-url",
            metavar="URL",
            help="Use the server with this URL, instead of the server of a region.",
        ),
        click.option(
            "--pause",
            type=click.FloatRange(min=0),
            default=5.0,
            show_default=True,
            metavar="SECONDS",
            help="Pause before the first retry of a failed request; later pauses are longer.",
        ),
        click.option(
            "--credentials",
            type=click.Path(dir_okay=False),
            help="TOML file of mode 600 with app_key, app_secret, access_token and access_token_secret. "
            "[default: WSPARQUET_APP_KEY, WSPARQUET_APP_SECRET, WSPARQUET_ACCESS_TOKEN, "
            "WSPARQUET_ACCESS_TOKEN_SECRET]",
        ),
        click.option("--profile", metavar="NAME", help="Use the table [NAME] in the file that --credentials names."),
    )


def fetch_options(server: ServerOptions, span: RangeOptions, storage: dict[str, object]) -> FetchOptions:
    """Return the library's options for listing and downloading.

    Raises:
        UsageError: the options contradict each other, or a credential is missing.

    """
    from wsparquet.synchronisation import FetchOptions

    span.check()
    return FetchOptions(
        account=server.account,
        api=server.api(),
        credentials=server.loaded_credentials(),
        since=span.since,
        until=span.until,
        downloads=span.downloads,
        storage_options=storage or None,
    )


@dataclass(frozen=True)
class RangeOptions:
    """The time range of the files, and the number of files to download at once."""

    since: datetime | timedelta | None
    until: datetime | timedelta | None
    downloads: int

    def check(self) -> None:
        """Check the range.

        Raises:
            UsageError: the range ends before it begins.

        """
        now = datetime.now(UTC)
        bounds = (self.since, self.until or now)
        start, end = (now - each if isinstance(each, timedelta) else each for each in bounds)
        if start is not None and end is not None and start >= end:
            raise click.UsageError(
                f"expected --since before --until, found the start {start.isoformat(timespec='minutes')} and the end "
                f"{end.isoformat(timespec='minutes')}"
            )


def range_options(command: Command) -> Command:
    """Add the options of ``RangeOptions``."""
    return added(
        command,
        click.option(
            "--since",
            type=MOMENT,
            help="Start of the time range: 7d for seven days ago, or a date.  [default: all that the server has]",
        ),
        click.option(
            "--until", type=MOMENT, help="End of the time range: 1d for one day ago, or a date.  [default: now]"
        ),
        click.option(
            "--downloads",
            type=click.IntRange(min=1),
            default=4,
            show_default=True,
            help="Number of files to download at once.",
        ),
    )
