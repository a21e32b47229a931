"""Commands on a root in which others are at work: they delete nothing of it, report nothing of it, and count nothing.

At work are an attempt between its files and its record, a synchronisation with a download in its scratch folder, and a
download into the folder of raw files. All their files are two hours old, but the attempt's intent is young.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.cli.program import api_environment, run, spawn
from tests.dataset.helpers import facts, make_rows
from tests.dataset.test_cleaning import make_old
from tests.support.at_rest import assert_at_rest, files_below
from wsparquet import convert, open_dataset, read
from wsparquet.dataset import Root
from wsparquet.emulator import Emulator, EmulatorOptions, serving
from wsparquet.generate import GenerateOptions, generate
from wsparquet.layout import Identity
from wsparquet.store.local import LocalDisk

ROWS = 20
ACCOUNT = "75555851"
PARTIAL = ".0123456789abcdef.partial"


class Life:
    """Attempts that stop between their files and their record; ``go_on`` lets the one that waits go on."""

    def __init__(self, lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lake = lake
        self.published, self.goes_on = threading.Event(), threading.Event()
        publish = LocalDisk.publish

        def publish_and_wait(disk: LocalDisk, moves: Iterable[tuple[Path, str]]) -> None:
            moves = list(moves)
            publish(disk, moves)
            if moves and "alive" in moves[0][1]:
                self.published.set()
                assert self.goes_on.wait(120)

        monkeypatch.setattr(LocalDisk, "publish", publish_and_wait)

    @contextmanager
    def attempt(self, number: int) -> Iterator[None]:
        """An attempt whose files are published and whose record is not written; it ends with the context."""
        self.published.clear()
        self.goes_on.clear()
        thread = threading.Thread(target=self._commit, args=(number,))
        thread.start()
        try:
            assert self.published.wait(120)
            for path in files_below(self.lake):
                # The intent in the workspace is the same file as the published one, by another name.
                if ("alive" in path or "/tmp/" in path) and "intent" not in path:
                    make_old(self.lake / path)
            yield
        finally:
            self.goes_on.set()
            thread.join()

    def _commit(self, number: int) -> None:
        with Root.open(self.lake).begin(fallback_day_ms=None) as attempt:
            attempt.write("geo", make_rows("geo", ROWS, seed=number))
            attempt.close()
            report = {"records": ROWS, "rows": {"geo": ROWS}}
            attempt.commit(Identity("7", f"alive {number}"), facts(report=report), expected=None)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A root with one source of two, whose raw files lie beside a download that is under way."""
    first, second = generate(tmp_path / f"raw/account/{ACCOUNT}", GenerateOptions(files=2, records=30))
    convert(first, tmp_path / "lake")
    second.rename(tmp_path / second.name)
    partial = first.with_name(PARTIAL)
    partial.write_bytes(b"\x1f\x8b")
    make_old(partial)
    return tmp_path / "lake"


def test_who_looks_sees_nothing_of_it(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No problem, stray, source, commit or row more than without it, and no file less."""
    raw, life = lake.with_name("raw"), Life(lake, monkeypatch)
    root = Root.open(lake, create=False)
    rows = root.commits().headers()[0].row_count
    with root.scratch() as scratch, life.attempt(1):
        (scratch / "downloads").mkdir()
        (scratch / "downloads" / PARTIAL).write_bytes(b"\x1f\x8b")
        before = {path for path in files_below(lake) if "/locks/" not in path}
        assert any("alive" in path and path.endswith(".parquet") for path in before)
        verified = run("verify", lake, raw, "--output", "json")
        assert (verified.code, verified.json["problems"], verified.json["commits"]) == (0, [], 1), verified.out
        assert (verified.json["sources"], verified.json["rows"], verified.json["compared_rows"]) == (1, rows, rows)
        cleaned = run("clean", lake, "--older-than", "1h", "--output", "json").json
        assert cleaned["strays"] == []
        (account,) = run("status", lake, "--output", "json").json["accounts"]
        assert (account["commits"], account["hours"]) == (1, 1)
        assert len(run("inspect", raw, "--output", "json").json["sources"]) == 1
        for command in (("convert", raw, "--to", lake), ("replay", lake, raw)):
            found = run(*command, "--dry-run", "--output", "json").json
            assert (found["sources"], found["failed"], found["committed"]) == (
                len(found["skipped"]), [], []
            ), command  # fmt: skip
        dataset = open_dataset(lake)
        assert sum(dataset.table(table).count_rows() for table in dataset.tables) == rows
        assert sum(table.num_rows for table in read(raw).values()) == rows
        assert {path for path in files_below(lake) if "/locks/" not in path} == before
    assert_at_rest(lake)
    assert len(Root.open(lake).commits()) == 2


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The API's server with one file, which commands find by variables."""
    with serving(EmulatorOptions(hours=1, size=5_000)) as found:
        for name, value in api_environment(found).items():
            monkeypatch.setenv(name, value)
        yield found


def test_a_list_counts_nothing_of_it(lake: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """The API's file is missing in the root while another source is between its files and its record."""
    (name,) = emulator.catalogue.files()
    command = ("list", "--account", ACCOUNT, "--to", lake, "--output", "json")
    alone = run(*command)
    with Life(lake, monkeypatch).attempt(1):
        before = files_below(lake)
        beside = run(*command)
        assert files_below(lake) == before
    assert name in alone.out
    assert (beside.code, beside.out, beside.err) == (alone.code, alone.out, alone.err)


def test_who_writes_waits_for_it(lake: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """All commands that write go on after the attempt has ended, and all of its rows are there."""
    raw, life = lake.with_name("raw"), Life(lake, monkeypatch)
    (second,) = lake.parent.glob("WebSession.*.gz")
    (first,) = (path for path in raw.rglob("*.gz"))
    commands = (
        ("clean", lake, "--older-than", "0s", "--delete"),
        ("convert", second, "--to", lake),
        ("sync", "--account", ACCOUNT, "--to", lake),
        ("replay", lake, raw, "--again"),
        ("remove", lake, "--yes", first.name, "--account", ACCOUNT),
    )
    with Root.open(lake).scratch() as scratch:
        (scratch / "x").write_bytes(b"x")
        make_old(scratch / "x")
        for number, command in enumerate(commands):
            codes: list[int] = []
            with life.attempt(number):
                # Signals, which `sync` handles, belong to the main thread of a process.
                do = spawn if command[0] == "sync" else run
                work = partial(lambda do, given, to: to.append(do(*given).code), do, command, codes)
                thread = threading.Thread(target=work)
                thread.start()
                thread.join(0.3)
                assert codes == [], command
            thread.join()
            assert codes == [0], command
            assert Root.open(lake).commits().get(Identity("7", f"alive {number}")) is not None, command
        assert (scratch / "x").exists()
    assert_at_rest(lake)
    assert run("verify", lake, second).code == 0
    # The second source and the API's file are in, the first source is out.
    assert len(Root.open(lake).commits()) == len(commands) + 2
