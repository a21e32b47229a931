"""Stores that answer otherwise than S3: what can be made right works, and the rest is an error that says what is odd.

S3's own API marks nearly every field of its answers as optional. Each case here leaves one out, or bends it, in every
answer that has it, by a proxy before a store that is in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from multidict import CIMultiDict

from tests.commit import workload
from tests.commit.test_kills import rows_of
from tests.dataset.helpers import API_NAME, put
from tests.scale import scaled
from tests.store.s3.lake import Lake
from tests.store.s3.test_system import wsparquet
from tools.s3.proxy import Answer, Proxy
from wsparquet.dataset import open_dataset
from wsparquet.errors import DatasetError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.layout import Identity
from wsparquet.source import Failed, expand

Bend = Callable[[str, str, Answer], Answer]
LISTING = b"<ListBucketResult"


def in_listings(change: Callable[[bytes], bytes]) -> Bend:
    """Change the text of listings."""

    def bend(_method: str, _path: str, answer: Answer) -> Answer:
        return answer._replace(body=change(answer.body)) if LISTING in answer.body else answer

    return bend


def without(*elements: str) -> Bend:
    """Leave elements out of listings."""
    pattern = "|".join(f"<{name}>[^<]*</{name}>" for name in elements)
    return in_listings(lambda body: re.sub(pattern.encode(), b"", body))


def in_header(name: str, change: Callable[[str], str | None], *methods: str) -> Bend:
    """Change a header of the answers to some methods; None leaves it out."""

    def bend(method: str, _path: str, answer: Answer) -> Answer:
        if method in methods and name in answer.headers:
            value = change(answer.headers.pop(name))
            if value is not None:
                answer.headers[name] = value
        return answer

    return bend


def both(*bends: Bend) -> Bend:
    """Bend an answer by all of them."""

    def bend(method: str, path: str, answer: Answer) -> Answer:
        for each in bends:
            answer = each(method, path, answer)
        return answer

    return bend


def nothing(_value: str) -> None:
    """Leave a header out."""


def missing_deleted(method: str, _path: str, answer: Answer) -> Answer:
    """A store that minds if what is to be deleted is gone."""
    if method != "DELETE":
        return answer
    return Answer(404, answer.headers, b"<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>")


def backwards(body: bytes) -> bytes:
    """A listing whose objects come in another order."""
    objects = re.findall(b"<Contents>.*?</Contents>", body, re.DOTALL)
    head, _, tail = body.partition(b"<Contents>")
    tail = tail.rpartition(b"</Contents>")[2]
    return head + b"".join(reversed(objects)) + tail if objects else body


WORKS: dict[str, Bend] = {
    "a listing without ETag": without("ETag"),
    "a listing without Size": without("Size"),
    "a listing without LastModified": without("LastModified"),
    "a listing with keys only": without("ETag", "Size", "LastModified", "StorageClass", "KeyCount", "MaxKeys"),
    "a listing in another order": in_listings(backwards),
    "a listing with everything twice": in_listings(lambda body: re.sub(b"(<Contents>.*?</Contents>)", rb"\1\1", body)),
    "tags without quotes in listings": in_listings(
        lambda body: re.sub(b'(<ETag>)(?:&quot;|")(.*?)(?:&quot;|")', rb"\1\2", body)
    ),
    "a PUT without ETag": in_header("ETag", nothing, "PUT"),
    "a HEAD without ETag": in_header("ETag", nothing, "HEAD"),
    "a GET without LastModified": in_header("Last-Modified", nothing, "GET"),
    "a DELETE of what is gone fails": missing_deleted,
}


TRIED = scaled(
    list(WORKS), ["a listing with keys only", "a listing in another order", "a DELETE of what is gone fails"]
)


@pytest.mark.parametrize("bend", [WORKS[name] for name in TRIED], ids=TRIED)
def test_an_answer_that_leaves_out_what_can_be_done_without(lake: Lake, proxy: Proxy, bend: Bend) -> None:
    """Everything works as with S3, and all of it is there again when the root is opened anew."""
    proxy.settings.rewrite = bend
    workload.add(lake.open())
    workload.redo(lake.open())
    assert lake.rows() == rows_of(2)
    root = lake.open()
    counted = open_dataset(lake.url, storage_options=lake.options).table("geo").count_rows()
    assert counted == len(lake.rows()["geo"]) > 0
    put(root, Identity("7", "other"), seed=3)
    assert [header.identity.account for header in lake.open().commits().headers()] == ["7", "75555851"]
    root.remove([API_NAME])
    assert len(lake.open().commits()) == 1
    assert wsparquet(lake, "clean", lake.url, "--older-than", "0s", "--delete").code == 0
    assert "no strays" in wsparquet(lake, "clean", lake.url, "--older-than", "0s").out
    lake.assert_at_rest()


@pytest.fixture
def raw(lake: Lake, tmp_path: Path) -> str:
    """The URL of a folder with two sources."""
    for path in generate(tmp_path, GenerateOptions(files=2, size=20_000, seed=3)):
        lake.bucket.put(f"raw/{path.name}", path.read_bytes())
    return f"{lake.bucket.url}/raw/"


@pytest.mark.parametrize("left_out", [("ETag",), ("ETag", "LastModified", "StorageClass")], ids=len)
def test_sources_whose_listing_leaves_out_what_tells_changes(
    lake: Lake, proxy: Proxy, raw: str, left_out: tuple[str, ...]
) -> None:
    """They are converted; if nothing says that they are the same, they are read again, and found to be."""
    proxy.settings.rewrite = without(*left_out)
    for committed, skipped in ((2, 0), (0, 2)):
        found = wsparquet(lake, "convert", raw, "--to", lake.url, "--output", "json").json
        assert (len(found["committed"]), len(found["skipped"]), found["errors"]) == (committed, skipped, [])


def test_sources_whose_listing_leaves_out_their_sizes(lake: Lake, proxy: Proxy, raw: str) -> None:
    """s3fs cannot do without: the error names the field that is missing."""
    proxy.settings.rewrite = without("Size")
    found = wsparquet(lake, "convert", raw, "--to", lake.url, "--output", "json").json
    (error,) = found["errors"]
    assert "found: no 'Size' in an answer or in the options; check the address and the options" in error["error"]


# --- Records that change ----------------------------------------------------------------------------------------------


def test_a_checkpoint_is_not_trusted_if_listings_do_not_tell_what_changed(
    lake: Lake, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that somebody replaced in the same second by one of the same size is read, and not remembered."""
    monkeypatch.setattr("wsparquet.commit.checkpoint.WORTH_WRITING", 1)
    proxy.settings.rewrite = without("ETag")
    root = lake.open()
    commit = put(root, seed=1)
    assert [header.token for header in root.commits(write_checkpoint=True).headers()] == [commit.token]
    data = lake.bucket.get(f"lake/{commit.path}")
    other = f"{2:064x}"
    changed = data.replace(commit.checksum.encode(), other.encode())
    assert len(changed) == len(data)
    lake.bucket.put(f"lake/{commit.path}", changed)
    assert [header.checksum for header in lake.open().commits(write_checkpoint=True).headers()] == [other]


