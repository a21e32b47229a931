"""Converts a result to a JSON object that contains its fields and its declared properties, in a fixed order.

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
from datetime import date
from typing import Any, ClassVar

__all__ = ["JsonResult", "in_json", "json_dict", "milliseconds", "texts"]

_KEY = "json"

Message = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Form:
    """How one field is represented in JSON; see ``in_json``."""

    name: str | None = None
    convert: Callable[[Any], Any] | None = None
    flat: bool = False
    hidden: bool = False
    message: bool = False


def in_json(
    name: str | None = None,
    *,
    convert: Callable[[Any], Any] | None = None,
    flat: bool = False,
    hidden: bool = False,
    message: bool = False,
) -> dict[str, Any]:
    """Return the ``metadata`` of a dataclass field whose JSON form is not simply its name and value.

    ``name``: the key in JSON. ``convert``: the function that makes the JSON value. ``flat``: the value is an object
    whose keys are merged into the keys of the result. ``hidden``: the field is omitted. ``message``: the value is a
    message of wsparquet, which may name parameters.
    """
    return {_KEY: _Form(name, convert, flat, hidden, message)}


def milliseconds(seconds: float) -> float:
    """Round a number of seconds to milliseconds."""
    return round(seconds, 3)


def texts(value: Any) -> Any:
    """Convert to text everything in the value that JSON cannot represent. Rows of a table are converted in this way."""
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

    ``json_properties`` lists the properties that the JSON includes, each with the field after which it appears.
    """

    __slots__ = ()

    json_properties: ClassVar[tuple[tuple[str, str], ...]] = ()

    def to_dict(self, *, message: Message | None = None) -> dict[str, Any]:
        """Return the result as plain JSON values; ``message`` is a function that converts each message of wsparquet."""
        return json_dict(self, message=message)


def json_dict(result: Any, *, message: Message | None = None) -> dict[str, Any]:
    """Return a dataclass as plain JSON values: numbers, texts, booleans, None, and lists and dicts of these.

    ``message`` is a function that converts the value of each field that is declared as a message.

    Raises:
        TypeError: a value has no JSON form.

    """
    return {key: value for field in fields(result) for key, value in _entries(result, field, message)}


def _entries(result: Any, field: Field[Any], message: Message | None) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of one field, and then those of the properties that follow the field."""
    form = field.metadata.get(_KEY) or _Form()
    if not form.hidden:
        value = getattr(result, field.name)
        if form.message and message is not None and value is not None:
            value = message(value)
        plain = form.convert(value) if form.convert else _plain(value, message)
        yield from plain.items() if form.flat else ((form.name or field.name, plain),)
    for name, before in getattr(result, "json_properties", ()):
        if before == field.name:
            yield name, _plain(getattr(result, name), message)


def _plain(value: Any, message: Message | None) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case date():
            return value.isoformat()
        case Mapping():
            return {key: _plain(each, message) for key, each in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return _plain(value._asdict(), message)
        case list() | tuple():
            return [_plain(each, message) for each in value]
    return _of_class(value, message)


def _of_class(value: Any, message: Message | None) -> Any:
    """Return the JSON of a dataclass, or of an object with its own ``to_dict``."""
    if hasattr(value, "__dataclass_fields__"):
        return json_dict(value, message=message)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    raise TypeError(f"expected a value with a JSON form, found {type(value).__name__}")
