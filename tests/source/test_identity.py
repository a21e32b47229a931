"""What a source is called, and what of its URL may be written down."""

from __future__ import annotations

import pytest

from wsparquet.source import SourceName, parse_name
from wsparquet.source.names import account_of, last_component, mask, mask_text, secrets_of, wrong_suffix

API = "WebSession.1467291600000.1467295200000.part-00000-0"


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
    assert parse_name(name) == SourceName(stem, is_api=True, start_ms=1467291600000, end_ms=1467295200000)


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
        (f"{API} (1).gz", f"{API} (1)"),
        (f"copy of {API}.gz", f"copy of {API}"),
        (f"{API}\n", f"{API}\n"),
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
    assert parse_name(name) == SourceName(stem, is_api=False)


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
