"""wsparquet/names.py."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsparquet.names import SourceName, encode, parse_name

API = "WebSession.1467291600000.1467295200000.part-00000-0"
any_text = st.text(st.characters(), max_size=150)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        (API, API),
        (f"{API}.gz", API),
        (f"{API}.GZ", API),
        (f"{API}.json.gz", API),
        (f"{API}.ndjson.zst", API),
        (f"{API}.json.gz.zip", API),
        (f"{API}.gz.gz", API),
        (
            "WebSession.1467291600000.1467295200000.part-123456-12.Zip",
            "WebSession.1467291600000.1467295200000.part-123456-12",
        ),
    ],
)
def test_api_names(name: str, stem: str) -> None:
    """A name of the API's form is known by it, with or without suffixes, and carries two instants."""
    assert parse_name(name) == SourceName(stem, stem, start_ms=1467291600000, end_ms=1467295200000)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("stdin", "stdin"),
        ("export.json", "export"),
        ("export.2024.json.gz", "export.2024"),
        ("a.tar.gz", "a.tar"),
        ("a.gz.bak", "a.gz.bak"),
        (".gz", ".gz"),
        (".json.gz", ".json"),
        ("gz", "gz"),
        ("", ""),
        (f"{API}_{API.replace('-0', '-1')}.gz", f"{API}_{API.replace('-0', '-1')}"),
        (
            "AgentActivity.1467291600000.1467295200000.part-00000-0.gz",
            "AgentActivity.1467291600000.1467295200000.part-00000-0",
        ),
        ("websession.1467291600000.1467295200000.part-00000-0", "websession.1467291600000.1467295200000.part-00000-0"),
        ("WebSession.1467291600000.1467295200000.part-0000-0", "WebSession.1467291600000.1467295200000.part-0000-0"),
        ("WebSession.1467291600000.part-00000-0.gz", "WebSession.1467291600000.part-00000-0"),
        (
            "WebSession.99999999999999999999.1467295200000.part-00000-0",
            "WebSession.99999999999999999999.1467295200000.part-00000-0",
        ),
        ("WebSession.١٤٦٧٢٩١٦٠٠٠٠٠.1467295200000.part-00000-0", "WebSession.١٤٦٧٢٩١٦٠٠٠٠٠.1467295200000.part-00000-0"),
    ],
)
def test_other_names(name: str, stem: str) -> None:
    """Any other name is only shed of its suffixes."""
    assert parse_name(name) == SourceName(stem)


@pytest.mark.parametrize(
    "name", [f"{API} (1).gz", f"copy of {API}.gz", f"{API}.gz.1", f"{API}\n", f"{API}.json.bak", f"a{API}+{API}.gz"]
)
def test_names_that_contain_an_api_name(name: str) -> None:
    """The name of a copy says of which file it is a copy."""
    found = parse_name(name)
    assert (found.is_api, found.is_copy, found.api_name, found.start_ms) == (False, True, API, 1467291600000)


@given(any_text)
def test_any_text_becomes_a_safe_file_name(text: str) -> None:
    """An encoded text is short, never empty, hidden or a way out, and of the safe alphabet only."""
    encoded = encode(text)
    assert re.fullmatch(r"(?:[A-Za-z0-9-]|%[0-9A-Fa-f]{2})(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*", encoded)
    assert len(encoded) <= 100


@given(any_text, any_text)
def test_different_texts_stay_different(one: str, other: str) -> None:
    """Two texts have the same encoding only if they are the same, over-long and odd ones too."""
    assert (encode(one) == encode(other)) == (one == other)
    # What another text became is a text of its own.
    assert encode(encode(one)) != encode(one) or encode(one) == one


def test_a_name_that_looks_like_a_cut_one_is_another_name() -> None:
    """Naming a source after the encoding of an over-long name does not make them one."""
    long = "x" * 500
    assert len(encode(long)) == 100
    assert encode(encode(long)) != encode(long)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("..", "%2E."), ("_a", "%5Fa"), ("a/b", "a%2Fb"), ("a b", "a%20b"), ("%", "%25"), (API, API)],
)
def test_encoding_keeps_what_is_safe(text: str, expected: str) -> None:
    """Only what is unsafe is escaped; a leading dot or underscore would hide the file from engines."""
    assert encode(text) == expected
