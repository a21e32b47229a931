"""`verify` finds no problem where there is none: attempts under way, long items, rows whose day comes from the name."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.dataset.helpers import IDENTITY, facts, make_rows
from wsparquet import convert, inspect, verify
from wsparquet.dataset import Root
from wsparquet.store.local import LocalDisk

NAMED = "WebSession.1467291600000.1467295200000.part-00000-0"


def test_an_attempt_between_its_files_and_its_record_has_no_strays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts are published and no record names them yet: the intent does."""
    root = Root.open(tmp_path / "lake")
    published, goes_on = threading.Event(), threading.Event()
    publish = LocalDisk.publish

    def publish_and_wait(disk: LocalDisk, moves: Iterable[tuple[Path, str]]) -> None:
        publish(disk, moves)
        published.set()
        assert goes_on.wait(60)

    monkeypatch.setattr(LocalDisk, "publish", publish_and_wait)

    def commit() -> None:
        with root.begin(fallback_day_ms=None) as attempt:
            attempt.write("geo", make_rows("geo", 20))
            attempt.close()
            report = {"records": 20, "rows": {"geo": 20}}
            attempt.commit(IDENTITY, facts(report=report), expected=None)

    thread = threading.Thread(target=commit)
    thread.start()
    try:
        assert published.wait(60)
        during = verify(tmp_path / "lake")
        assert next((tmp_path / "lake").glob("record_type=*/*/*.parquet"), None) is not None
    finally:
        goes_on.set()
        thread.join()
    assert (during.problems, during.commits) == ([], 0)
    after = verify(tmp_path / "lake")
    assert (after.problems, after.commits) == ([], 1)


@pytest.mark.long
def test_an_item_in_pieces_is_one_item(tmp_path: Path) -> None:
    """Quarantined text of over 1 MiB lies in several lines, and counts once."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in/long.ndjson").write_bytes(b'{"recordCollection": []}\n["' + b"1," * 600_000 + b'1"]\n')
    (found,) = inspect(tmp_path / "in")
    summary = convert(tmp_path / "in", tmp_path / "lake")
    (quarantine,) = (tmp_path / "lake/_wsparquet/quarantine").rglob("*.ndjson")
    assert (summary.items, found.report.items, len(quarantine.read_bytes().splitlines()) > 1) == (1, 1, True)
    assert verify(tmp_path / "lake", against=tmp_path / "in").problems == []


@pytest.mark.parametrize("name", ["WebSession.1999999600000.2000003200000.part-00000-0.json", "renamed.json"])
def test_a_day_from_the_name_is_that_of_the_recorded_name(name: str, tmp_path: Path) -> None:
    """Rows without any time have the day of the name that they were committed under, whatever it is now."""
    path = tmp_path / f"{NAMED}.json"
    path.write_text('{"recordCollection":[{"body":{"WebSessionGeoData":{"geo":{"city":"x"}}}}]}')
    convert(path, tmp_path / "lake")
    assert [part.parent.name for part in (tmp_path / "lake").glob("record_type=*/*/*")] == ["date=2016-06-30"]
    path.rename(tmp_path / name)
    found = verify(tmp_path / "lake", against=tmp_path / name)
    assert (found.problems, found.compared_rows) == ([], 1)
