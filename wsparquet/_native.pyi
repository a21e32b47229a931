from collections.abc import Sequence
from os import PathLike
from typing import Any, Self

class Refused(Exception): ...

class Exported:
    address: int

class CompiledPlan:
    def __new__(cls, text: str) -> Self: ...
    def schemas(self) -> list[tuple[str, object]]: ...

class Machine:
    def __new__(cls, plan: CompiledPlan, source_file: str, limits: dict[str, int]) -> Self: ...
    def feed(self, data: bytes) -> dict[str, Any]: ...
    def finish(self) -> dict[str, Any]: ...

class Imported:
    def __new__(cls) -> Self: ...
    address: int

class ParquetFile:
    def __new__(
        cls,
        path: str | PathLike[str],
        schema: object,
        *,
        dictionary: Sequence[str],
        statistics: Sequence[str],
        compression_level: int,
        row_group_rows: int,
    ) -> Self: ...
    def write(self, batches: Sequence[Imported]) -> None: ...
    def close(self) -> None: ...
