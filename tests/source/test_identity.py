"""wsparquet/source/names.py."""

from __future__ import annotations

import pytest

from wsparquet.source.names import account_of, last_component, wrong_suffix


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
