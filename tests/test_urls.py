"""wsparquet/urls.py."""

from __future__ import annotations

import pytest

from wsparquet.urls import is_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket/a", True),
        ("file:///a", True),
        ("simplecache::s3://bucket/a", True),
        ("a/b://c", False),
        ("/a/b", False),
        ("C:/a", False),
        ("", False),
    ],
)
def test_is_url(text: str, expected: bool) -> None:
    """A scheme makes a URL, anything else is a path."""
    assert is_url(text) is expected
