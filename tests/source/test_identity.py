"""wsparquet/source/names.py."""

from __future__ import annotations

import pytest

from wsparquet.source.names import account_of, last_component, mask, mask_text, secrets_of, wrong_suffix


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


@pytest.mark.parametrize(
    ("url", "account"),
    [
        ("https://va.da.liveperson.net/data_access_le/account/75555851/le/webSession/file/a.gz", "75555851"),
        ("file:///data/account/1/account/2/a.gz", "1"),
        ("file:///data/account/1", None),
        ("file:///data/account/../../x/a.gz", None),
        ("file:///data/account/%2e%2e/a.gz", None),
        ("file:///data/accounts/1/a.gz", None),
        ("stdin", None),
    ],
)
def test_account(url: str, account: str | None) -> None:
    """The account is the identifier behind ``/account/``, never a path."""
    assert account_of(url) == account


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/b.gz", "b.gz"), ("../../b.gz", "b.gz"), ("a\\..\\b.gz", "b.gz"), ("a/b/", "b"), ("..", ".."), ("b", "b")],
)
def test_last_component(path: str, name: str) -> None:
    """A name is the last component of either slash."""
    assert last_component(path) == name


@pytest.mark.parametrize(
    ("name", "found", "wrong"),
    [
        ("a.gz", "gzip", None),
        ("a.GZ", "plain", ".GZ"),
        ("a.json.gz", "zstd", ".gz"),
        ("a.zst", "plain", ".zst"),
        ("a.gz", "zip+gzip", None),
        ("a.gz", "zip", ".gz"),
        ("a.json", "gzip", None),
    ],
)
def test_wrong_suffix(name: str, found: str, wrong: str | None) -> None:
    """A suffix that promises another format than was found is told."""
    assert wrong_suffix(name, found) == wrong
