"""Options of the commands that speak with the Data Access API, and how their values are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wsparquet.errors import ApiError
from wsparquet.names import is_account
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from wsparquet.api import ApiOptions, Credentials

__all__ = ["AGE", "DURATION", "MOMENT", "api_of", "api_options", "checked_account", "range_options"]

Command = TypeVar("Command", bound=Callable[..., Any])
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Duration(click.ParamType):
    """How long: ``90s``, ``30m``, ``1h``, ``7d``, ``2w``; nothing at all only where that means something."""

    name = "duration"

    def __init__(self, *, least: int = 1) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The duration."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([0-9]{1,6})([smhdw])", str(value).strip().lower())
        if match is None or int(match[1]) < self._least:
            self.fail(f"expected a duration such as 90s, 30m, 1h, 7d or 2w, found {value!r}", param, ctx)
        return timedelta(**{UNITS[match[2]]: int(match[1])})


class _Moment(_Duration):
    """When: a duration ago, or a date or time in ISO 8601, UTC if it has no zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The instant, or how long ago it is."""
        if isinstance(value, datetime | timedelta):
            return value
        if re.fullmatch(r"\s*[0-9]+[a-zA-Z]\s*", str(value)):
            return super().convert(value, param, ctx)
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"expected a time such as 7d, 2026-06-30 or 2026-06-30T12:00Z, found {value!r}", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


DURATION = _Duration()
AGE = _Duration(least=0)
MOMENT = _Moment()


def checked_account(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The account that an option names, if it can be one."""
    if value is not None and not is_account(value):
        raise click.BadParameter(f"expected letters and digits, found {printable(value)!r}", param=parameter)
    return value


def _added(command: Command, options: tuple[tuple[str, dict[str, Any]], ...]) -> Command:
    for name, settings in reversed(options):
        command = click.option(name, **settings)(command)
    return command


def api_options(*, required: bool = True) -> Callable[[Command], Command]:
    """The options that say whom to ask, as whom."""

    def decorate(command: Command) -> Command:
        return _added(
            command,
            (
                (
                    "--account",
                    {"metavar": "ID", "required": required, "callback": checked_account, "help": "Whose sessions."},
                ),
                ("--region", {"type": click.Choice(["us", "uk", "apac"]), "help": "Of the server.  [default: us]"}),
                (
                    "--base-url",
                    {
                        "metavar": "URL",
                        "envvar": "WSPARQUET_BASE_URL",
                        "help": "Of the server, in place of a region.  [env: WSPARQUET_BASE_URL]",
                    },
                ),
                (
                    "--pause",
                    {
                        "type": click.FloatRange(min=0),
                        "default": 5.0,
                        "show_default": True,
                        "metavar": "SECONDS",
                        "help": "Before a failed request is tried again; later pauses are longer.",
                    },
                ),
                (
                    "--credentials",
                    {
                        "type": click.Path(dir_okay=False),
                        "help": "TOML file of mode 600 with app_key, app_secret, access_token and access_token_secret. "
                        "[default: WSPARQUET_APP_KEY, WSPARQUET_APP_SECRET, WSPARQUET_ACCESS_TOKEN, "
                        "WSPARQUET_ACCESS_TOKEN_SECRET]",
                    },
                ),
            ),
        )

    return decorate


def range_options(command: Command) -> Command:
    """The options that say which files, and how many at a time."""
    return _added(
        command,
        (
            ("--since", {"type": MOMENT, "help": "Files from then on: 7d, or a date.  [default: all the server has]"}),
            ("--until", {"type": MOMENT, "help": "Files until then.  [default: now]"}),
            (
                "--downloads",
                {"type": click.IntRange(min=1), "default": 4, "show_default": True, "help": "Files at a time."},
            ),
        ),
    )


def api_of(options: dict[str, Any]) -> tuple[str, Credentials, ApiOptions]:
    """The account, who asks, and the server that ``api_options`` gave, taken out of ``options``.

    What no server has to be asked for to see that it cannot work is wrong usage.
    """
    from wsparquet.api import ApiOptions, Credentials
    from wsparquet.api.trust import check_base_url

    account, region, base_url = options.pop("account"), options.pop("region"), options.pop("base_url")
    if region is not None and base_url is not None:
        raise click.UsageError("expected one of --region and --base-url, found both")
    _check_range(options.get("since"), options.get("until"))
    try:
        if base_url is not None:
            check_base_url(base_url)
        credentials = Credentials.load(options.pop("credentials"))
    except ApiError as error:
        raise click.UsageError(printable(str(error))) from error
    api = ApiOptions(region=region or "us", base_url=base_url, pause_seconds=options.pop("pause"))
    return account, credentials, api


def _check_range(since: datetime | timedelta | None, until: datetime | timedelta | None) -> None:
    """Refuse a range that ends before it begins."""
    now = datetime.now(UTC)
    start, end = (now - each if isinstance(each, timedelta) else each for each in (since, until or now))
    if start is not None and end is not None and start >= end:
        raise click.UsageError(
            f"expected --since before --until, found the start {start.isoformat(timespec='minutes')} and the end "
            f"{end.isoformat(timespec='minutes')}"
        )
