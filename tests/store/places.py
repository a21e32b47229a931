"""The stores that the conformance suite runs against: one function makes a store, one line of ``PLACES`` enters it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.scale import scaled
from tests.store.s3.lake import Lake
from tests.store.s3.s3s import LONGEST_NAME
from tools.s3.proxy import Proxy, proxying
from wsparquet.dataset import Access
from wsparquet.dataset.access import open_store
from wsparquet.store.store import Store

__all__ = ["PLACES", "Place"]

LONGEST_FILE_NAME = 255
"""Bytes of a name on Linux and macOS."""


@dataclass(frozen=True)
class Place:
    """A store with an empty root, and what is needed to try it.

    ``broken`` is a store of the same kind at a place that cannot hold a root, or does not answer. ``lose_answer`` has
    the next write, of whatever kind, be done while its answer is lost; None if the store waits for no answers.
    A listing is asked for ``page`` files at a time, if that can be. ``longest`` is the length of the longest last
    component that has to work. ``atomic``: nobody can write between the comparison and the write of a conditional one.
    """

    store: Store
    broken: Store
    lose_answer: Callable[[], None] | None = None
    page: int = 10
    longest: int = LONGEST_FILE_NAME
    atomic: bool = True


@contextmanager
def on_disk(_request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    """A local disk; a file stands where the broken root should be."""
    (folder / "file").write_bytes(b"")
    yield Place(opened(str(folder / "lake")), open_store(str(folder / "file"), Access())[0])


@contextmanager
def on_s3(
    request: pytest.FixtureRequest, _folder: Path, *, server: str = "endpoint", longest: int = 255, atomic: bool = True
) -> Iterator[Place]:
    """A bucket of a server that the fixture ``server`` starts; nothing listens where the broken one should be."""
    endpoint = request.getfixturevalue(server)
    with proxying(endpoint) as proxy:
        lake = Lake(endpoint, proxy.url)
        options = {**lake.options, "endpoint_url": "http://127.0.0.1:9"}
        broken, _ = open_store(lake.url, Access(options, patience_seconds=0.2))
        page = scaled(1000, 10)
        # Servers for tests are slow with large files.
        own = {"s3_additional_kwargs": {"MaxKeys": page}, "config_kwargs": {"read_timeout": 60}}
        access = Access({**lake.options, **own}, patience_seconds=60.0)
        yield Place(opened(lake.url, access), broken, partial(lose_answer, proxy), page, longest, atomic)


PLACES: dict[str, Callable[[pytest.FixtureRequest, Path], AbstractContextManager[Place]]] = {
    "local disk": on_disk,
    "moto": on_s3,
    "s3s-fs": partial(on_s3, server="second_endpoint", longest=LONGEST_NAME, atomic=False),
}


def opened(path: str, access: Access | None = None) -> Store:
    """The store at a path, with an empty root."""
    store, _ = open_store(path, access or Access())
    store.make_root()
    # The folders that a store needs for its own purposes.
    for state in ("_wsparquet", "_wsparquet/tmp", "_wsparquet/locks"):
        store.make_folder(state)
    return store


def lose_answer(proxy: Proxy) -> None:
    """Have the next PUT, POST or DELETE reach the server, and its answer reach nobody."""

    def lose(method: str, _path: str) -> bool:
        if method in {"GET", "HEAD"}:
            return False
        proxy.settings.after = None
        return True

    proxy.settings.after = lose
