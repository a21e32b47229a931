"""What is proposed from rescued values and unrecognized records, and that a root can be brought to it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

import wsparquet
from tests.cli.program import run
from tests.extensions.roots import drifted_sources
from wsparquet import OptionError

HEADER = '"header": {"x.Header": {"visitId": {"string": "v"}}}'
LATER = 1_467_391_704_468


def source(folder: Path, *records: str) -> Path:
    """Write a source of records, whose container began on 2016-06-30."""
    folder.mkdir(exist_ok=True)
    meta = '{"accountId": {"string": "7"}, "startTime": {"long": 1467291600000}}'
    path = folder / "source.json"
    path.write_text(f'{{"dataType": "WebSession", "metaData": {meta}, "recordCollection": [{", ".join(records)}]}}')
    return path


def pages(*pages: str) -> str:
    """A record of navigation."""
    return f'{{"body": {{"x.WebSessionNavigationData": {{{HEADER}, "navigationData": [{", ".join(pages)}]}}}}}}'


def proposed(place: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The proposal for a place as TOML values, and what it leaves out."""
    found = wsparquet.propose_extension(place)
    return tomllib.loads(found.text), found.left_out


TYPES = [
    (['{"long": 5}'], "long"),
    (['{"int": 5}', '{"long": 6}'], "long"),
    (['{"int": 5}'], "int"),
    (["5", "6.0"], "long"),
    (["5", "6.5"], "double"),
    (['{"double": 5}', "null"], "double"),
    (['"a"', '{"string": "b"}', '{"x.Enum": "C"}'], "string"),
    (["true"], "boolean"),
    (['["a", null]', '{"array": [{"string": "b"}]}'], "list of string"),
    (['[{"x.S": {"a": 1}}]'], "list of struct"),
    (['{"a": {"long": 1}, "b": null}', '{"x.S": {"c": "d"}}'], "struct"),
]


@pytest.mark.parametrize(("values", "expected"), TYPES)
def test_types_come_from_tags_or_else_from_values(tmp_path: Path, values: list[str], expected: str) -> None:
    """A tag of Avro is exact; whole numbers without one are long, and null says nothing."""
    path = source(tmp_path / "raw", pages(*(f'{{"new": {value}}}' for value in values)))
    found, left_out = proposed(path)
    assert found["structs"]["Navigation"]["fields"]["new"]["type"] == expected
    assert left_out == (("Navigation, new.b (1): only null was seen",) if '"b": null' in values[0] else ())


def test_structs_are_the_union_of_what_was_seen(tmp_path: Path) -> None:
    """Fields that some values lack are there; a field without a type is left out alone; odd keys get a name."""
    values = ('{"a": 1, "odd-key": "x"}', '{"b": {"boolean": true}, "c": null}', '{"d": ["e"], "f": 1}', '{"f": "g"}')
    found, _ = proposed(source(tmp_path / "raw", pages(*(f'{{"new": {value}}}' for value in values))))
    assert found["structs"]["Navigation"]["fields"]["new"]["fields"] == {
        "a": "long",
        "odd_key": {"type": "string", "aliases": ["odd-key"]},
        "b": "boolean",
        "d": "list of string",
    }


CONFLICTS = [
    (['"a"', "5", '"b"'], "seen as long in 1 and as string in 2 values, which have no common type"),
    (['"a"', "5", "[]"], "seen as list in 1, as long in 1 and as string in 1 value, which have no common type"),
    (["null"], "only null was seen"),
    (["[]"], "only empty lists were seen"),
    (["[[1]]"], "lists of lists were seen"),
    (["{}"], "only objects without usable fields were seen"),
    (['{"a": null}'], "only objects without usable fields were seen; a (1): only null was seen"),
    (['{"map": {"a": 1}}'], "seen as map in 1 value, which no column can have"),
    (['{"long": "a"}'], "seen as invalid long in 1 value, which no column can have"),
    (['"\\ud800"'], "seen as invalid Unicode in 1 value, which no column can have"),
    ([json.dumps(dict.fromkeys(map(str, range(501)), 1))], "objects with more than 500 different keys were seen"),
]


