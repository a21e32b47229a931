"""Decodes one source, and checks the options that reading, conversion and inspection have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from wsparquet.decode import DECODERS, Decoded, Decoder, Limits
from wsparquet.errors import DecodeError
from wsparquet.options import check_choice, check_kind
from wsparquet.source import Source, SourceLimits, SourceReader

__all__ = ["check_common", "decoded"]


def decoded(
    source: Source, reader: SourceReader, decoder: Decoder, *, on_chunk: Callable[[bytes], None] | None = None
) -> Iterator[Decoded]:
    """Yield the decoder's output for each chunk of an opened source, after calling ``on_chunk`` with the chunk.

    Raises:
        SourceError: the source is corrupt or exceeds a limit.
        DecodeError: the source is not a Web Session file; the message names the source.

    """
    try:
        for chunk in reader:
            if on_chunk is not None:
                on_chunk(chunk)
            yield decoder.feed(chunk)
        yield decoder.finish()
    except DecodeError as error:
        wrong = reader.wrong_suffix
        named = f" (named {wrong}, but its bytes are {reader.format})" if wrong else ""
        read = f"in the first {reader.inflated_bytes} inflated bytes"
        raise DecodeError(f"{source.url}{named}: {error} ({read})") from error


def check_common(decoder: object, source_limits: object, limits: object, storage_options: object) -> None:
    """Reject invalid values of the options that several functions share. Raises OptionError."""
    check_choice("decoder", decoder, DECODERS)
    check_kind("source_limits", source_limits, SourceLimits, "SourceLimits")
    check_kind("limits", limits, Limits, "Limits")
    check_kind("storage_options", storage_options, Mapping, "a dictionary", optional=True)
