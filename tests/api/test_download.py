"""Credentials, answers and retries, each by itself."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from wsparquet.api import ApiOptions, Credentials, Listing, Retry
from wsparquet.api.answers import error_of, links_of, merged, parse_listing
from wsparquet.api.client import _windows
from wsparquet.api.credentials import VARIABLES
from wsparquet.api.faults import FileGone, NoFiles, Transient
from wsparquet.api.retry import FIRST_SECONDS, parse_retry_after, retried
from wsparquet.api.trust import Trust
from wsparquet.errors import ApiError

TRUST = Trust(host="va.da.liveperson.net", base_url=None)
HREF = "https://va-a.da.liveperson.net/data_access_le/account/7/le/webSession/"
NAME = "WebSession.1467043200000.1467046800000.part-00000-0.gz"
KEY = {name: f"secret-{name}" for name in VARIABLES}


# --- Credentials ------------------------------------------------------------------------------------------------------


def test_credentials_show_nothing() -> None:
    """No secret is in what Python prints of credentials."""
    credentials = Credentials(**KEY)
    assert not [secret for secret in KEY.values() if secret in repr(credentials) + str(credentials)]


def test_credentials_come_from_the_environment_as_a_whole() -> None:
    """All four variables, or an error that names those that are missing and quotes none."""
    environ = {VARIABLES[name]: value for name, value in KEY.items()}
    assert Credentials.load(environ=environ) == Credentials(**KEY)
    with pytest.raises(ApiError, match="WSPARQUET_APP_SECRET, WSPARQUET_ACCESS_TOKEN missing") as caught:
        Credentials.load(environ={**environ, "WSPARQUET_APP_SECRET": "", "WSPARQUET_ACCESS_TOKEN": ""})
    assert "secret-" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Only the owner may read a file of secrets; the error has the command that mends it."""
    file = tmp_path / "key.toml"
    file.write_text("".join(f'{name} = "{value}"\n' for name, value in KEY.items()))
    file.chmod(mode)
    with pytest.raises(ApiError, match=f"chmod 600 {file}"):
        Credentials.load(file)
    file.chmod(0o600)
    assert Credentials.load(file) == Credentials(**KEY)


@pytest.mark.parametrize("text", ["app_key = secret-x", "\xff", "[app_key]\nx = 1", "app_key = 3", ""])
def test_a_file_that_is_none_quotes_nothing(tmp_path: Path, text: str) -> None:
    """A file without four texts is an error, in whose whole traceback no secret is."""
    file = tmp_path / "key.toml"
    file.write_text(text, encoding="latin-1")
    file.chmod(0o600)
    with pytest.raises(ApiError) as caught:
        Credentials.load(file)
    assert "secret-x" not in "".join(map(str, (caught.value, caught.value.__cause__)))


@pytest.mark.parametrize("value", ["x\n", " x", "a\nb", "\0"])
def test_odd_credentials_are_found_before_they_are_sent(value: str) -> None:
    """A secret with a line end, as files have them, is said to have one."""
    with pytest.raises(ApiError, match="app_secret"):
        Credentials(**{**KEY, "app_secret": value})


# --- Lists ------------------------------------------------------------------------------------------------------------


def listed(files: Any, *, account: str = "7", **more: Any) -> Listing:
    """A list as the server might write it, read for account 7."""
    body = json.dumps({"dataAccessFiles": {"@id": account, "file": files, **more}})
    return parse_listing(body.encode(), account="7", trust=TRUST, place="here")


def entry(name: str = NAME, **changes: Any) -> dict[str, Any]:
    """One file of a list."""
    dates = {"@scopeStartDate": "2016-06-27T12:00:00-04:00", "@scopeEndDate": "2016-06-27T13:00:00-04:00"}
    return {"@name": name, "@href": HREF + name, **dates, **changes}


def test_a_list_one_file_and_none() -> None:
    """Several files are a list, one may be an object, none null or left out."""
    assert len(listed([entry(), entry("x")]).files) == 2
    (file,) = listed(entry()).files
    assert (file.name, file.urls) == (NAME, (HREF + NAME,))
    assert file.start == datetime(2016, 6, 27, 16, tzinfo=UTC)
    assert file.end == datetime(2016, 6, 27, 17, tzinfo=UTC)
    assert listed(None) == listed([]) == Listing(())
    body = b'{"dataAccessFiles": {"@id": "7"}}'
    assert parse_listing(body, account="7", trust=TRUST, place="here") == Listing(())


