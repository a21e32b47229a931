"""wsparquet/commit/record.py: what a record keeps when it is rewritten, and what its file contains."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

from tests.commit.commits import commit, seen
from wsparquet.commit import Commit, CommitFacts, Text
from wsparquet.commit.parsing import decode_commit, decode_header, decode_intent
from wsparquet.commit.record import MOST_COPIES, Intent
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity, part_path

OWNER = Identity("7", "a.gz")
TOKEN = "0123456789abcdef"
TABLE = "navigation"


def full() -> Commit:
    """A record in which every field has a value of its own, and a table has two parts."""
    key = OWNER.key
    known: dict[str, Any] = {"size": 11, "etag": "e", "mtime": "m", "seconds": 1.25}
    made = commit(token=TOKEN, listing={"name": "a.gz"}, report={"records": 3}, **known)
    parts = tuple(
        made.parts[0]._replace(
            path=part_path(key, TABLE, date(2026, 1, day), f"{TOKEN}.{day}"),
            table=TABLE,
            date=date(2026, 1, day),
            rows=day,
            checksum="c" * 64,
        )
        for day in (1, 2)
    )
    listed = (seen(1, listed=True, etag="e"), seen(2, size=None, mtime=None))
    quarantine = key.quarantine_path(TOKEN)
    return replace(made, parts=parts, quarantine=quarantine, texts_before=("old",), also=listed)


def test_a_record_is_read_as_it_was_written() -> None:
    """The file gives back every field, and the header all but parts and report."""
    record = full()
    assert decode_commit(record.to_json(), record.path) == record
    header = decode_header(record.to_json(), record.path)
    assert header == record.header
    assert {field.name: getattr(header, field.name) for field in fields(header)} == {
        "identity": OWNER,
        "token": TOKEN,
        "facts": replace(record.facts, report={}),
        "committed_at": record.committed_at,
        "content_id": TOKEN,
        "row_count": 3,
        "texts_before": ("old",),
        "also": record.also,
        "same_as": None,
    }
    assert record.rows == {TABLE: 3}
    assert record.paths == (*(part.path for part in record.parts), record.quarantine)


def test_an_intent_is_read_as_it_was_written() -> None:
    """The intent to replace a record names its token; the intent for a new source has none."""
    for expected in (None, commit(token="0")):
        intent = Intent.of(full(), expected=expected)
        assert intent.expected == ("0" if expected else None)
        assert intent.paths == full().paths
        assert decode_intent(intent.to_json(), "path", OWNER.key) == intent


def test_a_value_of_another_type_is_refused() -> None:
    """Whatever field has it, the error names the file; nothing is read from such a record."""
    record = full()
    values = json.loads(record.to_json())
    unread = {
        "format_version",
        "row_count",
        "schema_version",
        "extension",
        "software",
        "parts",
        "quarantine",
        "obsolete",
        "report",
    }
    for key in values.keys() - {"date"}:
        # Only seconds may have a fraction.
        wrong = True if key == "seconds" else 1.5
        broken = json.dumps({**values, key: wrong}).encode()
        with pytest.raises(DatasetError, match=rf"7/.*expected .* as {key}, found '{wrong}'"):
            decode_commit(broken, record.path)
        if key not in unread - {"format_version", "row_count"}:
            with pytest.raises(DatasetError, match=rf"7/.*expected .* as {key}, found '{wrong}'"):
                decode_header(broken, record.path)


@pytest.mark.parametrize(
    "change", [{"rows": True}, {"bytes": None}, {"min_time": None}, {"checksum": 1}, {"path": "a"}]
)
def test_a_part_of_another_form_is_refused(change: dict[str, object]) -> None:
    """Refused are one time without the other, a boolean as a number, and a path that belongs to another source."""
    record = full()
    values = json.loads(record.to_json())
    values["parts"][0] |= change
    with pytest.raises(DatasetError, match="expected a part"):
        decode_commit(json.dumps(values).encode(), record.path)


def test_rows_that_do_not_add_up_are_refused() -> None:
    """The count of rows that readers and twins rely on is the sum of the parts."""
    record = full()
    values = json.loads(record.to_json()) | {"row_count": 4}
    with pytest.raises(DatasetError, match="expected the sum of its parts' rows, 3, as row_count, found '4'"):
        decode_commit(json.dumps(values).encode(), record.path)


def test_a_record_that_refers_to_another_has_no_files() -> None:
    """Its rows would be there twice."""
    record = replace(full(), same_as=Identity("7", "b.gz"))
    with pytest.raises(DatasetError, match="expected no files in a record that refers to another"):
        decode_commit(record.to_json(), record.path)


def test_a_tombstone_names_the_files_to_delete_and_nothing_that_counts() -> None:
    """Parts, quarantine, copies, older texts, the reference, and the report with values of the source are gone."""
    record = full()
    tombstone = replace(record, same_as=Identity("7", "b.gz")).tombstone("2")
    assert tombstone == replace(
        record,
        token="2",
        content_id="2",
        facts=replace(record.facts, report={}),
        parts=(),
        quarantine=None,
        texts_before=(),
        also=(),
        same_as=None,
        obsolete=record.paths,
        removed=True,
    )
    assert decode_header(tombstone.to_json(), record.path) is None


def test_a_shrunk_record_keeps_its_content_and_publishes_nothing() -> None:
    """Its other parts are its own and not those of its attempt, so that no recovery takes them for the attempt's."""
    record = full()
    shrunk = record.shrunk("2", record.parts[:1], {"records": 2})
    assert shrunk == replace(
        record,
        token="2",
        facts=replace(record.facts, report={"records": 2}),
        parts=record.parts[:1],
        obsolete=tuple(part.path for part in record.parts[1:]),
    )
    assert (record.published, shrunk.published) == (record.paths, ())
    assert shrunk.after(record, record.paths).obsolete == shrunk.obsolete


