"""The formats of sizes, durations, times, and accounts on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import click

from wsparquet.names import is_account
from wsparquet.redaction import printable

__all__ = ["AGE", "BYTES", "DATE", "DURATION", "MOMENT", "PARTITION_DAY", "account_option"]

Command = TypeVar("Command", bound=Callable[..., Any])
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Bytes(click.ParamType):
    """A number of bytes, 1 or more: ``1500000``, ``64M``, ``2GiB``; units are powers of 1024."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse the number of bytes."""
        match = re.fullmatch(r"\s*(0*[1-9][0-9]*)\s*([kmgt]?)(?:i?b)?\s*", str(value), re.IGNORECASE)
        if match is None:
            self.fail(f"expected a number of bytes such as 1500000, 64M or 2GiB, found {value!r}", param, ctx)
        return int(match[1]) * int(1024 ** _POWERS[match[2].lower()])


class _Duration(click.ParamType):
    """A duration: ``90s``, ``30m``, ``1h``, ``7d``, ``2w``; zero only if ``least`` allows it."""

    name = "duration"

    def __init__(self, *, least: int = 1) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Parse the duration."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([0-9]{1,6})([smhdw])", str(value).strip().lower())
        if match is None or int(match[1]) < self._least:
            self.fail(f"expected a duration such as 90s, 30m, 1h, 7d or 2w, found {value!r}", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


class _Moment(_Duration):
    """A time: a duration before now, or a date or time in ISO 8601, which is UTC if it has no zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse the time, either absolute or as a duration before now."""
        if isinstance(value, datetime | timedelta):
            return value
        if re.fullmatch(r"\s*[0-9]+[a-zA-Z]\s*", str(value)):
            return super().convert(value, param, ctx)
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"expected a time such as 7d, 2026-06-30 or 2026-06-30T12:00Z, found {value!r}", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _PartitionDay(click.ParamType):
    """A UTC day as ``2026-06-30``, or ``none`` for the rows without a day."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date | None:
        """Parse the day."""
        if str(value).lower() == "none":
            return None
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"expected a day such as 2026-06-30, or none, found {value!r}", param, ctx)


class _Date(click.ParamType):
    """A UTC day as ``2026-06-30``."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Parse the day."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"expected a day such as 2026-06-30, found {value!r}", param, ctx)


BYTES = _Bytes()
DURATION = _Duration()
AGE = _Duration(least=0)
DATE = _Date()
MOMENT = _Moment()
PARTITION_DAY = _PartitionDay()


def account_option(text: str, *, checked: bool = False, **more: Any) -> Callable[[Command], Command]:
    """Return the decorator of the option ``--account`` with a help text. The user may give the option only once.

    ``checked``: accept only letters and digits, because the account becomes a part of a URL or of generated files.
    """
    # Without `multiple`, click would silently use the last of several accounts.
    callback = _checked_account if checked else _one_account
    return click.option("--account", metavar="ID", multiple=True, callback=callback, help=text, **more)


def _one_account(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    """Return the one account that an option specifies, or None. Raises BadParameter for several accounts."""
    if len(values) > 1:
        raise click.BadParameter(
            f"expected one account, found {len(values)}; run the command once for each account", param=parameter
        )
    return values[0] if values else None


def _checked_account(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    """Return the one account, or None. Raises BadParameter for several accounts, or for an invalid account."""
    account = _one_account(context, parameter, values)
    if account is not None and not is_account(account):
        raise click.BadParameter(f"expected letters and digits, found {printable(account)!r}", param=parameter)
    return account
