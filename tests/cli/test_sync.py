"""`wsparquet sync`, `fetch`, `list`, `status` and `serve`, as a user runs them."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Ran, forked, run, start
from tests.support.at_rest import files_below
from tests.system.helpers import rows_on_disk
from wsparquet.api.credentials import VARIABLES
from wsparquet.emulator import DEMO, Emulator, EmulatorOptions, serving

ACCOUNT = "75555851"
BLANK_MEMBER = gzip.compress(b"\n")
SECRETS = {variable: getattr(DEMO, name) for name, variable in VARIABLES.items()}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in SECRETS.items():
        monkeypatch.setenv(variable, value)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A server with a few files."""
    with serving(EmulatorOptions(hours=3, size=20_000)) as found:
        yield found


def ask(emulator: Emulator, command: str, *arguments: object) -> Ran:
    """A command that speaks with the emulator; its output never quotes a secret."""
    found = run(command, "--account", ACCOUNT, "--base-url", emulator.base_url, "--pause", "0.01", *arguments)
    for secret in (*SECRETS.values(), "oauth_"):
        assert secret not in found.out + found.err
    return found


def test_sync_says_what_it_did(tmp_path: Path, emulator: Emulator) -> None:
    """The first run converts everything, the second has nothing to do; text and JSON say so."""
    first = ask(emulator, "sync", "--to", tmp_path / "lake", "--verbose")
    assert first.code == 0
    assert "3 files listed, 0 committed already, 3 downloaded" in first.out
    assert "3 sources: 3 converted" in first.out
    assert first.err.count("committed: ") == 3
    second = ask(emulator, "sync", "--to", tmp_path / "lake", "--output", "json").json
    assert (second["listed"], second["present"], second["downloaded"]) == (3, 3, [])
    assert len(rows_on_disk(tmp_path / "lake")) == 3


def test_a_synchronization_can_end_with_a_compaction(tmp_path: Path, emulator: Emulator) -> None:
    """The summary has its result, also if there was nothing to synchronize; young days are left."""
    for converted in (3, 0):
        found = ask(emulator, "sync", "--to", tmp_path / "lake", "--compact", "--output", "json").json
        assert len(found["conversion"]["committed"]) == converted
        assert found["conversion"]["compaction"]["days"] == 0
    assert "nothing to merge" in ask(emulator, "sync", "--to", tmp_path / "lake", "--compact").out


def test_log_lines_are_json_if_asked_for(tmp_path: Path) -> None:
    """With --log-format json lines on standard error are objects with time, level and event; --quiet leaves trouble."""
    options = EmulatorOptions(hours=3, size=20_000, faults={"500": 1.0}, most_faults=1)
    with serving(options) as emulator:
        loud = ask(emulator, "sync", "--to", tmp_path / "lake", "--log-format", "json")
        quiet = ask(emulator, "sync", "--to", tmp_path / "other", "--log-format", "json", "--quiet")
    events = [json.loads(line) for line in loud.err.splitlines()]
    assert {"time", "level", "event"} <= set.intersection(*(set(event) for event in events))
    kinds = [event["event"] for event in events]
    assert (kinds.count("found"), kinds.count("downloaded"), kinds.count("committed")) == (1, 3, 3)
    assert {event["level"] for event in events if event["event"] == "retried"} == {"warning"}
    assert {json.loads(line)["event"] for line in quiet.err.splitlines()} == {"retried"}


def test_log_lines_tell_what_was_replaced(tmp_path: Path, emulator: Emulator) -> None:
    """A file that has other rows now is the event `replaced`, with the rows before and now."""
    ask(emulator, "sync", "--to", tmp_path / "lake")
    one, other = sorted(emulator.catalogue.files())[:2]
    emulator.catalogue.put(one, emulator.catalogue.path(emulator.catalogue.files()[other]).read_bytes() + BLANK_MEMBER)
    found = ask(emulator, "sync", "--to", tmp_path / "lake", "--recheck", "--log-format", "json")
    (event,) = [each for line in found.err.splitlines() if (each := json.loads(line))["event"] == "replaced"]
    rows = rows_on_disk(tmp_path / "lake")
    assert event["name"] == one
    assert event["rows"] == sum(map(len, rows[one].values())) == sum(map(len, rows[other].values()))
    assert event["rows_before"] > 0


