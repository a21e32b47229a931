"""The native decoder: a wrapper around the Rust crate in ``native/``, to which it passes the plan and the limits.

Importing this module raises ImportError if the crate has not been built. Each call into Rust returns complete batches,
so no Python code handles single values.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from wsparquet._native import CompiledMasks, CompiledPlan, Machine, Refused
from wsparquet.decode.messages import longer_opening, no_container
from wsparquet.decode.model import BATCH_FACTOR, Decoded, DecoderOptions, PathCounts, Quarantined, Report
from wsparquet.decode.plan import PLANS, StructOf, compiled
from wsparquet.errors import DecodeError, SchemaError
from wsparquet.private.pyarrow import import_batch, import_schema
from wsparquet.schema import Schema

if TYPE_CHECKING:
    from wsparquet.decode.masks import Masks

__all__ = ["NativeDecoder", "plan_json"]

_NODES = {"Leaf": "leaf", "StructOf": "struct", "ListOf": "list", "UnionOf": "union"}


class NativeDecoder:
    """A push decoder of one source, which does not hold the GIL; see ``wsparquet.decode.model.Decoder``."""

    def __init__(self, options: DecoderOptions) -> None:
        self.report = Report()
        self._opening = b""
        limits = replace(options.limits, batch_bytes=options.limits.batch_bytes * BATCH_FACTOR)
        self._days = options.days
        fallback = options.days.fallback if options.days is not None else None
        self._schema = options.schema
        self._options = options
        plan, by_day = _shared_plan(options.schema), options.days is not None
        masks = _compiled_masks(options.masks, options.schema) if options.masks is not None else None
        self._machine = Machine(plan, options.source_file, asdict(limits), by_day, fallback, masks)

    def feed(self, data: bytes) -> Decoded:
        """Decode the next bytes of the decompressed text.

        Return the batches and quarantined texts that are now complete.

        Raises:
            DecodeError: the source is not a Web Session file, or exceeds a limit.

        """
        self._opening = longer_opening(self._opening, data)
        try:
            done = self._machine.feed(data)
        except Refused as refused:
            raise DecodeError(str(refused)) from None
        return self._hand_out(done)

    def finish(self) -> Decoded:
        """Decode the rest of the text.

        Raises:
            DecodeError: as for ``feed``, or the source contains no container.

        """
        try:
            done = self._machine.finish()
        except Refused as refused:
            raise DecodeError(str(refused)) from None
        decoded = self._hand_out(done)
        if not self.report.containers:
            raise no_container(self._opening)
        return decoded

    def _hand_out(self, done: dict[str, Any]) -> Decoded:
        self._count(done)
        batches = tuple(
            (table, import_batch(array.address, self._schema.tables[table].schema))
            for table, _, array in done["batches"]
        )
        for table, batch in batches:
            self.report.count_rows(table, batch.num_rows)
        days = tuple(day for _, day, _ in done["batches"]) if self._days is not None else ()
        return Decoded(batches, self._options.quarantined(map(_quarantined, done["quarantined"])), days)

    def _count(self, done: dict[str, Any]) -> None:
        report = self.report
        report.containers, report.records = done["containers"], done["records"]
        report.quarantined, report.items = done["quarantined_records"], done["items"]
        report.start_time, report.end_time = done["start_time"], done["end_time"]
        _add(report.accounts, done["accounts"])
        _add(report.schema_versions, done["schema_versions"])
        for name, paths_of in (("rescued", report.rescued_of), ("undocumented", report.undocumented_of)):
            for table, counts in done[name]:
                _add(paths_of(table), counts)
        settled, misfits = done["container_values"]
        report.container_values[settled:] = [
            {"containers": [first, last], "values": dict(values)} for first, last, values in misfits
        ]


def _add(counts: PathCounts, more: list[tuple[str, int]]) -> None:
    for name, count in more:
        counts.add(name, count)


def _quarantined(entry: tuple[int, int | None, int | None, str | None, str, bytes, bool]) -> Quarantined:
    start, container, number, path, reason, data, continued = entry
    return Quarantined(
        kind="item" if number is None else "record",
        start=start,
        end=start + len(data),
        container=container,
        record_number=number,
        path=path,
        reason=reason,
        data=data,
        continued=continued,
    )


@lru_cache(maxsize=PLANS)
def _shared_plan(schema: Schema) -> CompiledPlan:
    """Return the plan of a schema, compiled by Rust.

    Raises:
        SchemaError: the columns of the compiled plan differ from those of the schema, so batches would be misread.

    """
    plan = CompiledPlan(plan_json(compiled(schema)))
    for table, capsule in plan.schemas():
        built = import_schema(capsule)
        expected = schema.tables[table].schema
        if built != expected:
            raise SchemaError(
                f"the columns that the native decoder builds for {table} differ from the schema: found {built}, "
                f"expected {expected}; reinstall wsparquet, or set `decoder` to reference"
            )
    return plan


@lru_cache(maxsize=4)
def _compiled_masks(masks: Masks, schema: Schema) -> CompiledMasks:
    """Return masks of a schema, compiled by Rust."""
    return CompiledMasks(_shared_plan(schema), masks.for_crate(), masks.key.key if masks.key is not None else None)


def plan_json(plan: object) -> str:
    """Return the plan as JSON text. Each data class becomes an object; each node has its kind in ``node``."""
    return json.dumps(_plain(plan))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        members = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        if isinstance(value, StructOf):
            members["inline"] = value.inline.name if value.inline else None
        return {"node": _NODES.get(type(value).__name__)} | members
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return sorted(value) if isinstance(value, frozenset) else value
