"""The four OAuth 1.0a credentials, read from the environment or a private file and never shown."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

from wsparquet.errors import ApiError

__all__ = ["VARIABLES", "Credentials"]

VARIABLES = {
    "app_key": "WSPARQUET_APP_KEY",
    "app_secret": "WSPARQUET_APP_SECRET",
    "access_token": "WSPARQUET_ACCESS_TOKEN",
    "access_token_secret": "WSPARQUET_ACCESS_TOKEN_SECRET",
}
"""The environment variable of each credential."""


@dataclass(frozen=True)
class Credentials:
    """The four credentials of an API key; ``repr`` shows none of them.

    >>> wsparquet.Credentials("app key", "app secret", "access token", "access token secret")
    Credentials()
    """

    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse credentials that are empty or contain blanks or line ends."""
        for name in (each.name for each in fields(self)):
            value = getattr(self, name)
            if not value or value != value.strip() or not value.isprintable():
                raise ApiError(
                    f"{name}: expected a credential, found an empty one, or one that contains blanks or line ends; "
                    f"check {VARIABLES[name]}, or {name} in the file of `credentials`"
                )

    @classmethod
    def load(
        cls,
        file: str | os.PathLike[str] | None = None,
        *,
        profile: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Load the credentials from a TOML file if one is given, otherwise from the environment.

        The file contains ``app_key``, ``app_secret``, ``access_token`` and ``access_token_secret``. Only the file's
        owner may have permission to read it. If ``profile`` is given, the four values are in the table of that name.
        The file and the environment are never combined, because credentials of different API keys do not work together.

        Raises:
            ApiError: a credential is missing, or the file is missing, readable by other users, or not TOML.

        """
        if file is not None:
            return cls(**_of_file(Path(file), profile))
        if profile is not None:
            raise ApiError(f"expected a file with the profile {profile!r}, found none; set `credentials` to the file")
        environ = os.environ if environ is None else environ
        found = {name: environ.get(variable) for name, variable in VARIABLES.items()}
        if missing := _missing(found):
            raise ApiError(
                f"expected four credentials, found {', '.join(VARIABLES[name] for name in missing)} missing; set the "
                f"variables, or set `credentials` to a TOML file with {', '.join(VARIABLES)}"
            )
        return cls(**{name: str(found[name]) for name in VARIABLES})


def _of_file(path: Path, profile: str | None) -> dict[str, str]:
    """Return the credentials in a file, or in its table ``profile`` if a profile is given."""
    values = _read(path)
    profiles = [name for name, value in values.items() if isinstance(value, dict)]
    choice = f"its profiles are {', '.join(profiles)}; choose one by `profile`" if profiles else "it has no profiles"
    found: object = values if profile is None else values.get(profile)
    if not isinstance(found, dict):
        raise ApiError(f"{path}: expected the profile [{profile}], found none; {choice}")
    place = str(path) if profile is None else f"{path}, profile [{profile}]"
    if missing := _missing(found):
        remedy = choice if profiles and profile is None else 'add each as NAME = "VALUE"'
        raise ApiError(f"{place}: expected {', '.join(VARIABLES)} as text, found no {', '.join(missing)}; {remedy}")
    return {name: str(found[name]) for name in VARIABLES}


def _missing(found: Mapping[str, object]) -> list[str]:
    return [name for name in VARIABLES if not isinstance(found.get(name), str) or not found[name]]


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            # Check the mode of the open file, so that nobody can replace the file between the check and the read.
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ApiError(
                    f"{path}: expected credentials that only their owner can read, found mode {stat.S_IMODE(mode):o}; "
                    f"run `chmod 600 {path}`"
                )
            return tomllib.load(file)
    except OSError as error:
        raise ApiError(f"{path}: expected a file with credentials, found: {error.strerror}; check the name") from error
    except ValueError:
        # Do not chain the error: the parser's message may quote a credential.
        raise ApiError(
            f'{path}: expected TOML such as `app_key = "…"`, found something else; correct the file'
        ) from None
