"""wsparquet/privacy/ids.py: ids under their keys at any depth, in valid JSON and in damaged text."""

from __future__ import annotations

import json

import pytest

from wsparquet.privacy.ids import Id, ids_in_text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            '{"visitorId": "a", "visitId": "b", "customerId": "c"}',
            [("visitor", "a"), ("visit", "b"), ("customer", "c")],
        ),
        ('{"x": [{"y": {"VISITOR_id": {"string": "a"}}}]}', [("visitor", "a")]),
        ('{"customer Id": {"long": 12}, "visitId": 1.50}', [("customer", "12"), ("visit", "1.50")]),
        ('{"$.header.visitorId": 5, "$body[\'visit id\']#2": "b"}', [("visitor", "5"), ("visit", "b")]),
        ('{"visitor\\u0049d": "a\\u0062"}', [("visitor", "ab")]),
        ('{"visitorId": {"array": [{"string": "a"}, {"string": "b"}]}}', [("visitor", "b"), ("visitor", "a")]),
        ('{"visitorId": "a", "visitorId": "b"}', [("visitor", "a"), ("visitor", "b")]),
        ('{"visitorId": null, "visitId": true, "customerId": {}}', []),
        ('{"otherVisitorId": "a", "visitorIds": "b", "visitorId2": "c", "visitor": "d"}', []),
        ('{"note": "visitorId", "text": "the visitorId is a"}', []),
        # Damaged text: the same keys, wherever the damage is.
        ('"visitorId": "a"', [("visitor", "a")]),
        ('{"x": "y", z"visitorId" : {"string" : "a\\"b"}, "visitId', [("visitor", 'a"b')]),
        ('}]]}"customer_id":-12,', [("customer", "-12")]),
        ('{"visitorId": "a"} {"visitId": "b"}', [("visitor", "a"), ("visit", "b")]),
        ('"$.a.visitorId#2": "q", "otherVisitorId": "no", "visitorIdx": "no", "visitorId": x', [("visitor", "q")]),
        ('"visitorId": "cut', []),
        ("", []),
    ],
)
def test_ids_in_text(text: str, found: list[Id]) -> None:
    """Each id once; what only looks like one is none."""
    assert sorted(ids_in_text(text)) == sorted(found)


def test_each_cut_of_a_text_has_the_ids_that_are_whole_in_it() -> None:
    """Cut anywhere at its beginning or end, a text still has each id whose key and value are in it."""
    text = json.dumps({"body": {"header": {"visitorId": {"string": "abc"}, "visitId": {"string": "def"}}}, "n": [1, 2]})
    for start in range(len(text)):
        found = {*ids_in_text(text[start:])}
        for key, expected in (('"visitorId"', ("visitor", "abc")), ('"visitId"', ("visit", "def"))):
            assert (expected in found) or start > text.index(key)
    for end in range(len(text)):
        found = {*ids_in_text(text[:end])}
        assert (("visitor", "abc") in found) == (end > text.index('abc"') + 3)


def test_deep_and_long_texts_end() -> None:
    """Nesting beyond the parser's limit, and a text of a megabyte, are searched as damaged text."""
    deep = '{"a":' * 100_000 + '{"visitorId": "a"}'
    assert list(ids_in_text(deep)) == [("visitor", "a")]
    long = '"visitorId": ' * 50_000 + '"a"'
    assert ("visitor", "a") in ids_in_text(long)
