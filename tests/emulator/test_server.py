"""wsparquet/emulator: a server that behaves as the Data Access API is known to."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from oauthlib import oauth1

from wsparquet.emulator import DEMO, Emulator, EmulatorOptions, serving

HOUR = 3600
START = time.time()


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """A server with a few files."""
    with serving(EmulatorOptions(hours=3, size=20_000)) as found:
        yield found


def signed(url: str, **changes: Any) -> dict[str, str]:
    """The headers of a signed GET."""
    given = {
        "client_key": DEMO.app_key,
        "client_secret": DEMO.app_secret,
        "resource_owner_key": DEMO.access_token,
        "resource_owner_secret": DEMO.access_token_secret,
        **changes,
    }
    _, headers, _ = oauth1.Client(given.pop("client_key"), **given).sign(url)
    return dict(headers)


def get(url: str, headers: dict[str, str] | None = None, **more: str) -> tuple[int, bytes, Any]:
    """An answer's status, body and headers."""
    given = signed(url) if headers is None else headers
    request = urllib.request.Request(url, headers={**given, **{name.replace("_", "-"): more[name] for name in more}})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def list_url(emulator: Emulator, *, days: float = 1) -> str:
    """The address of the list of the last days."""
    now = int(emulator.options.now() * 1000)
    return f"{emulator.resource}/webSession?startTime={now - int(days * 86_400_000)}&endTime={now}"


def listed(emulator: Emulator, **options: Any) -> dict[str, Any]:
    """The list."""
    status, body, _ = get(list_url(emulator, **options))
    assert status == 200, body
    found = json.loads(body)["dataAccessFiles"]
    assert isinstance(found, dict)
    return found


def test_a_good_signature_is_accepted_once(emulator: Emulator) -> None:
    """A signed request is answered; the same one again is not."""
    url = list_url(emulator)
    headers = signed(url)
    assert [get(url, headers)[0] for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(
    "changes",
    [
        {"client_key": "x"},
        {"client_secret": "x"},
        {"resource_owner_key": "x"},
        {"resource_owner_secret": "x"},
        {"timestamp": "-1000"},
        {"timestamp": "+1000"},
        {"timestamp": "soon"},
    ],
)
def test_a_wrong_signature_is_refused(emulator: Emulator, changes: dict[str, str]) -> None:
    """Each wrong part of a signature is a 401 with the API's XML error."""
    url = list_url(emulator)
    if changes.get("timestamp") in {"-1000", "+1000"}:
        # Relative to now, because the tests were collected long ago.
        changes = {"timestamp": str(int(time.time()) + int(changes["timestamp"]))}
    status, body, _ = get(url, signed(url, **changes))
    assert status == 401
    assert b"<internalCode>" in body


def test_no_signature_and_one_of_another_request_are_refused(emulator: Emulator) -> None:
    """For lists, downloads and everything else."""
    url = list_url(emulator)
    file = listed(emulator)["file"][0]["@href"]
    for place in (url, file, emulator.resource, f"{emulator.resource}/schema?schemaId=latest"):
        assert get(place, {})[0] == 401
        assert get(place, signed(f"{place}x"))[0] == 401
        assert get(place)[0] == 200


def test_the_list_has_the_documented_form(emulator: Emulator) -> None:
    """Names, Eastern dates that are the instants of the name, and addresses, oldest first."""
    found = listed(emulator)
    assert (found["@id"], found["link"]["@rel"], len(found["file"])) == ("75555851", "self", 3)
    for file in found["file"]:
        start, end = (datetime.fromisoformat(file[f"@scope{which}Date"]) for which in ("Start", "End"))
        assert file["@name"].startswith(f"WebSession.{int(start.timestamp() * 1000)}.{int(end.timestamp() * 1000)}.")
        assert start.utcoffset() in {timedelta(hours=-4), timedelta(hours=-5)}
        assert file["@href"] == f"{emulator.resource}/webSession/{file['@name']}"


def test_one_file_is_an_object_and_none_an_error() -> None:
    """As XML made into JSON has it; an empty range has a status of its own."""
    with serving(EmulatorOptions(hours=1, size=100, errors="json")) as emulator:
        assert isinstance(listed(emulator)["file"], dict)
        status, body, _ = get(list_url(emulator, days=0.001))
        assert (status, json.loads(body)["error"]["message"]) == (404, "No Available Files")


@pytest.mark.parametrize("query", ["", "?startTime=1", "?startTime=x&endTime=2"])
def test_both_times_are_required(emulator: Emulator, query: str) -> None:
    """A list without them is a 400."""
    assert get(f"{emulator.resource}/webSession{query}")[0] == 400


def test_what_the_api_refuses(emulator: Emulator) -> None:
    """Another account, an unknown file, and `Accept: application/gzip`."""
    assert get(emulator.resource.replace("75555851", "1"))[0] == 403
    assert get(f"{emulator.resource}/webSession/x.gz")[0] == 404
    url = list_url(emulator)
    assert get(url, Accept="application/gzip")[0] == 406


def test_downloads_know_ranges(emulator: Emulator) -> None:
    """A file whole, its rest as a 206, and a range behind its end as a 416 that says how long it is."""
    url = listed(emulator)["file"][0]["@href"]
    status, data, headers = get(url)
    assert (status, int(headers["Content-Length"])) == (200, len(data))
    status, rest, headers = get(url, Range=f"bytes={len(data) - 10}-")
    assert (status, rest) == (206, data[-10:])
    assert headers["Content-Range"] == f"bytes {len(data) - 10}-{len(data) - 1}/{len(data)}"
    status, _, headers = get(url, Range=f"bytes={len(data)}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(data)}")


def test_files_come_late_and_expire() -> None:
    """Ten minutes after its hour, or up to six hours later; thirty days after that a file is gone."""
    now = [START]
    with serving(EmulatorOptions(hours=4, size=100, now=lambda: now[0])) as emulator:
        first = set(emulator.catalogue.files())
        now[0] += HOUR
        assert len(set(emulator.catalogue.files()) - first) == 1
        now[0] += 30 * 24 * HOUR
        assert not first & set(emulator.catalogue.files())
    now[0] = START
    with serving(EmulatorOptions(hours=4, size=100, late=1.0, now=lambda: now[0])) as emulator:
        before = set(emulator.catalogue.files())
        assert len(before) < 4
        now[0] += 6 * HOUR
        assert before < set(emulator.catalogue.files())


def test_the_same_options_give_the_same_files() -> None:
    """Names and bytes depend on options and clock alone; another seed gives others."""
    contents = []
    for seed in (0, 0, 1):
        with serving(EmulatorOptions(files=3, parts=2, size=5000, seed=seed, now=lambda: START)) as emulator:
            files = emulator.catalogue.files()
            contents.append({name: emulator.catalogue.path(entry).read_bytes() for name, entry in files.items()})
    assert len(contents[0]) == 3
    assert contents[0] == contents[1]
    assert contents[0].keys() == contents[2].keys()
    assert contents[0] != contents[2]
