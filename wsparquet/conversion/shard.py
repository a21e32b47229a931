"""Divides sources into shards by their names, so that several runs convert each source exactly once between them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from wsparquet.errors import OptionError
from wsparquet.names import parse_name
from wsparquet.source import Failed, Source

__all__ = ["Shard", "name_key"]

FORM = re.compile(r"([0-9]{1,9})/([0-9]{1,9})", re.ASCII)


def name_key(source: Source | Failed) -> str:
    """Return a key of a source: sources with the same key can have the same identity, so one run must convert them all.

    The key is the API name that the source's name is or contains (``X.gz``, ``X (1).gz``), otherwise the name without
    its suffixes.
    """
    name = parse_name(source.name)
    return name.api_name or name.stem


@dataclass(frozen=True)
class Shard:
    """The shard ``number`` of ``of`` shards, where ``number`` is from 0 to ``of - 1``."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: object) -> Self | None:
        """Return the shard that ``NUMBER/OF`` names, or None for None. Raises OptionError."""
        if text is None:
            return None
        match = FORM.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise OptionError("shard", f"expected NUMBER/OF such as 3/16, found {str(text)[:50]!r}")
        shard = cls(int(match[1]), int(match[2]))
        if shard.number >= shard.of:
            expected = f"a number from 0 to {shard.of - 1}" if shard.of else "at least one shard"
            raise OptionError(
                "shard", f"expected {expected} before the slash, found {text}; shards are numbered from 0"
            )
        return shard

    def has(self, source: Source | Failed) -> bool:
        """Return whether a source belongs to this shard; the answer is the same on every machine and in every version.

        The first eight bytes of the SHA-256 of ``name_key``, as a big-endian number, modulo the number of shards.
        """
        digest = hashlib.sha256(name_key(source).encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number
