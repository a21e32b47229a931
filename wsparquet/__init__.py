"""wsparquet turns LivePerson Web Session files into nested, partitioned Parquet datasets.

>>> import wsparquet
>>> wsparquet.convert("downloads/", to="lake")      # a second call skips all sources
>>> wsparquet.read("WebSession….gz")["navigation"]  # one file, in memory
>>> wsparquet.open_dataset("lake").table("geo")     # committed rows only, as a pyarrow dataset
"""

# No module or package directly below wsparquet/ may have the name of a public function.
# Importing such a module would replace the function as an attribute of this package.
# The functions `generate_files` and `arrow_schema` therefore do not share the names of `generate/` and `schema/`.
# tests/test_library.py checks this rule.

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsparquet._version import __version__
    from wsparquet.api import ApiOptions, Client, Credentials
    from wsparquet.compaction import Compaction, CompactOptions, MergedTable, compact
    from wsparquet.conversion.options import ConvertOptions
    from wsparquet.conversion.replay import replay
    from wsparquet.conversion.run import convert
    from wsparquet.conversion.summary import Copy, Replacement, Summary
    from wsparquet.dataset import Cleaning, LakeDataset, Stray, open_dataset
    from wsparquet.decode.model import Limits, Quarantined, Report
    from wsparquet.erasure import Certificate, RawFile, erase
    from wsparquet.errors import (
        ApiError,
        DatasetError,
        DecodeError,
        FailuresError,
        OptionError,
        PlaceError,
        SchemaError,
        SourceError,
        WsparquetError,
    )
    from wsparquet.extensions import (
        CheckedExtension,
        Extended,
        Proposal,
        check_extension,
        extend,
        propose_extension,
    )
    from wsparquet.generate import GenerateOptions, generate_files
    from wsparquet.iceberg import PublishedTable, Publishing, publish
    from wsparquet.inspection import Inspection, Inspections, InspectOptions, inspect
    from wsparquet.overview import DayRows, QuarantinedSource, RootReport, SlowSource, TableFiles, report
    from wsparquet.privacy.keys import SecretKey
    from wsparquet.privacy.policy import Policy
    from wsparquet.progress import Progress
    from wsparquet.query import (
        ChangedSource,
        Changes,
        Drift,
        Finding,
        StoredViews,
        attach,
        changes,
        connect,
        drift,
        refresh,
        scan,
        write_views,
    )
    from wsparquet.reading import QuarantineWarning, read
    from wsparquet.render import schema_text
    from wsparquet.results import Failure
    from wsparquet.retention import ExpiredTable, Expiry, expire
    from wsparquet.schema import SCHEMA_VERSION, TABLES, arrow_schema
    from wsparquet.source import SourceLimits
    from wsparquet.strict_json import original_json
    from wsparquet.synchronisation import (
        AccountStatus,
        FetchOptions,
        FetchSummary,
        Files,
        FileState,
        Status,
        StatusLimits,
        Stop,
        SyncOptions,
        SyncSummary,
        fetch,
        list_files,
        status,
        sync,
    )
    from wsparquet.upkeep import Removal, Removed, clean, remove
    from wsparquet.verification import Problem, Verification, VerifyOptions, verify

