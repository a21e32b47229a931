"""The secret key of hashes (HMAC-SHA256), read from the environment or a private file, and never stored or shown.

A hash without a key protects nobody: anyone who knows the form of the ids can compute the hashes of all possible ids,
and compare.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from wsparquet.errors import OptionError

__all__ = ["KEY_VARIABLE", "SecretKey"]

KEY_VARIABLE = "WSPARQUET_KEY"
"""The environment variable that has the secret key, in hexadecimal digits."""

LEAST_BYTES = 16
"""A shorter key could be found by trying all keys. SHA-256 itself uses up to 64 bytes."""


@dataclass(frozen=True)
class SecretKey:
    """A secret key of at least 16 bytes, with which texts are hashed; ``repr`` does not show it.

    >>> key = wsparquet.SecretKey(bytes.fromhex("00112233445566778899aabbccddeeff"))
    >>> key.digest(b"visitor")[:16], key.fingerprint, key
    ('afceed7c3c35fd9f', '28659e967e09550c', SecretKey())
    """

    key: bytes = field(repr=False)

    @classmethod
    def load(
        cls, file: str | os.PathLike[str] | None = None, *, environ: Mapping[str, str] | None = None
    ) -> Self | None:
        """Load the key from a file if one is given, otherwise from the environment; None if neither has a key.

        Raises:
            OptionError: the file is missing or readable by other users, or the key is no hexadecimal number of at least
                32 digits.

        """
        if file is not None:
            return cls(_parsed(_private_text(Path(file)), str(file)))
        text = (os.environ if environ is None else environ).get(KEY_VARIABLE)
        return None if text is None else cls(_parsed(text, KEY_VARIABLE))

    def digest(self, value: bytes) -> str:
        """Return the HMAC-SHA256 of a value, in 64 hexadecimal digits."""
        return hmac.digest(self.key, value, "sha256").hex()

    @property
    def fingerprint(self) -> str:
        """A text by which a root recognizes its key. The key cannot be computed from this text."""
        return hmac.new(self.key, b"wsparquet fingerprint of a key", hashlib.sha256).hexdigest()[:16]


def _private_text(path: Path) -> str:
    """Return the text of a file that only its owner may read."""
    try:
        with path.open(encoding="ascii") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise _error(f"{path}: expected a file that only its owner may read; run `chmod 600 {path}`")
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "characters that are not ASCII"
        raise _error(f"{path}: expected a readable file with a key, found: {reason}") from None


def _parsed(text: str, where: str) -> bytes:
    remedy = "make a key with `openssl rand -hex 32`"
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise _error(f"{where}: expected a key in hexadecimal digits, found other characters; {remedy}") from None
    if len(key) < LEAST_BYTES:
        raise _error(
            f"{where}: expected a key of at least {2 * LEAST_BYTES} hexadecimal digits, found {2 * len(key)}; {remedy}"
        )
    return key


def _error(problem: str) -> OptionError:
    return OptionError("key_file", problem)
