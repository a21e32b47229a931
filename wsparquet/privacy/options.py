"""Checks the options about privacy that several functions have, and loads the secret key."""

from __future__ import annotations

import os

from wsparquet.errors import OptionError
from wsparquet.options import check_kind
from wsparquet.privacy.keys import SecretKey

__all__ = ["check_privacy", "loaded"]


def check_privacy(policy: object, key_file: object) -> None:
    """Reject a policy and a key of wrong types. Raises OptionError."""
    if policy is not None:
        # Imported only here, because most runs have no policy.
        from wsparquet.privacy.policy import Policy

        if not isinstance(policy, Policy):
            raise OptionError("policy", f"expected a Policy or None, found a value of type {type(policy).__name__}")
    check_kind("key_file", key_file, (str, os.PathLike, SecretKey), "a file or a SecretKey", optional=True)


def loaded(key_file: str | os.PathLike[str] | SecretKey | None) -> SecretKey | None:
    """Return the secret key of a file, or of the environment; None if neither has one. Raises OptionError."""
    return key_file if isinstance(key_file, SecretKey) else SecretKey.load(key_file)
