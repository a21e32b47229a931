"""Summaries of downloads and synchronisations."""

from __future__ import annotations

from dataclasses import dataclass, field

from wsparquet.conversion.summary import Failure, Summary
from wsparquet.json_values import JsonResult, in_json, milliseconds

__all__ = ["FetchSummary", "SyncSummary"]


@dataclass
class FetchSummary(JsonResult):
    """The outcome for the listed files of an account. Names are those of the list; sizes are in bytes.

    ``present`` files were there before. ``gone`` files were listed but deleted by the server before the download.
    """

    account: str
    listed: int = 0
    present: int = 0
    downloaded: list[str] = field(default_factory=list)
    downloaded_bytes: int = 0
    gone: list[Failure] = field(default_factory=list)
    refused: list[Failure] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list, metadata=in_json("failed"))
    retries: int = 0
    seconds: float = field(default=0.0, metadata=in_json(convert=milliseconds))
    interrupted: bool = False

    @property
    def failed(self) -> list[Failure]:
        """The files that were listed but could not be downloaded."""
        return [*self.refused, *self.gone, *self.failures]

    @property
    def exit_code(self) -> int:
        """0 if done; 1 if a file failed, was refused, or is gone."""
        return 1 if self.failed else 0


@dataclass
class SyncSummary(JsonResult):
    """The result of a ``sync`` run: the downloads and the conversion.

    Files that were committed before this run count as ``present``.
    """

    fetched: FetchSummary = field(metadata=in_json(flat=True))
    converted: Summary = field(metadata=in_json("conversion"))

    @property
    def interrupted(self) -> bool:
        """Whether a stop was requested and files were left for the next run."""
        return self.fetched.interrupted

    @property
    def exit_code(self) -> int:
        """0 if done; 1 if a file failed, was refused, or is gone; 3 if done, but something was quarantined."""
        return self.fetched.exit_code or self.converted.exit_code