def test_a_wrong_key_says_what_to_check(tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused signature is one line that names the variables, and exit code 1; no secret is in it."""
    monkeypatch.setenv("WSPARQUET_APP_SECRET", "sesame-open")
    found = ask(emulator, "sync", "--to", tmp_path / "lake")
    assert (found.code, len(found.err.splitlines())) == (1, 1)
    assert "401" in found.err
    assert "WSPARQUET_ACCESS_TOKEN_SECRET" in found.err
    assert "sesame" not in found.err + found.out


def test_missing_credentials_are_named(tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the message names those that are missing."""
    monkeypatch.delenv("WSPARQUET_ACCESS_TOKEN")
    found = ask(emulator, "sync", "--to", tmp_path / "lake")
    assert found.code == 2
    assert "found WSPARQUET_ACCESS_TOKEN missing" in found.err
    assert not (tmp_path / "lake").exists()


def test_credentials_come_from_a_private_file(
    tmp_path: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TOML file of mode 600 will do; one that others can read will not."""
    for variable in SECRETS:
        monkeypatch.delenv(variable)
    file = tmp_path / "key.toml"
    file.write_text("".join(f'{name} = "{getattr(DEMO, name)}"\n' for name in VARIABLES))
    file.chmod(0o644)
    refused = ask(emulator, "list", "--credentials", file)
    assert (refused.code, f"chmod 600 {file}" in refused.err) == (2, True)
    missing = ask(emulator, "list", "--credentials", tmp_path / "nothere.toml")
    assert (missing.code, "nothere.toml: expected a file with credentials" in missing.err) == (2, True)
    none = ask(emulator, "list")
    assert (none.code, "expected four credentials, found WSPARQUET_APP_KEY" in none.err) == (2, True)
    file.chmod(0o600)
    assert ask(emulator, "list", "--credentials", file).code == 0


def test_a_profile_of_the_file_is_chosen(tmp_path: Path, emulator: Emulator) -> None:
    """`--profile`, or else WSPARQUET_PROFILE, chooses a table of the file; an unknown name is wrong usage."""
    file = tmp_path / "keys.toml"
    good = "".join(f'{name} = "{getattr(DEMO, name)}"\n' for name in VARIABLES)
    wrong = "".join(f'{name} = "s3same"\n' for name in VARIABLES)
    file.write_text(f"{wrong}[uk]\n{good}[us]\n{wrong}")
    file.chmod(0o600)
    asking = ("list", "--account", ACCOUNT, "--base-url", emulator.base_url, "--credentials", file)
    unknown = f"{file}: expected the profile [fr], found none; its profiles are uk, us; choose one by --profile"
    for arguments, profile, code, said in (
        (("--profile", "uk"), "us", 0, ""),
        ((), "uk", 0, ""),
        ((), "us", 1, "401"),
        (("--profile", "fr"), "uk", 2, unknown),
    ):
        env = dict.fromkeys(SECRETS, "") | ({"WSPARQUET_PROFILE": profile} if profile else {})
        found = forked(*asking, *arguments, env=env)
        assert (found.code, said in found.err, "s3same" in found.out + found.err) == (code, True, False), found.err
        assert found.out.count("WebSession.") == (3 if code == 0 else 0)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--account", "1/../2", "--to", "lake"], "letters and digits"),
        (["--account", "1", "--to", "lake", "--since", "soon"], "expected a time"),
        (["--account", "1", "--to", "lake", "--every", "0h"], "expected a duration"),
        (["--account", "1", "--to", "lake", "--region", "us", "--base-url", "https://x.example"], "found both"),
        (["--account", "1", "--to", "lake", "--since", "1d", "--until", "2d"], "expected --since before --until"),
        (["--account", "1", "--to", "lake", "--since", "2100-01-01"], "expected --since before --until"),
        (["--to", "lake"], "--account"),
    ],
)
def test_wrong_usage(arguments: list[str], what: str) -> None:
    """What cannot be meant is wrong usage, with exit code 2."""
    found = run("sync", *arguments)
    assert (found.code, what in found.err) == (2, True)


@pytest.mark.parametrize(
    "url", ["localhost:18080", "http://example.com", "https://u:p@example.com", "https://x.example/path", "ftp://x"]
)
def test_a_base_url_must_be_one(tmp_path: Path, url: str) -> None:
    """Only https, or http on this machine, and nothing but a host."""
    found = run("sync", "--account", "1", "--to", tmp_path / "lake", "--base-url", url)
    assert (found.code, "--base-url" in found.err) == (2, True)


def test_list_says_what_is_missing(tmp_path: Path, emulator: Emulator) -> None:
    """Files are missing before a run and committed after it; without a root all are missing."""
    assert "0 committed, 3 missing, 0 failed" in ask(emulator, "list").out
    bad = next(iter(emulator.catalogue.files()))
    emulator.catalogue.put(bad, b"\x1f\x8b not gzip")
    assert ask(emulator, "sync", "--to", tmp_path / "lake", "--since", "2d").code == 1
    text = ask(emulator, "list", "--to", tmp_path / "lake").out
    assert "2 committed, 0 missing, 1 failed" in text
    assert "there until" in text
    files = ask(emulator, "list", "--to", tmp_path / "lake", "--output", "json").json["files"]
    assert {file["name"]: file["state"] for file in files}[bad] == "failed"
    assert all((file["size"] is not None) == (file["state"] == "committed") for file in files)


def test_list_missing_has_only_what_the_root_lacks(tmp_path: Path, emulator: Emulator) -> None:
    """Missing and failed files are listed, committed ones only counted; without a root that is wrong usage."""
    assert ask(emulator, "sync", "--to", tmp_path / "lake").code == 0
    bad, new = (f"WebSession.{number}.{number + 1}.part-00000-0.gz" for number in (1, 2))
    emulator.catalogue.put(bad, b"\x1f\x8b not gzip")
    assert ask(emulator, "sync", "--to", tmp_path / "lake").code == 1
    emulator.catalogue.put(new, b"later")
    text = ask(emulator, "list", "--to", tmp_path / "lake", "--missing").out.splitlines()
    assert text[0].endswith("5 files on the server: 3 committed, 1 missing, 1 failed")
    assert sorted((line.split()[0], line.partition("WebSession")[2].split()[0]) for line in text[1:]) == [
        ("failed", bad.removeprefix("WebSession")),
        ("missing", new.removeprefix("WebSession")),
    ]
    found = ask(emulator, "list", "--to", tmp_path / "lake", "--missing", "--output", "json").json
    assert (found["listed"], {file["name"] for file in found["files"]}) == (5, {bad, new})
    everything = ask(emulator, "list", "--to", tmp_path / "lake", "--output", "json").json
    assert (everything["listed"], len(everything["files"])) == (5, 5)
    assert {file["name"] for file in everything["files"] if file["state"] != "committed"} == {bad, new}
    alone = ask(emulator, "list", "--missing")
    assert (alone.code, "expected --to ROOT with --missing" in alone.err) == (2, True)


def test_fetch_downloads_and_converts_nothing(tmp_path: Path, emulator: Emulator) -> None:
    """Files lie below the account's folder; the second time nothing is asked for."""
    first = ask(emulator, "fetch", "--into", tmp_path / "raw", "--output", "json").json
    assert (len(first["downloaded"]), first["retries"]) == (3, 0)
    assert files_below(tmp_path) == [f"raw/account/{ACCOUNT}/{name}" for name in sorted(first["downloaded"])]
    before = len(emulator.log)
    second = ask(emulator, "fetch", "--into", tmp_path / "raw")
    assert "3 there already, 0 downloaded" in second.out
    assert sum("/webSession/" in request.path for request in emulator.log[before:]) == 0
    assert run("convert", tmp_path / "raw", "--to", tmp_path / "lake", "--quiet").code == 0


def test_fetch_counts_what_was_tried_again(tmp_path: Path) -> None:
    """Faults that were overcome are said, as with sync."""
    with serving(EmulatorOptions(hours=3, size=20_000, faults={"503": 1.0}, most_faults=1)) as emulator:
        found = ask(emulator, "fetch", "--into", tmp_path / "raw", "--output", "json", "--verbose")
        asked = sum(request.status == 503 for request in emulator.log)
    assert (found.code, found.json["retries"]) == (0, asked)
    assert found.err.count("retried: WebSession.") == 3


def test_status_is_fit_for_a_monitor(tmp_path: Path, emulator: Emulator) -> None:
    """0 after a run, 1 when too old or when a file has failed for too long, with the day until which it can be had."""
    ask(emulator, "sync", "--to", tmp_path / "lake")
    fresh = run("status", tmp_path / "lake")
    assert (fresh.code, ": ok\n" in fresh.out, "hours covered: 3 in 3 commits" in fresh.out) == (0, True, True)
    time.sleep(1.1)
    stale = run("status", tmp_path / "lake", "--stale", "1s", "--output", "json")
    assert (stale.code, stale.json["accounts"][0]["stale"]) == (1, True)
    bad = list(emulator.catalogue.files())[-1]
    emulator.catalogue.put(f"{bad.removesuffix('-0.gz')}-1.gz", b"<html>")
    ask(emulator, "sync", "--to", tmp_path / "lake")
    assert run("status", tmp_path / "lake").code == 0
    time.sleep(1.1)
    failing = run("status", tmp_path / "lake", "--failing", "1s")
    assert (failing.code, "there until 20" in failing.out) == (1, True)


@pytest.mark.parametrize(
    ("url", "reason"), [("https://nowhere.invalid", "Name or service"), ("http://127.0.0.1:1", "Connect call failed")]
)
def test_a_host_that_cannot_be_reached_is_one_message(
    url: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown host and a refused connection end a first run soon, with one line that says what to check."""
    monkeypatch.setattr("wsparquet.api.retry.FIRST_SECONDS", 0.2)
    found = run("sync", "--account", ACCOUNT, "--base-url", url, "--to", tmp_path / "lake", "--pause", "0.05")
    assert (found.code, found.out, found.err.count("\n")) == (1, "", 1)
    assert f"expected a connection, found: {reason}" in found.err or "resolution" in found.err
    assert "check the address (--region, --base-url), the connection, and the proxy (tried " in found.err
    assert list(tmp_path.iterdir()) == []


def test_sync_repeats_until_interrupted(tmp_path: Path, emulator: Emulator) -> None:
    """With --every there is a summary a run, one line each in JSON, until a signal ends it."""
    arguments = (
        "sync",
        "--account",
        ACCOUNT,
        "--base-url",
        emulator.base_url,
        "--to",
        tmp_path / "lake",
        "--pause",
        "0.01",
    )
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": SECRETS}
    with start(*arguments, "--every", "1s", "--output", "json", **options) as process:
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
        emulator.catalogue.put("late.gz", b"\x1f\x8b no gzip")
        # A run that had already listed the server's files does not see the new one.
        while not lines[-1]["failed"] and len(lines) < 30:
            lines.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    # The next run may have begun by then.
    assert (process.returncode, out.count(b"\n") <= 1, b"Traceback" in err) == (130, True, False), err
    assert [len(line["downloaded"]) for line in lines] == [3, *[0] * (len(lines) - 1)]
    assert [len(line["failed"]) for line in lines] == [*[0] * (len(lines) - 1), 1]


def test_serve_is_a_server_until_it_is_stopped(tmp_path: Path) -> None:
    """What it prints is enough to synchronise with it, and a signal ends it well."""
    with start("serve", "--hours", "2", "--size", "10k", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        assert server.stdout is not None
        url, *exports = [server.stdout.readline().decode().strip() for _ in range(5)]
        environment = dict(line.removeprefix("export ").split("=", 1) for line in exports)
        found = forked(
            "sync", "--account", ACCOUNT, "--base-url", url, "--to", tmp_path / "lake", "--output", "json",
            env={**os.environ, **environment},
        )  # fmt: skip
        server.send_signal(signal.SIGTERM)
        _, err = server.communicate(timeout=30)
    assert (found.code, len(found.json["conversion"]["committed"])) == (0, 2)
    assert (server.returncode, err) == (0, b"")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--port", "{used}"), "Address already in use; choose another --port"),
        (("--host", "192.0.2.1"), "Cannot assign requested address; choose a --host"),
        (("--host", "nowhere.invalid"), "choose a --host that is an address of this machine"),
        (("--host", "a..b"), "choose a --host that is an address of this machine"),
    ],
)
def test_serve_says_where_it_cannot_listen(options: tuple[str, str], said: str, emulator: Emulator) -> None:
    """An address that is taken, somebody else's or none is one line and exit code 1."""
    used = emulator.base_url.rpartition(":")[2]
    found = forked("serve", *(each.format(used=used) for each in options))
    assert (found.code, found.out, found.err.count("\n")) == (1, "", 1)
    assert found.err.startswith("wsparquet: ")
    assert said in found.err


# Another user may not be allowed to read the libraries, so they are loaded before.
UNPRIVILEGED = """
import asyncio, os, sys
import wsparquet.api, wsparquet.emulator
from wsparquet.cli import main
os.seteuid(65534)
sys.argv[0] = "wsparquet"
main()
"""
FIRST_FREE = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


@pytest.mark.skipif(os.geteuid() != 0, reason="a user that may be another one is needed")
@pytest.mark.skipif(not FIRST_FREE.exists() or int(FIRST_FREE.read_text()) <= 80, reason="anybody may use port 80 here")
def test_serve_says_that_a_port_is_not_for_everybody() -> None:
    """Port 80 without permission is one line, too."""
    command = [sys.executable, "-c", UNPRIVILEGED, "serve", "--port", "80"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (1, "", 1)
    assert "Permission denied; choose a --port of 1024 or more" in found.stderr


def test_serve_refuses_what_it_cannot() -> None:
    """A fault that is none, or no probability, is wrong usage."""
    for fault in ("earthquake=0.1", "500", "500=2"):
        assert run("serve", "--fault", fault).code == 2
