"""The results of ``fetch`` and ``sync``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from wsparquet.conversion.summary import Failure, Summary
from wsparquet.json_values import in_json, milliseconds
from wsparquet.results import Result

__all__ = ["FetchSummary", "SyncSummary"]


@dataclass(repr=False)
class FetchSummary(Result):
    """The result of ``fetch``: the listed files of an account, by outcome. Sizes are in bytes.

    ``present``: the number of files that existed before the run. ``gone``: the files that the server deleted before
    they could be downloaded. ``refused``: the files whose listed URL does not belong to the API. ``not_begun``: the
    number of files that an interrupted run left for the next one.

    >>> wsparquet.FetchSummary("75555851", listed=2, downloaded=["a.gz", "b.gz"])
    <FetchSummary account=75555851, listed=2, downloaded=2>
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
    not_begun: int = 0

    @property
    def failed(self) -> list[Failure]:
        """All listed files that could not be downloaded."""
        return [*self.refused, *self.gone, *self.failures]

    @property
    def exit_code(self) -> int:
        """The exit code: 0 if all files are downloaded, 1 if a file failed, was refused, or is gone."""
        return 1 if self.failed else 0

    def facts(self) -> Mapping[str, object]:
        """Return the number of files by outcome."""
        lists: dict[str, Sequence[object]] = {
            "downloaded": self.downloaded,
            "gone": self.gone,
            "refused": self.refused,
            "failed": self.failures,
        }
        return {
            "account": self.account,
            "listed": self.listed,
            "present": self.present or None,
            **{name: len(files) or None for name, files in lists.items()},
            "retries": self.retries or None,
            "interrupted": self.interrupted,
            "not_begun": self.not_begun or None,
            "seconds": self.seconds or None,
        }

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Return the names of the files that were not downloaded, with the reasons."""
        return [(failure.name, failure.error) for failure in self.failed]


@dataclass(repr=False)
class SyncSummary(Result):
    """The result of ``sync``. ``fetched``: the result of the downloads. ``converted``: the result of the conversion.

    Files that were committed before the run count as ``present``.

    >>> fetched, converted = wsparquet.FetchSummary("75555851", listed=2), wsparquet.Summary(root="lake", sources=2)
    >>> wsparquet.SyncSummary(fetched, converted).exit_code
    0
    """

    fetched: FetchSummary = field(metadata=in_json(flat=True))
    converted: Summary = field(metadata=in_json("conversion"))

    @property
    def interrupted(self) -> bool:
        """Whether the run stopped early on request and left files for the next run."""
        return self.fetched.interrupted

    @property
    def exit_code(self) -> int:
        """The exit code: 1 if a file failed, was refused, or is gone; else 3 if text was quarantined; else 0."""
        return self.fetched.exit_code or self.converted.exit_code

    def facts(self) -> Mapping[str, object]:
        """Return the number of files by outcome and the number of records."""
        converted = {key: value for key, value in self.converted.facts().items() if key not in {"sources", "seconds"}}
        fetched = self.fetched.facts()
        return {**fetched, **converted, "failed": len([*self.failed_sources()]) or None, "seconds": fetched["seconds"]}

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Return the names of the files that failed in either step, with the reasons."""
        # A file that cannot be downloaded is a failure of both steps.
        return dict([*self.converted.failed_sources(), *self.fetched.failed_sources()]).items()
