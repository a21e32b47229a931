"""Where generated text goes: compressed files with the names that the Data Access API gives."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from wsparquet.errors import SourceError
from wsparquet.generate.options import GenerateOptions
from wsparquet.generate.text import expected, generate_text

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["compressed", "generate", "write_file"]

_GZIP_WINDOW = 31


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Plain:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


# zlib writes no time and no name into the header, so equal text gives equal files.
_COMPRESSORS: dict[str, Callable[[], _Compressor]] = {
    "gzip": lambda: zlib.compressobj(level=6, wbits=_GZIP_WINDOW),
    "zstd": zstd.ZstdCompressor,
    "none": _Plain,
}


def compressed(text: Iterator[bytes], options: GenerateOptions, *, size: int) -> Iterator[bytes]:
    """The bytes of a file: the text in as many gzip members or zstd frames as asked, cut at any byte.

    ``size`` is the text's length in bytes, or a little less.
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
    # Where the members end must be known before the text is, and only the size option says so.
    counted = options.records is not None and options.gzip_members > 1
    size = expected(options, file_number=number).size if counted else options.size
    return compressed(generate_text(options, file_number=number), options, size=size)


def write_file(path: Path, data: Iterator[bytes]) -> Path:
    """``path``, with the data in it; its folder is made if need be. The file has its name only when it is whole.

    Raises:
        SourceError: the folder or the file cannot be written.

    """
    # Hidden, so that no conversion takes it meanwhile, or if it stays behind.
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


def generate(directory: Path | str, options: GenerateOptions | None = None) -> list[Path]:
    """The paths of the files written into a folder, in order of their time, two parts an hour.

    The text is the same for equal options everywhere; so are the files where the compression library is the same.

    Raises:
        SourceError: the folder or a file cannot be written.

    """
    options = options or GenerateOptions()
    root = Path(directory)
    return [write_file(root / options.file_name(number), _file(options, number)) for number in range(options.files)]
