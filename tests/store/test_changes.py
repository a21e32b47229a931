"""Changes of a file by several processes: none is lost, and a store without conditional writes compares first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.memory import MemoryStore
from wsparquet.store.changes import change_file, put_expected
from wsparquet.store.store import Absent, Changed, Expectation, Refused, Version


class Unconditional(MemoryStore):
    """A store that refuses conditional writes."""

    def put(self, path: str, data: bytes, *, expect: Expectation | None = None) -> None:
        """See ``Store``."""
        if expect is not None:
            raise Refused("no conditions")
        super().put(path, data)


@pytest.fixture(params=[MemoryStore, Unconditional])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> MemoryStore:
    """A store with conditional writes, and one without."""
    found: MemoryStore = request.param(tmp_path)
    return found


def changed(store: MemoryStore, change: Any) -> str:
    """Change the file ``f`` of text; a missing file is empty."""
    return change_file(store, "f", decode=lambda data: (data or b"").decode(), change=change, encode=str.encode)


def test_a_change_is_made_to_what_another_process_has_written(store: MemoryStore) -> None:
    """Whoever is second begins again with the content of the first, whether or not there was a file before."""
    others = ["one ", "two "]

    def change(before: str) -> str:
        if others:
            store.put("f", (before + others.pop(0)).encode())
        return before + "mine"

    assert changed(store, change) == "one two mine"
    assert store.read("f") == b"one two mine"


def test_an_equal_content_is_not_written(store: MemoryStore) -> None:
    """The file keeps its version, and a missing file stays missing."""
    assert changed(store, lambda before: before) == ""
    assert store.read("f") is None
    store.put("f", b"text")
    version = store.read_version("f")
    assert changed(store, lambda before: before) == "text"
    assert store.read_version("f") == version


def test_an_unexpected_state_is_left_alone(store: MemoryStore) -> None:
    """A file where none is expected, another version, and a missing file are Changed."""
    with pytest.raises(Changed):
        put_expected(store, "f", b"mine", Version("1"))
    assert store.read("f") is None
    put_expected(store, "f", b"first", Absent())
    for expect in (Absent(), Version("another")):
        with pytest.raises(Changed):
            put_expected(store, "f", b"mine", expect)
    assert store.read("f") == b"first"
