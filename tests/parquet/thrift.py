"""The footer of a Parquet file as its bytes state it: libraries hide what they do not know."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any


class _Reader:
    """Reads Thrift's compact protocol; a struct becomes a dict by field ids."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    def number(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def value(self, kind: int, *, listed: bool = False) -> Any:
        match kind:
            case 1 | 2:
                return self.byte() == 1 if listed else kind == 1
            case 3:
                return self.byte()
            case 4 | 5 | 6:
                return self.number()
            case 8:
                length = self.varint()
                self.at += length
                return self.data[self.at - length : self.at]
            case 9 | 10:
                head = self.byte()
                length = self.varint() if head >> 4 == 15 else head >> 4
                return [self.value(head & 15, listed=True) for _ in range(length)]
            case 12:
                return self.struct()
        raise AssertionError(f"unexpected kind {kind}")

    def struct(self) -> dict[int, Any]:
        found: dict[int, Any] = {}
        field = 0
        while head := self.byte():
            field = field + (head >> 4) if head >> 4 else self.number()
            found[field] = self.value(head & 15)
        return found


def footer(path: Path) -> dict[int, Any]:
    """Return the `FileMetaData` of a file, by the ids of parquet.thrift."""
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[-8:-4])
    return _Reader(data[-8 - length : -8]).struct()
