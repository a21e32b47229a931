"""Reads a container's own values: its data type, its ``metaData``, and values with no matching column."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from wsparquet.decode.masks import DROP, Masks
from wsparquet.decode.model import Limits, Report
from wsparquet.decode.plan import compiled
from wsparquet.decode.reference.events import ContainerStart
from wsparquet.decode.reference.readers import StructReader, struct_reader, unwrap_tag
from wsparquet.decode.reference.rescue import Path, Rescue, rescued_json
from wsparquet.decode.reference.values import Constant, Literal
from wsparquet.errors import DecodeError
from wsparquet.schema.fields import ceiling_ms, floor_ms
from wsparquet.schema.keys import last_part, normalise

__all__ = ["Container", "ContainerValues"]

DATA_TYPE = "WebSession"
_DATA_TYPE_NAMES = frozenset({"datatypeenum", "datatype"})
_ROOT: Path = ("$", "metaData")


@lru_cache(maxsize=1)
def metadata_reader() -> StructReader:
    """Return the reader of ``metaData``. The reader has no state, so all containers share it."""
    return struct_reader(compiled().metadata, stray="$metaData")


class Container:
    """The open container.

    ``known`` is true after the container's ``metaData`` was read: from then on, ``metadata`` is final.
    """

    def __init__(self, start: ContainerStart) -> None:
        self.number = start.number
        self.metadata: dict[str, Any] | None = None
        self.known = False
        self.misfits: Rescue = []
        self.held_bytes = 0
        self._reader = metadata_reader()
        self._seen = {"recordcollection"}
        for key, value in start.values:
            self.take(key, value)

    def take(self, key: str, value: Any) -> None:
        """Add a value to the container.

        Raises:
            DecodeError: the container's data type is not Web Session.

        """
        name = normalise(key)
        if name in self._seen or name not in {"datatype", "metadata"}:
            self.misfits.append((("$container", key), value))
            return
        self._seen.add(name)
        if name == "datatype":
            self._check_type(value)
        else:
            self._read_metadata(value)

    def _check_type(self, value: Any) -> None:
        found = unwrap_tag(value, _DATA_TYPE_NAMES)
        if found is None:
            return
        if type(found) is not str or normalise(last_part(found)) != normalise(DATA_TYPE):
            raise DecodeError(
                f"expected the data type {DATA_TYPE}, found {_kind(found)} in container {self.number}; "
                "give only Web Session files"
            )

    def _read_metadata(self, value: Any) -> None:
        inner = unwrap_tag(value, self._reader.names)
        self.known = True
        if type(inner) is tuple:
            self.metadata = self._reader.fields(inner, _ROOT, self.misfits)
        elif inner is not None:
            self.misfits.append((("$container", "metaData"), value))


def _kind(value: Any) -> str:
    """Describe a value without quoting the source."""
    if isinstance(value, str) and not isinstance(value, Literal | Constant):
        return f"text of {len(value)} characters"
    return {tuple: "an object", list: "a list", bool: "a boolean"}.get(type(value), "a number")


class ContainerValues:
    """Adds finished containers to the report.

    Consecutive containers share one entry if their values without a column are equal.
    """

    def __init__(self, report: Report, limits: Limits, masks: Masks | None) -> None:
        self._report = report
        self._dropped = masks is not None and masks.policy.values == DROP
        self._limits = limits
        self._bytes = 0

    def add(self, container: Container) -> None:
        """Add a finished container.

        Raises:
            DecodeError: the values without a column, in all containers of the source, exceed ``max_container_values``.

        """
        report = self._report
        metadata = container.metadata or {}
        for counter, key in ((report.accounts, "accountId"), (report.schema_versions, "schemaVersion")):
            if metadata.get(key) is not None:
                counter.add(metadata[key])
        for time in (time for key in ("startTime", "endTime") if (time := metadata.get(key)) is not None):
            first, last = floor_ms(time), ceiling_ms(time)
            report.start_time = first if report.start_time is None else min(report.start_time, first)
            report.end_time = last if report.end_time is None else max(report.end_time, last)
        if container.misfits:
            self._add_misfits(container.number, rescued_json(container.misfits))

    def _add_misfits(self, number: int, values: dict[str, str]) -> None:
        entries = self._report.container_values
        if self._dropped:
            values = dict.fromkeys(values, "null")
        if entries and entries[-1]["values"] == values and entries[-1]["containers"][1] == number - 1:
            entries[-1]["containers"][1] = number
            return
        self._bytes += sum(len(path) + len(text) for path, text in values.items())
        if self._bytes > self._limits.max_container_values:
            raise DecodeError(
                f"containers have more than {self._limits.max_container_values} bytes of undocumented values, "
                f"up to container {number}; check that this is a Web Session file"
            )
        entries.append({"containers": [number, number], "values": values})
