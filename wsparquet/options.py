"""Builds options from keyword arguments, and rejects invalid values.

The ``__post_init__`` of each options class checks its fields with the functions of this module.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from wsparquet.errors import OptionError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Options = TypeVar("Options", bound=DataclassInstance)
else:
    Options = TypeVar("Options")

__all__ = ["check_choice", "check_duration", "check_kind", "check_number", "did_you_mean", "make_options"]


def make_options(kind: type[Options], options: Options | None, keywords: Mapping[str, Any]) -> Options:
    """Return ``options`` with the fields in ``keywords`` replaced, or a new ``kind`` if ``options`` is None.

    Raises:
        OptionError: a keyword is not a field's name, a field without a default is missing, or a value is invalid.

    """
    if options is not None and not isinstance(options, kind):
        raise OptionError("options", f"expected {kind.__name__}, found {type(options).__name__}")
    known = [field.name for field in fields(kind)]
    for name in keywords:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1) or known
            raise OptionError(name, f"expected a known parameter such as {', '.join(near)}, found an unknown one")
    if options is not None:
        return replace(options, **keywords)
    for field in fields(kind):
        if field.default is MISSING and field.default_factory is MISSING and field.name not in keywords:
            raise OptionError(field.name, "expected a value, found none")
    # Here the type checker does not know the constructor's parameters.
    return cast("Options", cast("Any", kind)(**keywords))


def check_number(name: str, value: object, *, minimum: float, whole: bool = True, optional: bool = False) -> None:
    """Reject a value that is not a number of ``minimum`` or more. Raises OptionError."""
    if optional and value is None:
        return
    kinds = (int,) if whole else (int, float)
    # isinstance treats a bool as an int. ``value < minimum`` would accept a NaN.
    if isinstance(value, bool) or not isinstance(value, kinds) or not value >= minimum:
        kind = "a whole number" if whole else "a number"
        raise OptionError(name, f"expected {kind} of {minimum} or more{_or_none(optional)}, found {value!r}")


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Reject a value that is not one of ``choices``. Raises OptionError."""
    if value not in choices:
        raise OptionError(name, f"expected one of {', '.join(choices)}, found {value!r}{did_you_mean(value, choices)}")


def did_you_mean(value: object, choices: Iterable[str]) -> str:
    """Return the end of a message that suggests the choice most similar to a value; empty if none is similar.

    Case, underscores, dashes and blanks make no difference, and the beginning of a choice suffices.

    >>> did_you_mean("GEO", ["geo", "navigation"])
    '; did you mean geo?'
    """
    if not isinstance(value, str) or not (plain := _plain(value)):
        return ""
    known = {_plain(choice): choice for choice in choices}
    near = difflib.get_close_matches(plain, known, n=1) or [each for each in known if each.startswith(plain)]
    return f"; did you mean {known[near[0]]}?" if near else ""


def _plain(name: str) -> str:
    return re.sub("[-_ ]", "", name).casefold()


def check_kind(name: str, value: object, kind: type | tuple[type, ...], what: str, *, optional: bool = False) -> None:
    """Reject a value that is not an instance of ``kind``; the message calls the expected kind ``what``.

    Raises OptionError.
    """
    if not (optional and value is None) and not isinstance(value, kind):
        # Show only the type, because the value may be a secret.
        raise OptionError(name, f"expected {what}{_or_none(optional)}, found a value of type {type(value).__name__}")


def check_duration(name: str, value: object) -> None:
    """Reject a value that is not a timedelta of 0 or more. Raises OptionError."""
    if not isinstance(value, timedelta) or value < timedelta(0):
        raise OptionError(name, f"expected a timedelta of 0 or more, found {value!r}")


def _or_none(optional: bool) -> str:
    return " or None" if optional else ""
