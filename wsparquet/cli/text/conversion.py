"""The text of the result of a conversion."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.flags import in_flags
from wsparquet.cli.terminal import human_bytes
from wsparquet.cli.text import REPLACED, ErrorLine, lines
from wsparquet.cli.text.parts import counted, counts, failed, path_counts
from wsparquet.conversion.summary import Replacement, Summary

MOST_SHOWN = 20
"""The maximum number of replacements without a loss of rows that the text of a result lists."""

LEFT_OUT = {
    "erased": "records of erased people",
    "erased_items": "items outside records, with text of erased people",
    "expired": "records of expired days",
}
"""What each kind of ``left_out`` is."""


@lines.register
def _(summary: Summary) -> Iterator[str]:
    """Yield the outcomes, rows per table, undocumented values, quarantine, and failures."""
    yield _outcomes(summary)
    yield from _replacements(summary)
    if summary.gave_up:
        yield (
            f"gave up, since {counted(len(summary.failures), 'source')} failed and none succeeded; check that they "
            "are Web Session files, or use --max-failures 0 to convert the rest, too"
        )
    yield (
        f"{counted(summary.records, 'record')} in {human_bytes(summary.inflated_bytes)} of JSON "
        f"({human_bytes(summary.stored_bytes)} stored), {summary.seconds:.1f} s, {summary.decoder} decoder"
    )
    if summary.decoder == "reference" and not _has_native():
        yield "this installation lacks the native decoder, which is many times faster; see README, Install"
    yield from counts("rows", summary.rows)
    yield from counts("left out", {LEFT_OUT[name]: count for name, count in summary.left_out.items()})
    yield from path_counts("rescued values (kept in the column `rescued`)", summary.rescued)
    yield from path_counts("values that the documentation does not list (kept)", summary.undocumented)
    if summary.container_values:
        yield f"container values, kept in commit records unless the root's masks drop them: {summary.container_values}"
    yield from _quarantine(summary)
    yield from failed(summary.failures)
    if summary.compaction is not None:
        yield from lines(summary.compaction)
    if summary.unpublished:
        yield ErrorLine(f"not published: {in_flags(summary.unpublished)}")


def _outcomes(summary: Summary) -> str:
    done = "would be converted" if summary.dry_run else "converted"
    replaced = f" ({len(summary.replaced)} replaced)" if summary.replaced else ""
    copies = f" ({len(summary.copies)} as copies)" if summary.copies else ""
    not_begun = f", {summary.not_begun} not begun" if summary.not_begun else ""
    return (
        f"{counted(summary.sources, 'source')}: {len(summary.committed)} {done}{replaced}, "
        f"{len(summary.skipped)} skipped{copies}, {len(summary.failed)} failed{not_begun}"
    )


def _replacements(summary: Summary) -> Iterator[str]:
    """Yield a line for each source whose rows replaced older rows.

    A loss of rows must not go unnoticed, so ``--quiet`` does not omit the lines of sources that have fewer rows than
    before.
    """
    fewer = [each for each in summary.replaced if each.rows < each.rows_before]
    others = [each for each in summary.replaced if each.rows >= each.rows_before]
    yield from (ErrorLine(_replacement(each), failure=(each.name, REPLACED)) for each in fewer)
    yield from (_replacement(each) for each in others[:MOST_SHOWN])
    if len(others) > MOST_SHOWN:
        yield f"replaced: {len(others) - MOST_SHOWN:,} more, none of them with fewer rows than before"


def _replacement(each: Replacement) -> str:
    return f"replaced: {each.name} ({counted(each.rows_before, 'row')} before, {each.rows:,} now)"


def _quarantine(summary: Summary) -> Iterator[str]:
    if summary.quarantined or summary.items:
        records, items = counted(summary.quarantined, "record"), counted(summary.items, "item")
        yield f"quarantined: {records}, {items} outside records; `wsparquet inspect` shows the reasons"
        if not summary.dry_run:
            kept = f"{summary.root}/_wsparquet/quarantine"
            yield f"  every quarantined byte is kept below {kept}, unless the root's masks drop it"


def _has_native() -> bool:
    from wsparquet.decode import native_decoder

    return native_decoder() is not None
