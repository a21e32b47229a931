"""How text from sources and sizes are made fit for a terminal."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from wsparquet.cli.terminal import clean, human_bytes


@pytest.mark.parametrize("text", ["", "WebSession.1.gz", "$.navigationData[*]['[/x]']", "naïve — תל אביב 🎈"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Letters of any script, symbols and markup of any kind are left alone."""
    assert clean(text) == text


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\b", "\t", "\n", "\r", "\x1b", "\x7f", "\x85", "\x9b", "\u061c", "\u200b", "\u202e", "\u2028"],
)
def test_what_a_terminal_could_act_on_is_replaced(character: str) -> None:
    """Controls of both sets, line ends, invisible and order-turning characters become U+FFFD."""
    assert clean(f"a{character}b") == "a\ufffdb"


def test_every_character_is_either_printable_or_replaced() -> None:
    """Over all of Unicode, what is left has no control, format, surrogate or separating character."""
    text = "".join(map(chr, range(sys.maxunicode + 1)))
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    kept = [one for one, other in zip(text, cleaned, strict=True) if one == other]
    assert not {unicodedata.category(one) for one in kept} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(kept) > 1_000_000


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2, "1.0 MiB"),
        (64 * 1024**3, "64.0 GiB"),
        (1024**4, "1.0 TiB"),
        (5000 * 1024**4, "5000.0 TiB"),
    ],
)
def test_bytes_for_people(count: int, text: str) -> None:
    """Sizes have one decimal in powers of 1024, bytes none, and TiB is the last unit."""
    assert human_bytes(count) == text
