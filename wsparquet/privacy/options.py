"""Checks the options about privacy that several functions have, and loads the secret key."""

from __future__ import annotations

import os

from wsparquet.options import check_kind
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.policy import Policy

__all__ = ["check_privacy", "loaded"]


def check_privacy(policy: object, key_file: object) -> None:
    """Reject a policy and a key of wrong types. Raises OptionError."""
    check_kind("policy", policy, Policy, "a Policy", optional=True)
    check_kind("key_file", key_file, (str, os.PathLike, SecretKey), "a file or a SecretKey", optional=True)


def loaded(key_file: str | os.PathLike[str] | SecretKey | None) -> SecretKey | None:
    """Return the secret key of a file, or of the environment; None if neither has one. Raises OptionError."""
    return key_file if isinstance(key_file, SecretKey) else SecretKey.load(key_file)