def test_a_record_that_yields_keeps_its_places_and_names_the_files_to_delete() -> None:
    """It has no rows, and refers to the source that has them."""
    record = full()
    to = Identity("7", "b.gz")
    assert record.yielded("2", to) == replace(
        record,
        token="2",
        content_id="2",
        facts=replace(record.facts, report={}),
        parts=(),
        quarantine=None,
        obsolete=record.paths,
        same_as=to,
    )


def test_copies_are_noted_up_to_a_limit() -> None:
    """The last place that fits is noted, the next is not; a known place is updated, and a listed one always noted."""
    record = commit(also=tuple(map(seen, range(MOST_COPIES - 1))))
    last = record.sighted("2", [seen(99)])
    assert (len(last.also), last.also[-1], last.token) == (MOST_COPIES, seen(99), "2")
    assert last.sighted("3", [seen(100)]) is last
    assert last.sighted("3", [seen(99)]) is last
    updated = last.sighted("3", [seen(0, mtime="2")])
    assert updated.also == (seen(0, mtime="2"), *last.also[1:])
    assert last.sighted("3", [seen(100, listed=True)]).also == (*last.also, seen(100, listed=True))


def test_the_places_of_a_record_are_its_own_and_its_copies() -> None:
    """A source that was never listed covers the name of its file; a copy that was not listed covers nothing."""
    record = full()
    own, *others = record.header.places()
    assert own._asdict() == {
        "name": "a.gz",
        "url": "file:///in/a.gz",
        "size": 11,
        "etag": "e",
        "mtime": "m",
        "text": "t",
        "listing": {"name": "a.gz"},
    }
    assert tuple(others) == record.also
    assert list(record.header.listings()) == [{"name": "a.gz"}, {"name": "copy 1"}]
    bare = commit(text=None, url=None).header
    assert [(place.url, place.text) for place in bare.places()] == [("", "")]
    assert list(bare.listings()) == [{"name": "a.gz"}]


def test_a_source_needs_no_text_report_or_listing() -> None:
    """The header gives the checksum and the text as they are."""
    bare = CommitFacts("c", None, None, None, None, "a.gz")
    assert (bare.text, bare.report, bare.listing) == (None, {}, {})
    header = replace(commit(), facts=bare).header
    assert (header.checksum, header.text, header.has_api_name) == ("c", None, False)
    assert commit().header.text == Text("t", 10)
    assert commit(name="WebSession.1467291600000.1467295200000.part-00000-0").header.has_api_name
