"""wsparquet/source: what a bucket holds as it is now, and nothing of it passed over in silence."""

from __future__ import annotations

import io
import signal
import threading
import time
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from aiohttp import web

from tests.scale import scaled
from tests.store.s3.lake import Lake
from tests.store.s3.test_system import wsparquet
from tools.s3.proxy import ERROR, Proxy
from wsparquet import Progress, convert
from wsparquet.conversion.options import ConvertOptions
from wsparquet.generate import GenerateOptions, generate
from wsparquet.source import Failed, Source, expand

REFUSALS: dict[int, tuple[type[web.HTTPException], str]] = {
    403: (web.HTTPForbidden, "AccessDenied"),
    503: (web.HTTPServiceUnavailable, "SlowDown"),
}
DAYS = 3


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of several hours."""
    folder = tmp_path_factory.mktemp("files")
    return generate(folder, GenerateOptions(size=20_000, files=DAYS, seed=3))


@pytest.fixture
def days(lake: Lake, files: list[Path]) -> list[str]:
    """A file in each of several folders of the bucket, and their names."""
    for number, path in enumerate(files):
        lake.bucket.put(f"days/d{number}/{path.name}", path.read_bytes())
    return [path.name for path in files]


def refuse(proxy: Proxy, status: int, refused: Callable[[str], bool]) -> None:
    """Have the store refuse requests, by path with query."""
    kind, code = REFUSALS[status]

    def answer(_: str, path: str) -> None:
        if refused(path):
            raise kind(text=ERROR.format(code, "said the store"), content_type="application/xml")

    proxy.settings.before = answer


def lists(folder: str) -> Callable[[str], bool]:
    """Whether a request lists a folder."""
    return lambda path: "list-type" in path and f"prefix={folder.replace('/', '%2F')}" in path


# --- Folders that cannot be listed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", REFUSALS)
def test_a_folder_that_cannot_be_listed_fails_and_stops_no_other(
    lake: Lake, proxy: Proxy, days: list[str], status: int
) -> None:
    """Of three days one is refused, also past all that s3fs tries: two are converted, one fails, the exit code is 1."""
    refuse(proxy, status, lists("days/d1"))
    found = wsparquet(lake, "convert", f"{lake.bucket.url}/days/*/*.gz", "--to", lake.url, "--output", "json")
    assert (found.code, found.json["committed"]) == (1, [days[0], days[2]])
    (error,) = found.json["errors"]
    assert (error["name"], error["url"]) == ("d1", f"{lake.bucket.url}/days/d1")
    assert "expected a folder that can be listed, found: " in error["error"]


@pytest.mark.parametrize(
    ("argument", "refused", "left"),
    [
        ("days/*/*.gz", "days/d1", 2),
        ("days/d*", "days/d1", 2),
        ("days/*/*.gz", "days", 0),
        ("days/**/*.gz", "days", 0),
        ("d*/d1/*.gz", "", 0),
        ("days/", "days", 0),
    ],
)
@pytest.mark.usefixtures("days")
def test_each_kind_of_argument_says_what_it_could_not_list(
    lake: Lake, proxy: Proxy, argument: str, refused: str, left: int
) -> None:
    """Whether the folder is the first one or a later one."""
    refuse(proxy, 403, lists(refused))
    found = expand([f"{lake.bucket.url}/{argument}"], storage_options=lake.options)
    failed = [each for each in found if isinstance(each, Failed)]
    assert (len(failed), len(found) - len(failed)) == (1, left)
    assert "check that you may read it" in str(failed[0].error)


def test_folders_that_a_glob_does_not_mean_need_not_be_readable(lake: Lake, proxy: Proxy, days: list[str]) -> None:
    """What cannot match is not listed."""
    refuse(proxy, 403, lists("days/d1"))
    found = expand([f"{lake.bucket.url}/days/d[02]/*.gz"], storage_options=lake.options)
    assert [each.name for each in found] == [days[0], days[2]]


def test_globs_in_a_bucket_mean_what_they_say(lake: Lake) -> None:
    """Files, whole folders, any depth; hidden files only if they are asked for."""
    for key in ("a.gz", "b/c.gz", "b/d/e.gz", "b/d/f.txt", "b/.g.gz", "x/b/h.gz"):
        lake.bucket.put(f"in/{key}", b"x")
    cases = {
        "*": ["a.gz", "b/c.gz", "b/d/e.gz", "b/d/f.txt", "x/b/h.gz"],
        "*.gz": ["a.gz"],
        "*/*.gz": ["b/c.gz"],
        "?/d": ["b/d/e.gz", "b/d/f.txt"],
        "**": ["a.gz", "b/c.gz", "b/d/e.gz", "b/d/f.txt", "x/b/h.gz"],
        "**/*.gz": ["a.gz", "b/c.gz", "b/d/e.gz", "x/b/h.gz"],
        "**/b": ["b/c.gz", "b/d/e.gz", "b/d/f.txt", "x/b/h.gz"],
        "b/**/*.txt": ["b/d/f.txt"],
        "b/.*": ["b/.g.gz"],
        "": ["a.gz", "b/c.gz", "b/d/e.gz", "b/d/f.txt", "x/b/h.gz"],
    }
    base = f"{lake.bucket.url}/in/"
    for argument, keys in cases.items():
        found = expand([base + argument], storage_options=lake.options)
        assert [each.url for each in found] == [base + key for key in keys], argument
    (nothing,) = expand([f"s3://{lake.bucket.name[:-1]}*/in/a.gz"], storage_options=lake.options)
    assert isinstance(nothing, Failed)
    assert "Invalid bucket name" in str(nothing.error)


def test_markers_in_a_bucket_are_passed_over(lake: Lake, files: list[Path]) -> None:
    """Folders that a console created, and the marks of jobs, are no sources; an empty file among them is."""
    lake.bucket.put(f"in/m1/{files[0].name}", files[0].read_bytes())
    for key in ("in/", "in/m1/", "in/m2/", "in/m1_$folder$", "in/m1/_SUCCESS", "in/m1/empty.gz"):
        lake.bucket.put(key, b"")
    kinds: list[tuple[str, str]] = []
    options = ConvertOptions(jobs=1, storage_options=lake.options)
    for argument, markers in (("in", 5), ("in/", 5), ("in/*", 4), ("in/**", 4), ("in/m1/", 2), ("in/*/*", 1)):
        kinds.clear()
        summary = convert(
            f"{lake.bucket.url}/{argument}",
            lake.url,
            options=options,
            on_progress=lambda event: kinds.append((event.kind, event.url)),
        )
        assert (summary.sources, summary.failed) == (2, ["empty.gz"]), argument
        assert len([url for kind, url in kinds if kind == "ignored"]) == markers, argument
    assert ("ignored", f"{lake.bucket.url}/in/m1/_SUCCESS") in kinds
    (nothing,) = expand([f"{lake.bucket.url}/in/m2/"], storage_options=lake.options)
    assert isinstance(nothing, Failed)
    assert "found none (hidden files and markers do not count)" in str(nothing.error)


# --- What is there now ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argument", ["days/**/*.gz", *scaled(["days/*/*.gz", "days/"], [])])
def test_files_that_others_add_and_replace_are_seen_at_once(lake: Lake, files: list[Path], argument: str) -> None:
    """In one process, which keeps its connections, each run sees what the bucket holds by then."""
    options = ConvertOptions(jobs=1, storage_options=lake.options)
    committed = []
    for number, path in enumerate(files):
        lake.bucket.put(f"days/d{number}/{path.name}", path.read_bytes())
        summary = convert(f"{lake.bucket.url}/{argument}", lake.url, options=options)
        assert (len(summary.skipped), summary.failed) == (number, [])
        committed += summary.committed
    assert committed == [path.name for path in files]


@pytest.mark.parametrize("argument", ["days/d0/{}", *scaled(["days/*/*.gz", "days/"], [])])
def test_a_replaced_file_is_converted_again(lake: Lake, files: list[Path], argument: str) -> None:
    """It is neither skipped as unchanged nor read as what it was."""
    options = ConvertOptions(jobs=1, storage_options=lake.options)
    name, url = files[0].name, f"{lake.bucket.url}/{argument.format(files[0].name)}"
    rows = []
    for path in files:
        lake.bucket.put(f"days/d0/{name}", path.read_bytes())
        assert convert(url, lake.url, options=options).committed == [name]
        rows.append(lake.rows())
    assert rows[0] != rows[1] != rows[2]


def test_files_of_a_listing_are_not_asked_for_again(lake: Lake, proxy: Proxy, days: list[str]) -> None:
    """Neither of one listing nor of several: s3fs gives up at once where such a question is answered by 503.

    One file system does all of it, so a file that several arguments mean is one source.
    """
    arguments = [f"{lake.bucket.url}/days/{each}/" for each in ("d0", "d1", "d2")]
    for _ in range(2):
        found = expand([f"{lake.bucket.url}/days/*/*.gz", *arguments], storage_options=lake.options)
        assert [each.name for each in found] == days
        proxy.log.clear()
        assert all(isinstance(each, Source) and each.checksum() for each in found)
        assert {method for method, _, _ in proxy.log} == {"GET"}


def test_a_replaced_archive_is_read_again(lake: Lake, files: list[Path]) -> None:
    """A chain of file systems remembers nothing either."""
    for path in files:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.write(path, path.name)
        lake.bucket.put("all.zip", packed.getvalue())
        for _ in range(2):
            found = expand([f"zip://*.gz::{lake.bucket.url}/all.zip"], storage_options={"s3": lake.options})
            assert [each.name for each in found] == [path.name]


def test_an_interrupt_ends_the_reading_of_a_silent_bucket(lake: Lake, proxy: Proxy, files: list[Path]) -> None:
    """A store that lists its objects and then falls silent does not keep an interrupted conversion waiting."""
    for number, path in enumerate(files):
        lake.bucket.put(f"in/{number}.gz", path.read_bytes())
    silent, asked, released = threading.Event(), threading.Event(), threading.Event()

    def answer(method: str, path: str) -> None:
        if silent.is_set() and method == "GET" and path.startswith(f"/{lake.bucket.name}/in/"):
            asked.set()
            released.wait(60)

    def tell(event: Progress) -> None:
        if event.kind == "found":
            silent.set()

    def interrupt() -> None:
        assert asked.wait(60)
        ident = threading.main_thread().ident
        assert ident is not None
        signal.pthread_kill(ident, signal.SIGINT)

    proxy.settings.before = answer
    storage = {**lake.options, "config_kwargs": {"read_timeout": 40}}
    threading.Thread(target=interrupt, daemon=True).start()
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            convert(f"{lake.bucket.url}/in/", lake.url, jobs=2, storage_options=storage, on_progress=tell)
        # Far less than the client waits for an answer.
        assert time.monotonic() - began < 30
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("wsparquet_")]
    finally:
        released.set()


# --- What belongs to the root -----------------------------------------------------------------------------------------


ROOTS = ("s3a://{}/in/lake", "s3://{}//in/lake", "s3://{}/in/lake//", "s3://{}/in//lake/")
ARGUMENTS = ("s3://{}/in", "s3a://{}/in/**", "s3://{}/in/*")


@pytest.mark.parametrize(
    ("argument", "root"), scaled([*product(ARGUMENTS, ROOTS)], [*zip(ARGUMENTS, ROOTS, strict=False)])
)
def test_a_root_is_none_of_its_sources_however_it_is_spelled(
    lake: Lake, files: list[Path], argument: str, root: str
) -> None:
    """It is the same place, whichever of its names is used."""
    name = lake.bucket.name
    lake.bucket.put(f"in/{files[0].name}", files[0].read_bytes())
    lake.bucket.put("in/lakeside/a.gz", files[1].read_bytes())
    options = ConvertOptions(jobs=1, storage_options=lake.options)
    for done in (0, 2):
        summary = convert(argument.format(name), root.format(name), options=options)
        assert (summary.sources, len(summary.skipped), summary.failed) == (2, done, [])
    (inside,) = expand(
        [f"s3://{name}/in/lake/_wsparquet/root.json"], exclude=root.format(name), storage_options=lake.options
    )
    assert isinstance(inside, Failed)
    assert "expected a source outside of the dataset" in str(inside.error)


def test_a_source_behind_http_and_a_root_on_s3(lake: Lake, files: list[Path]) -> None:
    """The root's options are not the source's: a presigned URL is read without them."""
    lake.bucket.put(f"raw/{files[0].name}", files[0].read_bytes())
    parameters = {"Bucket": lake.bucket.name, "Key": f"raw/{files[0].name}"}
    url = lake.bucket.client.generate_presigned_url("get_object", Params=parameters)
    assert url.startswith("http://")
    found = wsparquet(lake, "convert", url, "--to", lake.url, "--output", "json")
    assert (found.code, found.json["committed"], found.json["errors"]) == (0, [files[0].name], [])