__all__ = [
    "SCHEMA_VERSION",
    "TABLES",
    "AccountStatus",
    "ApiError",
    "ApiOptions",
    "Certificate",
    "ChangedSource",
    "Changes",
    "CheckedExtension",
    "Cleaning",
    "Client",
    "CompactOptions",
    "Compaction",
    "ConvertOptions",
    "Copy",
    "Credentials",
    "DatasetError",
    "DayRows",
    "DecodeError",
    "Drift",
    "ExpiredTable",
    "Expiry",
    "Extended",
    "Failure",
    "FailuresError",
    "FetchOptions",
    "FetchSummary",
    "FileState",
    "Files",
    "Finding",
    "GenerateOptions",
    "InspectOptions",
    "Inspection",
    "Inspections",
    "LakeDataset",
    "Limits",
    "MergedTable",
    "OptionError",
    "PlaceError",
    "Policy",
    "Problem",
    "Progress",
    "Proposal",
    "PublishedTable",
    "Publishing",
    "QuarantineWarning",
    "Quarantined",
    "QuarantinedSource",
    "RawFile",
    "Removal",
    "Removed",
    "Replacement",
    "Report",
    "RootReport",
    "SchemaError",
    "SecretKey",
    "SlowSource",
    "SourceError",
    "SourceLimits",
    "Status",
    "StatusLimits",
    "Stop",
    "StoredViews",
    "Stray",
    "Summary",
    "SyncOptions",
    "SyncSummary",
    "TableFiles",
    "Verification",
    "VerifyOptions",
    "WsparquetError",
    "__version__",
    "arrow_schema",
    "attach",
    "changes",
    "check_extension",
    "clean",
    "compact",
    "connect",
    "convert",
    "drift",
    "erase",
    "expire",
    "extend",
    "fetch",
    "generate_files",
    "inspect",
    "list_files",
    "open_dataset",
    "original_json",
    "propose_extension",
    "publish",
    "read",
    "refresh",
    "remove",
    "replay",
    "report",
    "scan",
    "schema_text",
    "status",
    "sync",
    "verify",
    "write_views",
]

# The module of each public name.
# Names are imported on first use, because importing pyarrow alone would make `wsparquet --help` too slow.
_HOMES = {
    "_version": ("__version__",),
    "api": (
        "ApiOptions",
        "Client",
        "Credentials",
    ),
    "compaction": (
        "CompactOptions",
        "Compaction",
        "MergedTable",
        "compact",
    ),
    "conversion": (
        "ConvertOptions",
        "Copy",
        "Replacement",
        "Summary",
        "convert",
        "replay",
    ),
    "dataset": (
        "Cleaning",
        "LakeDataset",
        "Stray",
        "open_dataset",
    ),
    "decode.model": (
        "Limits",
        "Quarantined",
        "Report",
    ),
    "erasure": (
        "Certificate",
        "RawFile",
        "erase",
    ),
    "errors": (
        "ApiError",
        "DatasetError",
        "DecodeError",
        "FailuresError",
        "OptionError",
        "PlaceError",
        "SchemaError",
        "SourceError",
        "WsparquetError",
    ),
    "extensions": (
        "CheckedExtension",
        "Extended",
        "Proposal",
        "check_extension",
        "extend",
        "propose_extension",
    ),
    "generate": (
        "GenerateOptions",
        "generate_files",
    ),
    "iceberg": (
        "PublishedTable",
        "Publishing",
        "publish",
    ),
    "inspection": (
        "InspectOptions",
        "Inspection",
        "Inspections",
        "inspect",
    ),
    "overview": (
        "DayRows",
        "QuarantinedSource",
        "RootReport",
        "SlowSource",
        "TableFiles",
        "report",
    ),
    "privacy.keys": ("SecretKey",),
    "privacy.policy": ("Policy",),
    "progress": ("Progress",),
    "query": (
        "ChangedSource",
        "Changes",
        "Drift",
        "Finding",
        "StoredViews",
        "attach",
        "changes",
        "connect",
        "drift",
        "refresh",
        "scan",
        "write_views",
    ),
    "reading": (
        "QuarantineWarning",
        "read",
    ),
    "render": ("schema_text",),
    "results": ("Failure",),
    "schema": (
        "SCHEMA_VERSION",
        "TABLES",
        "arrow_schema",
    ),
    "source": ("SourceLimits",),
    "strict_json": ("original_json",),
    "synchronisation": (
        "AccountStatus",
        "FetchOptions",
        "FetchSummary",
        "FileState",
        "Files",
        "Status",
        "StatusLimits",
        "Stop",
        "SyncOptions",
        "SyncSummary",
        "fetch",
        "list_files",
        "status",
        "sync",
    ),
    "retention": (
        "ExpiredTable",
        "Expiry",
        "expire",
    ),
    "upkeep": (
        "Removal",
        "Removed",
        "clean",
        "remove",
    ),
    "verification": (
        "Problem",
        "Verification",
        "VerifyOptions",
        "verify",
    ),
}


def _find(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"wsparquet.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'wsparquet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:
    # Hidden from type checkers, which would otherwise accept any name.
    __getattr__ = _find
