"""Whether every engine reads the JSON that wsparquet writes, and whether the source's tokens come back from it."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wsparquet
from tests.independent import parse, parse_strict
from tests.scale import FULL, scaled
from wsparquet.decode.reference.parse import scan
from wsparquet.decode.reference.rescue import to_json
from wsparquet.strict_json import MARKER, original_json, strict_json

many = settings(max_examples=scaled(3_000, 200), deadline=None, derandomize=not FULL, database=None)
"""Full runs are not derandomized: each of them tries other texts."""

STRINGS = st.lists(
    st.sampled_from(
        [
            MARKER,
            r"\ufdd0",
            r"\uFDd0",
            r"\\",
            r"\"",
            r"\n",
            r"\ud83d",
            r"\uDE00",
            r"\ud83d\ude00",
            "n",
            "w",
            "d83d",
            "é",
        ]
    )
    | st.text(st.characters(min_codepoint=32, exclude_characters='"\\', exclude_categories=["Cs"]), max_size=3),
    max_size=6,
).map(lambda parts: f'"{"".join(parts)}"')
NUMBERS = st.sampled_from(
    ["0", "-0.0", "1e5", "1E309", "-1e999", "1.7976931348623158e308", "9" * 309, "1" * 309, "1e-999"]
)
WORDS = st.sampled_from(["NaN", "Infinity", "-Infinity", "true", "null"])
SPACE = st.sampled_from(["", " ", "\n\t"])


def _list(parts: list[str], space: str) -> str:
    return f"[{space}{f'{space},{space}'.join(parts)}{space}]"


def _object(parts: list[tuple[str, str]], space: str) -> str:
    return "{" + ",".join(f"{space}{key}{space}:{value}" for key, value in parts) + "}"


TEXTS = st.recursive(
    STRINGS | NUMBERS | WORDS,
    lambda inner: (
        st.builds(_list, st.lists(inner, max_size=4), SPACE)
        | st.builds(_object, st.lists(st.tuples(STRINGS, inner), max_size=4), SPACE)
    ),
    max_leaves=10,
)
"""JSON text as sources may write it."""


def _lower_surrogates(text: str) -> str:
    """The text with lone surrogates as ``original_json`` writes them."""
    unit = r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F]..|\\."
    return re.sub(unit, lambda found: found[0].lower() if len(found[0]) == 6 and found[0][1] == "u" else found[0], text)


@many
@given(text=TEXTS)
def test_text_comes_back_as_it_was(text: str) -> None:
    """Strict text is strict, and undoing it gives the source's text again, but for the case of surrogates' digits."""
    strict = strict_json(text)
    assert parse_strict(strict) == parse(text)
    assert original_json(strict) == _lower_surrogates(text)


@many
@given(text=TEXTS)
def test_rescued_values_come_back(text: str) -> None:
    """A rescued value is strict, and undoing it gives the source's value again."""
    strict = to_json(scan(text, 0)[0])
    assert parse_strict(strict) == parse(text)
    assert parse(original_json(strict)) == parse(text)


@many
@given(text=TEXTS)
def test_text_comes_back_from_a_tool_that_writes_escapes(text: str) -> None:
    """The marker is understood as an escape, too: tools that rewrite JSON as ASCII do not destroy the values."""
    strict = strict_json(text)
    ascii_only = re.sub("[^\0-~]", lambda found: json.dumps(found[0])[1:-1], strict)
    assert parse(original_json(ascii_only)) == parse(text)


ODD = {
    "emoji": r'"caf\u00e9 \ud83d"',
    "number": "1e999",
    "word": "NaN",
    "key": r'{"\udc00":[-Infinity]}',
    "plain": '{"string":"Home"}',
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root whose rows have every odd token in ``rescued`` and in ``record``, beside plain ones."""
    folder = tmp_path_factory.mktemp("strict")
    page = '{"body":{"x.WebSessionNavigationData":{"navigationData":[{"title":%s}]}}}'
    body = '{"body":{"x.New":{"title":%s}}}'
    records = [template % text for text in ODD.values() for template in (page, body)]
    source = folder / "odd.gz"
    source.write_bytes(gzip.compress(f'{{"recordCollection":[{",".join(records)}]}}'.encode()))
    wsparquet.convert(source, to=folder / "lake")
    return folder / "lake"


def _query(lake: Path, table: str, columns: str) -> list[tuple[Any, ...]]:
    files = f"{lake}/record_type={table}/**/*.parquet"
    return duckdb.sql(f"SELECT {columns} FROM read_parquet('{files}') ORDER BY record_number").fetchall()


def test_duckdb_reads_rescued_values_of_a_table_with_every_odd_token(lake: Path) -> None:
    """DuckDB's operators and functions work over all rows, and each value comes back as the source has it."""
    path = '$."$.navigationData[0].title"'
    rows = _query(lake, "navigation", f"rescued->>'{path}', json_valid(rescued), json_keys(rescued), rescued::JSON")
    assert [row[1:3] for row in rows] == [(True, ["$.navigationData[0].title"])] * len(ODD)
    texts = [row[0] for row in rows]
    assert texts[:3] == [f"café {MARKER}d83d", f"{MARKER}n1e999", f"{MARKER}wNaN"]
    for (_, _, _, rescued), text in zip(rows, ODD.values(), strict=True):
        assert parse(wsparquet.original_json(rescued)) == parse(f'{{"$.navigationData[0].title":{text}}}')


def test_duckdb_reads_records_of_a_table_with_every_odd_token(lake: Path) -> None:
    """The same for complete records, whose text comes back byte for byte."""
    rows = _query(lake, "unrecognized", "record->>'$.body.\"x.New\".title', json_valid(record), record")
    assert [row[1] for row in rows] == [True] * len(ODD)
    for (_, _, record), text in zip(rows, ODD.values(), strict=True):
        assert wsparquet.original_json(record) == f'{{"body":{{"x.New":{{"title":{text}}}}}}}'


def test_a_single_cut_emoji_would_stop_duckdb() -> None:
    """The reason for the replacement: DuckDB refuses the whole query because of one lone surrogate."""
    with pytest.raises(duckdb.Error, match="Malformed JSON"):
        duckdb.sql(r"""SELECT text->>'$.a' FROM (VALUES ('{"a":1}'), ('{"a":"\ud83d"}')) AS rows (text)""").fetchall()
