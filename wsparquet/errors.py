"""The errors that wsparquet raises, and their meanings.

    WsparquetError
    ├── OptionError    a parameter has an invalid value; also a ValueError
    ├── SchemaError    the schema itself is wrong, or a root has another schema version
    ├── SourceError    a source cannot be read: missing, corrupt, too large, not a Web Session file
    ├── DecodeError    the text of a source cannot be decoded at all (single bad records are quarantined instead)
    ├── DatasetError   a dataset cannot be written or read: disk full, folder missing, concurrent change of a commit
    │   └── PlaceError the given location cannot hold a dataset or raw files; nothing was written
    ├── ApiError       the Data Access API is unreachable, refuses a request, or sends an unusable answer
    └── FailuresError  a run finished, but some of its sources failed; raised by ``raise_for_failures`` only

Every message states what was expected, what was found, where it was found, and a remedy. Messages name the parameters
of the Python functions in backticks, such as `max_quarantined`. The command line replaces each name with its option,
such as --max-quarantined.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ApiError",
    "DatasetError",
    "DecodeError",
    "FailuresError",
    "OptionError",
    "PlaceError",
    "SchemaError",
    "SourceError",
    "WsparquetError",
]


class WsparquetError(Exception):
    """The base class of all errors that wsparquet raises on purpose.

    >>> try:
    ...     wsparquet.convert("no-such-folder/", to="lake").raise_for_failures()
    ... except wsparquet.WsparquetError as error:
    ...     print(type(error).__name__)
    FailuresError
    """


class OptionError(WsparquetError, ValueError):
    """A parameter does not exist or has an invalid value; ``parameter`` is the name of the parameter.

    >>> try:
    ...     wsparquet.convert("downloads/", to="lake", jobs=0)
    ... except wsparquet.OptionError as error:
    ...     print(error.parameter, "|", error)
    jobs | `jobs`: expected a whole number of 1 or more, found 0
    """

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"`{parameter}`: {problem}")
        self.parameter = parameter
        self._problem = problem

    def __reduce__(self) -> tuple[type[OptionError], tuple[str, str]]:
        return type(self), (self.parameter, self._problem)


class SchemaError(WsparquetError):
    """The schema is inconsistent, or a root has another schema version.

    >>> issubclass(wsparquet.SchemaError, wsparquet.WsparquetError)
    True
    """


class SourceError(WsparquetError):
    """A source cannot be read; none of its rows are committed.

    >>> try:
    ...     wsparquet.read("no-such-file.gz")
    ... except wsparquet.SourceError as error:
    ...     print("expected a file" in str(error))
    True
    """


class DecodeError(WsparquetError):
    """The text of a source is not in the format of Web Session files; none of its rows are committed.

    >>> _ = Path("other.json").write_text("[1, 2, 3]")
    >>> try:
    ...     wsparquet.read("other.json")
    ... except wsparquet.DecodeError:
    ...     print("not a Web Session file")
    not a Web Session file
    """


class DatasetError(WsparquetError):
    """A dataset cannot be written, committed or read.

    >>> try:
    ...     wsparquet.open_dataset("no-such-lake")
    ... except wsparquet.DatasetError:
    ...     print("no datasets here")
    no datasets here
    """


class PlaceError(DatasetError):
    """Datasets or raw files cannot be stored at the given location; wsparquet checks this before it writes anything.

    >>> try:
    ...     wsparquet.convert("downloads/", to="https://example.com/lake")
    ... except wsparquet.PlaceError as error:
    ...     print(error)
    https://example.com/lake: expected a folder on a local disk or s3://BUCKET/PATH, found another URL
    """


class ApiError(WsparquetError):
    """The Data Access API is unreachable, refuses a request, or sends an unusable answer.

    ``status`` is the HTTP status of the answer, or None without an answer. ``internal_code`` is the API's own error
    code, or None if the answer does not contain such a code.

    >>> error = wsparquet.ApiError("expected a list of files, found none", status=404)
    >>> error.status, error.internal_code
    (404, None)
    """

    def __init__(self, message: str, *, status: int | None = None, internal_code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.internal_code = internal_code


class FailuresError(WsparquetError):
    """A run finished, but some of its sources failed; ``names`` has the names of these sources.

    >>> try:
    ...     wsparquet.convert(["downloads/", "missing.gz"], to="lake").raise_for_failures()
    ... except wsparquet.FailuresError as error:
    ...     print(error.names)
    ('missing.gz',)
    """

    def __init__(self, message: str, names: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.names = tuple(names)

    def __reduce__(self) -> tuple[type[FailuresError], tuple[str, tuple[str, ...]]]:
        return type(self), (str(self), self.names)
