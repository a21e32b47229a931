"""What every store does, tried on every store: the contract of ``wsparquet/store/store.py``.

A store for another provider, such as Google Cloud or Azure, is a folder below ``wsparquet/store/``, a line that opens
the store in ``wsparquet/dataset/access.py``, and a line of ``PLACES`` in ``tests/store/places.py`` that enters it here.
No test of this file knows which store it runs against.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.scale import FULL
from tests.store.places import PLACES, Place
from wsparquet.errors import DatasetError
from wsparquet.store.store import Absent, Changed, Expectation, Store, Version

PATH = "some/folder/file.json"
STATE = "_wsparquet/"
EVERY_BYTE = bytes(range(256))
MULTIPART = 101 << 20
"""s3fs uploads in parts of 50 MiB what is larger than two of them."""

ODD_NAMES = [
    "a b",
    " leading and trailing ",
    "percent%20encoded",
    "100%",
    "a+b",
    "a&b=c;d,e",
    "#fragment",
    "question?mark",
    "quotes'\"`",
    "<angle>[square]{curly}",
    "back\\slash",
    "tilde~star*at@colon:",
    "dot.",
    "..two",
    ".hidden",
    "-dash",
    "ünïcödé",
    "e\u0301 is not \u00e9",
    "日本語",
    "emoji 🙂",
    "date=2016-06-30",
]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each store in turn, with an empty root."""
    with PLACES[request.param](request, tmp_path) as found:
        yield found


@pytest.fixture
def store(place: Place) -> Store:
    """The store itself."""
    return place.store


def paths(store: Store, folder: str = "") -> list[str]:
    """The paths that the store lists, but for those that it needs for its own purposes."""
    return [entry.path for entry in store.entries(folder) if not entry.path.startswith(STATE)]


def version_of(store: Store, path: str) -> Version:
    """The version of a file that is there."""
    found = store.read_version(path)
    assert found is not None
    return found[1]


# --- Reading and writing ----------------------------------------------------------------------------------------------


def test_a_file_that_is_missing_is_none(store: Store) -> None:
    """Whether its folder is there or not."""
    for path in ("x", "no/such/folder/x"):
        assert store.read(path) is None
        assert store.read_version(path) is None
    store.put("some/x", b"x")
    assert store.read("some/y") is None
    assert store.read_version("some/y") is None


@pytest.mark.parametrize("data", [b"", b"x", EVERY_BYTE, b"\r\n\r\n", EVERY_BYTE * (5 << 12)], ids=len)
def test_bytes_are_kept_exactly(store: Store, data: bytes) -> None:
    """From none to some megabytes."""
    store.put(PATH, data)
    assert store.read(PATH) == data
    found = store.read_version(PATH)
    assert found is not None
    assert found[0] == data
    assert [(entry.path, entry.size) for entry in store.entries("some")] == [(PATH, len(data))]


def test_a_write_without_expectation_overwrites(store: Store) -> None:
    """Larger by smaller, and by nothing."""
    for data in (b"first", b"second and longer", b"3", b"", b"last"):
        store.put(PATH, data)
        assert store.read(PATH) == data
    assert paths(store) == [PATH]


def test_a_root_is_made_again_without_loss(store: Store) -> None:
    """Every run begins so."""
    store.put(PATH, b"x")
    store.make_root()
    store.make_folder("some")
    store.make_folder("some")
    assert store.read(PATH) == b"x"


# --- Expectations -----------------------------------------------------------------------------------------------------


def test_a_file_is_created_only_if_it_is_absent(store: Store) -> None:
    """The first one stays, until it is deleted."""
    store.put(PATH, b"first", expect=Absent())
    with pytest.raises(Changed):
        store.put(PATH, b"second", expect=Absent())
    assert store.read(PATH) == b"first"
    store.delete([PATH])
    store.put(PATH, b"third", expect=Absent())
    assert store.read(PATH) == b"third"


def test_a_file_is_replaced_only_if_it_is_unchanged(store: Store) -> None:
    """A version is that of one content, and is used up by the write that expects it."""
    store.put(PATH, b"first")
    first = version_of(store, PATH)
    assert version_of(store, PATH) == first
    store.put(PATH, b"second", expect=first)
    with pytest.raises(Changed):
        store.put(PATH, b"third", expect=first)
    assert store.read(PATH) == b"second"
    second = version_of(store, PATH)
    assert second != first
    store.put(PATH, b"third", expect=second)
    assert store.read(PATH) == b"third"


