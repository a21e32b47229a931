"""Converts sources again from their raw files, after an upgrade to a wsparquet that understands more of them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Self, Unpack

from wsparquet._version import software_version
from wsparquet.commit import Commit, CommitIndex
from wsparquet.conversion.converter import Converter
from wsparquet.conversion.options import ConvertKeywords, ConvertOptions
from wsparquet.conversion.outcome import Outcome
from wsparquet.conversion.run import end_run, outcomes, reporting
from wsparquet.conversion.summary import Summary
from wsparquet.dataset import Root
from wsparquet.decode import active_decoder
from wsparquet.errors import DatasetError, SourceError, WsparquetError
from wsparquet.options import make_options
from wsparquet.progress import Listener, Progress, logged, telling_ignored
from wsparquet.schema import SCHEMA_VERSION
from wsparquet.source import Failed, Source, Sources, as_list, expand, interruptible

__all__ = [
    "RawFiles",
    "Wanted",
    "about_raw",
    "check_complete",
    "end_upgrade",
    "is_upgrade",
    "is_wanted",
    "replay",
    "wanted_of",
]

MOST_SHOWN = 5
REMEDY = "Name the folders or URLs with these files, or first remove the sources with the version that wrote the root"
STDIN = "stdin"
"""The URL of a source that was read from standard input."""


@dataclass(frozen=True)
class Wanted:
    """A commit to repeat, its source as recorded in the commit, and the URL of the raw file to read."""

    commit: Commit
    source: Source | Failed
    read: str


def replay(
    root: str | os.PathLike[str],
    raw: Sources,
    *,
    options: ConvertOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[ConvertKeywords],
) -> Summary:
    """Repeat the conversion of sources of an older schema version, or with values that were not understood.

    Values that were not understood are in ``rescued`` or in quarantine. If this version itself rescued or quarantined
    the values, the source is repeated only with ``again``, because the result would be the same. A second replay
    therefore has nothing to do.

    ``raw`` is a path, glob, folder or URL with the raw files, or a list of them. A raw file is found by the name and
    the checksum of its source; if the source came from standard input, by the checksum alone. No URL in a commit record
    is opened. A raw file that cannot be read counts as failed. A root of an older schema version is upgraded as a
    whole: the replay begins only if all raw files are found, and until all of them are converted, the root can only be
    used by another replay. In other roots, a source fails if its raw file is missing, and the other sources are still
    converted. The keyword arguments are the fields of ``ConvertOptions``, and they take precedence over ``options``.

    >>> wsparquet.replay("lake", "downloads/")
    <Summary root=...lake, sources=0, seconds=...>

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.
        DatasetError: there is no root, the root cannot be written, or an older root lacks some of its raw files.
        SchemaError: the root has a newer schema version.
        KeyboardInterrupt: as in ``convert``.

    """
    started = time.monotonic()
    options = make_options(ConvertOptions, options, keywords)
    options.check_whole()
    decoder = active_decoder(options.decoder)
    opened = Root.open_for_replay(root, access=options.access)
    opened.check_privacy()
    if not options.dry_run:
        opened.recover()
    tell = logged(on_progress)
    files = RawFiles.listed(opened, raw, options, tell)
    wanted = _found(opened, files, options)
    options = replace(options, again=True)
    upgrade = is_upgrade(opened)
    if upgrade:
        check_complete(opened, wanted, files.errors)
    if upgrade and not options.dry_run:
        opened.begin_replay()
    sources = len(wanted) + len(files.unreadable)
    summary = Summary(root=opened.place, sources=sources, dry_run=options.dry_run, decoder=decoder)
    with reporting(summary, started):
        for each in _converted(opened, wanted, options, tell):
            each.add_to(summary)
        if upgrade and not options.dry_run and not summary.failures:
            end_upgrade(opened)
        for each in _told(opened, files.unreadable, options, tell):
            each.add_to(summary)
        if not options.dry_run:
            end_run(opened, summary, options)
    return summary


def is_upgrade(root: Root) -> bool:
    """Return whether a replay updates the root to this software's schema version."""
    version = root.version
    return version.schema < SCHEMA_VERSION or version.replaying_from is not None


