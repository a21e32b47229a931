"""Every command against a second implementation of S3, in full runs: no store answers exactly as another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import Ran, api_environment
from tests.store.s3.lake import Lake
from tests.store.s3.test_system import assert_same, wsparquet
from tests.system.helpers import convert
from tools.s3.proxy import Proxy, proxying
from wsparquet.emulator import EmulatorOptions, serving
from wsparquet.generate import GenerateOptions, generate

FILES = 4


@pytest.fixture
def lake(second_endpoint: str) -> Lake:
    """A root in a bucket of the second store."""
    return Lake(second_endpoint, second_endpoint)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of several hours, some with text that is quarantined."""
    folder = tmp_path_factory.mktemp("sources")
    generate(folder, GenerateOptions(size=30_000, files=FILES, seed=3, defects=True))
    return folder


@pytest.fixture(scope="module")
def local(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root on a local disk with the same sources."""
    root = tmp_path_factory.mktemp("local") / "lake"
    convert(root, sources, code=3)
    return root


@pytest.fixture
def raw(lake: Lake, sources: Path) -> str:
    """The URL of the same sources in the bucket."""
    for path in sources.iterdir():
        lake.bucket.put(f"raw/{path.name}", path.read_bytes())
    return f"{lake.bucket.url}/raw/"


def done(ran: Ran, *codes: int) -> Ran:
    """A command that ended with one of the exit codes, and without a traceback."""
    assert ran.code in (codes or (0,)), (ran.code, ran.out, ran.err)
    assert "Traceback" not in ran.err
    return ran


@pytest.mark.parametrize("spelled", ["raw/", "raw", "raw/*"])
def test_convert_and_verify(lake: Lake, raw: str, local: Path, spelled: str) -> None:
    """The rows are those of a local root; a second run skips every source."""
    argument = f"{lake.bucket.url}/{spelled}"
    first = done(wsparquet(lake, "convert", argument, "--to", lake.url, "--output", "json"), 3).json
    assert (len(first["committed"]), first["errors"]) == (FILES, [])
    again = done(wsparquet(lake, "convert", argument, "--to", lake.url, "--output", "json")).json
    assert (len(again["skipped"]), again["committed"]) == (FILES, [])
    assert_same(lake, local)
    lake.assert_at_rest()
    done(wsparquet(lake, "verify", lake.url, "--against", raw))


def test_inspect(lake: Lake, raw: str) -> None:
    """Each source has as many records as in its local file."""
    found = done(wsparquet(lake, "inspect", raw, "--output", "json"), 0, 3).json
    assert found
    name = min(lake.bucket.keys("raw/"))
    assert name.rpartition("/")[2] in json.dumps(found)


def test_status_clean_and_remove(lake: Lake, raw: str) -> None:
    """A stray is found and deleted, a removed source leaves no part, and the others stay."""
    done(wsparquet(lake, "convert", raw, "--to", lake.url, "--quiet"), 3)
    done(wsparquet(lake, "status", lake.url))
    stray = "record_type=geo/date=2016-06-30/7.sessions.0123456789abcdef.0.parquet"
    lake.bucket.put(f"lake/{stray}", b"a stray")
    cleaned = done(wsparquet(lake, "clean", lake.url, "--older-than", "0s", "--delete", "--output", "json")).json
    assert [each["path"] for each in cleaned["strays"]] == [stray]
    assert "cannot list uploads of" in cleaned["unlisted"]
    assert stray not in lake.data_files()
    name = min(lake.bucket.keys("raw/")).rpartition("/")[2]
    assert "removed" in done(wsparquet(lake, "remove", lake.url, "--yes", name)).out
    assert name.removesuffix(".gz") not in " ".join(lake.data_files())
    assert len(lake.open().commits()) == FILES - 1
    done(wsparquet(lake, "verify", lake.url))


def test_replay(lake: Lake, raw: str, local: Path) -> None:
    """A root of an older schema version is brought up to date from the sources in the bucket."""
    done(wsparquet(lake, "convert", raw, "--to", lake.url, "--quiet"), 3)
    for path in ["_wsparquet/root.json", *lake.keys("_wsparquet/commits/")]:
        values = json.loads(lake.bucket.get(f"lake/{path}"))
        lake.bucket.put(f"lake/{path}", json.dumps({**values, "schema_version": 0}).encode())
    found = done(wsparquet(lake, "replay", lake.url, raw, "--output", "json"), 3).json
    assert (len(found["committed"]), found["failed"]) == (FILES, [])
    assert_same(lake, local)
    lake.assert_at_rest()


def test_sync_with_raw_files_in_the_bucket(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads, commits, state, and raw files are all in the bucket; a second run finds them."""
    with serving(EmulatorOptions(hours=3, size=20_000)) as emulator:
        for name, value in api_environment(emulator).items():
            monkeypatch.setenv(name, value)
        account = ("--account", emulator.options.account)
        raw = f"{lake.bucket.url}/raw"
        first = done(wsparquet(lake, "sync", *account, "--to", lake.url, "--raw", raw, "--output", "json")).json
        assert len(first["downloaded"]) == 3
        second = done(wsparquet(lake, "sync", *account, "--to", lake.url, "--output", "json")).json
        assert (second["present"], second["downloaded"]) == (3, [])
        assert "3 committed" in done(wsparquet(lake, "list", *account, "--to", lake.url)).out
        done(wsparquet(lake, "fetch", *account, "--into", f"{lake.bucket.url}/fetched"))
    assert len(lake.bucket.keys("fetched/account/")) == 3
    done(wsparquet(lake, "status", lake.url))
    done(wsparquet(lake, "verify", lake.url, "--against", raw))
    lake.assert_at_rest()


def test_odd_source_names(lake: Lake, sources: Path) -> None:
    """Names with blanks, percent signs, and plus signs belong to different sources."""
    names = ["a b.gz", "a+b.gz", "a%20b.gz", "é.gz"]
    for name, source in zip(names, sorted(sources.iterdir())[:4], strict=True):
        lake.bucket.put(f"odd/{name}", source.read_bytes())
    found = done(wsparquet(lake, "convert", f"{lake.bucket.url}/odd/", "--to", lake.url, "--output", "json"), 0, 3).json
    assert (sorted(found["committed"]), found["errors"]) == (sorted(names), [])
    assert {header.facts.source_name for header in lake.open().commits().headers()} == set(names)
    done(wsparquet(lake, "verify", lake.url, "--against", f"{lake.bucket.url}/odd/"))


def test_faults(second_endpoint: str, raw: str, lake: Lake, local: Path) -> None:
    """One request in ten fails: the root ends as it does on a local disk."""
    with proxying(second_endpoint) as proxy:
        slow_down(proxy)
        lake.endpoint = proxy.url
        done(wsparquet(lake, "convert", raw, "--to", lake.url, "--quiet"), 3)
        assert sum(proxy.faults().values()) > FILES
    lake.endpoint = second_endpoint
    assert_same(lake, local)
    lake.assert_at_rest()


def slow_down(proxy: Proxy) -> None:
    """Have one request in ten fail."""
    proxy.settings.probability, proxy.settings.stall_seconds = 0.1, 0.2
