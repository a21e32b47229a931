"""Sources converted again from their raw files, once there is a wsparquet that understands more of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from wsparquet.conversion import outcomes
from wsparquet.converter import Converter, ConvertOptions, Listener, Outcome, ignore
from wsparquet.dataset import Commit, Root
from wsparquet.decode import active_decoder
from wsparquet.errors import DatasetError, SourceError
from wsparquet.schema import SCHEMA_VERSION
from wsparquet.source import Failed, Source, expand
from wsparquet.summary import Summary

__all__ = ["replay"]

MOST_SHOWN = 5


@dataclass(frozen=True)
class _Wanted:
    """A commit that is to be made again, and the source that it was made of."""

    commit: Commit
    source: Source | Failed


def replay(
    root: str | os.PathLike[str],
    raw: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    options: ConvertOptions | None = None,
    on_progress: Listener | None = None,
) -> Summary:
    """Convert sources again whose commit is of an older schema version, or had rescued or quarantined values.

    ``raw`` are paths, globs, folders or URLs where their files are found, by name and checksum; nothing that a record
    says is opened. A root of an older schema version is brought to this one as a whole: nothing is begun unless all of
    its files are found, and until all are converted nothing but another replay can use it. In other roots a source
    whose file is missing fails, and the others go on.

    Raises:
        DatasetError: there is no root, or it cannot be written, or raw files are missing of an older one.
        SchemaError: the root is of a newer schema version.

    """
    started = time.monotonic()
    options = replace(options or ConvertOptions(), again=True)
    decoder = active_decoder(options.decoder)
    opened = Root.open_for_replay(root, access=options.access)
    if not options.dry_run:
        opened.recover()
    wanted = _found(opened, raw, options)
    upgrade = opened.version.schema < SCHEMA_VERSION or opened.version.replaying_from is not None
    if upgrade:
        _check_complete(opened, wanted)
    if upgrade and not options.dry_run:
        opened.begin_replay()
    summary = Summary(root=opened.place, sources=len(wanted), dry_run=options.dry_run, decoder=decoder)
    for each in _converted(opened, wanted, options, on_progress or ignore):
        each.add_to(summary)
    if upgrade and not options.dry_run and not summary.failures:
        _end(opened)
    summary.seconds = time.monotonic() - started
    return summary


def _end(root: Root) -> None:
    """The root is of the new version, unless an older wsparquet, begun before, has committed something meanwhile."""
    late = [commit.facts.source_name for commit in root.commits() if commit.schema_version < SCHEMA_VERSION]
    if late:
        raise DatasetError(
            f"{root.place}: expected all sources to be of schema version {SCHEMA_VERSION}, found {len(late)} that an "
            f"older wsparquet committed meanwhile, such as {late[0]}; end it, and run `wsparquet replay` again"
        )
    root.end_replay()


# --- Which, and of what -----------------------------------------------------------------------------------------------


def _found(
    root: Root, raw: str | os.PathLike[str] | Sequence[str | os.PathLike[str]], options: ConvertOptions
) -> list[_Wanted]:
    """Every commit to be made again, with its source, or why there is none."""
    commits = [commit for commit in root.commits() if _is_wanted(commit)]
    given = [raw] if isinstance(raw, str | os.PathLike) else list(raw)
    by_name: dict[str, list[Source]] = {}
    for source in expand(given, exclude=root.place, storage_options=options.storage_options):
        if isinstance(source, Source):
            by_name.setdefault(source.name, []).append(source)
    with ThreadPoolExecutor(max(options.jobs, 1), thread_name_prefix="wsparquet") as pool:
        sources = pool.map(lambda commit: _source_of(commit, by_name), commits)
        return [_Wanted(commit, source) for commit, source in zip(commits, sources, strict=True)]


def _is_wanted(commit: Commit) -> bool:
    report = commit.facts.report
    understood = not any(report.get(key) for key in ("rescued", "quarantined", "items", "container_values"))
    return commit.schema_version < SCHEMA_VERSION or not understood


def _source_of(commit: Commit, by_name: Mapping[str, Sequence[Source]]) -> Source | Failed:
    """The raw file of a commit, by its name and content, under the address that it was converted from."""
    facts = commit.facts
    named = by_name.get(facts.source_name, ())
    for source in named:
        try:
            same = source.size in {facts.size, None} and source.checksum() == commit.checksum
        except SourceError as error:
            return Failed(source.name, source.url, error)
        if same:
            # So that the next run finds it unchanged there.
            known = replace(source, size=facts.size, etag=facts.etag, mtime=facts.mtime, listing=facts.listing)
            return replace(known, url=facts.url or source.url)
    found = f"{len(named)} of that name with other content" if named else "none of that name"
    where = facts.url or facts.source_name
    return Failed(
        facts.source_name,
        where,
        SourceError(
            f"{facts.source_name}: expected its raw file with SHA-256 {commit.checksum}, found {found}; "
            "name the folder or URL that has it"
        ),
    )


def _check_complete(root: Root, wanted: Sequence[_Wanted]) -> None:
    missing = [each.source for each in wanted if isinstance(each.source, Failed)]
    if missing:
        names = ", ".join(each.name for each in missing[:MOST_SHOWN])
        more = f" and {len(missing) - MOST_SHOWN} more" if len(missing) > MOST_SHOWN else ""
        raise DatasetError(
            f"{root.place}: expected the raw files of all {len(wanted)} sources, found {len(missing)} missing: "
            f"{names}{more}; nothing was changed. Name where they are, or `wsparquet remove` these sources first, "
            "with the wsparquet that wrote the root"
        )


# --- Converting -------------------------------------------------------------------------------------------------------


def _converted(root: Root, wanted: Sequence[_Wanted], options: ConvertOptions, tell: Listener) -> Iterator[Outcome]:
    """What became of every source, each converted for the account that it belongs to."""
    by_account: dict[str, list[Source | Failed]] = {}
    for each in wanted:
        by_account.setdefault(each.commit.identity.account, []).append(each.source)
    commits = root.commits()
    for account, sources in by_account.items():
        own = replace(options, account=account)
        yield from outcomes(Converter(root, commits, own, tell, expected=len(sources)), sources)
