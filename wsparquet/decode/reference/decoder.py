"""The reference decoder: a complete implementation of docs/decoding.md in plain Python.

The reference decoder serves as an executable specification, as the fallback if the native decoder is not installed, and
as the expected result in tests.
"""

from __future__ import annotations

from collections.abc import Iterable

from wsparquet.decode.messages import longer_opening, no_container
from wsparquet.decode.model import Decoded, DecoderOptions, Quarantined, Report
from wsparquet.decode.reference.batches import Batch, BatchBuilder
from wsparquet.decode.reference.brackets import MAX_DEPTH, depth
from wsparquet.decode.reference.containers import Container, ContainerValues
from wsparquet.decode.reference.elements import TOO_DEEP
from wsparquet.decode.reference.events import ContainerEnd, ContainerStart, ContainerValue, Event, Item, Record
from wsparquet.decode.reference.masking import masked_batch, masked_rescue
from wsparquet.decode.reference.promotion import promoter
from wsparquet.decode.reference.records import Row, Unreadable, record_reader
from wsparquet.decode.reference.rescue import Rescue, by_path, json_object, path_text, rescued_json
from wsparquet.decode.reference.splitter import Splitter
from wsparquet.decode.reference.undocumented import count_batches
from wsparquet.errors import DecodeError
from wsparquet.strict_json import strict_json

__all__ = ["ReferenceDecoder"]


class ReferenceDecoder:
    """A push decoder of one source; see ``wsparquet.decode.model.Decoder``."""

    def __init__(self, options: DecoderOptions) -> None:
        self.report = Report()
        self._days = options.days
        self._limits = options.limits
        self._options = options
        self._masks = options.masks
        self._splitter = Splitter(options.limits)
        self._schema = options.schema
        self._records = record_reader()
        self._promoter = promoter(options.schema) if options.schema.hash is not None else None
        self._values = ContainerValues(self.report, options.limits, options.masks)
        self._builder = BatchBuilder(options.source_file, options.limits.batch_bytes, options.days, options.schema)
        self._container: Container | None = None
        self._opening = b""
        self._batches: list[Batch] = []
        self._quarantined: list[Quarantined] = []

    def feed(self, data: bytes) -> Decoded:
        """Decode the next bytes of the decompressed text, and return the output that is now complete.

        Raises:
            DecodeError: the source is not a Web Session file, or exceeds a limit.

        """
        self._opening = longer_opening(self._opening, data)
        self._take_all(self._splitter.feed(data))
        return self._hand_out()

    def finish(self) -> Decoded:
        """Decode the rest of the text, and return the remaining output.

        Raises:
            DecodeError: as for ``feed``, or the source contains no container.

        """
        self._take_all(self._splitter.finish())
        if not self.report.containers:
            raise no_container(self._opening)
        self._batches.extend(self._builder.finish())
        return self._hand_out()

    def _take_all(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case Record():
                    self._take_record(event)
                case ContainerStart():
                    self.report.containers += 1
                    self._container = Container(event)
                case ContainerValue():
                    self._take_value(event)
                case ContainerEnd():
                    self._end_container()
                case Item():
                    self._take_item(event)

    def _hand_out(self) -> Decoded:
        batches = tuple((batch.table, batch.rows) for batch in self._batches)
        count_batches(self.report, batches, self._schema)
        days = tuple(batch.day for batch in self._batches) if self._days is not None else ()
        if (masks := self._masks) is not None:
            batches = tuple((table, masked_batch(masks, table, rows)) for table, rows in batches)
        decoded = Decoded(batches, self._options.quarantined(self._quarantined), days)
        self._batches, self._quarantined = [], []
        return decoded

    # --- Containers ---------------------------------------------------------------------------------------------------

    def _take_value(self, event: ContainerValue) -> None:
        container = self._container
        if container is None:
            raise DecodeError("a container's value outside any container")
        container.take(event.key, event.value)
        if container.known:
            self._batches.extend(self._builder.release(container.metadata))

    def _end_container(self) -> None:
        if self._container is not None:
            self._batches.extend(self._builder.release(self._container.metadata))
            self._values.add(self._container)
        self._container = None

    # --- Records ------------------------------------------------------------------------------------------------------

    def _take_record(self, record: Record) -> None:
        self.report.records += 1
        if record.reason is not None:
            self._quarantine(record, record.reason, None)
            return
        try:
            row = self._records.read(record.value)
        except Unreadable as unreadable:
            self._quarantine(record, str(unreadable), "$record.body")
            return
        if (row.raw or row.rescue) and depth(record.raw) > MAX_DEPTH:
            self._quarantine(record, TOO_DEEP, None)
            return
        if self._promoter is not None:
            row = self._promoter.apply(row, record.value)
        self._take_row(record, row)

    def _take_row(self, record: Record, row: Row) -> None:
        columns, container, size = row.columns, self._container, len(record.raw)
        columns["record_number"] = record.number
        if row.raw:
            columns["record"] = strict_json(record.raw.decode("utf-8"))
        if row.rescue:
            columns["rescued"] = self._rescued(row)
            self._count_rescued(row.table, row.rescue)
        if container is not None and not container.known:
            self._hold(container, row, size)
            return
        columns["metaData"] = container.metadata if container is not None else None
        self._batches.extend(self._builder.add(row.table, columns, size))

    def _rescued(self, row: Row) -> str:
        if self._masks is None:
            return json_object(rescued_json(row.rescue))
        return json_object(by_path(masked_rescue(self._masks, row.table, row.rescue)))

    def _hold(self, container: Container, row: Row, size: int) -> None:
        container.held_bytes += size
        if container.held_bytes > self._limits.max_held:
            raise DecodeError(
                f"container {container.number} has more than {self._limits.max_held} bytes of records before its "
                "metaData; expected metaData before recordCollection"
            )
        self._builder.hold(row.table, row.columns, size)

    def _count_rescued(self, table: str, rescue: Rescue) -> None:
        counts = self.report.rescued_of(table)
        for path, _ in rescue:
            counts.add(path_text(path, starred=True))

    # --- Quarantine ---------------------------------------------------------------------------------------------------

    def _quarantine(self, record: Record, reason: str, path: str | None) -> None:
        self.report.quarantined += 1
        number = self._container.number if self._container is not None else None
        end = record.start + len(record.raw)
        self._quarantined.append(
            Quarantined("record", record.start, end, number, record.number, path, reason, record.raw)
        )

    def _take_item(self, item: Item) -> None:
        self.report.items += not item.continued
        number = self._container.number if self._container is not None else None
        end = item.start + len(item.raw)
        self._quarantined.append(
            Quarantined("item", item.start, end, number, None, None, item.reason, item.raw, item.continued)
        )
