"""Summaries of downloads and synchronisations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wsparquet.conversion.summary import Failure, Summary, failure_dicts

__all__ = ["FetchSummary", "SyncSummary"]


@dataclass
class FetchSummary:
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
    failures: list[Failure] = field(default_factory=list)
    retries: int = 0
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def failed(self) -> list[Failure]:
        """The files that were listed but could not be downloaded."""
        return [*self.refused, *self.gone, *self.failures]

    @property
    def exit_code(self) -> int:
        """0 if done; 1 if a file failed, was refused, or is gone."""
        return 1 if self.failed else 0

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {
            "account": self.account,
            "listed": self.listed,
            "present": self.present,
            "downloaded": self.downloaded,
            "downloaded_bytes": self.downloaded_bytes,
            "gone": failure_dicts(self.gone),
            "refused": failure_dicts(self.refused),
            "failed": failure_dicts(self.failures),
            "retries": self.retries,
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
        }


@dataclass
class SyncSummary:
    """The result of a ``sync`` run: the downloads and the conversion.

    Files that were committed before this run count as ``present``.
    """

    fetched: FetchSummary
    converted: Summary

    @property
    def interrupted(self) -> bool:
        """Whether a stop was requested and files were left for the next run."""
        return self.fetched.interrupted

    @property
    def exit_code(self) -> int:
        """0 if done; 1 if a file failed, was refused, or is gone; 3 if done, but something was quarantined."""
        return self.fetched.exit_code or self.converted.exit_code

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {**self.fetched.to_dict(), "conversion": self.converted.to_dict()}