def test_a_file_that_is_gone_is_not_replaced(store: Store) -> None:
    """And not made either."""
    store.put(PATH, b"first")
    version = version_of(store, PATH)
    store.delete([PATH])
    with pytest.raises(Changed):
        store.put(PATH, b"second", expect=version)
    assert store.read(PATH) is None
    assert paths(store) == []


@pytest.mark.parametrize("before", [None, b"before"])
def test_one_of_many_writers_wins(place: Place, before: bytes | None) -> None:
    """All expect the same; exactly one writes, and the others know that they did not."""
    store = place.store
    if not place.atomic:
        pytest.skip("this store compares first, and writes then")
    if before is not None:
        store.put(PATH, before)
    expect: Expectation = Absent() if before is None else version_of(store, PATH)
    won: list[bytes] = []
    lost: list[bytes] = []
    start = threading.Barrier(8)

    def write(data: bytes) -> None:
        start.wait()
        try:
            store.put(PATH, data, expect=expect)
        except Changed:
            lost.append(data)
        else:
            won.append(data)

    threads = [threading.Thread(target=write, args=(b"writer %d" % number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    assert store.read(PATH) == won[0]


# --- Lost answers -----------------------------------------------------------------------------------------------------


@pytest.fixture
def lose_answer(place: Place) -> Callable[[], None]:
    """What has the answer of the next write be lost."""
    if place.lose_answer is None:
        pytest.skip("this store waits for no answers")
    return place.lose_answer


def test_a_write_whose_answer_is_lost_is_done_once(store: Store, lose_answer: Callable[[], None]) -> None:
    """It is tried again, and finds its own work: that is no change by somebody else."""
    lose_answer()
    store.put(PATH, b"first")
    assert store.read(PATH) == b"first"
    lose_answer()
    store.put(PATH, b"second", expect=version_of(store, PATH))
    assert store.read(PATH) == b"second"
    lose_answer()
    store.put("other", b"third", expect=Absent())
    assert store.read("other") == b"third"
    assert paths(store) == ["other", PATH]


def test_a_lost_answer_does_not_hide_that_another_was_first(store: Store, lose_answer: Callable[[], None]) -> None:
    """The write was not done; that answer is lost, too."""
    store.put(PATH, b"first")
    version = version_of(store, PATH)
    store.put(PATH, b"another's")
    for expect in (version, Absent()):
        lose_answer()
        with pytest.raises(Changed):
            store.put(PATH, b"mine", expect=expect)
    assert store.read(PATH) == b"another's"


def test_other_changes_whose_answers_are_lost(store: Store, lose_answer: Callable[[], None]) -> None:
    """Deleting and publishing are tried again."""
    store.put(PATH, b"x")
    lose_answer()
    store.delete([PATH])
    assert store.read(PATH) is None
    with store.workspaces.new() as work:
        lose_answer()
        store.publish([(work.write("file", b"published"), PATH)])
    assert store.read(PATH) == b"published"


# --- Publishing -------------------------------------------------------------------------------------------------------


def test_temporary_files_are_published(store: Store) -> None:
    """Many at a time, in folders that are missing, in the place of others, and none besides."""
    store.put("part 0/x", b"old")
    with store.workspaces.new() as work:
        moves = [(work.write(f"file {number}", b"%d" % number), f"part {number}/x") for number in range(40)]
        store.publish(moves)
        store.publish([])
    assert {path: store.read(path) for path in paths(store)} == {f"part {n}/x": b"%d" % n for n in range(40)}


def test_a_file_is_copied_to_a_local_one(store: Store, tmp_path: Path) -> None:
    """The copy has every byte of a file of several chunks, and replaces an older copy; a missing file gives None."""
    data = bytes(range(256)) * (3 << 12) + b"end"
    store.put("a/large", data)
    copy = tmp_path / "copy"
    copy.write_bytes(b"x" * (len(data) + 1))
    found = store.local_copy("a/large", copy)
    assert found is not None
    assert found.read_bytes() == data
    assert store.local_copy("a/none", copy) is None
    assert store.local_copy("none/none", copy) is None


@pytest.mark.skipif(not FULL, reason="takes seconds and a lot of memory: `make test-full`")
def test_a_large_file_is_published_whole(store: Store) -> None:
    """One that a store takes in parts only, if it has parts; nothing is left unfinished."""
    piece = EVERY_BYTE * (1 << 12)
    with store.workspaces.new() as work:
        path = work.path("large")
        with path.open("wb") as file:
            for _ in range(MULTIPART // len(piece) + 1):
                file.write(piece)
        size = path.stat().st_size
        store.publish([(path, PATH)])
    assert size > MULTIPART
    (entry,) = store.entries("some")
    assert (entry.path, entry.size) == (PATH, size)
    data = store.read(PATH)
    assert data is not None
    assert all(data[start : start + len(piece)] == piece for start in range(0, size, len(piece)))
    # A store need not be able to tell, but has to say so.
    with suppress(DatasetError):
        assert store.unfinished() == []


# --- Listing ----------------------------------------------------------------------------------------------------------


def test_an_empty_folder_lists_nothing(store: Store) -> None:
    """Nor does one that is not there."""
    store.make_folder("empty")
    assert list(store.entries("empty")) == list(store.entries("no/such")) == []
    assert list(store.read_below("no/such")) == []
    assert paths(store) == []


def test_a_folder_lists_all_below_it_and_nothing_beside_it(store: Store) -> None:
    """However deep, sorted by path as text, whatever the names of folders and files are."""
    inside = ["a/1", "a/b-c", "a/b/2", "a/b/c/d/e/f/3", "a/b0", "a/é"]
    for path in [*inside, "a-", "a.json", "ab/4", "b/a/5", "z"]:
        store.put(path, path.encode())
    assert paths(store, "a") == inside == sorted(inside)
    assert paths(store, "a/b") == ["a/b/2", "a/b/c/d/e/f/3"]
    assert paths(store) == sorted(paths(store)) == sorted([*inside, "a-", "a.json", "ab/4", "b/a/5", "z"])
    assert list(store.read_below("a")) == [(path, path.encode()) for path in inside]


def test_a_listing_has_more_than_a_page(place: Place) -> None:
    """All of it, once each, sorted."""
    store = place.store
    expected = [f"many/{number:04}" for number in range(place.page + 3)]
    with store.workspaces.new() as work:
        moves = [(work.path(path.partition("/")[2]), path) for path in expected]
        for temporary, _ in moves:
            temporary.write_bytes(b"x")
        store.publish(moves)
    assert paths(store, "many") == expected
    assert [path for path, _ in store.read_below("many")] == expected
    versions = [pair for some in store.versions("many") for pair in some]
    assert versions == [(entry.path, entry.version) for entry in store.entries("many")]
    assert store.missing([*expected, "many/x"]) == {"many/x"}
    store.delete(expected)
    assert paths(store) == []


def test_a_listing_says_size_time_and_version(store: Store) -> None:
    """The version stays until the file is written again; a store that does not tell has none at all."""
    began = time.time()
    store.put(PATH, b"first")
    (first,) = store.entries("some")
    assert (first.path, first.size) == (PATH, 5)
    # Some stores round, and clocks differ.
    assert began - 5 < first.modified < time.time() + 5
    assert list(store.entries("some")) == [first]
    store.put(PATH, b"other")
    (second,) = store.entries("some")
    assert (first.version is None) == (second.version is None)
    assert first.version is None or first.version != second.version


def test_many_files_are_read_in_the_order_asked_for(store: Store) -> None:
    """Those that are gone are passed over, even all of a folder."""
    for path in ("b/2", "a/1", "b/3", "c"):
        store.put(path, path.encode())
    wanted = ["b/3", "no/such", "a/1", "b/x", "c", "b/2", "c"]
    assert [path for path, _ in store.read_all(wanted)] == ["b/3", "a/1", "c", "b/2", "c"]
    assert dict(store.read_all(wanted)) == {path: path.encode() for path in ("a/1", "b/2", "b/3", "c")}
    assert list(store.read_all([])) == []
    assert store.missing(wanted) == {"no/such", "b/x"}
    assert store.missing([]) == set()


# --- Deleting ---------------------------------------------------------------------------------------------------------


def test_only_what_is_named_is_deleted(store: Store) -> None:
    """Neither a longer name nor a shorter one, nor what is below."""
    for path in ("a/b", "a/b.bak", "a/bc", "a/c/d"):
        store.put(path, b"x")
    store.delete(["a/b", "a/c/d"])
    assert paths(store) == ["a/b.bak", "a/bc"]


def test_what_is_gone_is_deleted_again(store: Store) -> None:
    """A file that is missing is what was wanted; the others are deleted all the same."""
    store.put(PATH, b"x")
    store.put("other", b"x")
    store.delete(["no/such", PATH, "no", PATH, "other"])
    store.delete([PATH])
    store.delete([])
    assert paths(store) == []


# --- Names ------------------------------------------------------------------------------------------------------------


def test_odd_names_are_names(store: Store) -> None:
    """All at once, so that none stands for another; by every way that leads to a file."""
    expected = {f"odd/{name}/{name}": name.encode() for name in ODD_NAMES}
    for path, data in expected.items():
        store.put(path, data, expect=Absent())
    assert paths(store, "odd") == sorted(expected)
    assert dict(store.read_below("odd")) == dict(store.read_all(expected)) == expected
    assert store.missing(expected) == set()
    for path, data in expected.items():
        assert paths(store, path.rpartition("/")[0]) == [path]
        store.put(path, data + b"!", expect=version_of(store, path))
        assert store.read(path) == data + b"!"
    with store.workspaces.new() as work:
        store.publish([(work.write(f"{number}", b"published"), path) for number, path in enumerate(expected)])
    assert {store.read(path) for path in expected} == {b"published"}
    for left, path in enumerate(sorted(expected, reverse=True), 1):
        store.delete([path])
        assert len(paths(store, "odd")) == len(expected) - left


def test_long_names_are_names(place: Place) -> None:
    """As long as the store can have them, and one that differs in its last character only."""
    store = place.store
    one, other = ("n" * (place.longest - 1) + last for last in "ab")
    for name in (one, other):
        store.put(f"long/{name}", name.encode(), expect=Absent())
    assert list(store.read_below("long")) == [(f"long/{name}", name.encode()) for name in (one, other)]
    store.delete([f"long/{one}"])
    assert paths(store) == [f"long/{other}"]


# --- What a place is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 5000], ids=["small", "large"])
@pytest.mark.parametrize("known", [True, False], ids=["size known", "size unknown"])
def test_arrow_reads_the_same_files(store: Store, times: int, known: bool) -> None:
    """By its own way to the place, in any order, whether the caller knows the size or not."""
    data = EVERY_BYTE * times
    store.put(PATH, data)
    filesystem, base = store.arrow({PATH: len(data)} if known else {})
    with filesystem.open_input_file(f"{base}/{PATH}") as file:
        assert file.size() == len(data)
        file.seek(len(data) - 20)
        assert file.read(20) == data[-20:]
        file.seek(5)
        assert file.read(3) == data[5:8]
        file.seek(0)
        assert file.read() == data


def test_a_place_that_fails_is_an_error_that_names_it(place: Place) -> None:
    """One of ours, whatever is done; it is neither an empty root nor a file that is missing."""
    broken = place.broken
    with place.store.workspaces.new() as work:
        temporary = work.write("file", b"x")
        actions: list[Callable[[], object]] = [
            lambda: broken.read(PATH),
            lambda: broken.read_version(PATH),
            lambda: list(broken.entries("")),
            lambda: list(broken.entries("some")),
            lambda: list(broken.read_below("some")),
            lambda: list(broken.read_all([PATH])),
            lambda: broken.missing([PATH]),
            lambda: broken.put(PATH, b"x"),
            lambda: broken.put(PATH, b"x", expect=Absent()),
            lambda: broken.put(PATH, b"x", expect=Version('"0123456789abcdef"')),
            lambda: broken.publish([(temporary, PATH)]),
            lambda: broken.delete([PATH]),
            broken.make_root,
        ]
        for number, action in enumerate(actions):
            with pytest.raises(DatasetError) as caught:
                action()
            assert broken.place().rstrip("/") in str(caught.value), number
            assert "; " in str(caught.value), number
