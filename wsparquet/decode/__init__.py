"""Selects one of the two decoders. A decoder converts bytes of containers to Arrow batches by table."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from wsparquet.decode.model import Days, Decoded, Decoder, DecoderOptions, Limits, PathCounts, Quarantined, Report
from wsparquet.errors import DecodeError

__all__ = [
    "DECODERS",
    "Days",
    "Decoded",
    "Decoder",
    "DecoderOptions",
    "Limits",
    "PathCounts",
    "Quarantined",
    "Report",
    "active_decoder",
    "make_decoder",
    "native_decoder",
]

DECODERS = ("auto", "native", "reference")


@lru_cache(maxsize=1)
def native_decoder() -> Callable[[DecoderOptions], Decoder] | None:
    """Return the native decoder, or None if it is not part of this installation."""
    try:
        from wsparquet.decode.native import NativeDecoder
    except ImportError:
        return None
    return NativeDecoder


def active_decoder(decoder: str = "auto") -> str:
    """Return the name of the decoder that ``decoder`` selects on this machine: ``native`` or ``reference``.

    Raises:
        DecodeError: the decoder is unknown or not installed.

    """
    if decoder not in DECODERS:
        raise DecodeError(f"unknown decoder {decoder!r}; expected one of {', '.join(DECODERS)}")
    if decoder == "native" and native_decoder() is None:
        raise DecodeError(
            "the native decoder is not part of this installation; install a wheel that has it, or install cargo and "
            "then wsparquet from source, or set `decoder` to reference or auto"
        )
    return "reference" if decoder == "reference" or native_decoder() is None else "native"


def make_decoder(options: DecoderOptions, *, decoder: str = "auto") -> Decoder:
    """Return a new decoder for one source. Raises the same errors as ``active_decoder``."""
    if active_decoder(decoder) == "native" and (native := native_decoder()) is not None:
        return native(options)
    from wsparquet.decode.reference.decoder import ReferenceDecoder

    return ReferenceDecoder(options)
