"""wsparquet turns LivePerson Web Session files into nested, partitioned Parquet datasets.

>>> import wsparquet
>>> wsparquet.convert("downloads/", to="lake")      # files in, datasets out; again: nothing to do
>>> wsparquet.read("WebSession….gz")["navigation"]  # one file, in memory
>>> wsparquet.open_dataset("lake").table("geo")     # committed rows only, as a pyarrow dataset
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsparquet._version import __version__
    from wsparquet.api import ApiOptions, Client, Credentials
    from wsparquet.conversion.options import ConvertOptions
    from wsparquet.conversion.replay import replay
    from wsparquet.conversion.run import convert
    from wsparquet.conversion.summary import Failure, Summary
    from wsparquet.dataset import LakeDataset, open_dataset
    from wsparquet.decode.model import Limits, Quarantined, Report
    from wsparquet.errors import (
        ApiError,
        DatasetError,
        DecodeError,
        PlaceError,
        SchemaError,
        SourceError,
        WsparquetError,
    )
    from wsparquet.inspection import Inspection, InspectOptions, inspect
    from wsparquet.progress import Progress
    from wsparquet.reading import QuarantineWarning, read
    from wsparquet.schema import SCHEMA_VERSION, TABLES
    from wsparquet.source import SourceLimits
    from wsparquet.synchronisation import (
        FetchOptions,
        FetchSummary,
        Status,
        Stop,
        SyncOptions,
        SyncSummary,
        fetch,
        status,
        sync,
    )
    from wsparquet.verification import Problem, Verification, VerifyOptions, verify

__all__ = [
    "SCHEMA_VERSION",
    "TABLES",
    "ApiError",
    "ApiOptions",
    "Client",
    "ConvertOptions",
    "Credentials",
    "DatasetError",
    "DecodeError",
    "Failure",
    "FetchOptions",
    "FetchSummary",
    "InspectOptions",
    "Inspection",
    "LakeDataset",
    "Limits",
    "PlaceError",
    "Problem",
    "Progress",
    "QuarantineWarning",
    "Quarantined",
    "Report",
    "SchemaError",
    "SourceError",
    "SourceLimits",
    "Status",
    "Stop",
    "Summary",
    "SyncOptions",
    "SyncSummary",
    "Verification",
    "VerifyOptions",
    "WsparquetError",
    "__version__",
    "convert",
    "fetch",
    "inspect",
    "open_dataset",
    "read",
    "replay",
    "status",
    "sync",
    "verify",
]

# Where each public name lives. They are imported on first use: pyarrow alone takes longer than `wsparquet --help` may.
_HOMES = {
    "_version": ("__version__",),
    "api": ("ApiOptions", "Client", "Credentials"),
    "conversion": ("ConvertOptions", "Failure", "Summary", "convert", "replay"),
    "dataset": ("LakeDataset", "open_dataset"),
    "decode.model": ("Limits", "Quarantined", "Report"),
    "errors": ("ApiError", "DatasetError", "DecodeError", "PlaceError", "SchemaError", "SourceError", "WsparquetError"),
    "inspection": ("InspectOptions", "Inspection", "inspect"),
    "progress": ("Progress",),
    "reading": ("QuarantineWarning", "read"),
    "schema": ("SCHEMA_VERSION", "TABLES"),
    "source": ("SourceLimits",),
    "synchronisation": (
        "FetchOptions",
        "FetchSummary",
        "Status",
        "Stop",
        "SyncOptions",
        "SyncSummary",
        "fetch",
        "status",
        "sync",
    ),
    "verification": ("Problem", "Verification", "VerifyOptions", "verify"),
}


def _find(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"wsparquet.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'wsparquet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:
    # Type checkers would take every name for one that there is.
    __getattr__ = _find
