"""The storage options for a root on S3: their validation, and the secrets that messages must not quote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from wsparquet.errors import DatasetError
from wsparquet.redaction import hide_secrets, secrets_in_options

__all__ = ["StorageOptions"]

DOCUMENTATION = "https://s3fs.readthedocs.io/en/latest/api.html"
REFUSED = {
    "asynchronous": "wsparquet calls s3fs from its own threads",
    "loop": "s3fs has its own event loop",
    "session": "s3fs creates its own session; name a profile instead, with profile=NAME",
}
"""The options of s3fs that a user cannot set, each with the reason."""

OBJECTS = ("client_kwargs", "config_kwargs", "s3_additional_kwargs")
NUMBERS = ("max_concurrency", "default_block_size")


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """Options for s3fs; ``secrets`` has all spellings of their secret values, which messages must not quote."""

    values: Mapping[str, Any] = field(repr=False)
    secrets: frozenset[str] = field(repr=False)

    @classmethod
    def checked(cls, given: Mapping[str, Any]) -> Self:
        """Validate the options that a user gave.

        Raises DatasetError if an option cannot work or has a value of a wrong type.
        """
        for name, reason in REFUSED.items():
            if given.get(name):
                raise DatasetError(
                    f"expected storage options that wsparquet can pass to s3fs, found {name}: {reason}; leave it out"
                )
        for name in OBJECTS:
            if given.get(name) is not None and not isinstance(given[name], Mapping):
                # Do not quote the value: a mistyped JSON object may contain a secret.
                raise DatasetError(
                    f"storage option {name}: expected a JSON object such as {name}="
                    f'\'{{"NAME": "VALUE"}}\', found {type(given[name]).__name__}; see {DOCUMENTATION}'
                )
        numbers = {name: _number(name, given[name]) for name in NUMBERS if given.get(name) is not None}
        return cls({**given, **numbers}, secrets_in_options(given))

    @property
    def remedy(self) -> str:
        """The remedy if s3fs rejects the options."""
        names = ", ".join(sorted(self.values)) or "none"
        return f"expected storage options of s3fs, found {names}; check their names and values, see {DOCUMENTATION}"

    def hide(self, text: str) -> str:
        """Mask in ``text`` the secrets of these options, and the user info of anything that looks like a URL."""
        return hide_secrets(text, self.secrets)


def _number(name: str, value: object) -> int:
    # Values from the command line are always text.
    if isinstance(value, str) and re.fullmatch("[1-9][0-9]{0,17}", value):
        return int(value)
    if type(value) is not int or value < 1:
        raise DatasetError(f"storage option {name}: expected a whole number of 1 or more, found {value!r}; correct it")
    return value
