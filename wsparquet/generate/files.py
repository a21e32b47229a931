"""Writes generated text to compressed files, with names as in the Data Access API."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, Unpack

from wsparquet.errors import SourceError
from wsparquet.generate.options import GenerateKeywords, GenerateOptions
from wsparquet.generate.text import expected, generate_text
from wsparquet.options import make_options

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["compressed", "generate", "generate_files", "write_file"]

_GZIP_WINDOW = 31


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


# zlib writes neither a time nor a name into the header, so equal text results in equal files.
_COMPRESSORS: dict[str, Callable[[], _Compressor]] = {
    "gzip": lambda: zlib.compressobj(level=6, wbits=_GZIP_WINDOW),
    "zstd": zstd.ZstdCompressor,
    "none": _Plain,
}


def compressed(text: Iterator[bytes], options: GenerateOptions, *, size: int) -> Iterator[bytes]:
    """Yield the compressed text, split at arbitrary bytes into the given number of gzip members or zstd frames.

    ``size``: the length of the text in bytes, or slightly less.
    """
    members = options.gzip_members
    ends = [number * size // members for number in range(1, members)]
    start = _COMPRESSORS[options.compression]
    compressor, done = start(), 0
    for piece in text:
        rest = piece
        while ends and done + len(rest) >= ends[0]:
            cut = ends.pop(0) - done
            yield compressor.compress(rest[:cut]) + compressor.flush()
            compressor, done, rest = start(), done + cut, rest[cut:]
        yield compressor.compress(rest)
        done += len(rest)
    yield compressor.flush()


def _file(options: GenerateOptions, number: int) -> Iterator[bytes]:
    # The ends of the members are chosen before the text exists, so the option ``size`` has to be used for its length.
    counted = options.records is not None and options.gzip_members > 1
    size = expected(options, file_number=number).size if counted else options.size
    return compressed(generate_text(options, file_number=number), options, size=size)


def write_file(path: Path, data: Iterator[bytes]) -> Path:
    """Write the data to ``path``, creating its folder if needed. The file gets its final name only when it is complete.

    Raises:
        SourceError: the folder or the file cannot be written.

    """
    # Use a hidden name at first, so that a conversion never reads an incomplete file.
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                file.writelines(data)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SourceError(
            f"expected to write a generated file {path}, but: {error.strerror or error}; "
            "name a folder that can be written to and has room"
        ) from error
    return path


def generate_files(
    directory: Path | str, *, options: GenerateOptions | None = None, **keywords: Unpack[GenerateKeywords]
) -> list[Path]:
    """Write synthetic Web Session files to a folder, and return their paths, oldest first.

    The keyword arguments are the fields of ``GenerateOptions`` and override those of ``options``.

    >>> for path in wsparquet.generate_files("more/", files=2, records=20, compression="none"):
    ...     print(path.name)
    WebSession.1467291600000.1467295200000.part-00000-0.json
    WebSession.1467291600000.1467295200000.part-00001-0.json

    Raises:
        OptionError: a keyword argument is unknown or has a wrong value; it is a ValueError.
        SourceError: the folder or a file cannot be written.

    """
    return generate(directory, make_options(GenerateOptions, options, keywords))


def generate(directory: Path | str, options: GenerateOptions | None = None) -> list[Path]:
    """Write files to a folder and return their paths, oldest first. Each hour has two files.

    Equal options result in equal text on every machine, and in equal files if the compression library is the same.

    Raises:
        SourceError: the folder or a file cannot be written.

    """
    options = options or GenerateOptions()
    root = Path(directory)
    return [write_file(root / options.file_name(number), _file(options, number)) for number in range(options.files)]
