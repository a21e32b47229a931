"""The files of the emulator: which of them exist at a given time, and their contents."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wsparquet.emulator.options import EmulatorOptions
from wsparquet.generate.files import compressed
from wsparquet.generate.options import HOUR_MS, GenerateOptions
from wsparquet.generate.text import generate_text

__all__ = ["Catalogue", "Entry"]

DAY_MS = 24 * HOUR_MS
MADE_AFTER_MS = 10 * 60 * 1000
LATEST_MS = 6 * HOUR_MS
KEPT_MS = 30 * DAY_MS


@dataclass(frozen=True)
class Entry:
    """A file. Times are in milliseconds since 1970. ``data``: the content; None if the content is generated."""

    name: str
    start_ms: int
    end_ms: int
    made_ms: int
    data: bytes | None = None


class Catalogue:
    """The files of one account. A file is generated when a client first requests it, and then kept in ``folder``."""

    def __init__(self, options: EmulatorOptions, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._first_ms = self._hour_ms() - self._hours * HOUR_MS
        self._until_ms = self._first_ms
        self._generated: dict[str, Entry] = {}
        self._put: dict[str, Entry] = {}
        self._deleted: set[str] = set()

    @property
    def _hours(self) -> int:
        options = self._options
        return options.hours if options.files is None else -(-options.files // options.parts)

    def _now_ms(self) -> int:
        return int(self._options.now() * 1000)

    def _hour_ms(self) -> int:
        """Return the end of the last hour whose files exist; only late files of this hour may be missing."""
        return (self._now_ms() - MADE_AFTER_MS) // HOUR_MS * HOUR_MS

    # --- The existing files -------------------------------------------------------------------------------------------

    def files(self) -> dict[str, Entry]:
        """Return all files that exist now, by name, oldest first."""
        self._go_on()
        now = self._now_ms()
        there = [entry for entry in {**self._generated, **self._put}.values() if self._is_there(entry, now)]
        there.sort(key=lambda entry: (entry.start_ms, entry.name))
        return {entry.name: entry for entry in there}

    def find(self, name: str) -> Entry | None:
        """Return the file with this name, if it exists now."""
        self._go_on()
        entry = self._put.get(name) or self._generated.get(name)
        return entry if entry is not None and self._is_there(entry, self._now_ms()) else None

    def _is_there(self, entry: Entry, now: int) -> bool:
        return entry.made_ms <= now < entry.made_ms + KEPT_MS and entry.name not in self._deleted

    def _go_on(self) -> None:
        """Add the files for the hours that have ended since the last call."""
        end = self._hour_ms()
        if end > self._until_ms:
            self._generated.update((entry.name, entry) for entry in self._new(self._until_ms, end))
            self._until_ms = end

    def _new(self, first: int, end: int) -> Iterator[Entry]:
        options = self._options
        surplus = self._hours * options.parts - options.files if options.files is not None else 0
        for start in range(first, end, HOUR_MS):
            for part in range(options.parts):
                if start == self._first_ms and part < surplus:
                    continue
                name = f"WebSession.{start}.{start + HOUR_MS}.part-{part:05d}-0.gz"
                yield Entry(name, start, start + HOUR_MS, self._made_ms(name, start + HOUR_MS))

    def _made_ms(self, name: str, end_ms: int) -> int:
        chance = random.Random(f"{self._options.seed} {name}")
        late = chance.random() < self._options.late
        return end_ms + (chance.randrange(MADE_AFTER_MS, LATEST_MS) if late else MADE_AFTER_MS)

    # --- Changes -----------------------------------------------------------------------------------------------------

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._deleted.add(name)

    def put(self, name: str, data: bytes, *, start_ms: int | None = None) -> None:
        """Add a file with this name and content, and replace an existing file with the same name."""
        known = self.find(name)
        start = start_ms if start_ms is not None else known.start_ms if known else self._hour_ms() - HOUR_MS
        made = known.made_ms if known else self._now_ms()
        self._deleted.discard(name)
        self._put[name] = Entry(name, start, start + HOUR_MS, made, data)
        self._path(name).unlink(missing_ok=True)

    # --- Contents -----------------------------------------------------------------------------------------------------

    def path(self, entry: Entry) -> Path:
        """Return the path of a file with the content of the entry."""
        path = self._path(entry.name)
        if not path.exists():
            path.write_bytes(entry.data if entry.data is not None else self._generate(entry))
        return path

    def _path(self, name: str) -> Path:
        # The file gets a name without a suffix, because aiohttp would derive an encoding from a suffix.
        # The name is encoded, because names in tests may not be valid file names.
        return self._folder / name.encode("utf-8", "surrogatepass").hex()[-200:]

    def _generate(self, entry: Entry) -> bytes:
        chance = random.Random(f"{self._options.seed} {entry.name}")
        options = GenerateOptions(
            size=self._options.size,
            seed=chance.randrange(1 << 32),
            account=self._options.account,
            start_ms=entry.start_ms,
            # Generate several gzip members, because real files may have them.
            gzip_members=chance.choice((1, 1, 2, 3)),
        )
        return b"".join(compressed(generate_text(options), options, size=options.size))
