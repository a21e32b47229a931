"""How a command's result is said: one interface, a text and a JSON implementation, chosen by ``--output``.

Results go to standard output, messages to standard error. JSON is ASCII, so nothing in it can reach a terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import click

from wsparquet.cli import sync_text
from wsparquet.cli.terminal import human_bytes, with_flags
from wsparquet.json_values import json_dict
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from wsparquet.conversion.summary import Failure, Summary
    from wsparquet.dataset.cleaning import Cleaning
    from wsparquet.inspection import Inspection
    from wsparquet.remote_schema import SchemaComparison
    from wsparquet.synchronisation import FetchSummary, Files, Status, SyncSummary
    from wsparquet.verification import Verification

__all__ = ["JsonOutput", "Output", "TextOutput", "make_output", "say"]


class Output(Protocol):
    """What commands say."""

    def summary(self, summary: Summary) -> None:
        """Say what a conversion did."""
        ...

    def inspections(self, inspections: Sequence[Inspection], failures: Sequence[Failure]) -> None:
        """Say what is in sources."""
        ...

    def removed(self, removed: Sequence[Mapping[str, Any]]) -> None:
        """Say which sources were taken out."""
        ...

    def files(self, paths: Sequence[str]) -> None:
        """Say which files were written."""
        ...

    def synchronised(self, summary: SyncSummary, *, line: bool) -> None:
        """Say what a synchronisation did; on one ``line`` if others follow and a program reads it."""
        ...

    def fetched(self, summary: FetchSummary) -> None:
        """Say which files were downloaded."""
        ...

    def listed(self, files: Files) -> None:
        """Say what the server has."""
        ...

    def status(self, status: Status) -> None:
        """Say whether datasets are current."""
        ...

    def compared(self, comparison: SchemaComparison) -> None:
        """Say how the server's schema differs from ours."""
        ...

    def cleaned(self, cleaning: Cleaning) -> None:
        """Say what counts for nothing, and whether it is still there."""
        ...

    def verified(self, verification: Verification) -> None:
        """Say what was looked at, and what is wrong."""
        ...


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Write to standard output, or to standard error.

    Raises:
        ClickException: there is no room for it. A reader who has gone is click's to deal with.

    """
    try:
        click.echo(text, err=err, nl=nl)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(
            f"expected to write the result to standard output, but: {error.strerror}; the command itself is done"
        ) from error


def make_output(form: str) -> Output:
    """The implementation that ``--output`` names."""
    return JsonOutput() if form == "json" else TextOutput()


class JsonOutput:
    """One JSON object on standard output."""

    def summary(self, summary: Summary) -> None:
        """The summary, with all counts."""
        _print_json(summary.to_dict())

    def inspections(self, inspections: Sequence[Inspection], failures: Sequence[Failure]) -> None:
        """The sources, and those that failed."""
        sources = [found.to_dict() for found in inspections]
        _print_json({"sources": sources, "failed": [json_dict(each) for each in failures]})

    def removed(self, removed: Sequence[Mapping[str, Any]]) -> None:
        """The sources that were taken out."""
        _print_json({"removed": list(removed)})

    def files(self, paths: Sequence[str]) -> None:
        """The files that were written."""
        _print_json({"files": list(paths)})

    def synchronised(self, summary: SyncSummary, *, line: bool) -> None:
        """The summary, with all counts."""
        _print_json(summary.to_dict(), line=line)

    def fetched(self, summary: FetchSummary) -> None:
        """The summary, with all names."""
        _print_json(summary.to_dict())

    def listed(self, files: Files) -> None:
        """The files with their states."""
        _print_json(files.to_dict())

    def status(self, status: Status) -> None:
        """Everything that is known."""
        _print_json(status.to_dict())

    def compared(self, comparison: SchemaComparison) -> None:
        """The differences."""
        _print_json(comparison.to_dict())

    def cleaned(self, cleaning: Cleaning) -> None:
        """Every stray."""
        _print_json(cleaning.to_dict())

    def verified(self, verification: Verification) -> None:
        """All counts, and every problem."""
        _print_json(verification.to_dict())


def _has_native() -> bool:
    from wsparquet.decode import native_decoder

    return native_decoder() is not None


class TextOutput:
    """Lines for people on standard output."""

    def summary(self, summary: Summary) -> None:
        """Outcomes, rows per table, drift, quarantine, failures."""
        done = "would be converted" if summary.dry_run else "converted"
        replaced = f" ({len(summary.replaced)} replaced)" if summary.replaced else ""
        _print(
            f"{_count(summary.sources, 'source')}: {len(summary.committed)} {done}{replaced}, "
            f"{len(summary.skipped)} skipped, {len(summary.failed)} failed"
        )
        _print(
            f"{_count(summary.records, 'record')} in {human_bytes(summary.inflated_bytes)} of JSON "
            f"({human_bytes(summary.stored_bytes)} stored), {summary.seconds:.1f} s, {summary.decoder} decoder"
        )
        if summary.decoder == "reference" and not _has_native():
            _print("the native decoder, many times as fast, is not part of this installation; see README, Install")
        _print_counts("rows", summary.rows)
        _print_paths("rescued values (kept in the column `rescued`)", summary.rescued)
        _print_paths("values that the documentation does not list (kept)", summary.undocumented)
        if summary.container_values:
            _print(f"container values kept in commit records: {summary.container_values}")
        if summary.quarantined or summary.items:
            records, items = _count(summary.quarantined, "record"), _count(summary.items, "item")
            _print(f"quarantined: {records}, {items} outside records; see why with `wsparquet inspect`")
            if not summary.dry_run:
                _print(f"every byte of them is kept below {summary.root}/_wsparquet/quarantine", indent=2)
        _print_failures(summary.failures)

    def inspections(self, inspections: Sequence[Inspection], failures: Sequence[Failure]) -> None:
        """One block a source."""
        for found in inspections:
            _print_inspection(found)
        _print_failures(failures, err=True)

    def removed(self, removed: Sequence[Mapping[str, Any]]) -> None:
        """One line a source."""
        for source in removed:
            _print(f"removed {source['name']} of account {source['account']}: {_count(source['rows'], 'row')}")

    def files(self, paths: Sequence[str]) -> None:
        """One line a file."""
        for path in paths:
            _print(path)

    def synchronised(self, summary: SyncSummary, *, line: bool) -> None:  # noqa: ARG002 - lines are for programs
        """What was downloaded, and what became of it."""
        _print_lines(sync_text.fetched(summary.fetched, present="committed already"))
        if summary.converted.sources:
            self.summary(summary.converted)

    def fetched(self, summary: FetchSummary) -> None:
        """Counts and failures."""
        _print_lines(sync_text.fetched(summary))

    def listed(self, files: Files) -> None:
        """One line a file."""
        _print_lines(sync_text.listed(files))

    def status(self, status: Status) -> None:
        """One block an account."""
        _print_lines(sync_text.status(status))

    def compared(self, comparison: SchemaComparison) -> None:
        """One line a difference."""
        _print(f"{_count(comparison.fields, 'field')} compared in {_count(len(comparison.tables), 'table')}")
        for each in comparison.differences:
            both = f"{each.server or 'nothing'} there, {each.ours or 'nothing'} here"
            _print(f"{each.kind}: {' '.join(filter(None, (each.table, each.path)))}: {both}")
        _print("they are the same" if not comparison.differences else _count(len(comparison.differences), "difference"))

    def cleaned(self, cleaning: Cleaning) -> None:
        """One line a stray."""
        for each in cleaning.strays:
            since = datetime.fromtimestamp(each.modified, UTC)
            _print(f"{each.kind + ':':11} {since:%Y-%m-%d %H:%MZ}  {human_bytes(each.size):>9}  {each.path}")
        if cleaning.unlisted:
            _print(f"not listed: {cleaning.unlisted}")
        foreign = sum(each.kind == "foreign" for each in cleaning.strays)
        strays = len(cleaning.strays) - foreign
        kept = f"; {_count(foreign, 'foreign file')} left alone" if foreign else ""
        done = "deleted" if cleaning.deleted else "nothing deleted; do so with --delete"
        none = f"no strays: records name everything {'else' if foreign else 'that is there'}"
        _print(f"{_count(strays, 'stray')}: {done}{kept}" if strays else f"{none}{kept}")

    def verified(self, verification: Verification) -> None:
        """Counts, and one line a problem."""
        found = verification
        _print(
            f"{_count(found.commits, 'commit')}, {_count(found.parts, 'part')} of {human_bytes(found.bytes)} with "
            f"{_count(found.rows, 'row')} read in {found.seconds:.1f} s"
        )
        if found.sources:
            _print(f"{_count(found.sources, 'source')} decoded again, {_count(found.compared_rows, 'row')} compared")
        if found.unchecked:
            _print(f"{_count(found.unchecked, 'part')} of before there were checksums")
        for problem in found.problems:
            _print(f"{problem.kind}: {with_flags(str(problem))}")
        _print(_count(len(found.problems), "problem") if found.problems else "all is as the records say")


def _flagged(value: Any, key: str = "") -> Any:
    """JSON values in which errors name the command line's options; rows of samples stay as they are."""
    if isinstance(value, dict):
        return {name: each if name == "samples" else _flagged(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_flagged(each, key) for each in value]
    return with_flags(value) if key == "error" and isinstance(value, str) else value


def _print_json(value: Any, *, line: bool = False) -> None:
    say(json.dumps(_flagged(value), indent=None if line else 2, default=str))


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        _print(line)


def _print(text: str, *, indent: int = 0, err: bool = False) -> None:
    say(" " * indent + printable(text), err=err)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _print_counts(title: str, counts: Mapping[str, int]) -> None:
    if not counts:
        return
    _print(f"{title}:")
    width = max(len(f"{count:,}") for count in counts.values())
    for name, count in counts.items():
        _print(f"{count:>{width},}  {name}", indent=2)


def _print_paths(title: str, tables: Mapping[str, Any]) -> None:
    lines = {f"{table}  {path}": n for table, paths in tables.items() for path, n in paths.counts.most_common()}
    _print_counts(title, lines)


def _print_failures(failures: Iterable[Failure], *, err: bool = False) -> None:
    for failure in failures:
        _print(f"failed: {failure.name}: {with_flags(failure.error)}", err=err)


def _print_inspection(found: Inspection) -> None:
    report = found.report
    _print(f"{found.name}: {found.format}, {found.form}, {human_bytes(found.inflated_bytes)} of JSON")
    facts = {
        "containers": f"{report.containers:,}",
        "accounts": ", ".join(report.accounts.counts) or "none",
        "schema versions": ", ".join(report.schema_versions.counts) or "none",
        "container times": _span(report.start_time, report.end_time),
        "record times": _span(found.first, found.last),
        "records": f"{report.records:,}",
    }
    for name, value in facts.items():
        _print(f"{name + ':':17}{value}", indent=2)
    _print_counts("rows", report.rows)
    _print_paths("rescued values", report.rescued)
    _print_paths("values that the documentation does not list", report.undocumented)
    _print_counts("quarantined records and items", found.reasons)
    for entry in report.container_values:
        first, last = entry["containers"]
        which = f"container {first}" if first == last else f"containers {first} to {last}"
        for path, text in entry["values"].items():
            _print(f"{which}: {path} = {text[:200]}", indent=2)
    for table, rows in found.samples.items():
        for row in rows:
            _print(f"{table}: {json.dumps(row, default=str, ensure_ascii=False)}", indent=2)
    for sample in found.quarantine_samples:
        _print(f"quarantined at byte {sample['start']}: {sample['text']}", indent=2)


def _span(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return "none"
    return " to ".join(
        datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds") for ms in (first, last)
    )