@pytest.mark.parametrize(("values", "reason"), CONFLICTS)
def test_conflicts_are_left_out_and_said(tmp_path: Path, values: list[str], reason: str) -> None:
    """Nothing is proposed for values without a common type; the comment says why."""
    path = source(tmp_path / "raw", pages(*(f'{{"new": {value}}}' for value in values)))
    found = wsparquet.propose_extension(path)
    assert found.additions == 0
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith(f"Navigation, new ({len(values)}): {reason}")
    assert f"# {found.left_out[0]}\n" in found.text


INNER = [
    (['{"odd": "a"}', '{"odd": 5}'], ".odd (2): seen as long in 1 and as string in 1 value, which have no common type"),
    (['{"odd": null}'], ".odd (1): only null was seen"),
    (['{"": 1}'], ". (1): the key has only blanks and underscores"),
    (['{"string": 1, "a": 1}'], ".string (1): the key looks like a tag of Avro"),
    (['{"a-b": 1, "a+b": 1}'], ".a+b (1): its column would have the name of that of the key a-b"),
    (['{"\\ud800": 1, "a": 1}'], ".\ufffd (1): the key is invalid Unicode, which no file of TOML can have"),
    (['{"a\\nb": null}'], ".a\ufffdb (1): only null was seen"),
    (['{"odd": "a"}', '{"odd": "\\ud800"}'], ".odd (1): invalid Unicode, which no column can have"),
]


@pytest.mark.parametrize(("values", "expected"), INNER)
def test_what_is_left_out_in_structs_is_said(tmp_path: Path, values: list[str], expected: str) -> None:
    """A field of a new struct that gets no column is named with its path, its number and the reason."""
    deep = ", ".join(['{"good": 1}', *values])
    path = source(tmp_path / "raw", pages(f'{{"new": {{"good": 1, "deep": [{deep}]}}}}'))
    found = wsparquet.propose_extension(path)
    assert found.left_out == (f"Navigation, new.deep[]{expected}",)
    assert f"# {found.left_out[0]}\n" in found.text
    fields = tomllib.loads(found.text)["structs"]["Navigation"]["fields"]["new"]["fields"]
    assert fields["deep"]["fields"]["good"] == "long"


def test_what_is_left_out_of_unrecognized_records_is_said(tmp_path: Path) -> None:
    """New keys of their headers are proposed; other keys of the body and of the record are left out with the reason."""
    header = '"header": {"x.Header": {"visitId": 5, "theme": {"string": "dark"}}}'
    payload = '"cobrowse": [{"mode": "a", "odd": 1}, {"odd": "b"}]'
    record = f'{{"more": 1, "body": {{"x.Cobrowse": {{{header}, {payload}, "extra": [1], "other": "c"}}}}}}'
    found, left_out = proposed(source(tmp_path / "raw", record))
    assert found["structs"]["Header"]["fields"] == {"theme": {"type": "string"}}
    assert found["tables"]["cobrowse"]["fields"] == {"mode": "string"}
    one = "the payload is cobrowse, and a table has no other key of the body; seen as"
    assert left_out == (
        "body Cobrowse, cobrowse[].odd (2): seen as long in 1 and as string in 1 value, which have no common type",
        f"body Cobrowse, extra (1): {one} list in 1 value",
        f"body Cobrowse, other (1): {one} string in 1 value",
        "$record.more (1): no extension can add it; seen as long in 1 value",
        "$.visitId (1): does not fit its column; seen as long in 1 value",
    )


def test_records_whose_text_masks_have_dropped_are_counted(tmp_path: Path) -> None:
    """In a root with masks, nothing can be proposed for unrecognized records without text."""
    path = source(tmp_path / "raw", f'{{"body": {{"x.Odd": {{{HEADER}, "odd": []}}}}}}')
    wsparquet.convert(
        path, to=tmp_path / "lake", policy=wsparquet.Policy.make({"geo.city": "drop"})
    ).raise_for_failures()
    assert proposed(tmp_path / "lake") == ({}, ("unrecognized (1): masks have dropped the text of the record",))