# --- Names ------------------------------------------------------------------------------------------------------------


ENCODED = in_listings(lambda body: body.replace(b"<Name>", b"<EncodingType>url</EncodingType><Name>", 1))


def test_names_that_a_store_only_claims_to_encode(lake: Lake, proxy: Proxy, tmp_path: Path) -> None:
    """A store that always says that names are encoded, and never does so: they are taken as they are."""
    names = ["a b", "a+b", "a%20b", "é"]
    (source,) = generate(tmp_path, GenerateOptions(files=1, size=20_000, seed=3))
    for name in names:
        lake.bucket.put(f"raw/{name}.json", source.read_bytes())
    proxy.settings.rewrite = lambda method, path, answer: (
        ENCODED(method, path, answer) if "encoding-type" in path else answer
    )
    found = expand([f"{lake.bucket.url}/raw/"], storage_options=lake.options)
    assert sorted(each.name for each in found) == sorted(f"{name}.json" for name in names)
    asked = [path for method, path, _ in proxy.log if method == "GET" and "list-type" in path]
    assert asked
    assert not any("encoding-type" in path or "delimiter=&" in path or path.endswith("delimiter=") for path in asked)


def test_names_that_xml_cannot_spell(lake: Lake, proxy: Proxy) -> None:
    """They are asked for in an encoding then, and a root that holds them is not disturbed."""
    lake.bucket.put("lake/somebody's +%20.txt", b"x")
    put(lake.open(), seed=1)

    def spell(_method: str, path: str, answer: Answer) -> Answer:
        if "list-type" not in path:
            return answer
        if "encoding-type=url" not in path:
            # As S3 has it: no parser takes this for a character.
            return answer._replace(body=answer.body.replace(b"somebody", b"somebody&#x1;"))
        return answer._replace(body=answer.body.replace(b"somebody", b"somebody%01"))

    proxy.settings.rewrite = spell
    listed = [entry.path for entry in lake.open().store.entries("")]
    assert "somebody\x01's +%20.txt" in listed
    assert len(lake.open().commits()) == 1


