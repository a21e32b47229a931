"""Bytes of containers in, Arrow batches per table out; which decoder does it."""

from __future__ import annotations

from wsparquet.decode.model import Decoded, Decoder, DecoderOptions, Limits, PathCounts, Quarantined, Report
from wsparquet.decode.reference import ReferenceDecoder
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
]

DECODERS = ("auto", "native", "reference")


def active_decoder(decoder: str = "auto") -> str:
    """The name of the decoder that ``decoder`` means on this machine.

    Raises:
        DecodeError: the one asked for is not to be had here.

    """
    if decoder == "native":
        raise DecodeError("the native decoder is not part of this build; use --decoder reference, or auto")
    if decoder not in DECODERS:
        raise DecodeError(f"no decoder {decoder!r}; expected one of {', '.join(DECODERS)}")
    return "reference"


def make_decoder(options: DecoderOptions, *, decoder: str = "auto") -> Decoder:
    """A new decoder for one source. Raises as ``active_decoder``."""
    active_decoder(decoder)
    return ReferenceDecoder(options)
