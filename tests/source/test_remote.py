"""Whether URLs are sources like files, over real HTTP and other file systems, and their secrets stay unsaid."""

from __future__ import annotations

import gzip
import hashlib
import inspect
import logging
import pickle
import random
import socket
import traceback
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import fsspec  # type: ignore[import-untyped]
import pytest
from fsspec.implementations.http import HTTPFileSystem  # type: ignore[import-untyped]

from tests.source.conftest import BASIC, Server, compressing, cut, encoded, failing, forbidden, index, signed
from wsparquet.errors import SourceError
from wsparquet.source import Failed, Source, expand
from wsparquet.source.failures import Place
from wsparquet.source.storage_options import HTTP_OPTIONS, REQUEST_OPTIONS

TEXT = bytes(random.Random(4).choices(b'abcdefghij{}":,\n', k=1_500_000))
NAME = "WebSession.1467291600000.1467295200000.part-00000-0.gz"
PATH = f"/data_access_le/account/755/le/{NAME}"
SECRETS = ("s3cr3t", "pa55word", "reader")


def only(argument: str, **options: Any) -> Source:
    """The one source that a URL is."""
    (found,) = expand([argument], storage_options=options)
    assert isinstance(found, Source), found
    return found


def read(source: Source) -> bytes:
    """All of a source."""
    with source.open() as reader:
        return b"".join(reader)


def failure(argument: str, **options: Any) -> tuple[Failed, str]:
    """What fails, and all that a traceback of it would say."""
    (found,) = expand([argument], storage_options=options)
    assert isinstance(found, Failed)
    return found, "".join(traceback.format_exception(found.error)) + repr(found)


# --- HTTP -------------------------------------------------------------------------------------------------------------


def test_http_file(server: Server) -> None:
    """A file behind HTTP is a source with the server's size and entity tag, read whole by servers without ranges."""
    content = server.files[PATH] = gzip.compress(TEXT)
    source = only(server.url(PATH))
    assert (source.name, source.url, source.account) == (NAME, server.url(PATH), "755")
    assert (source.size, source.etag) == (len(content), str(len(content)))
    assert read(source) == TEXT
    with source.open() as reader:
        assert len(b"".join(reader)) == len(TEXT)
        assert reader.sha256 == hashlib.sha256(content).hexdigest() == source.checksum()


