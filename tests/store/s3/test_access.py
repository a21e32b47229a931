"""Roots on S3 that cannot be reached: what is said names the remedy, and no secret."""

from __future__ import annotations

import html
import json
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from multidict import CIMultiDict

from tests.cli.program import Ran, run
from tests.dataset.helpers import put
from tests.store.s3.lake import Lake
from tools.s3.proxy import Answer, Proxy
from tools.s3.server import SECRET
from wsparquet.dataset import Access, Root
from wsparquet.errors import DatasetError
from wsparquet.source import Failed, expand
from wsparquet.store.s3.options import StorageOptions

PASSWORD = "hunter2-pass/word"


def opened(lake: Lake, **options: Any) -> Root:
    """The root with other options."""
    return Root.open(lake.url, access=Access({**lake.options, **options}, patience_seconds=1.0))


def by_command(lake: Lake, option: str, *arguments: str) -> Ran:
    """What the program says that is given the option after those that would do."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in lake.options.items()}
    options = [*(f"{name}={value}" for name, value in texts.items()), option]
    command = arguments or ("verify", lake.url, "--quiet")
    return run(*command, *(each for text in options for each in ("--storage-option", text)))


@pytest.mark.parametrize(
    "address",
    [
        f"http://user:{PASSWORD}@ho st",
        f"user:{PASSWORD}@host",
        f"http://user:{PASSWORD}@127.0.0.1:9",
        f"http://127.0.0.1:9/?sig={PASSWORD}",
        f"user:{PASSWORD}@host:9000/path",
    ],
)
@pytest.mark.parametrize("where", ["endpoint_url", "client_kwargs"])
def test_secrets_of_an_endpoint_are_never_said(lake: Lake, address: str, where: str) -> None:
    """However it is mistyped, no part of a password is in the error, nor the access key's secret."""
    options = {"endpoint_url": address} if where == "endpoint_url" else {"client_kwargs": {"endpoint_url": address}}
    if where == "client_kwargs":
        options["endpoint_url"] = None  # type: ignore[assignment]
    with pytest.raises(DatasetError, match=r"^cannot read s3://.*; check the endpoint") as caught:
        opened(lake, **options)
    said = str(caught.value) + "".join(traceback.format_exception(caught.value, limit=0))
    assert not any(piece in said for piece in (SECRET, "hunter2", "pass/word"))


def test_the_program_says_no_password(lake: Lake) -> None:
    """Neither of an address that cannot be one, nor of one without a scheme."""
    put(lake.open(), seed=1)
    for endpoint in ("http://user:hunter2@ho st", "user:hunter2@host"):
        found = by_command(lake, f"endpoint_url={endpoint}")
        assert (found.code, "Invalid endpoint" in found.err) == (1, True)
        assert "hunter2" not in found.out + found.err
        source = by_command(lake, f"endpoint_url={endpoint}", "inspect", f"{lake.bucket.url}/raw/x.gz")
        assert (source.code, "hunter2" in source.out + source.err) == (1, False)


def test_every_spelling_of_a_secret_is_hidden() -> None:
    """As it was given, as a URL, Python or JSON spells it, wherever the options hold it."""
    options = StorageOptions.checked(
        {
            "secret": "a'b\\c d",
            "client_kwargs": {"aws_session_token": "tok+en/1", "endpoint_url": "http://me:p%40ss@host"},
            "s3_additional_kwargs": {"SSECustomerKey": "customer"},
        }
    )
    text = "a'b\\c d, a%27b%5Cc%20d, \"a'b\\\\c d\", tok+en/1, tok%2Ben%2F1, p@ss, p%40ss, customer; host"
    assert options.hide(text).replace("***", "") == ', , "", , , , , ; host'


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("foo=bar", "'foo'.*expected storage options of s3fs, found .*foo"),
        ("endpoint-url=http://127.0.0.1:9", "'endpoint-url'.*found .*endpoint-url"),
        ("max_concurrency=abc", "storage option max_concurrency: expected a whole number of 1 or more, found 'abc'"),
        ("default_block_size=0", "storage option default_block_size: expected a whole number"),
        ("client_kwargs=abc", "storage option client_kwargs: expected a JSON object"),
        ('client_kwargs={"aws_secret_access_key":"hunter2"', "storage option client_kwargs: expected a JSON object"),
        ('client_kwargs={"foo":1}', "'foo'.*expected storage options of s3fs, found .*client_kwargs"),
        ('client_kwargs={"region_name":5}', "expected storage options of s3fs"),
        ('config_kwargs={"foo":1}', "'foo'.*expected storage options of s3fs, found .*config_kwargs"),
        ('config_kwargs={"s3":"x"}', "expected storage options of s3fs"),
        ("config_kwargs=[]", "storage option config_kwargs: expected a JSON object"),
        ("s3_additional_kwargs=abc", "storage option s3_additional_kwargs: expected a JSON object"),
        ('endpoint_url={"a":1}', "expected storage options of s3fs"),
        ("asynchronous=true", "found asynchronous: .*; leave it out"),
        ("session=x", "found session: .*profile=NAME; leave it out"),
        ("loop=x", "found loop: .*; leave it out"),
        ("username=x", "expected storage options of s3fs"),
    ],
)
def test_storage_options_that_cannot_work(lake: Lake, option: str, said: str) -> None:
    """One line says which option it is and where options are explained, for a mistyped one of any kind."""
    found = by_command(lake, option)
    assert (found.code, found.err.count("\n"), "Traceback" in found.err) == (1, 1, False), found.err
    with pytest.raises(DatasetError, match=said):
        raise DatasetError(found.err)
    assert SECRET not in found.err
    assert "hunter2" not in found.err


