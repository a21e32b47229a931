"""No later run brings an erased person back: from raw files, from the server, or by tasks on other machines."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wsparquet
from tests.cli.program import run
from tests.conversion.test_replay import make_older
from tests.distributed.jobs import run_job
from tests.erasure import people
from tests.erasure.people import CUSTOMER, NUMBER, VISIT, VISITOR, rows, traces, without
from tests.support.at_rest import assert_at_rest
from tests.synchronisation.lake import options_for, server, sync
from wsparquet.distributed import plan_conversion, plan_replay, plan_sync, plan_verify
from wsparquet.errors import OptionError

EVERYBODY: dict[str, Any] = {"visitors": [VISITOR, NUMBER], "customers": [CUSTOMER]}
IDS = (VISITOR, VISIT, CUSTOMER, NUMBER)
"""What each row of the erased people has."""


def by_convert(lake: Path, raw: Path) -> wsparquet.Summary:
    """All sources again on this machine."""
    return wsparquet.convert(raw, to=lake, again=True)


def by_replay(lake: Path, raw: Path) -> wsparquet.Summary:
    """All commits again from their raw files."""
    return wsparquet.replay(lake, raw, again=True)


def by_tasks(lake: Path, raw: Path) -> wsparquet.Summary:
    """All sources again in tasks, as Spark runs them."""
    return run_job(plan_conversion(raw, to=lake, again=True, workers=2))


def by_replay_in_tasks(lake: Path, raw: Path) -> wsparquet.Summary:
    """All commits again in tasks."""
    return run_job(run_job(plan_replay(lake, raw, again=True, workers=2)))


RUNS = [by_convert, by_replay, by_tasks, by_replay_in_tasks]


@pytest.mark.parametrize("again", RUNS)
def test_a_run_from_raw_files_leaves_the_person_out(
    plain: Path, raw: Path, again: Callable[[Path, Path], wsparquet.Summary], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entrance gives the rows that the erasure left, counts the others, and is refused without the key."""
    before = rows(plain)
    wsparquet.erase(plain, **EVERYBODY, yes=True)
    found = again(plain, raw)
    assert {*found.committed} >= {people.NAMES[0], people.NAMES[2]}
    assert found.failures == []
    assert found.left_out["erased"] == len(before) - len(without(before, *IDS)) + 1
    assert rows(plain) == without(before, *IDS)
    assert traces(plain, VISITOR, CUSTOMER, NUMBER) == set()
    assert_at_rest(plain)
    assert wsparquet.verify(plain, against=raw).problems == []
    assert run_job(plan_verify(plain, against=raw)).problems == []
    monkeypatch.delenv("WSPARQUET_KEY")
    for refused in (lambda: again(plain, raw), lambda: plan_verify(plain, against=raw)):
        with pytest.raises(OptionError, match="found none; set WSPARQUET_KEY"):
            refused()
    assert rows(plain) == without(before, *IDS)


@pytest.mark.parametrize("plan", [wsparquet.replay, plan_replay])
def test_an_upgrade_without_the_key_does_not_close_the_root(
    plain: Path, raw: Path, plan: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before the root is marked for the upgrade, which would keep all other runs away."""
    wsparquet.erase(plain, **EVERYBODY, yes=True)
    make_older(plain)
    before = (plain / "_wsparquet/root.json").read_bytes()
    monkeypatch.delenv("WSPARQUET_KEY")
    with pytest.raises(OptionError, match="found none; set WSPARQUET_KEY"):
        plan(plain, raw)
    assert (plain / "_wsparquet/root.json").read_bytes() == before


def test_a_new_file_with_the_person(plain: Path, raw: Path, tmp_path: Path) -> None:
    """A file that came after the erasure adds only the rows of others; `verify` says which rows must be missing."""
    wsparquet.erase(plain, **EVERYBODY, yes=True)
    before = rows(plain)
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / "WebSession.1467400000000.1467403600000.part-00000-0.gz"
    text = b"".join(gzip.decompress((raw / people.NAMES[number]).read_bytes()) for number in (0, 2))
    new.write_bytes(gzip.compress(text.replace(b"other", b"newcomer")))
    wsparquet.convert(new, to=tmp_path / "other")
    expected = without(rows(tmp_path / "other"), *IDS)
    ran = run("convert", new, "--to", plain)
    assert ran.code in {0, 3}, ran.err
    assert "erased" in ran.out
    assert rows(plain) == sorted([*before, *expected])
    assert traces(plain, VISITOR, CUSTOMER, NUMBER) == set()
    assert wsparquet.verify(plain, against=new).problems == []


def test_a_synchronization_leaves_the_person_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server still has the files of the person: they are downloaded again after a removal, and nobody else lacks.

    Without the key, the run is refused before it downloads a file.
    """
    lake = tmp_path / "lake"
    with server(hours=3) as emulator:
        sync(lake, emulator, raw=str(tmp_path / "raw"))
        before = rows(lake)
        visitor = wsparquet.open_dataset(lake).table("geo").to_table()["visitorId"][0].as_py()
        wsparquet.erase(lake, visitors=visitor, yes=True)
        left = rows(lake)
        assert left == without(before, visitor) != before
        wsparquet.remove(lake, "*", yes=True)
        downloads = emulator.downloads.total()
        with monkeypatch.context() as changed:
            changed.delenv("WSPARQUET_KEY")
            for refused in (sync, lambda *given: plan_sync(given[0], options=options_for(given[1]))):
                with pytest.raises(OptionError, match="found none; set WSPARQUET_KEY"):
                    refused(lake, emulator)
        assert (emulator.downloads.total(), rows(lake)) == (downloads, [])
        found = sync(lake, emulator)
    assert (len(found.converted.committed), found.converted.failures) == (3, [])
    assert found.converted.left_out["erased"] == len(before) - len(left)
    assert rows(lake) == left
    assert traces(lake, visitor) == set()
    assert wsparquet.verify(lake, against=tmp_path / "raw").problems == []