def test_counts_and_days_are_comments(tmp_path: Path) -> None:
    """Each addition, and each field in it, says how often it was seen, from which day to which."""
    later = f'{{"timestamp": {{"long": {LATER}}}, "new": "c", "more": {{"a": 1}}}}'
    first = pages('{"new": "a"}', '{"New": "b", "more": {"a": 1.5, "b": [{"c": true}, {"c": false}]}}')
    text = wsparquet.propose_extension(source(tmp_path / "raw", first, pages(later))).text
    assert (
        text.partition("FILE\n")[2]
        == """
# 3 values, from 2016-06-30 to 2016-07-01
[structs.Navigation.fields.new]
type = "string"

# 2 values, from 2016-06-30 to 2016-07-01
[structs.Navigation.fields.more]
type = "struct"

[structs.Navigation.fields.more.fields]
a = "double"  # 2 values, from 2016-06-30 to 2016-07-01

# 1 value, on 2016-06-30
[structs.Navigation.fields.more.fields.b]
type = "list of struct"

[structs.Navigation.fields.more.fields.b.fields]
c = "boolean"  # 2 values, on 2016-06-30
"""
    )


def test_branches_and_tables_are_proposed(tmp_path: Path) -> None:
    """An unknown branch and unknown bodies, with a list or with an object, become a branch and tables."""
    data = '{"x.SurveyAnswer": {"question": {"string": "?"}}}'
    attributes = (
        f'{{"body": {{"x.WebSessionEngAttrsData": {{{HEADER}, "engagementAttributes": [{{"data": {data}}}]}}}}}}'
    )
    listed = f'{{"body": {{"x.WebSessionCoBrowseData": {{{HEADER}, "co-browse": [{{"mode": "a"}}]}}}}}}'
    one = f'{{"body": {{"x.Device": {{{HEADER}, "device": {{"model": "b"}}}}}}}}'
    none = f'{{"body": {{"x.Odd": {{{HEADER}, "odd": 5}}}}}}'
    found, left_out = proposed(source(tmp_path / "raw", attributes, listed, one, none))
    branch = found["unions"]["data"]["surveyAnswer"]
    assert branch == {"tags": ["SurveyAnswer"], "fields": {"question": "string"}}
    assert found["tables"] == {
        "co_browse": {
            "tags": ["WebSessionCoBrowseData"],
            "payload": "co_browse",
            "aliases": ["co-browse"],
            "fields": {"mode": "string"},
        },
        "device": {"tags": ["Device"], "payload": "device", "kind": "object", "fields": {"model": "string"}},
    }
    assert left_out == ("body Odd (1): no key of the body has a list or an object; odd: seen as long in 1 value",)


def test_a_root_can_be_brought_to_its_proposal(tmp_path: Path) -> None:
    """The proposal for a drifted root is valid; after it, what is left to propose does not fit."""
    raw = drifted_sources(tmp_path / "raw", 5, files=1)
    root = tmp_path / "lake"
    wsparquet.convert(raw, to=root).raise_for_failures()
    first = wsparquet.propose_extension(root)
    assert first.additions > 10
    assert tomllib.loads(first.text)["structs"] == tomllib.loads(wsparquet.propose_extension(raw).text)["structs"]
    (tmp_path / "more.toml").write_text(first.text, encoding="utf-8")
    assert wsparquet.extend(root, tmp_path / "more.toml").values > 5
    second = wsparquet.propose_extension(root)
    assert second.text.startswith(first.text.partition("# Left out")[0])
    assert second.text.count("# Left out of the proposal:\n") == 1
    # Records that the new tables have by their payload, not by their tag, have further fields.
    assert second.additions > 0
    (tmp_path / "more.toml").write_text(second.text, encoding="utf-8")
    wsparquet.extend(root, tmp_path / "more.toml")
    assert wsparquet.propose_extension(root).additions == 0
    assert wsparquet.verify(root, against=raw).problems == []


GROWING = [
    # Everything in inline tables, comments and braces in texts, as people write it.
    """
[structs.navigation]  # another spelling
fields = { view = { type = "list of struct", doc = "}", fields = { a = "long", in = DEEP } } }
[structs.Header.fields]
device = { type = "struct", fields = { os = "string" } }  # { }
[unions.data.survey]
tags = ["Survey"]
fields = { q = "string" }
[tables.cobrowse]
tags = ["Cobrowse"]
payload = "cobrowse"
fields = { mode = "string" }
[tables.probe]
tags = ["Probe"]
payload = "probe"
kind = "object"
fields = { p = { type = "struct", fields = { q = "int" } } }
""".replace("DEEP", '{ type = "struct", fields = { x = "int" } }'),
    # The same in tables of their own.
    """
structs.Navigation.fields.view.type = "list of struct"
structs.Navigation.fields.view.fields.a = "long"
[structs.Navigation.fields.view.fields.in]
type = "struct"
fields.x = "int"
[structs.Header.fields.device]
type = "struct"
[structs.Header.fields.device.fields]
os = "string"
[unions.data.survey]
tags = ["Survey"]
[unions.data.survey.fields]
q = "string"
[tables.cobrowse]
tags = ["Cobrowse"]
payload = "cobrowse"
fields.mode = "string"
[tables.probe]
tags = ["Probe"]
payload = "probe"
kind = "object"
[tables.probe.fields.p]
type = "struct"
fields.q = "int"
""",
]


