"""Servers and networks that fail: one fault at a time with its outcome, and all of them together."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from tests.scale import scaled
from tests.support.at_rest import assert_at_rest
from tests.synchronisation.lake import names, server, sync
from tests.system.helpers import assert_same, rows_on_disk
from wsparquet.api import ApiOptions
from wsparquet.emulator import FAULTS, Emulator
from wsparquet.emulator.faults import DOWNLOAD
from wsparquet.errors import ApiError, WsparquetError
from wsparquet.synchronisation import SyncSummary

FILES = scaled(500, 24)
HOURS = scaled(6, 2)
LASTING = {"redirect-elsewhere"}
"""Faults of a request that are not tried again within a run."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of a run in which nothing fails."""
    root = tmp_path_factory.mktemp("undisturbed") / "lake"
    with server(hours=HOURS) as emulator:
        assert sync(root, emulator).exit_code == 0
    return root


@pytest.mark.parametrize("fault", sorted(DOWNLOAD - LASTING))
def test_a_fault_of_every_download_is_overcome(tmp_path: Path, undisturbed: Path, fault: str) -> None:
    """With two faults before each answer, a run ends well, and with the lake of an undisturbed one."""
    with server(hours=HOURS, faults={fault: 1.0}, most_faults=2, stall_seconds=0.3) as emulator:
        api = ApiOptions(base_url=emulator.base_url, pause_seconds=0.002, read_seconds=0.15)
        summary = sync(tmp_path / "lake", emulator, api=api)
        assert (summary.exit_code, len(summary.converted.committed)) == (0, HOURS)
        # The list is no download, but has the faults that it can have.
        faulty = [request for request in emulator.log if request.fault == fault]
        assert len(faulty) >= HOURS
        assert summary.fetched.retries > 0 or fault == "redirect"
    assert_same(rows_on_disk(tmp_path / "lake"), rows_on_disk(undisturbed))
    assert_at_rest(tmp_path / "lake")


def test_a_download_that_never_ends_well_fails_alone(tmp_path: Path) -> None:
    """Where no try is answered, the run reports each file with how often it tried, and leaves a root at rest."""
    kinds = {"truncated-chunked": 1.0}
    with server(hours=2, faults=kinds, most_faults=1000) as emulator:
        api = ApiOptions(base_url=emulator.base_url, pause_seconds=0.001, tries=4)
        summary = sync(tmp_path / "lake", emulator, api=api)
        assert sorted(failure.name for failure in summary.fetched.failures) == names(emulator)
        assert all("tried 4 times" in failure.error for failure in summary.fetched.failures)
        assert all(emulator.downloads[name] >= 4 for name in names(emulator))
    assert summary.exit_code == 1
    assert_at_rest(tmp_path / "lake")


def test_a_redirect_elsewhere_fails_the_file_and_no_other(tmp_path: Path) -> None:
    """A download that is redirected to another host is not followed; the next run has the file."""
    with server(faults={"redirect-elsewhere": 0.5}, seed=3) as emulator:
        failed = _until_listed(tmp_path / "lake", emulator)
        for _ in range(20):
            if not failed.fetched.failed:
                break
            assert all("nothing was sent there" in failure.error for failure in failed.fetched.failed)
            failed = _until_listed(tmp_path / "lake", emulator)
        assert set(rows_on_disk(tmp_path / "lake")) == set(names(emulator))


def _until_listed(root: Path, emulator: Emulator) -> SyncSummary:
    for _ in range(50):
        try:
            return sync(root, emulator, since=timedelta(days=1))
        except ApiError as error:
            assert "nothing was sent there" in str(error)  # noqa: PT017 - which tries fail is the seed's to say
    raise AssertionError("the list was always redirected")


@pytest.mark.long
def test_all_faults_together_end_in_the_same_lake(tmp_path: Path) -> None:
    """With a fault in a fifth of all requests, run after run until all is taken, nothing is lost and nothing twice.

    Faults come at random, and none comes to a download once all is taken: so runs go on until lists have had theirs,
    and lakes are made until downloads have.
    """
    with server(files=FILES, parts=2, size=6_000) as emulator:
        assert sync(tmp_path / "undisturbed", emulator).exit_code == 0
    undisturbed = rows_on_disk(tmp_path / "undisturbed")
    with server(
        files=FILES, parts=2, size=6_000, faults={"all": 0.2}, seed=0, stall_seconds=0.2, retry_after="0"
    ) as emulator:
        chance = random.Random(7)
        for number in range(10):
            lake = tmp_path / f"lake {number}"
            committed = until_all_is_taken(lake, emulator, chance)
            assert sorted(committed) == sorted(names(emulator))
            assert len(committed) == FILES
            assert_same(rows_on_disk(lake), undisturbed)
            assert_at_rest(lake)
            if {request.fault for request in emulator.log} >= set(FAULTS):
                break
        assert {request.fault for request in emulator.log} >= set(FAULTS)


def until_all_is_taken(lake: Path, emulator: Emulator, chance: random.Random) -> list[str]:
    """What runs commit, one after the other, until one has nothing left to do and lists have had all their faults."""
    api = ApiOptions(base_url=emulator.base_url, pause_seconds=0.002, read_seconds=0.1)
    committed: list[str] = []
    for _ in range(60):
        try:
            summary = sync(lake, emulator, api=api, downloads=chance.choice((1, 4, 9)))
        except WsparquetError:
            # The list itself was redirected: an hour later it may not be.
            continue
        committed += summary.converted.committed
        taken = not summary.fetched.failures and not summary.converted.failures
        if taken and {request.fault for request in emulator.log} >= set(FAULTS) - DOWNLOAD:
            break
    return committed
