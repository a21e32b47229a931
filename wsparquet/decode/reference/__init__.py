"""The decoder in plain Python: an executable specification of docs/decoding.md."""

from __future__ import annotations

from wsparquet.decode.reference.decoder import ReferenceDecoder

__all__ = ["ReferenceDecoder"]