def test_numbers_may_be_text(lake: Lake) -> None:
    """A command line gives nothing else."""
    put(opened(lake, max_concurrency="2", default_block_size="5242880"), seed=1)
    assert len(lake.rows()["geo"]) == 20


# --- Secrets that the store sends back --------------------------------------------------------------------------------

TOKEN = "t0ken+/of=a&session"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "keyid/of+environment",
    "AWS_SECRET_ACCESS_KEY": "secret/of+environment",
    "AWS_SESSION_TOKEN": "token/of+environment",
}
ECHO = " ".join((SECRET, TOKEN, quote(TOKEN, safe=""), *ENVIRONMENT.values(), *map(quote, ENVIRONMENT.values())))
PIECES = ("s3cr3t", "t0ken", "of+env", "of%2Benv")
XML = html.escape(ECHO)


def error(status: int, *, code: str = "AccessDenied", message: str = "no", more: str = "") -> Answer:
    """An error of the store."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"
    return Answer(status, CIMultiDict({"Content-Type": "application/xml"}), body.encode())


def listing(**fields: str) -> Answer:
    """A page of a listing."""
    texts = "".join(
        f"<{name}>{text}</{name}>" for name, text in {"Name": "x", "IsTruncated": "false", **fields}.items()
    )
    body = f"<ListBucketResult>{texts}</ListBucketResult>"
    return Answer(200, CIMultiDict({"Content-Type": "application/xml"}), body.encode())


ANSWERS = {
    "message": error(403, message=XML),
    "message of a missing bucket": error(404, code="NoSuchBucket", message=XML),
    "code": error(400, code=XML),
    "another field": error(403, code="SignatureDoesNotMatch", more=f"<StringToSign>{XML}</StringToSign>"),
    "a failing store": error(500, message=XML),
    "a page": Answer(200, CIMultiDict(), f"<html>{XML}</html>".encode()),
    "no XML": Answer(200, CIMultiDict(), ECHO.encode()),
    "a key elsewhere": listing(Contents=f"<Key>{XML}</Key><Size>1</Size>"),
    "an endless listing": listing(IsTruncated="true", NextContinuationToken=XML),
    "a size that is none": listing(Contents=f"<Key>lake/_wsparquet/commits/x</Key><Size>{XML}</Size>"),
    "a time that is none": listing(
        Contents=f"<Key>lake/_wsparquet/commits/x</Key><Size>1</Size><LastModified>{XML}</LastModified>"
    ),
}


@pytest.mark.parametrize("place", ANSWERS)
def test_secrets_that_a_store_sends_back_are_not_shown(
    lake: Lake, proxy: Proxy, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the options and those of the environment, for roots and for sources; tracebacks are looked at, too."""
    put(lake.open(), seed=1)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    sent = ANSWERS[place]
    proxy.settings.rewrite = lambda _method, path, answer: sent if sent.status > 200 or "list-type" in path else answer
    options = {**lake.options, "token": TOKEN}
    with pytest.raises(DatasetError) as caught:
        Root.open(lake.url, access=Access(options, patience_seconds=0.1), create=False).commits()
    said = "".join(traceback.format_exception(caught.value))
    if sent.status in {400, 403}:
        (found,) = expand([f"{lake.bucket.url}/raw/x.gz"], storage_options=options)
        assert isinstance(found, Failed)
        said += "".join(traceback.format_exception(found.error)) + repr(found)
    assert [piece for piece in PIECES if piece in said] == []
    assert "***" in said or place in {"another field", "a page", "no XML", "an endless listing"}


# --- Credentials and rights -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "ExpiredToken", "ExpiredToken.*get new credentials"),
        (400, "InvalidToken", "InvalidToken.*check the credentials"),
        (403, "InvalidAccessKeyId", "InvalidAccessKeyId.*check the credentials"),
        (403, "AccessDenied", "AccessDenied.*their permissions for this bucket .*s3:GetObject"),
    ],
)
def test_a_store_that_does_not_take_the_credentials(
    lake: Lake, proxy: Proxy, status: int, code: str, said: str
) -> None:
    """The remedy is that for credentials, whatever status the store has for it."""
    proxy.settings.denied, proxy.settings.denial = (lambda _method, _path: True), (status, code)
    with pytest.raises(DatasetError, match=said) as caught:
        lake.open()
    assert "connection" not in str(caught.value)


def test_credentials_that_are_not_there_or_not_whole(lake: Lake) -> None:
    """A profile that no file has, and a key without its secret."""
    with pytest.raises(DatasetError, match=r"profile \(nope\).*check the credentials"):
        opened(lake, profile="nope")
    with pytest.raises(DatasetError, match=r"Partial credentials.*check the credentials"):
        opened(lake, secret=None)


def test_who_may_only_read_is_told_so(lake: Lake, proxy: Proxy, tmp_path: Path) -> None:
    """It is the first thing that could not be written that is said, and what right that takes."""
    put(lake.open(), seed=1)
    proxy.settings.denied = lambda method, _path: method in {"PUT", "DELETE", "POST"}
    with pytest.raises(DatasetError, match=r"cannot write .*/_wsparquet/probes/.*AccessDenied.*s3:PutObject"):
        lake.open().recover()
    (tmp_path / "x.json").write_text("{}")
    found = by_command(lake, "use_ssl=true", "convert", str(tmp_path / "x.json"), "--to", lake.url, "--quiet")
    assert (found.code, "cannot write" in found.err, "cannot delete" in found.err) == (1, True, False)


def test_who_may_not_delete_is_told_so(lake: Lake, proxy: Proxy) -> None:
    """A root needs that, too."""
    put(lake.open(), seed=1)
    proxy.settings.denied = lambda method, _path: method == "DELETE"
    with pytest.raises(DatasetError, match=r"cannot delete objects of .*AccessDenied.*s3:DeleteObject"):
        lake.open().recover()
