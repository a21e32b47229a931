"""Generates broken files: one for each way to fail as a whole, and files that test the code around the decoder."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from wsparquet.generate.files import compressed, write_file
from wsparquet.generate.options import HOUR_MS, GenerateOptions
from wsparquet.generate.text import Expected, expected, generate_text

__all__ = ["BrokenFile", "broken_files"]

_RECORDS = 40
_ERROR_PAGE = (
    b'<?xml version="1.0" encoding="UTF-8"?><error><time>1467291600000</time>'
    b"<message>Internal server error</message><internalCode>0013</internalCode></error>\n"
)


@dataclass(frozen=True)
class BrokenFile:
    """A file and the correct outcome: it ``fails`` as a whole, or its conversion results in the ``expected`` counts."""

    path: Path
    reason: str
    expected: Expected | None = None

    @property
    def fails(self) -> bool:
        """Whether the source fails as a whole, so that nothing is committed."""
        return self.expected is None


@dataclass(frozen=True)
class _Kind:
    """A kind of broken file. ``make``: makes its bytes from correct options. ``suffix``: the suffix of its name."""

    reason: str
    make: Callable[[GenerateOptions], bytes]
    suffix: str = ".gz"


def _text(options: GenerateOptions) -> bytes:
    return b"".join(generate_text(options))


def _file(options: GenerateOptions, **changes: str | int) -> bytes:
    changed = replace(options, **changes)  # type: ignore[arg-type]
    return b"".join(compressed(generate_text(changed), changed, size=changed.size))


def _gzip(text: bytes) -> bytes:
    compressor = zlib.compressobj(level=6, wbits=31)
    return compressor.compress(text) + compressor.flush()


def _two_members(options: GenerateOptions) -> bytes:
    return _file(options) + _file(replace(options, seed=options.seed + 1))


def _zip(options: GenerateOptions) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("WebSession.json"), _text(options), zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def _flipped(data: bytes, position: int) -> bytes:
    at = position % len(data)
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def _bare_deflate(options: GenerateOptions) -> bytes:
    return zlib.compress(_text(options))[2:-4]


def _agent_activity(options: GenerateOptions) -> bytes:
    return _gzip(_text(options).replace(b'DataTypeEnum":"WebSession"', b'DataTypeEnum":"AgentActivity"'))


_FAILING = {
    "empty_file": _Kind("the file is empty", lambda _: b""),
    "empty_text": _Kind("the text in the gzip is empty", lambda _: _gzip(b"")),
    "error_page": _Kind("an XML error page named .gz", lambda _: _ERROR_PAGE),
    "compressed_error_page": _Kind("an XML error page in a gzip", lambda _: _gzip(_ERROR_PAGE)),
    "not_gzip": _Kind("bytes that are not gzip, named .gz", _bare_deflate),
    "truncated_gzip": _Kind("the gzip ends early", lambda options: _cut(_file(options), 0.6)),
    "truncated_trailer": _Kind("the gzip ends within its checksum", lambda options: _file(options)[:-6]),
    "wrong_crc": _Kind("the gzip's checksum is wrong", lambda options: _flipped(_file(options), -8)),
    "wrong_length": _Kind("the gzip's length is wrong", lambda options: _flipped(_file(options), -4)),
    "corrupt_gzip": _Kind("the deflate data is damaged", lambda options: _flipped(_file(options), 10)),
    "second_member_cut": _Kind("the second gzip member ends early", lambda options: _two_members(options)[:-500]),
    "truncated_zstd": _Kind("the zstd frame ends early", lambda o: _cut(_file(o, compression="zstd"), 0.6), ".zst"),
    "truncated_zip": _Kind("the zip ends early", lambda options: _cut(_zip(options), 0.6), ".zip"),
    "no_container": _Kind("JSON without a container", lambda _: _gzip(b'{"status": "ok"}\n[1, 2]\n')),
    "other_data_type": _Kind("a container of AgentActivity", _agent_activity),
}


# --- Files that convert -----------------------------------------------------------------------------------------------


def _cut_json(options: GenerateOptions) -> tuple[bytes, Expected]:
    counts = expected(replace(options, records=_RECORDS - 1))
    text = _text(options)
    # Truncate within the tag of the last record, so that the record is incomplete.
    counts.size = text.rindex(b'{"body":') + len(b'{"body":{"com')
    counts.items = 1
    return _gzip(text[: counts.size]), counts


def _whole(options: GenerateOptions) -> tuple[bytes, Expected]:
    return _file(options), expected(options)


def _converting(root: Path, options: GenerateOptions) -> dict[str, BrokenFile]:
    name = options.file_name(0)
    cases = {
        "cut_json": ("the JSON ends early in an intact gzip", _cut_json(options), "cut"),
        "hostile_account": ("accountId is a path", _whole(replace(options, account="../../x")), "hostile"),
        "first_account": ("one of two accounts' files with one name", _whole(options), "75555851"),
        "second_account": (
            "one of two accounts' files with one name",
            _whole(replace(options, account="89995382", seed=options.seed + 1)),
            "89995382",
        ),
    }
    return {
        key: BrokenFile(write_file(root / folder / name, iter([data])), reason, counts)
        for key, (reason, (data, counts), folder) in cases.items()
    }


def broken_files(directory: Path | str, seed: int = 0) -> dict[str, BrokenFile]:
    """Write the broken files and return them by the name of their defect: first those that fail as a whole.

    The failing files share one folder. Each file that converts is in a separate subfolder.

    Raises:
        SourceError: a file cannot be written.

    """
    root = Path(directory)
    options = GenerateOptions(seed=seed, records=_RECORDS)
    made = {}
    for number, (name, kind) in enumerate(_FAILING.items()):
        at = replace(options, start_ms=options.start_ms + number * HOUR_MS)
        path = root / Path(at.file_name(0)).with_suffix(kind.suffix)
        made[name] = BrokenFile(write_file(path, iter([kind.make(at)])), kind.reason)
    return made | _converting(root, options)
