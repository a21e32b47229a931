"""The program with sources, roots and raw files on S3, under faults and kills, held against a local disk."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from tests.cli.program import Ran, api_environment, run, start
from tests.dataset.helpers import rows_on_disk
from tests.scale import scaled
from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy
from tools.s3.server import SECRET
from wsparquet import SCHEMA_VERSION, Progress, VerifyOptions, convert
from wsparquet.conversion.options import ConvertOptions
from wsparquet.dataset import Access
from wsparquet.emulator import EmulatorOptions, serving
from wsparquet.errors import DatasetError
from wsparquet.generate import GenerateOptions, generate

SOURCES = scaled(200, 8)
KILLS = scaled(20, 2)


def wsparquet(lake: Lake, *arguments: object) -> Ran:
    """A command that reaches the store; its output never quotes a secret."""
    found = run(*arguments, *lake.flags)
    assert SECRET not in found.out + found.err
    return found


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of several hours, some with text that is quarantined."""
    folder = tmp_path_factory.mktemp("sources")
    options = GenerateOptions(size=30_000, files=SOURCES, seed=3, defects=True)
    generate(folder, options)
    return folder


@pytest.fixture(scope="module")
def local(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an undisturbed run makes of them on a local disk."""
    root = tmp_path_factory.mktemp("local") / "lake"
    assert run("convert", sources, "--to", root, "--quiet").code == 3
    return root


def upload(lake: Lake, sources: Path) -> str:
    """The sources in the bucket."""
    for path in sorted(sources.iterdir()):
        lake.bucket.put(f"raw/{path.name}", path.read_bytes())
    return f"{lake.bucket.url}/raw/"


def assert_same(lake: Lake, local: Path) -> None:
    """The rows of a local lake, every record kept, nothing else there, and verify agrees."""
    expected, found = rows_on_disk(local), lake.rows()
    sources = len(list((local / "_wsparquet" / "commits").rglob("*.json")))
    assert sum(map(len, found.values())) == sum(map(len, expected.values())) > 10 * sources > 0
    assert {table: sorted(map(repr, rows)) for table, rows in found.items()} == {
        table: sorted(map(repr, rows)) for table, rows in expected.items()
    }
    assert quarantined(lake) == sorted(
        line for path in local.rglob("*.ndjson") for line in path.read_bytes().splitlines()
    )
    assert wsparquet(lake, "verify", lake.url).code == 0


def quarantined(lake: Lake) -> list[bytes]:
    """Every line of quarantine."""
    paths = lake.keys("_wsparquet/quarantine/")
    return sorted(line for path in paths for line in lake.bucket.get(f"lake/{path}").splitlines())


@pytest.mark.long
def test_many_sources_through_a_faulty_store_end_in_the_same_lake(
    lake: Lake, proxy: Proxy, sources: Path, local: Path
) -> None:
    """One request in ten fails, of those for sources and of those for the root."""
    raw = upload(lake, sources)
    proxy.settings.probability, proxy.settings.stall_seconds = 0.1, 0.2
    found = wsparquet(lake, "convert", raw, "--to", lake.url, "--output", "json")
    assert (found.code, found.json["failed"], len(found.json["committed"])) == (3, [], SOURCES)
    assert sum(proxy.faults().values()) > SOURCES
    again = wsparquet(lake, "convert", raw, "--to", lake.url, "--output", "json").json
    assert (len(again["skipped"]), again["committed"]) == (SOURCES, [])
    proxy.settings.probability = 0.0
    assert_same(lake, local)
    lake.assert_at_rest()
    assert wsparquet(lake, "verify", lake.url, "--against", raw).code == 0


@pytest.mark.long
def test_killed_at_random_moments_and_done_again(lake: Lake, sources: Path, local: Path) -> None:
    """Killed again and again, then done to its end: the same lake, verify finds nothing, clean leaves nothing."""
    chance = random.Random(20160630)
    raw = upload(lake, sources)
    began = time.monotonic()
    command = ("convert", raw, "--to", lake.url, "--quiet", *lake.flags)
    killed = 0
    for _ in range(KILLS):
        with start(*command) as process:
            time.sleep(chance.uniform(0.6, 2.0))
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
    assert killed
    # A run may have come to its end before it was to be killed: then there is nothing left to do.
    assert wsparquet(lake, *command).code in {0, 3}
    wsparquet(lake, "clean", lake.url, "--older-than", "0s", "--delete")
    assert "no strays" in wsparquet(lake, "clean", lake.url, "--older-than", "0s").out
    assert_same(lake, local)
    lake.assert_at_rest()
    assert lake.keys("_wsparquet/probes/") == lake.keys("_wsparquet/intents/") == []
    assert time.monotonic() - began < 600


def test_interrupted_while_the_store_is_silent(lake: Lake, proxy: Proxy, sources: Path, local: Path) -> None:
    """It ends at once, though an upload would be tried again for minutes, and the next run ends what it left."""
    proxy.settings.kinds, proxy.settings.stall_seconds = ("stall",), 60.0
    stalled = threading.Event()

    def stall(method: str, path: str) -> None:
        if method == "PUT" and "record_type" in path:
            proxy.settings.probability, proxy.settings.most_in_a_row = 1.0, 1000
            stalled.set()

    proxy.settings.after = stall
    with start("convert", sources, "--to", lake.url, *lake.flags, stdout=-1, stderr=-1) as process:
        assert stalled.wait(60)
        time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        seconds = time.monotonic() - began
    assert (process.returncode, b"Traceback" in err) == (130, False), err
    assert seconds < 15
    proxy.settings.probability, proxy.settings.after = 0.0, None
    wsparquet(lake, "convert", sources, "--to", lake.url, "--quiet")
    assert_same(lake, local)
    lake.assert_at_rest()


def test_sources_are_decoded_while_others_are_uploaded(lake: Lake, proxy: Proxy, sources: Path) -> None:
    """With one job, the first upload is held up until the next source is read."""
    read: set[str] = set()
    second = threading.Event()
    held: list[bool] = []

    def tell(event: Progress) -> None:
        if event.kind == "read":
            read.add(event.name)
            if len(read) > 1:
                second.set()

    def hold(method: str, path: str) -> None:
        if method == "PUT" and "record_type" in path and not held:
            held.append(second.wait(30))

    proxy.settings.before = hold
    options = ConvertOptions(jobs=1, storage_options=lake.options)
    assert convert(sorted(sources.iterdir())[:4], lake.url, options=options, on_progress=tell).failed == []
    assert held == [True]


def test_a_profile_says_endpoint_and_credentials(lake: Lake, sources: Path, tmp_path: Path) -> None:
    """The files that every AWS tool reads will do, with the profile's name as the only option."""
    (tmp_path / "config").write_text(f"[profile mine]\nendpoint_url = {lake.endpoint}\nregion = us-east-1\n")
    (tmp_path / "credentials").write_text(f"[mine]\naws_access_key_id = tester\naws_secret_access_key = {SECRET}\n")
    files = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
    environment = {name: str(tmp_path / file) for name, file in files.items()}
    source = next(iter(sources.iterdir()))
    option = ("--storage-option", "profile=mine")
    with start("convert", source, "--to", lake.url, *option, env=environment, stdout=-1, stderr=-1) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode in {0, 3}, err
    assert lake.data_files()


@pytest.mark.long
def test_an_older_root_is_replayed_from_raw_files_on_s3(lake: Lake, sources: Path, local: Path) -> None:
    """Every record is of this version then, the rows are the same, and nothing is left of the old parts."""
    raw = upload(lake, sources)
    assert wsparquet(lake, "convert", raw, "--to", lake.url, "--quiet").code == 3
    for path in ["_wsparquet/root.json", *lake.keys("_wsparquet/commits/")]:
        values = json.loads(lake.bucket.get(f"lake/{path}"))
        lake.bucket.put(f"lake/{path}", json.dumps({**values, "schema_version": 0}).encode())
    assert "wsparquet replay" in wsparquet(lake, "status", lake.url).err
    found = wsparquet(lake, "replay", lake.url, raw, "--output", "json")
    assert (found.code, len(found.json["committed"]), found.json["failed"]) == (3, SOURCES, [])
    records = [json.loads(lake.bucket.get(f"lake/{path}")) for path in lake.keys("_wsparquet/commits/")]
    assert {values["schema_version"] for values in records} == {SCHEMA_VERSION}
    assert_same(lake, local)
    lake.assert_at_rest()


@pytest.mark.parametrize("options", [ConvertOptions, VerifyOptions, Access], ids=lambda kind: kind.__name__)
def test_options_do_not_show_their_secrets(options: Any) -> None:
    """Whoever logs them logs no credential."""
    assert SECRET not in repr(options(storage_options={"secret": SECRET}))


def test_a_spool_that_others_can_enter_is_refused(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes the folder first in a shared one would see, or swap, what is uploaded."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = tmp_path / f"wsparquet-{os.getuid()}"
    spool.mkdir(mode=0o777)
    spool.chmod(0o777)
    with pytest.raises(DatasetError, match="expected a folder that only this user can access"):
        lake.open()
    spool.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    spool.symlink_to("elsewhere")
    with pytest.raises(DatasetError, match="only this user"):
        lake.open()
    spool.unlink()
    lake.open()


PART = "record_type=geo/date=2016-06-30/7.sessions.0123456789abcdef.0.parquet"
FOREIGN = ["_wsparquet/backup.tar", "record_type=geo/date=2016-06-30/x.parquet", "somebody-elses/big-file.bin"]


def test_unfinished_uploads_are_cleaned(lake: Lake, sources: Path) -> None:
    """What killed uploads of large parts leave is listed, and ended if told; others' uploads are said and go on."""
    assert wsparquet(lake, "convert", next(iter(sources.iterdir())), "--to", lake.url, "--quiet").code in {0, 3}
    for path in (PART, PART, *FOREIGN):
        lake.bucket.begin_upload(f"lake/{path}")
    lake.bucket.begin_upload("elsewhere/x.parquet")
    lake.bucket.put(f"lake/{PART}", b"a stray of the same name")
    arguments = ("clean", lake.url, "--older-than", "0s")
    kinds = {(PART, "part"): 1, (PART, "upload"): 2, **{(path, "foreign"): 1 for path in FOREIGN}}
    for delete, left in (((), 6), (("--delete",), 4)):
        listed = wsparquet(lake, *arguments, *delete, "--output", "json").json
        assert Counter((each["path"], each["kind"]) for each in listed["strays"]) == kinds
        assert (len(lake.bucket.uploads()), listed["unlisted"]) == (left, None)
    assert sorted(lake.bucket.uploads()) == sorted([*(f"lake/{path}" for path in FOREIGN), "elsewhere/x.parquet"])
    assert PART not in lake.data_files()


def test_an_upload_under_way_goes_on(lake: Lake, proxy: Proxy) -> None:
    """One that began within the hour is neither listed nor ended by `clean --older-than 1h --delete`."""
    lake.open()
    lake.bucket.begin_upload(f"lake/{PART}")
    for minutes, found in ((0, []), (59, []), (61, [(PART, "upload")])):
        # The server for tests says of every upload that it began in 2010.
        begun = (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("<Initiated>%Y-%m-%dT%H:%M:%S.000Z<")
        proxy.settings.rewrite = lambda _method, _path, answer, begun=begun: answer._replace(
            body=re.sub(b"<Initiated>[^<]*<", begun.encode(), answer.body)
        )
        listed = wsparquet(lake, "clean", lake.url, "--older-than", "1h", "--delete", "--output", "json").json["strays"]
        assert [(each["path"], each["kind"]) for each in listed] == found
        assert lake.bucket.uploads() == ([] if found else [f"lake/{PART}"])


def test_uploads_of_others_in_a_bucket_that_is_a_root(lake: Lake, sources: Path) -> None:
    """A root may be all of a bucket, and not all that is under way there is its own."""
    whole = lake.bucket.url
    assert wsparquet(lake, "convert", next(iter(sources.iterdir())), "--to", whole, "--quiet").code in {0, 3}
    for path in (PART, *FOREIGN, f"lake/{PART}"):
        lake.bucket.begin_upload(path)
    assert wsparquet(lake, "clean", whole, "--older-than", "0s", "--delete").code == 0
    assert sorted(lake.bucket.uploads()) == sorted([*FOREIGN, f"lake/{PART}"])


def test_who_may_not_list_uploads_can_verify_and_clean(lake: Lake, proxy: Proxy, sources: Path) -> None:
    """Verifying does not ask for them; cleaning does all else, and says what it could not list."""
    assert wsparquet(lake, "convert", next(iter(sources.iterdir())), "--to", lake.url, "--quiet").code in {0, 3}
    lake.bucket.put(f"lake/{PART}", b"a stray")
    proxy.settings.denied = lambda method, path: method == "GET" and "uploads" in path.partition("?")[2]
    cleaned = wsparquet(lake, "clean", lake.url, "--older-than", "0s", "--delete", "--output", "json")
    assert (cleaned.code, [each["path"] for each in cleaned.json["strays"]]) == (0, [PART])
    assert "cannot list uploads of" in cleaned.json["unlisted"]
    assert "AccessDenied" in cleaned.json["unlisted"]
    assert PART not in lake.data_files()
    assert "not listed: cannot list uploads of" in wsparquet(lake, "clean", lake.url).out
    asked = len(proxy.log)
    assert wsparquet(lake, "verify", lake.url).code == 0
    assert not any("uploads" in path for _, path, _ in proxy.log[asked:])


@pytest.mark.long
def test_who_may_not_write_can_look_at_everything(lake: Lake, proxy: Proxy, sources: Path) -> None:
    """A root on S3 is verified, compared, listed and read without one request that writes."""
    assert wsparquet(lake, "convert", sources, "--to", lake.url, "--quiet").code == 3
    lake.bucket.put(f"lake/{PART}", b"a stray")
    proxy.settings.denied = lambda method, _path: method not in {"GET", "HEAD"}
    asked = len(proxy.log)
    verified = wsparquet(lake, "verify", lake.url, sources, "--output", "json")
    assert (verified.code, [each["kind"] for each in verified.json["problems"]]) == (1, ["stray"])
    assert verified.json["sources"] == len(list(sources.iterdir()))
    listed = wsparquet(lake, "clean", lake.url, "--older-than", "0s", "--output", "json")
    assert (listed.code, [each["path"] for each in listed.json["strays"]]) == (0, [PART])
    assert wsparquet(lake, "status", lake.url).code == 0
    assert wsparquet(lake, "convert", sources, "--to", lake.url, "--dry-run").code == 0
    assert {method for method, _, _ in proxy.log[asked:]} <= {"GET", "HEAD"}
    denied = wsparquet(lake, "clean", lake.url, "--older-than", "0s", "--delete")
    assert (denied.code, "AccessDenied" in denied.err) == (1, True)


def test_sync_to_s3_with_raw_files_there(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads, commits, state and raw files all lie in the bucket; status and list find them there."""
    with serving(EmulatorOptions(hours=4, size=20_000)) as emulator:
        for name, value in api_environment(emulator).items():
            monkeypatch.setenv(name, value)
        account = ("--account", emulator.options.account)
        raw = f"{lake.bucket.url}/raw"
        first = wsparquet(lake, "sync", *account, "--to", lake.url, "--raw", raw, "--output", "json")
        assert (first.code, len(first.json["downloaded"])) == (0, 4)
        second = wsparquet(lake, "sync", *account, "--to", lake.url, "--output", "json").json
        assert (second["present"], second["downloaded"]) == (4, [])
        assert "4 committed" in wsparquet(lake, "list", *account, "--to", lake.url).out
    assert len(lake.bucket.keys("raw/account/75555851/")) == 4
    assert lake.keys("_wsparquet/sync/") == ["_wsparquet/sync/75555851.json"]
    assert wsparquet(lake, "status", lake.url).code == 0
    assert wsparquet(lake, "verify", lake.url, "--against", raw).code == 0
    name = first.json["downloaded"][0]
    assert "removed" in wsparquet(lake, "remove", lake.url, "--yes", name).out
    assert name.removesuffix(".gz") not in " ".join(lake.data_files())
    lake.assert_at_rest()


@pytest.mark.parametrize(
    ("denied", "said"),
    [(None, "NoSuchBucket: .*check the bucket's name"), ("/typo", "InvalidAccessKeyId: .*check the credentials")],
)
def test_a_raw_place_that_cannot_be_is_said_once_and_never_made(
    lake: Lake, proxy: Proxy, tmp_path: Path, *, monkeypatch: pytest.MonkeyPatch, denied: str | None, said: str
) -> None:
    """A bucket that is not there, or not for us, is one message; nothing is downloaded, and no bucket is made."""
    if denied is not None:
        proxy.settings.denied = lambda _method, path: path.startswith(denied)
        proxy.settings.denial = (403, "InvalidAccessKeyId")
    before = [each["Name"] for each in lake.bucket.client.list_buckets()["Buckets"]]
    with serving(EmulatorOptions(hours=3, size=10_000)) as emulator:
        for name, value in api_environment(emulator).items():
            monkeypatch.setenv(name, value)
        account = ("--account", emulator.options.account)
        for command in (
            ("sync", *account, "--to", tmp_path / "lake", "--raw", "s3://typo/raw"),
            ("fetch", *account, "--into", "s3://typo/raw"),
        ):
            found = wsparquet(lake, *command, "--quiet")
            assert (found.code, found.out) == (1, "")
            assert re.fullmatch(f"wsparquet: cannot read s3://typo/raw/.*{said}[^\n]*\n", found.err), found.err
        assert not emulator.downloads
    assert [each["Name"] for each in lake.bucket.client.list_buckets()["Buckets"]] == before


def test_a_root_among_its_sources_is_none_of_them(lake: Lake, sources: Path) -> None:
    """`convert s3://bucket/ --to s3://bucket/lake` does not read what it wrote."""
    upload(lake, sources)
    for skipped in (0, SOURCES):
        found = wsparquet(lake, "convert", f"{lake.bucket.url}/", "--to", lake.url, "--output", "json").json
        assert (found["sources"], len(found["skipped"]), found["failed"]) == (SOURCES, skipped, [])


def test_copies_count_once(lake: Lake, tmp_path: Path) -> None:
    """As on a local disk: a copy is skipped unread later, and yields to the file with the API's name."""
    (path,) = generate(tmp_path, GenerateOptions(records=20))
    for name in ("copy.gz", f"{path.name}.1"):
        lake.bucket.put(f"raw/{name}", path.read_bytes())
    raw = f"{lake.bucket.url}/raw/"
    for committed, skipped in ((1, 1), (0, 2)):
        found = wsparquet(lake, "convert", raw, "--to", lake.url, "--output", "json").json
        assert (len(found["committed"]), len(found["skipped"]), found["failed"]) == (committed, skipped, [])
    lake.bucket.put(f"raw/{path.name}", path.read_bytes())
    wsparquet(lake, "convert", raw, "--to", lake.url)
    assert sum(map(len, lake.rows().values())) == 20
    assert wsparquet(lake, "verify", lake.url).code == 0
    removed = wsparquet(lake, "remove", lake.url, "--yes", "copy.gz", "--output", "json").json["removed"]
    assert sum(each["rows"] for each in removed) == 20
    assert lake.data_files() == []


def test_secrets_stay_out_of_everything_written(lake: Lake, sources: Path) -> None:
    """A presigned URL is read; neither its signature nor a credential is in any object, nor in what is said."""
    client = boto3.client(
        "s3",
        endpoint_url=lake.endpoint,
        region_name="us-east-1",
        aws_access_key_id="tester",
        aws_secret_access_key=SECRET,
    )
    upload(lake, sources)
    key = lake.bucket.keys("raw/")[0]
    url = client.generate_presigned_url("get_object", Params={"Bucket": lake.bucket.name, "Key": key})
    signature = url.partition("Signature=")[2].partition("&")[0]
    assert signature
    environment: dict[str, Any] = {
        "AWS_ACCESS_KEY_ID": "tester",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": lake.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with start("convert", url, "--to", lake.url, env=environment, stdout=-1, stderr=-1) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode in {0, 3}, err
    written = b"".join(lake.bucket.get(each) for each in lake.bucket.keys("lake/"))
    for secret in (signature, SECRET):
        assert secret.encode() not in out + err + written
    assert key.rpartition("/")[2].encode() in written
