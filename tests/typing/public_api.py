"""Uses of all public functions with their types; type checkers read this file, and nothing runs it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import assert_type

import pyarrow as pa
import pyarrow.dataset as ds

import wsparquet
from wsparquet import (
    SCHEMA_VERSION,
    TABLES,
    ConvertOptions,
    Failure,
    Inspection,
    LakeDataset,
    Limits,
    Progress,
    Quarantined,
    Report,
    SourceLimits,
    Summary,
)
from wsparquet.schema import Table

seen: list[Progress] = []
options = ConvertOptions(jobs=2, account="1", limits=Limits(max_record=1), source_limits=SourceLimits(max_ratio=2))
assert_type(wsparquet.convert(["a", Path("b")], "lake", options=options, on_progress=seen.append), Summary)
assert_type(wsparquet.convert("a", to="lake", jobs=2, max_quarantined=0, max_failures=None).failures, list[Failure])
assert_type(wsparquet.convert("a", to="lake").exit_code, int)
assert_type(wsparquet.convert("a", to="lake").raise_for_failures(), Summary)
assert_type(wsparquet.replay("lake", Path("raw"), dry_run=True).rows, dict[str, int])


def keep(entry: Quarantined) -> None:
    """Check the type of an attribute."""
    assert_type(entry.data, bytes)


assert_type(wsparquet.read(["a", "b"], on_quarantined=keep), dict[str, pa.Table])
assert_type(wsparquet.open_dataset("lake"), LakeDataset)
assert_type(wsparquet.open_dataset("lake").table("geo"), ds.Dataset)
assert_type(wsparquet.open_dataset("lake").tables, tuple[str, ...])
assert_type(wsparquet.inspect("a", samples=2)[0], Inspection)
assert_type(Inspection("name", "url").report, Report)
assert_type(wsparquet.verify("lake", against="raw", jobs=1), wsparquet.Verification)
assert_type(wsparquet.remove("lake", ["a", "b"], account="1"), wsparquet.Removal)
assert_type(wsparquet.erase("lake", visitors=["a"], customers="b", search="raw/"), wsparquet.Certificate)
assert_type(wsparquet.expire("lake", older_than=timedelta(days=400), tables=["geo"]), wsparquet.Expiry)
assert_type(wsparquet.publish("lake", keep=timedelta(days=1)), wsparquet.Publishing)
assert_type(wsparquet.clean("lake", older_than=timedelta(hours=1), delete=True), wsparquet.Cleaning)
assert_type(wsparquet.sync("lake", account="1", convert=options), wsparquet.SyncSummary)
assert_type(wsparquet.fetch("raw", account="1", downloads=2), wsparquet.FetchSummary)
assert_type(wsparquet.list_files("lake", account="1", since=timedelta(days=1)), wsparquet.Files)
assert_type(wsparquet.status("lake", stale=timedelta(hours=6)), wsparquet.Status)
assert_type(wsparquet.generate_files("a", files=2, form="lines"), list[Path])
assert_type(wsparquet.arrow_schema("geo"), pa.Schema)
assert_type(wsparquet.schema_text("geo", "avro"), str)
assert_type(TABLES, dict[str, Table])
version: int = SCHEMA_VERSION
assert_type(wsparquet.__version__, str)
error: type[wsparquet.WsparquetError] = wsparquet.SourceError
value_error: type[ValueError] = wsparquet.OptionError
wsparquet.convert(1, to="lake")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
wsparquet.convert("a", to="lake", jobs="2")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
wsparquet.convert("a", to="lake", job=2)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
wsparquet.read("a", "auto")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
wsparquet.konvert  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
