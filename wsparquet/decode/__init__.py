"""Bytes of containers in, Arrow batches per table out; which decoder does it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from wsparquet.decode.model import Decoded, Decoder, DecoderOptions, Limits, PathCounts, Quarantined, Report
from wsparquet.errors import DecodeError

__all__ = [
    "DECODERS",
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
    """The native decoder, if this installation has it."""
    try:
        from wsparquet.decode.native import NativeDecoder
    except ImportError:
        return None
    return NativeDecoder


def active_decoder(decoder: str = "auto") -> str:
    """The name of the decoder that ``decoder`` means on this machine.

    Raises:
        DecodeError: the one asked for is not to be had here.

    """
    if decoder not in DECODERS:
        raise DecodeError(f"no decoder {decoder!r}; expected one of {', '.join(DECODERS)}")
    if decoder == "native" and native_decoder() is None:
        raise DecodeError(
            "the native decoder is not part of this installation; install a wheel that has it, or cargo and then "
            "wsparquet from source, or use `decoder` reference, or auto"
        )
    return "reference" if decoder == "reference" or native_decoder() is None else "native"


def make_decoder(options: DecoderOptions, *, decoder: str = "auto") -> Decoder:
    """A new decoder for one source. Raises as ``active_decoder``."""
    if active_decoder(decoder) == "native" and (native := native_decoder()) is not None:
        return native(options)
    from wsparquet.decode.reference.decoder import ReferenceDecoder

    return ReferenceDecoder(options)
