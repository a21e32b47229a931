"""How the values of options that commands share are read."""

from __future__ import annotations

import click
import pytest

from tests.cli.program import run
from wsparquet.cli.parameter_types import BYTES

KIB = 1024


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1", 1),
        ("007", 7),
        ("1500000", 1_500_000),
        ("1b", 1),
        ("1B", 1),
        ("1k", KIB),
        ("1K", KIB),
        ("1kb", KIB),
        ("1KiB", KIB),
        ("64M", 64 * KIB**2),
        ("2GiB", 2 * KIB**3),
        ("2 gib", 2 * KIB**3),
        (" 3 T ", 3 * KIB**4),
        (7, 7),
    ],
)
def test_a_number_of_bytes(text: str | int, count: int) -> None:
    """Plain numbers from 1 and units in powers of 1024, in any case, with or without `B` and `iB`."""
    found = BYTES.convert(text, None, None)
    assert type(found) is int
    assert found == count


@pytest.mark.parametrize(
    "text", ["", "0", "00k", "k", "\u0661", "-1", "1.5M", "1e6", "0x10", "1 k k", "1P", "1ib2", "64 megabytes"]
)
def test_no_number_of_bytes(text: str) -> None:
    """Anything else is refused with an example of what is meant, never read as something near."""
    with pytest.raises(click.BadParameter, match="expected a number of bytes such as 1500000, 64M or 2GiB"):
        BYTES.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("anon", "found 'anon' without ="),
        ("=true", "found nothing before ="),
        ("=", "found nothing before ="),
        ("Zx8/secret+7", "found text without ="),
    ],
)
def test_a_storage_option_is_a_pair(text: str, found: str) -> None:
    """A storage option without a key or a `=` is wrong usage; what may be a secret is not quoted."""
    ran = run("convert", "x", "--to", "lake", "--storage-option", text)
    assert (ran.code, ran.out) == (2, "")
    assert f"expected KEY=VALUE, {found}\n" in ran.err
