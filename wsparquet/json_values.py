"""Converts results to plain JSON values: their fields, and the properties that they declare, in a fixed order.

Example:
    >>> from dataclasses import dataclass, field
    >>> @dataclass
    ... class Walk(JsonResult):
    ...     json_properties = (("minutes", "name"),)
    ...     name: str
    ...     seconds: float = field(metadata=in_json(convert=milliseconds))
    ...     @property
    ...     def minutes(self) -> int:
    ...         return round(self.seconds / 60)
    >>> Walk("to work", 600.12345).to_dict()
    {'name': 'to work', 'minutes': 10, 'seconds': 600.123}

"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

__all__ = ["JsonResult", "in_json", "json_dict", "milliseconds", "texts"]

_KEY = "json"


@dataclass(frozen=True, slots=True)
class _Form:
    """How one field is represented in JSON; see ``in_json``."""

    name: str | None = None
    convert: Callable[[Any], Any] | None = None
    flat: bool = False
    hidden: bool = False


def in_json(
    name: str | None = None, *, convert: Callable[[Any], Any] | None = None, flat: bool = False, hidden: bool = False
) -> dict[str, Any]:
    """Return the ``metadata`` of a dataclass field whose JSON form is not simply its name and value.

    ``name``: the key in JSON. ``convert``: the function that makes the JSON value. ``flat``: the value is an object
    whose keys are merged into the keys of the result. ``hidden``: the field is omitted.
    """
    return {_KEY: _Form(name, convert, flat, hidden)}


def milliseconds(seconds: float) -> float:
    """Round a number of seconds to milliseconds."""
    return round(seconds, 3)


def texts(value: Any) -> Any:
    """Convert everything in the value that JSON cannot represent to text; used for rows of a table."""
    match value:
        case dict():
            return {key: texts(each) for key, each in value.items()}
        case list():
            return [texts(each) for each in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


class JsonResult:
    """A dataclass with ``to_dict``.

    ``json_properties`` lists the properties that the JSON includes, each with the field that precedes it.
    """

    __slots__ = ()

    json_properties: ClassVar[tuple[tuple[str, str], ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        return json_dict(self)


def json_dict(result: Any) -> dict[str, Any]:
    """Return a dataclass as plain JSON values: numbers, texts, booleans, None, lists and dicts of them.

    Raises:
        TypeError: a value has no JSON form.

    """
    return {key: value for field in fields(result) for key, value in _entries(result, field)}


def _entries(result: Any, field: Field[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of one field, and then those of the properties that follow the field."""
    form = field.metadata.get(_KEY) or _Form()
    if not form.hidden:
        value = getattr(result, field.name)
        plain = form.convert(value) if form.convert else _plain(value)
        yield from plain.items() if form.flat else ((form.name or field.name, plain),)
    for name, before in getattr(result, "json_properties", ()):
        if before == field.name:
            yield name, _plain(getattr(result, name))


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat()
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return _plain(value._asdict())
        case list() | tuple():
            return [_plain(each) for each in value]
    return _of_class(value)


def _of_class(value: Any) -> Any:
    """Return the JSON of an object, from its own ``to_dict`` if it has one."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "__dataclass_fields__"):
        return json_dict(value)
    raise TypeError(f"expected a value with a JSON form, found {type(value).__name__}")