@pytest.mark.parametrize("date", [None, "yesterday", "2016-06-27T12:00:00", 5])
def test_times_come_from_the_name_if_the_list_has_none(date: Any) -> None:
    """Dates that are missing, odd, or without a zone give way to the milliseconds in the name."""
    (file,) = listed(entry(**{"@scopeStartDate": date, "@scopeEndDate": date})).files
    assert file.start == datetime.fromtimestamp(1467043200, UTC)
    assert file.end == datetime.fromtimestamp(1467046800, UTC)
    (other,) = listed(entry("x.gz", **{"@scopeStartDate": date, "@scopeEndDate": date})).files
    assert (other.start, other.end) == (None, None)


@pytest.mark.parametrize("bad", [None, "x", 3, [], {"@name": NAME}, {"@href": HREF}, {"@name": 3, "@href": HREF}])
def test_entries_that_are_none_are_refused_alone(bad: object) -> None:
    """An entry without a name or an address is reported, and the others are there."""
    found = listed([bad, entry()])
    assert (len(found.files), len(found.refused)) == (1, 1)
    assert "@href" in found.refused[0].error


@pytest.mark.parametrize("body", [b'{"a": 1}', b"[]", b"3", b'{"dataAccessFiles": []}', b'{"dataAccessFiles": null}'])
def test_what_is_no_list_is_an_error(body: bytes) -> None:
    """JSON of another shape is an error that shows it."""
    with pytest.raises(ApiError, match="dataAccessFiles"):
        parse_listing(body, account="7", trust=TRUST, place="here")


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_may_pass(body: bytes) -> None:
    """An answer that is no JSON may be some proxy's, so it is worth another try."""
    with pytest.raises(Transient, match="expected JSON"):
        parse_listing(body, account="7", trust=TRUST, place="here")


def test_another_account_is_an_error() -> None:
    """A list of an account that was not asked for is not taken."""
    with pytest.raises(ApiError, match="expected account 7, found 8"):
        listed(entry(), account="8")
    for name, parse in (
        ("dataAccessFiles", lambda *args, **more: parse_listing(*args, trust=TRUST, **more)),
        ("le", links_of),
    ):
        for key in ("@id", "@accountId"):
            body = json.dumps({name: {key: "2"}}).encode()
            with pytest.raises(ApiError, match="expected account 1, found 2; check the account"):
                parse(body, account="1", place="here")
            parse(body, account="2", place="here")


def test_lists_are_united_by_name() -> None:
    """A name in two lists is one file, oldest first, with every different address."""
    late, early = entry("b"), entry("a", **{"@scopeStartDate": "2016-06-27T11:00:00-04:00"})
    other = entry("b", **{"@href": f"{HREF}elsewhere"})
    found = merged([listed([late, early]), listed([late]), listed([other, {}]), listed({})])
    assert [file.name for file in found.files] == ["a", "b"]
    assert found.files[1].urls == (f"{HREF}b", f"{HREF}elsewhere")
    assert len(found.refused) == 1


def test_windows_cover_a_range() -> None:
    """Windows are 7 days at most, each begins an hour before the last one's end, and none is missing."""
    end = datetime(2026, 1, 31, tzinfo=UTC)
    for days in (0.01, 1, 7, 7.01, 14, 30):
        windows = _windows(end - timedelta(days=days), end)
        assert (windows[0][0], windows[-1][1]) == (end - timedelta(days=days), end)
        assert all(timedelta(0) < until - since <= timedelta(days=7) for since, until in windows)
        assert all(two[0] == one[1] - timedelta(hours=1) for one, two in itertools.pairwise(windows))
    assert len(_windows(end - timedelta(days=30), end)) == 5


# --- Errors -----------------------------------------------------------------------------------------------------------

XML = "<?xml version='1.0'?><error><time>t</time><message>{}</message><internalCode>{}</internalCode></error>"


