"""Roots on S3 that cannot be reached: what is said names the remedy, and no secret."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Ran, run
from tests.dataset.helpers import put
from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy
from tools.s3.server import SECRET
from wsparquet.dataset import Access, Root
from wsparquet.errors import DatasetError
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
