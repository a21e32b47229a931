"""Shows results in a console or a notebook, and raises an exception for their failures."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from wsparquet.errors import FailuresError
from wsparquet.json_values import JsonResult, in_json

__all__ = ["Failure", "Result", "counted"]

MOST_SHOWN = 5
ROWS_SHOWN = 20


@dataclass(frozen=True)
class Failure:
    """A source that failed, with the reason; none of its rows are committed.

    >>> summary = wsparquet.convert(["downloads/", "missing.gz"], to="lake")
    >>> [failure.name for failure in summary.failures]
    ['missing.gz']
    """

    name: str
    url: str
    error: str = field(metadata=in_json(message=True))


class Result(JsonResult):
    """The base class of all results; each subclass defines its own ``facts`` and ``failed_sources``."""

    def facts(self) -> Mapping[str, object]:
        """Return the main facts about the result, in the order to show them; empty values are not shown."""
        raise NotImplementedError

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Yield the name of each failed source, with the reason."""
        return ()

    def raise_for_failures(self) -> Self:
        """Return this result if no source failed, otherwise raise.

        Raises:
            FailuresError: one or more sources failed; the message names them, with their reasons.

        """
        failures = list(self.failed_sources())
        if not failures:
            return self
        shown = "; ".join(f"{name}: {error}" for name, error in failures[:MOST_SHOWN])
        more = f"; and {len(failures) - MOST_SHOWN} more" if len(failures) > MOST_SHOWN else ""
        raise FailuresError(f"{counted(len(failures), 'failure')}: {shown}{more}", [name for name, _ in failures])

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={_text(value)}" for name, value in self._shown())
        return f"<{type(self).__name__} {facts}>"

    def _repr_html_(self) -> str:
        """Return a small table for notebooks."""
        rows = [*self._shown(), *(("failed", f"{name}: {error}") for name, error in self._some_failures())]
        cells = "".join(f"<tr><th>{_escaped(name)}</th><td>{_escaped(_text(value))}</td></tr>" for name, value in rows)
        return f"<table><caption>{_escaped(type(self).__name__)}</caption><tbody>{cells}</tbody></table>"

    def _shown(self) -> list[tuple[str, object]]:
        return [(name, value) for name, value in self.facts().items() if value or (value == 0 and value is not False)]

    def _some_failures(self) -> list[tuple[str, str]]:
        return list(self.failed_sources())[:ROWS_SHOWN]


def counted(number: int, noun: str) -> str:
    """Return a number followed by its noun, such as ``2 failures``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {count}" for name, count in value.items()) + "}"
    return f"{value:.3g} s" if isinstance(value, float) else str(value)


def _escaped(text: str) -> str:
    return html.escape(text)
