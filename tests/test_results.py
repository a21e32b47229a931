"""Results in a console, in a notebook, and as an exception."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest

import wsparquet
from wsparquet import Failure, FetchSummary, Summary, SyncSummary, Verification


def test_a_result_says_what_was_done() -> None:
    """The representation is one line with the counts that are not empty."""
    summary = Summary(root="lake", sources=3, committed=["a", "b"], failures=[Failure("c", "file:///c", "bad")])
    assert repr(summary) == "<Summary root=lake, sources=3, committed=2, failed=1, seconds=0 s>"
    both = SyncSummary(FetchSummary("1", listed=3, failures=[Failure("c", "u", "cut")]), summary)
    assert repr(both) == "<SyncSummary account=1, listed=3, failed=1, root=lake, committed=2>"


def test_the_table_of_a_notebook_is_escaped() -> None:
    """Text of sources never becomes markup."""
    summary = Summary(root="<b>&lake", failures=[Failure("<script>", "u", "<img src=x>")])
    table = summary._repr_html_()
    assert table.startswith("<table><caption>Summary</caption>")
    assert "<td>&lt;b&gt;&amp;lake</td>" in table
    assert "&lt;script&gt;: &lt;img src=x&gt;" in table
    assert "<script>" not in table
    assert "<img" not in table


def test_failures_become_an_exception() -> None:
    """The exception names the failed sources; a result without failures is returned itself."""
    good = Summary(root="lake")
    assert good.raise_for_failures() is good
    failures = [Failure(f"{number}.gz", "u", "cut off") for number in range(7)]
    with pytest.raises(wsparquet.FailuresError, match=r"7 failures: 0.gz: cut off; .*; and 2 more") as raised:
        Summary(failures=failures).raise_for_failures()
    assert raised.value.names == tuple(failure.name for failure in failures)
    problem = wsparquet.Problem("rows", "a.parquet", "3", "2")
    with pytest.raises(wsparquet.FailuresError, match=r"1 failure: a.parquet: rows: expected 3, found 2"):
        Verification("lake", problems=[problem]).raise_for_failures()


def test_results_hold_plain_dictionaries(tmp_path: Path) -> None:
    """No Counter is in a result: a missing name is an error there, and not a 0."""
    wsparquet.generate_files(tmp_path / "in", size=1, defects=True)
    summary = wsparquet.convert(tmp_path / "in", tmp_path / "lake")
    (found,) = wsparquet.inspect(tmp_path / "in")
    report = found.report
    counts = [summary.rows, report.rows, found.reasons, report.accounts.counts]
    counts += [each.counts for each in (*report.rescued.values(), *report.undocumented.values())]
    assert {type(each) for each in counts} == {dict}
    assert sum(summary.rows.values()) + summary.quarantined == summary.records


@pytest.mark.parametrize("decoder", ["native", "reference"])
def test_tables_are_in_the_order_of_the_schema(decoder: str, tmp_path: Path) -> None:
    """In every result, whatever the order of the records in the sources and of the sources."""
    wsparquet.generate_files(tmp_path / "in", files=2, size=1, defects=True)
    text = gzip.decompress(next((tmp_path / "in").iterdir()).read_bytes())
    for number, kind in enumerate(("Impression", "Navigation", "Geo")):
        lines = [line for line in text.splitlines() if kind.encode() in line][-1:]
        (tmp_path / "in" / f"{number}.ndjson").write_bytes(b"\n".join(lines))
    order = list(wsparquet.TABLES)
    summary = wsparquet.convert(tmp_path / "in", tmp_path / "lake", decoder=decoder)
    found = wsparquet.inspect(tmp_path / "in", decoder=decoder, samples=1)
    by_table: list[Mapping[str, object]] = [
        summary.rows,
        summary.rescued,
        summary.undocumented,
        found.totals.rows,
        found.totals.rescued,
    ]
    for each in found:
        by_table += [each.report.rows, each.report.rescued, each.report.undocumented, each.samples]
    assert len(summary.rows) == len(order)
    for tables in by_table:
        assert [*tables] == sorted(tables, key=order.index)


@pytest.mark.parametrize("name", ["convert", "inspect", "verify", "clean", "status"])
def test_each_result_has_a_table(name: str, tmp_path: Path) -> None:
    """Every result has a short representation and a table with the same facts."""
    wsparquet.generate_files(tmp_path / "in", records=3)
    summary = wsparquet.convert(tmp_path / "in", tmp_path / "lake")
    results = {
        "convert": lambda: summary,
        "inspect": lambda: wsparquet.inspect(tmp_path / "in"),
        "verify": lambda: wsparquet.verify(tmp_path / "lake"),
        "clean": lambda: wsparquet.clean(tmp_path / "lake"),
        "status": lambda: wsparquet.status(tmp_path / "lake"),
    }
    result = results[name]()
    assert repr(result).startswith(f"<{type(result).__name__} ")
    assert len(repr(result)) < 400
    assert result._repr_html_().count("<tr>") == repr(result).count("=")
    assert result.raise_for_failures() is result
