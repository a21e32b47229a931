"""wsparquet/urls.py."""

from __future__ import annotations

import pytest

from wsparquet.urls import is_url, mask, mask_text, secrets_of


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


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://host/a/b.gz", "https://host/a/b.gz"),
        ("https://user:p@ss@host:8/a.gz?X-Sig=1&b=2#f", "https://host:8/a.gz"),
        ("https://host?x=https://user:pw@other/", "https://host"),
        ("https://host/a@b.gz", "https://host/a@b.gz"),
        ("s3://key:secret@bucket/a.gz", "s3://bucket/a.gz"),
        ("zip://m.gz::https://u:p@host/a.zip?sig=1", "zip://m.gz::https://host/a.zip"),
    ],
)
def test_mask(url: str, masked: str) -> None:
    """User info, query and fragment are not written down, of no link in a chain."""
    assert mask(url) == masked


@pytest.mark.parametrize(
    "text",
    [
        "cannot open https://reader:pa55word@host/a?sig=s3cr3t%2F%2B now",
        "message='Forbidden', url='https://reader:pa55word@host/a?sig=s3cr3t/+'",
        "signature s3cr3t/+ has expired",
        "signature s3cr3t%2F%2B has expired",
        "no such user: pa55word",
    ],
)
def test_mask_text(text: str) -> None:
    """A lower library's text loses the URL's secrets however they are spelled, or is not quoted at all."""
    masked = mask_text(text, secrets_of("https://reader:pa55word@host/a?sig=s3cr3t%2F%2B"))
    assert masked is None or not any(secret in masked for secret in ("s3cr3t", "pa55word"))


def test_mask_text_keeps_the_rest() -> None:
    """What quotes no secret is kept."""
    assert mask_text("no room in http://a/b?c", frozenset({"pa55word"})) == "no room in http://a/b"
