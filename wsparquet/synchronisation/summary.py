"""What a synchronisation did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wsparquet.conversion.summary import Failure, Summary, failure_dicts

__all__ = ["FetchSummary", "SyncSummary"]


@dataclass
class FetchSummary:
    """What became of the listed files of an account; names are the listing's, sizes are in bytes.

    ``present`` were there already. ``gone`` were listed and then deleted by the server before they could be downloaded.
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
        """Every file that is not there though the server listed it."""
        return [*self.refused, *self.gone, *self.failures]

    @property
    def exit_code(self) -> int:
        """0 done, 1 a file failed, was refused, or is gone."""
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
    """What a run of ``sync`` did: what was fetched, and what the conversion made of it.

    Files that were committed before count as ``present``.
    """

    fetched: FetchSummary
    converted: Summary

    @property
    def interrupted(self) -> bool:
        """Whether files were left for the next run because somebody asked to stop."""
        return self.fetched.interrupted

    @property
    def exit_code(self) -> int:
        """1 a file failed, was refused, or is gone; 3 done but something was quarantined; 0 done."""
        return self.fetched.exit_code or self.converted.exit_code

    def to_dict(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {**self.fetched.to_dict(), "conversion": self.converted.to_dict()}
