"""wsparquet/redaction.py: what each function guarantees."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from wsparquet.redaction import printable, printable_url, secrets_in_url, text_without_credentials, without_credentials


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
def test_without_credentials(url: str, masked: str) -> None:
    """User info, query and fragment are not written down, of no link in a chain."""
    assert without_credentials(url) == masked


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
def test_text_without_credentials(text: str) -> None:
    """A lower library's text loses the URL's secrets however they are spelled, or is not quoted at all."""
    masked = text_without_credentials(text, secrets_in_url("https://reader:pa55word@host/a?sig=s3cr3t%2F%2B"))
    assert masked is None or not any(secret in masked for secret in ("s3cr3t", "pa55word"))


def test_text_without_credentials_keeps_the_rest() -> None:
    """What quotes no secret is kept."""
    assert text_without_credentials("no room in http://a/b?c", frozenset({"pa55word"})) == "no room in http://a/b"


def test_printable_url() -> None:
    """Messages have no user info, query, fragment or control characters of an address."""
    assert printable_url("https://u:p@x.example/a?token=1#f") == "https://x.example/a"
    assert printable_url("https://h/p#secret") == printable_url("https://h/p?#secret") == "https://h/p"
    assert printable_url("https://x\n\x1b[31m") == "https://x\ufffd\ufffd[31m"


@pytest.mark.parametrize("text", ["", "WebSession.1.gz", "$.navigationData[*]['[/x]']", "naïve — תל אביב 🎈"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Letters of any script, symbols and markup of any kind are left alone."""
    assert printable(text) == text


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\b", "\t", "\n", "\r", "\x1b", "\x7f", "\x85", "\x9b", "\u061c", "\u200b", "\u202e", "\u2028"],
)
def test_what_a_terminal_could_act_on_is_replaced(character: str) -> None:
    """Controls of both sets, line ends, invisible and order-turning characters become U+FFFD."""
    assert printable(f"a{character}b") == "a\ufffdb"


def test_every_character_is_either_printable_or_replaced() -> None:
    """Over all of Unicode, what is left has no control, format, surrogate or separating character."""
    text = "".join(map(chr, range(sys.maxunicode + 1)))
    cleaned = printable(text)
    assert len(cleaned) == len(text)
    kept = [one for one, other in zip(text, cleaned, strict=True) if one == other]
    assert not {unicodedata.category(one) for one in kept} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(kept) > 1_000_000
