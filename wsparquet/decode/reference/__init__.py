"""The decoder in plain Python: the contract of docs/decoding.md as a specification that runs."""

from __future__ import annotations

from wsparquet.decode.reference.decoder import ReferenceDecoder

__all__ = ["ReferenceDecoder"]
