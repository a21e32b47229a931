"""Dangerous lists: repeated entries, URLs of foreign hosts, and names that are paths."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from wsparquet.emulator.catalogue import Entry
from wsparquet.generate.options import HOUR_MS

__all__ = ["HOSTILE_NAMES", "hostile", "quoted", "repeated"]

HOSTILE_NAMES = ("../../../../etc/wsparquet-was-here", "/etc/wsparquet-was-here", "a\0b.gz", "x" * 5000, "\u202egz.exe")


def quoted(name: str) -> str:
    """Quote a name for use as the last component of a URL."""
    return quote(name.encode("utf-8", "surrogatepass"), safe="")


def repeated(entries: Sequence[tuple[Entry, str]]) -> list[tuple[Entry, str]]:
    """Return each entry twice; every second repetition has another URL of the same file."""
    again = [(entry, f"{href}?again=1" if number % 2 else href) for number, (entry, href) in enumerate(entries)]
    return [*entries, *again]


def hostile(elsewhere: str, here: str) -> list[tuple[Entry, str]]:
    """Return entries that a client must not request with a signature, and entries whose names must not become paths."""
    away, home = urlsplit(elsewhere).netloc, urlsplit(here).netloc
    addresses = [
        f"{elsewhere}/data_access_le/account/1/le/webSession/x.gz",
        f"https://{away}/x.gz",
        f"//{away}/x.gz",
        f"http://{home}@{away}/x.gz",
        f"http://{away}\\@{home}/x.gz",
        f"http://{home}:1@{away}/x.gz",
        f"http://{away}#@{home}/x.gz",
        f"https://va.da.liveperson.net.{away}/x.gz",
        f"https://va.da.liveperson.net@{away}/x.gz",
        f"ftp://{home}/x.gz",
        "file:///etc/passwd",
        "x.gz",
        "",
        f"http://{home}:notaport/x.gz",
        f"http://{home} .{away}/x.gz",
        f"http://{home}\r\nX-Injected: 1/x.gz",
    ]
    start = 1_467_291_600_000
    traps = [
        (f"WebSession.{start}.{start + HOUR_MS}.part-{90000 + number}-0.gz", address)
        for number, address in enumerate(addresses)
    ]
    traps += [(name, f"{elsewhere}/{number}") for number, name in enumerate(HOSTILE_NAMES)]
    return [(Entry(name, start, start + HOUR_MS, start), address) for name, address in traps]