# --- What cannot be made right ----------------------------------------------------------------------------------------


def fail(lake: Lake, said: str) -> None:
    """See that a root cannot be used, by the library and by the program, and that one line says why."""
    with pytest.raises(DatasetError, match=said) as caught:
        workload.add(lake.open(patience_seconds=1.0))
    assert lake.bucket.name in str(caught.value)
    found = wsparquet(lake, "convert", "-", "--to", lake.url, "--quiet")
    assert (found.code, found.err.count("\n"), "Traceback" in found.err) == (1, 1, False), found.err
    with pytest.raises(DatasetError, match=said):
        raise DatasetError(found.err)


UPDATE = "check that the endpoint is an S3 store"
LOGIN = b"<!DOCTYPE html><html><body><p>Please log in</p></body></html>"
PAGE = (
    b"<ListBucketResult><Name>x</Name><IsTruncated>true</IsTruncated>"
    b"<NextContinuationToken>again</NextContinuationToken></ListBucketResult>"
)
FAILS: dict[str, tuple[Bend, str]] = {
    "a listing that is a page of a network's login": (
        lambda _method, path, answer: answer._replace(body=LOGIN) if "list-type" in path else answer,
        f"cannot list .*expected a listing of objects, found an answer .*; {UPDATE}",
    ),
    "a listing that goes on and does not say where": (
        in_listings(lambda body: body.replace(b"<IsTruncated>false<", b"<IsTruncated>true<")),
        f"cannot list .*expected a NextContinuationToken .*found none; {UPDATE}",
    ),
    "a listing that never ends": (
        lambda _method, path, answer: Answer(200, answer.headers, PAGE) if "list-type" in path else answer,
        f"cannot list .*expected a new page of the listing, found the same page twice; {UPDATE}",
    ),
    "a listing of another folder": (
        in_listings(lambda body: body.replace(b"<Key>lake/", b"<Key>elsewhere/")),
        f"cannot list .*expected a listing of keys that start with 'lake/.*', found 'elsewhere/.*'; {UPDATE}",
    ),
    "an object without key": (
        without("Key"),
        f"cannot list .*expected a listing of keys that start with .* found None; {UPDATE}",
    ),
    "no size anywhere": (
        both(without("LastModified"), in_header("Last-Modified", nothing, "HEAD")),
        f"cannot list .*expected the size and the time of .* in a listing or a HEAD, found at most one; {UPDATE}",
    ),
    "a GET without ETag": (
        in_header("ETag", nothing, "GET"),
        r"found one that refuses If-Match \(its answers have no ETag\); use another store, or .*single.writer",
    ),
    "a GET with a weak ETag": (
        in_header("ETag", lambda tag: f"W/{tag}", "GET"),
        "does not write with If-Match even if the object is as expected; use another store, or .*single.writer",
    ),
}


@pytest.mark.parametrize(("bend", "said"), FAILS.values(), ids=FAILS.keys())
def test_an_answer_that_cannot_be_made_right(lake: Lake, proxy: Proxy, bend: Bend, said: str) -> None:
    """Nothing is written, and the error says what was expected, what was found, and what to do."""
    lake.open()
    lake.bucket.put("lake/_wsparquet/intents/7/", b"something to be listed, and nothing more")
    proxy.settings.rewrite = bend
    fail(lake, said)
    assert lake.data_files() == []