@pytest.mark.parametrize("before", GROWING)
def test_fields_of_what_the_extension_has_added_are_proposed(tmp_path: Path, before: str) -> None:
    """New fields in added structs, lists, branches, headers and tables are added to their own places in the file."""
    header = '"header": {"x.Header": {"device": {"os": "a", "model": "b"}}}'
    view = '[{"a": 1, "b": {"c": true}, "in": {"x": 1, "y": 2.5}}]'
    data = '{"x.Survey": {"q": "?", "score": {"int": 5}}}'
    raw = source(
        tmp_path / "raw",
        f'{{"body": {{"x.WebSessionNavigationData": {{{header}, "navigationData": [{{"view": {view}, "new": 1}}]}}}}}}',
        f'{{"body": {{"x.WebSessionEngAttrsData": {{{HEADER}, "engagementAttributes": [{{"data": {data}}}]}}}}}}',
        f'{{"body": {{"x.Cobrowse": {{{HEADER}, "cobrowse": [{{"mode": "a", "at": {{"long": 7}}}}]}}}}}}',
        f'{{"body": {{"x.Probe": {{{HEADER}, "probe": {{"p": {{"q": 1, "r": "c"}}, "s": 1}}}}}}}}',
    )
    root, file = tmp_path / "lake", tmp_path / "more.toml"
    file.write_text(before)
    wsparquet.extend(root, file)
    wsparquet.convert(raw, to=root).raise_for_failures()
    found = wsparquet.propose_extension(root)
    assert (found.additions, found.left_out) == (8, ())
    # Also b's own field, c, has its count.
    assert found.text.count("1 value, on 2016-06-30") == 9
    file.write_text(found.text)
    wsparquet.extend(root, file)
    assert wsparquet.check_extension(file).columns["navigation"].keys() >= {"navigationData[].view[].b.c"}
    lake = wsparquet.open_dataset(root)
    rows = {name: lake.table(name).to_table().to_pylist() for name in lake.tables}
    assert [row["rescued"] for table in rows.values() for row in table if row["rescued"]] == []
    (page,) = rows["navigation"][0]["navigationData"]
    assert (page["new"], page["view"]) == (1, [{"a": 1, "in": {"x": 1, "y": 2.5}, "b": {"c": True}}])
    assert rows["navigation"][0]["device"] == {"os": "a", "model": "b"}
    assert rows["engagement_attributes"][0]["engagementAttributes"][0]["data"]["survey"] == {"q": "?", "score": 5}
    assert rows["cobrowse"][0]["cobrowse"] == [{"mode": "a", "at": 7}]
    assert (rows["probe"][0]["p"], rows["probe"][0]["s"]) == ({"q": 1, "r": "c"}, 1)
    assert wsparquet.verify(root, against=raw).problems == []


def test_a_root_and_sources_are_not_mixed(tmp_path: Path) -> None:
    """A proposal is about one root, or about sources."""
    path = source(tmp_path / "raw", pages('{"url": "a"}'))
    wsparquet.convert(path, to=tmp_path / "lake").raise_for_failures()
    with pytest.raises(OptionError, match="expected one root, or only sources; found a root among 2 places"):
        wsparquet.propose_extension([tmp_path / "lake", path])


def test_the_command_prints_the_file(tmp_path: Path) -> None:
    """`schema --propose` prints TOML, or the result as JSON, and takes no other option."""
    path = source(tmp_path / "raw", pages('{"new": "a"}'))
    ran = run("schema", "--propose", path)
    assert (ran.code, ran.err) == (0, "")
    assert tomllib.loads(ran.out)["structs"]["Navigation"]["fields"]["new"]["type"] == "string"
    assert json.loads(run("schema", "--propose", path, "--output", "json").out)["additions"] == 1
    ran = run("schema", "geo", "--propose", path)
    assert (ran.code, "expected only --storage-option with --propose, found TABLE" in ran.err) == (2, True)