def end_upgrade(root: Root) -> None:
    """Finish the upgrade of the root; raise if an older wsparquet committed a source during the replay."""
    late = [
        commit.facts.source_name for commit in root.commits() if commit.paths and commit.schema_version < SCHEMA_VERSION
    ]
    if late:
        raise DatasetError(
            f"{root.place}: expected all sources to be of schema version {SCHEMA_VERSION}, found {len(late)} that an "
            f"older wsparquet committed during the replay, such as {late[0]}; stop the older "
            "wsparquet, and run `wsparquet replay` again"
        )
    root.end_replay()


# --- Finding commits and raw files ------------------------------------------------------------------------------------


def _found(root: Root, files: RawFiles, options: ConvertOptions) -> list[Wanted]:
    """Return every commit to repeat, with its source or the error if no raw file was found."""
    commits = [commit for commit in root.commits() if is_wanted(commit, again=options.again)]
    interrupted = threading.Event()
    with ThreadPoolExecutor(max(options.jobs, 1), thread_name_prefix="wsparquet") as pool:
        try:
            sources = pool.map(partial(files.find, interrupted=interrupted.is_set), commits)
            return [wanted_of(commit, source) for commit, source in zip(commits, sources, strict=True)]
        except BaseException:
            interrupted.set()
            raise


def wanted_of(commit: Commit, source: Source | Failed) -> Wanted:
    """Return a commit to repeat, with its source under the recorded URL, so that later runs recognize it."""
    if isinstance(source, Failed):
        return Wanted(commit, source, source.url)
    facts = commit.facts
    known = replace(source, size=facts.size, etag=facts.etag, mtime=facts.mtime, listing=facts.listing)
    return Wanted(commit, replace(known, name=facts.source_name, url=facts.url or source.url), source.url)


def is_wanted(commit: Commit, *, again: bool) -> bool:
    """Return whether a replay converts the source of a commit again."""
    if commit.same_as is not None:
        # Such a record has no rows. A replay of the commit that it refers to is enough.
        return False
    if commit.schema_version < SCHEMA_VERSION:
        return True
    report = commit.facts.report
    understood = not any(report.get(key) for key in ("rescued", "quarantined", "items", "container_values"))
    return not understood and (again or commit.software != software_version())


class RawFiles:
    """The raw files that the caller gave; each file is hashed at most once.

    ``unreadable``: the arguments that are not readable files. ``errors``: the errors of these arguments, and of files
    that could not be hashed.
    """

    def __init__(self, found: Sequence[Source | Failed]) -> None:
        self.unreadable = [each for each in found if isinstance(each, Failed)]
        self.errors = [each.error for each in self.unreadable]
        self._all = [each for each in found if isinstance(each, Source)]
        self._by_name: dict[str, list[Source]] = {}
        for source in self._all:
            self._by_name.setdefault(source.name, []).append(source)
        self._checksums: dict[int, str] = {}

    @classmethod
    def listed(cls, root: Root, raw: Sources, options: ConvertOptions, tell: Listener) -> Self:
        """Return the files that the argument ``raw`` names."""
        return cls(
            expand(
                as_list(raw, name="raw"),
                exclude=root.place,
                storage_options=options.storage_options,
                ignored=telling_ignored(tell),
            )
        )

    def candidates(self, commit: Commit) -> list[Source]:
        """Return the files that may be the raw file of a commit: those with its name, or all if it has no name."""
        # Standard input has no file name, so only the content identifies such a source.
        return self._all if commit.facts.url == STDIN else self._by_name.get(commit.facts.source_name, [])

    def find(self, commit: Commit, *, interrupted: Callable[[], bool]) -> Source | Failed:
        """Find the raw file of a commit by its name and content; return the error if there is none."""
        with interruptible(interrupted):
            return self._find(commit)

    def _find(self, commit: Commit) -> Source | Failed:
        facts = commit.facts
        piped = facts.url == STDIN
        candidates = self.candidates(commit)
        others = 0
        errors: list[WsparquetError] = []
        for source in candidates:
            try:
                if source.size in {facts.size, None} and self._checksum(source) == commit.checksum:
                    return source
                others += 1
            except SourceError as error:
                errors.append(error)
        self.errors += errors
        found = f"{others} with that name but other content" if others and not piped else "none with that name"
        errors += [each.error for each in self.unreadable]
        return _missing(commit, "no file with that checksum" if piped else found, errors)

    def _checksum(self, source: Source) -> str:
        key = id(source)
        if key not in self._checksums:
            self._checksums[key] = source.checksum()
        return self._checksums[key]