@pytest.mark.parametrize(
    ("user", "query"),
    [("", "?sig=s3cr3t%2F%2B&b=c#frag-s3cr3t"), ("reader:pa55word@", ""), ("reader:pa55word@", "?x=s3cr3t")],
)
def test_http_secrets_reach_the_server_only(
    server: Server, user: str, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    """User info and query open the file and are seen nowhere else: not in names, URLs, representations, logs."""
    caplog.set_level(logging.INFO)
    server.files[PATH] = gzip.compress(TEXT)
    server.answers[PATH] = signed
    source = only(server.url(PATH, user) + query)
    assert (source.name, source.url) == (NAME, server.url(PATH))
    assert read(source) == TEXT
    seen = repr(source) + str(source) + source.url + caplog.text
    assert not [secret for secret in SECRETS if secret in seen]
    spelled = query.partition("#")[0]
    assert all(path == PATH + spelled for _, path, _ in server.asked)


@pytest.mark.parametrize(("user", "query"), [("", "?sig=s3cr3t%2F%2B"), ("reader:pa55word@", ""), ("", "#s3cr3t")])
@pytest.mark.parametrize("status", [403, 404, 500])
def test_http_refusals(server: Server, user: str, query: str, status: int) -> None:
    """What a server refuses fails with its status and a remedy, and without a secret in message or traceback."""
    if status != 404:
        server.files[PATH] = b"x"
        server.answers[PATH] = forbidden if status == 403 else failing
    found, said = failure(server.url(PATH, user) + query)
    assert (found.name, found.url) == (NAME, server.url(PATH))
    assert str(found.error).startswith(server.url(PATH) + ": ")
    says = {
        403: "HTTP status 403 Forbidden; check that you may read it",
        404: "no such file",
        500: "HTTP status 500 Internal Server Error; check the connection and try again",
    }
    assert says[status] in said
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.parametrize("moment", ["open", "checksum"])
def test_http_refusal_after_listing(server: Server, moment: str) -> None:
    """A signature that has expired since fails as clearly, and keeps its secrets."""
    server.files[PATH] = gzip.compress(TEXT)
    source = only(server.url(PATH) + "?sig=s3cr3t")
    server.answers[PATH] = forbidden
    with pytest.raises(SourceError, match="HTTP status 403 Forbidden; check that you may read it") as caught:
        getattr(source, moment)()
    said = "".join(traceback.format_exception(caught.value))
    assert "s3cr3t" not in said


def test_quoted_secrets_are_not_passed_on() -> None:
    """A lower library's message that quotes a secret out of its URL is left out, and its kind told."""
    place = Place.of_url("https://reader:pa55word@host/a.gz?sig=s3cr3t")
    with pytest.raises(SourceError) as caught, place.translated():
        raise ValueError("the signature s3cr3t has expired")
    assert "found: ValueError; " in str(caught.value)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_http_cut(server: Server) -> None:
    """A connection that ends before the promised length fails the source: it is not the end of the file."""
    server.files[PATH] = TEXT
    source = only(server.url(PATH) + "?sig=s3cr3t")
    server.answers[PATH] = cut
    with source.open() as reader, pytest.raises(SourceError) as caught:
        list(reader)
    assert "expected more at byte" in str(caught.value)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_http_nobody_listens() -> None:
    """An address at which nothing answers fails with what to do, and keeps its secrets."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        found, said = failure(f"http://reader:pa55word@127.0.0.1:{port}/a.gz?sig=s3cr3t")
    assert found.url == f"http://127.0.0.1:{port}/a.gz"
    assert "check" in str(found.error)
    assert not [secret for secret in SECRETS if secret in said]


def test_http_compression_on_the_way(server: Server) -> None:
    """The stored bytes are asked for, so that count and checksum are those of the file."""
    server.files["/a.json"] = TEXT
    server.answers["/a.json"] = compressing
    source = only(server.url("/a.json"))
    assert source.checksum() == hashlib.sha256(TEXT).hexdigest()
    content = server.files["/b.gz"] = gzip.compress(TEXT)
    server.answers["/b.gz"] = encoded
    assert only(server.url("/b.gz")).checksum() == hashlib.sha256(content).hexdigest()
    assert read(only(server.url("/b.gz"))) == TEXT
    server.files["/c.gz"] = gzip.compress(content)
    server.answers["/c.gz"] = encoded
    assert read(only(server.url("/c.gz"))) == TEXT


def test_http_headers(server: Server) -> None:
    """Headers that the caller gives reach the server."""
    server.files[PATH] = TEXT
    server.answers[PATH] = signed
    source = only(server.url(PATH), headers={"Authorization": BASIC})
    assert read(source) == TEXT


def test_http_is_not_given_what_is_meant_for_a_bucket(server: Server) -> None:
    """Options of a root on S3 do not keep a file behind HTTP from being read; those of HTTP beside them reach it."""
    server.files[PATH] = TEXT
    server.answers[PATH] = signed
    bucket = {
        "endpoint_url": "http://minio:9000",
        "key": "k",
        "secret": "s",
        "anon": False,
        "profile": "p",
        "client_kwargs": {"region_name": "us-east-1"},
        "config_kwargs": {"read_timeout": 5},
        "s3": {"key": "k"},
    }
    headers = {"Authorization": BASIC}
    assert read(only(server.url(PATH), **bucket, headers=headers)) == TEXT
    assert read(only(server.url(PATH), **bucket, http={"headers": headers})) == TEXT


def test_http_knows_its_options() -> None:
    """All that fsspec's file system and aiohttp's requests take for reading."""
    own = inspect.signature(HTTPFileSystem.__init__).parameters
    assert own.keys() - {"self", "storage_options"} <= HTTP_OPTIONS
    assert inspect.signature(aiohttp.ClientSession._request).parameters.keys() >= REQUEST_OPTIONS


def test_http_listing(server: Server) -> None:
    """A folder is what its index page links to; a glob picks from it."""
    server.files |= {
        "/d/a.gz": gzip.compress(b"a"),
        "/d/b.json": b"b",
        "/d/": b'<a href="a.gz">a</a><a href="b.json">b</a>',
    }
    server.answers["/d/"] = index
    for argument, names in (("/d/", ["a.gz", "b.json"]), ("/d/*.gz", ["a.gz"])):
        found = expand([server.url(argument)])
        assert [source.name for source in found] == names
        assert [source.url for source in found] == [server.url(f"/d/{name}") for name in names]
        assert all(isinstance(source, Source) and source.etag for source in found)
    nothing, _ = failure(server.url("/d/*.zst"))
    assert "expected a folder or a glob with files, found none" in str(nothing.error)


def test_http_archive(server: Server, tmp_path: Path) -> None:
    """An archive behind a server without ranges is copied once and read member by member."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("d/a.json", TEXT)
        archive.writestr("b.json.gz", gzip.compress(TEXT))
    server.files["/download"] = path.read_bytes()
    found = expand([server.url("/download?sig=s3cr3t")])
    assert [source.url for source in found] == [server.url("/download!/d/a.json"), server.url("/download!/b.json.gz")]
    asked = len(server.asked)
    for source in found:
        assert isinstance(source, Source)
        assert read(source) == TEXT
        assert "s3cr3t" not in repr(source)
    assert len(server.asked) == asked


def test_http_broken_archive(server: Server) -> None:
    """A cut archive fails, and keeps its secrets."""
    server.files["/a.zip"] = b"PK\x03\x04" + bytes(100)
    found, said = failure(server.url("/a.zip?sig=s3cr3t"))
    assert (found.name, found.url) == ("a.zip", server.url("/a.zip"))
    assert "fetch or make the archive again" in str(found.error)
    assert "s3cr3t" not in said


# --- other file systems -----------------------------------------------------------------------------------------------


@pytest.fixture
def memory() -> Iterator[tuple[Any, str]]:
    """Give the memory file system and a folder of it."""
    filesystem = fsspec.filesystem("memory")
    folder = f"/{uuid.uuid4().hex}"
    filesystem.makedirs(folder)
    yield filesystem, folder
    filesystem.rm(folder, recursive=True)


def test_memory(memory: tuple[Any, str]) -> None:
    """Files, folders and globs of any file system are sources; hidden files of a folder are none."""
    filesystem, folder = memory
    for name in ("b.gz", "a.json", "d/c.gz", ".h.gz", "d/.i/k.gz", "z#1?2.gz"):
        filesystem.pipe(f"{folder}/{name}", gzip.compress(name.encode() + bytes(50)))
    base = f"memory:/{folder}"
    cases = {
        "": ["a.json", "b.gz", "d/c.gz", "z#1?2.gz"],
        "/": ["a.json", "b.gz", "d/c.gz", "z#1?2.gz"],
        "/*.gz": ["b.gz", "z#1?2.gz"],
        "/**/*.gz": ["b.gz", "d/c.gz", "z#1?2.gz"],
        "/*": ["a.json", "b.gz", "d/c.gz", "z#1?2.gz"],
        "/.*.gz": [".h.gz"],
        "/b.gz": ["b.gz"],
    }
    urls = {source.name: source.url for source in expand([base])}
    for argument, names in cases.items():
        found = expand([base + argument])
        assert [source.name for source in found] == [name.rpartition("/")[2] for name in names]
        for source, name in zip(found, names, strict=True):
            assert isinstance(source, Source)
            assert read(source) == name.encode() + bytes(50)
            assert source.mtime
            assert source.url == urls.get(source.name, source.url)
    assert urls["z#1?2.gz"].endswith("/z%231%3F2.gz")
    assert len(expand([base, base + "/*.gz", base + "/b.gz"])) == 4


def test_memory_failures(memory: tuple[Any, str]) -> None:
    """What is missing or empty fails alone."""
    filesystem, folder = memory
    filesystem.pipe(f"{folder}/a.gz", b"x")
    filesystem.makedirs(f"{folder}/empty")
    base = f"memory:/{folder}"
    found = expand([base + "/missing.gz", base + "/empty", base + "/*.zst", base + "/a.gz"])
    assert [isinstance(one, Failed) for one in found] == [True, True, True, False]
    messages = [str(one.error) for one in found if isinstance(one, Failed)]
    assert messages[0] == f"{base}/missing.gz: expected a file that can be read, found: no such file; check the name"
    assert "expected a folder or a glob with files, found none" in messages[1]
    assert "expected a folder or a glob with files, found none" in messages[2]


def test_remote_archive(memory: tuple[Any, str], tmp_path: Path) -> None:
    """An archive in any file system is read member by member where it lies."""
    filesystem, folder = memory
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.json", TEXT)
    filesystem.pipe(f"{folder}/archive", (tmp_path / "a.zip").read_bytes())
    source = only(f"memory:/{folder}")
    assert (source.name, source.size) == ("a.json", len(TEXT))
    assert source.url.endswith(f"{folder}/archive!/a.json")
    assert read(source) == TEXT


def test_chained_url(server: Server, tmp_path: Path) -> None:
    """A chained URL is left to fsspec; every link of it is masked."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("d/a.json", TEXT)
        archive.writestr("d/b.gz", gzip.compress(TEXT))
    (tmp_path / "c.zip").write_bytes((tmp_path / "a.zip").read_bytes())
    for argument, name in (("zip://d/a.json", "a.json"), ("zip://d/*.gz", "b.gz")):
        source = only(f"{argument}::file://{tmp_path}/c.zip")
        assert (source.name, source.url) == (name, f"zip://d/{name}::file://{tmp_path}/c.zip")
        assert read(source) == TEXT
    found, said = failure(f"zip://nothing::{server.url('/a.zip', 'reader:pa55word@')}?sig=s3cr3t")
    assert found.url == f"zip://nothing::{server.url('/a.zip')}"
    assert not [secret for secret in SECRETS if secret in said]


def test_missing_backend() -> None:
    """A file system whose package is not installed fails with the package's name."""
    found, _ = failure("gs://bucket/a.gz")
    assert "gcsfs" in str(found.error)
    assert "install" in str(found.error)


@pytest.mark.parametrize("argument", ["nosuch://user:pa55word@host/a?sig=s3cr3t", "zip://a.json::nosuch://h?s3cr3t"])
def test_unknown_protocol(argument: str) -> None:
    """A URL of an unknown kind fails, without its secrets."""
    found, said = failure(argument)
    assert "nosuch" in str(found.error)
    assert "expected an address whose file system is installed" in str(found.error)
    assert not [secret for secret in SECRETS if secret in said]


def test_wrong_options() -> None:
    """Options that a file system does not take are a failure, not a crash."""
    found, _ = failure("http://127.0.0.1:9/a.gz", client_kwargs={"nonsense": 1})
    assert "nonsense" in str(found.error)


def test_one_bad_url_stops_no_other(server: Server, tmp_path: Path) -> None:
    """URLs, paths and failures keep their order."""
    server.files["/a.json"] = TEXT
    (tmp_path / "b.json").write_bytes(TEXT)
    found = expand([server.url("/missing"), server.url("/a.json"), tmp_path / "b.json", "nosuch://x"])
    assert [isinstance(one, Source) for one in found] == [False, True, True, False]


def test_sources_go_to_other_processes(server: Server, tmp_path: Path) -> None:
    """A source of a file, a URL or an archive survives pickling."""
    server.files["/a.json"] = TEXT
    (tmp_path / "b.json").write_bytes(TEXT)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("c.json", TEXT)
    for source in expand([server.url("/a.json"), tmp_path]):
        again = pickle.loads(pickle.dumps(source))
        assert again == source
        assert read(again) == TEXT
