"""What a root keeps of people: which columns are masked, and what happens to text outside of columns.

A policy is validated against the schema when it is made, so a misspelled path fails before any row is written. Two
policies are equal if they do the same to every column, whether they came from a file, from presets, or from single
masks.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self, cast, get_args

from wsparquet.errors import OptionError
from wsparquet.options import check_choice, did_you_mean
from wsparquet.privacy.columns import Column, all_columns, check_action, columns_at
from wsparquet.privacy.presets import PRESETS, preset
from wsparquet.schema import TABLES

__all__ = ["ACTIONS", "Action", "Policy", "TextPolicy"]

Action = Literal["keep", "drop", "hash", "truncate", "redact"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

TextPolicy = Literal["keep", "drop"]
TEXTS: Final = ("quarantine", "record", "values")
"""The kinds of text of sources that masks of columns do not reach: quarantine, whole records, container values."""

MEMBERS: Final = ("presets", "masks", *TEXTS)
"""The members of a policy file."""


@dataclass(frozen=True)
class Policy:
    """The masks of columns, and whether the root keeps text of sources that these masks do not reach.

    ``masks`` has the masked columns as pairs of ``TABLE.COLUMN`` and action, in order: ``drop`` makes the value null,
    ``hash`` replaces a text by its HMAC-SHA256, ``truncate`` shortens an IP address to its network and a URL to its
    path, and ``redact`` replaces a text by the word ``redacted``. The other fields are ``keep`` or ``drop``:
    ``quarantine`` for text that could not become a row, ``record`` for the column ``unrecognized.record``, and
    ``values`` for the values of containers in commit records.

    >>> policy = wsparquet.Policy.make(masks={"visitorId": "hash", "geo.iPV4": "truncate"})
    >>> dict(policy.masks)["navigation.visitorId"], policy.needs_key, policy.quarantine
    ('hash', True, 'drop')
    """

    masks: tuple[tuple[str, Action], ...] = ()
    quarantine: TextPolicy = "drop"
    record: TextPolicy = "drop"
    values: TextPolicy = "drop"

    def __post_init__(self) -> None:
        """Reject columns that do not exist or do not suit their action. Raises OptionError."""
        for name in TEXTS:
            check_choice(name, getattr(self, name), get_args(TextPolicy))
        for path, action in self.masks:
            check_action(_column(path), action)

    @classmethod
    def make(
        cls,
        masks: Mapping[str, str] | None = None,
        *,
        presets: Iterable[str] = (),
        file: str | os.PathLike[str] | None = None,
        quarantine: TextPolicy | None = None,
        record: TextPolicy | None = None,
        values: TextPolicy | None = None,
    ) -> Self:
        """Return the policy of a file, of presets, and of masks by path. Later ones win over earlier ones.

        ``presets`` are ``pii`` and ``network``. A path is that of a column of one table (``geo.iPV4``), or of each
        table that has such a column (``visitorId``). A path of a struct or list means all columns in it. Of two paths
        to one column, the longer one wins, and one with a table wins over one without. The action ``keep`` exempts a
        column from a preset. ``quarantine``, ``record`` and ``values`` are ``drop`` by default.

        >>> policy = wsparquet.Policy.make({"visitId": "keep"}, presets=["pii"])
        >>> dict(policy.masks).get("geo.visitId"), dict(policy.masks)["geo.visitorId"]
        (None, 'hash')

        Raises:
            OptionError: a path or an action is unknown, an action does not suit a column, or the file is not valid.

        """
        given = _read(Path(file)) if file is not None else {}
        found: dict[str, Action] = {}
        for name in (*given.get("presets", ()), *presets):
            check_choice("presets", name, PRESETS)
            found.update(cast("dict[str, Action]", preset(name)))
        for layer in (given.get("masks", {}), masks or {}):
            found.update(_resolved(layer))
        texts = {"quarantine": quarantine, "record": record, "values": values}
        chosen = {name: text or given.get(name, "drop") for name, text in texts.items()}
        return cls(tuple(sorted((path, action) for path, action in found.items() if action != "keep")), **chosen)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the policy of ``to_json``. Raises OptionError, KeyError, TypeError or ValueError for other values."""
        masks = dict(values["masks"])
        return cls(tuple(sorted(masks.items())), **{name: values[name] for name in TEXTS})

    def to_json(self) -> dict[str, Any]:
        """Return the policy as plain values."""
        return {"masks": dict(self.masks), **{name: getattr(self, name) for name in TEXTS}}

    @property
    def needs_key(self) -> bool:
        """Whether a column is hashed, which needs the secret key."""
        return any(action == "hash" for _, action in self.masks)

    @property
    def hash(self) -> str:
        """The SHA-256 of what the policy does, in 64 hexadecimal digits: equal for policies that do the same."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def of_table(self, table: str) -> Iterator[tuple[Column, Action]]:
        """Yield the masked columns of a table."""
        for path, action in self.masks:
            if path.partition(".")[0] == table:
                yield _column(path), action


def _column(path: str) -> Column:
    """Return the column of a table. Raises OptionError."""
    column = all_columns().get(path)
    if column is None:
        raise OptionError("policy", f"expected columns as TABLE.COLUMN, found {path[:200]!r}; use `Policy.make`")
    return column


def _resolved(layer: Mapping[str, str]) -> dict[str, Action]:
    """Return the action of each column that the paths of a layer name. More specific paths come last, so they win."""
    found: dict[str, Action] = {}
    for path, action in sorted(layer.items(), key=_specificity):
        check_choice("mask", action, ACTIONS)
        for column in columns_at(path):
            if action != "keep":
                check_action(column, action)
            found[column.name] = cast("Action", action)
    return found


def _specificity(item: tuple[str, str]) -> tuple[bool, int]:
    steps = item[0].split(".")
    with_table = steps[0] in TABLES
    return with_table, len(steps) - with_table


def _read(path: Path) -> dict[str, Any]:
    """Return the members of a policy file. Raises OptionError if the file is not a valid policy."""
    # Imported only here, because most runs have no policy.
    import tomllib

    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OptionError("policy", f"{path}: expected a readable TOML file, found: {reason}") from None
    for name, value in values.items():
        if name not in MEMBERS:
            near = did_you_mean(name, MEMBERS)
            raise OptionError("policy", f"{path}: expected only {', '.join(MEMBERS)}, found {name[:50]!r}{near}")
        if name == "presets" and not _are_texts(value):
            raise OptionError("policy", f"{path}: expected a list of names as presets, found {value!r}")
    return values | {"masks": dict(_flat(values.get("masks", {}), path))}


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _flat(masks: object, file: Path, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield each path with its action. In TOML, the key ``geo.iPV4`` without quotes is a table within a table."""
    if not isinstance(masks, dict):
        raise OptionError("policy", f"{file}: expected paths with actions below masks, found {masks!r}")
    for key, value in masks.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(value, file, f"{path}.")
        elif isinstance(value, str):
            yield path, value
        else:
            raise OptionError("policy", f"{file}: expected one of {', '.join(ACTIONS)} for {path}, found {value!r}")