def _missing(commit: Commit, found: str, errors: Sequence[WsparquetError]) -> Failed:
    """Return the failure of a commit whose raw file was not found; the message quotes the first of ``errors``."""
    facts = commit.facts
    unread = f" (but some files cannot be read: {errors[0]})" if errors else ""
    error = SourceError(
        f"{facts.source_name}: expected its raw file with SHA-256 {commit.checksum}, found {found}{unread}; "
        "name the folder or URL that has it"
    )
    return Failed(facts.source_name, facts.url or facts.source_name, error)


def check_complete(root: Root, wanted: Sequence[Wanted], errors: Sequence[WsparquetError]) -> None:
    """Check that each source has a raw file. Raises DatasetError."""
    missing = [each.source for each in wanted if isinstance(each.source, Failed)]
    if missing:
        # Do not advise the user to remove sources whose files may exist but are unreadable.
        remedy = f"Some of the given files cannot be read: {errors[0]}" if errors else REMEDY
        raise DatasetError(
            f"{root.place}: expected the raw files of all {len(wanted)} sources, found {len(missing)} missing: "
            f"{_listed([each.name for each in missing])}; nothing was changed. {remedy}"
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return ", ".join(names[:MOST_SHOWN]) + more


# --- Converting -------------------------------------------------------------------------------------------------------


def _converted(root: Root, wanted: Sequence[Wanted], options: ConvertOptions, tell: Listener) -> Iterator[Outcome]:
    """Convert every source into the identity of its commit, and yield the outcomes."""
    commits = root.commits()
    if not options.dry_run:
        root.settle(commits)
    converter = Converter(root, commits, options, _telling(wanted, tell), expected=len(wanted))
    identities = [each.commit.identity for each in wanted]
    for index, outcome in outcomes(converter, [each.source for each in wanted], identities):
        yield about_raw(outcome, wanted[index].read)


def about_raw(outcome: Outcome, read: str) -> Outcome:
    """Return an outcome about the raw file at the URL ``read`` instead of the recorded URL."""
    return replace(outcome, url=read, error=_about(read, outcome.url, outcome.error))


def _telling(wanted: Sequence[Wanted], tell: Listener) -> Listener:
    """Return a listener that passes on each event with the URL of the raw file instead of the recorded URL."""
    read: dict[str, str] = {}
    for each in wanted:
        url = each.source.url
        # If a recorded URL has several raw files, its events keep the recorded URL.
        read[url] = each.read if read.get(url, each.read) == each.read else url

    def told(event: Progress) -> None:
        url = read.get(event.url, event.url)
        tell(replace(event, url=url, error=_about(url, event.url, event.error) if event.error else event.error))

    return told


def _about(read: str, url: str, error: str) -> str:
    """Replace the source's recorded URL at the start of an error with the URL of the raw file."""
    return read + error.removeprefix(url) if error.startswith(url) else error


def _told(root: Root, unreadable: Sequence[Failed], options: ConvertOptions, tell: Listener) -> Iterator[Outcome]:
    """Yield the failures of the arguments that cannot be read."""
    if unreadable:
        converter = Converter(root, CommitIndex.empty(), options, tell, expected=len(unreadable))
        yield from (outcome for _, outcome in outcomes(converter, unreadable))