MOVED = b"<Error><Code>PermanentRedirect</Code><Message>Use another endpoint.</Message></Error>"


@pytest.mark.parametrize("to_itself", [False, True], ids=["without an address", "to itself"])
@pytest.mark.parametrize("body", scaled([MOVED, LOGIN, b""], [MOVED]), ids=len)
@pytest.mark.parametrize("status", scaled([301, 302, 307], [301]))
def test_a_store_that_redirects_every_request(
    lake: Lake, proxy: Proxy, status: int, body: bytes, to_itself: bool
) -> None:
    """The error says that the bucket is elsewhere, after a few requests, for a root and for a source."""
    lake.bucket.put("raw/a.json", b"{}")
    headers = CIMultiDict({"Location": proxy.url} if to_itself else {})
    proxy.settings.rewrite = lambda _method, _path, _answer: Answer(status, headers, body)
    with pytest.raises(DatasetError, match="the bucket is at another address: check the endpoint, and the region"):
        lake.open(patience_seconds=1.0)
    assert len(proxy.log) < 100
    (found,) = expand([f"{lake.bucket.url}/raw/a.json"], storage_options=lake.options)
    assert isinstance(found, Failed)
    assert "RecursionError" not in str(found.error)
    assert "recursion" not in str(found.error)


@pytest.mark.parametrize("tag", [nothing, lambda tag: f"W/{tag}"], ids=["none", "weak"])
def test_one_writer_needs_no_tags(lake: Lake, proxy: Proxy, tag: Callable[[str], str | None]) -> None:
    """Who says that nobody else writes meanwhile can use a store whose tags are of no use."""
    proxy.settings.rewrite = both(without("ETag"), in_header("ETag", tag, "GET", "HEAD", "PUT"))
    root = lake.open(single_writer=True)
    workload.add(root)
    workload.redo(root)
    assert lake.rows() == rows_of(2)
    lake.assert_at_rest()


def test_an_answer_that_s3fs_stumbles_over(lake: Lake, proxy: Proxy) -> None:
    """It is no traceback, whatever field it is: here the one that names an upload."""
    root = lake.open()
    lake.bucket.begin_upload("lake/x")
    proxy.settings.rewrite = lambda _method, path, answer: (
        answer._replace(body=re.sub(b"<UploadId>.*?</UploadId>", b"", answer.body)) if "uploads" in path else answer
    )
    with pytest.raises(DatasetError, match=rf"cannot list uploads of .*KeyError\('UploadId'\).*; {UPDATE}"):
        root.store.unfinished()


@pytest.mark.parametrize("code", ["NotImplemented", "InvalidArgument", "InvalidRequest"])
def test_conditions_may_be_refused_in_any_words(lake: Lake, proxy: Proxy, code: str) -> None:
    """Stores say in several ways that they do not know a header."""
    error = f"<Error><Code>{code}</Code><Message>unknown header</Message></Error>".encode()

    def refuse(method: str, path: str, answer: Answer) -> Answer:
        return Answer(400, answer.headers, error) if method == "PUT" and "probes" in path else answer

    proxy.settings.rewrite = refuse
    with pytest.raises(DatasetError, match=rf"refuses If-None-Match \({code}: unknown header\); .*single.writer"):
        lake.open().recover()


def test_a_source_that_cannot_be_asked_for_but_listed(lake: Lake, proxy: Proxy) -> None:
    """A store that keeps folders and fails if one is asked for as an object: its files are found all the same."""
    for number in range(2):
        lake.bucket.put(f"raw/{number}.json", b"{}")

    def fail_at_folder(method: str, path: str, answer: Answer) -> Answer:
        return answer._replace(status=500) if method == "HEAD" and path.endswith("/raw") else answer

    proxy.settings.rewrite = fail_at_folder
    for spelled in ("raw", "raw/"):
        found = expand([f"{lake.bucket.url}/{spelled}"], storage_options=lake.options)
        assert [each.name for each in found] == ["0.json", "1.json"]
    lake.bucket.delete("raw/0.json")
    lake.bucket.delete("raw/1.json")
    (failed,) = expand([f"{lake.bucket.url}/raw"], storage_options=lake.options)
    assert isinstance(failed, Failed)
    assert "Internal Server Error" in str(failed.error)
