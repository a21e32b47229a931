"""A source's bytes through a decoder: what reading, converting and inspecting have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wsparquet.decode import Decoded, Decoder
from wsparquet.errors import DecodeError
from wsparquet.source import Source, SourceReader

__all__ = ["decoded"]


def decoded(
    source: Source, reader: SourceReader, decoder: Decoder, *, on_chunk: Callable[[bytes], None] | None = None
) -> Iterator[Decoded]:
    """What each chunk of an opened source finishes, to its end; ``on_chunk`` sees the text before the decoder does.

    Raises:
        SourceError: the source is corrupt or past a limit.
        DecodeError: it is no Web Session file; the message names it.

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
