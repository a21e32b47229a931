"""Which errors wsparquet raises, and what each of them means.

    WsparquetError
    ├── SchemaError    the schema itself is wrong, or a root has another version of it
    ├── SourceError    a source cannot be read: missing, corrupt, too large, not a Web Session file
    ├── DecodeError    a source's text cannot be decoded as a whole (single records are quarantined instead)
    ├── DatasetError   a dataset cannot be written or read: disk full, no folder, a record changed under us
    │   └── PlaceError a dataset or raw files cannot lie where they were told to; nothing was written
    └── ApiError       the Data Access API cannot be reached, refuses, or answers what cannot be used

Every message says what was expected, what was found, where, and what to do.
"""

from __future__ import annotations

__all__ = ["ApiError", "DatasetError", "DecodeError", "PlaceError", "SchemaError", "SourceError", "WsparquetError"]


class WsparquetError(Exception):
    """The base of every error that wsparquet raises on purpose."""


class SchemaError(WsparquetError):
    """The schema is inconsistent, or a root was written with another version of it."""


class SourceError(WsparquetError):
    """A source cannot be read; nothing of it is committed."""


class DecodeError(WsparquetError):
    """A source's text is not what a Web Session file holds; nothing of it is committed."""


class DatasetError(WsparquetError):
    """A dataset cannot be written, committed or read."""


class PlaceError(DatasetError):
    """A dataset or raw files cannot lie where they were told to: wrong usage, found before anything was written."""


class ApiError(WsparquetError):
    """The Data Access API cannot be reached, refuses, or answers what cannot be used.

    ``status`` is the HTTP status of the answer, ``internal_code`` the API's own, each None where there was none.
    """

    def __init__(self, message: str, *, status: int | None = None, internal_code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.internal_code = internal_code