@pytest.mark.parametrize(
    ("status", "body", "code", "parts"),
    [
        (401, XML.format("no &amp; never", "0005"), "0005", ("no & never", "WSPARQUET_APP_SECRET", "clock")),
        (403, json.dumps({"error": {"message": "no", "internalCode": 7}}), "7", ("no", "permission|may read")),
        (404, json.dumps({"message": "no", "internalCode": "x"}), "x", ("account and the region",)),
        (429, "", None, ("`downloads`",)),
        (500, "<html><style>p{}</style><body>Oh\x1b[31m dear</body></html>", None, ("Oh\ufffd[31m dear", "later")),
        (400, XML.format("a\nb", ""), "", ("a b",)),
        (400, "<!DOCTYPE x [<!ENTITY a 'b'>]><error><message>&a;</message></error>", None, ("400",)),
        (400, "<error><message>cut", None, ("cut",)),
        (400, "x" * 100_000, None, ("xxx",)),
    ],
)
def test_errors_in_every_form(status: int, body: str, code: str | None, parts: tuple[str, ...]) -> None:
    """XML, JSON and anything else become one error with status, code, words and what to do, on one line."""
    error = error_of(status, body.encode(), "here")
    assert (type(error), error.status, error.internal_code) == (ApiError, status, code)
    assert str(error).isprintable()
    assert len(str(error)) < 800
    for part in parts:
        assert any(each in str(error) for each in part.split("|")), str(error)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_no_files_are_no_error(status: int) -> None:
    """The server's way to say that there is nothing is told apart, whatever status it has."""
    assert type(error_of(status, XML.format("No Available Files found", "1").encode(), "here")) is NoFiles
    assert type(error_of(410, b"", "here")) is FileGone


# --- Retries ----------------------------------------------------------------------------------------------------------


def tried(failures: Sequence[Exception], *, answered: bool = True, **options: Any) -> tuple[object, list[Retry]]:
    """What comes of a call that fails so often, and what was told meanwhile."""
    left = list(failures)
    told: list[Retry] = []

    async def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    try:
        result: object = asyncio.run(
            retried(
                call, "http://x/y?z", options=ApiOptions(**options), on_retry=told.append, answered=lambda: answered
            )
        )
    except ApiError as error:
        result = error
    return result, told


def broken(**more: Any) -> Transient:
    """A failure that may pass."""
    return Transient(ApiError("it failed", status=500), **more)


def test_pauses_are_the_vendors() -> None:
    """After failures of the server the pauses are 1, 2 and 3 units, then twice the last one, plus at most a fifth."""
    result, told = tried([broken()] * 6, pause_seconds=0.01)
    assert result == "done"
    assert [retry.number for retry in told] == [1, 2, 3, 4, 5, 6]
    for retry, units in zip(told, (1, 2, 3, 6, 12, 24), strict=True):
        assert 0.01 * units <= retry.wait_seconds <= 0.012 * units
    assert {(retry.url, retry.reason) for retry in told} == {("http://x/y", "it failed")}


def test_tries_are_counted_and_end() -> None:
    """After the last try the error says how often it was tried, and keeps its status."""
    result, told = tried([broken()] * 9, tries=3, pause_seconds=0.001)
    assert isinstance(result, ApiError)
    assert (result.status, len(told)) == (500, 2)
    assert "tried 3 times" in str(result)


def test_a_host_that_was_never_reached_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a request is answered, an unreachable host is tried briefly and quietly; afterwards as ever."""
    assert FIRST_SECONDS + 5 <= 30
    monkeypatch.setattr("wsparquet.api.retry.FIRST_SECONDS", 0.2)
    unreachable = [broken(unreachable=True)] * 20
    result, told = tried(unreachable, answered=False, pause_seconds=0.05, tries=50)
    assert ("it failed (tried" in str(result), told) == (True, [])
    result, told = tried(unreachable[:4], answered=True, pause_seconds=0.05)
    assert (result, len(told)) == ("done", 4)
    result, told = tried([broken()] * 4, answered=False, pause_seconds=0.05)
    assert (result, len(told)) == ("done", 4)


def test_refusals_are_not_tried_again() -> None:
    """An error that is no failure ends it at once."""
    result, told = tried([ApiError("no", status=403)], pause_seconds=0.001)
    assert (str(result), told) == ("no", [])


def test_a_busy_server_is_left_alone_for_as_long_as_it_says() -> None:
    """Retry-After is waited for in full; without it a fifth of the unit; too long a wait is given up at once."""
    _, (told,) = tried([broken(busy=True, retry_after=0.05)], pause_seconds=0.001)
    assert 0.05 <= told.wait_seconds < 0.06
    _, (told,) = tried([broken(busy=True)], pause_seconds=0.05)
    assert 0.01 <= told.wait_seconds <= 0.012
    result, none = tried([broken(busy=True, retry_after=1000)], total_seconds=900)
    assert ("too late" in str(result), none) == (True, [])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        (" 0 ", 0),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 01:00:10 +0100", 10),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        (None, None),
    ],
)
def test_retry_after_has_two_forms(value: str | None, seconds: float | None) -> None:
    """Seconds or a date; a date in the past is now, anything else nothing."""
    assert parse_retry_after(value, now=datetime(2026, 1, 1, tzinfo=UTC)) == seconds
