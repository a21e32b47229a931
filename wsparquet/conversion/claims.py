"""Coordinates the sources of one run that have the same name, the same text, or a copy's name."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager

from wsparquet.commit import Text
from wsparquet.errors import SourceError
from wsparquet.layout import Identity
from wsparquet.names import parse_name
from wsparquet.source import Failed, Source

__all__ = ["Claims", "in_order"]


def in_order(sources: Iterable[Source | Failed]) -> list[int]:
    """Return the indices of the sources in the order in which to begin them. Sources with a copy's name come last."""
    names = [parse_name(source.name) for source in sources]
    return sorted(range(len(names)), key=lambda index: names[index].is_copy)


class Claims:
    """The names and texts that the sources of a run have claimed; any number of threads may use the object."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owners: dict[Identity, tuple[str, Text]] = {}
        self._texts: defaultdict[Text, threading.Lock] = defaultdict(threading.Lock)
        self._done = set[Identity]()
        self._waiting: dict[str, int] = {}
        self._finished = threading.Condition(self._lock)

    def claim(self, identity: Identity, text: Text, source: Source) -> None:
        """Reject a source with the same API name as another source of this run, but with other content.

        If both were committed, each would replace the other, in this run and in every later run.
        """
        with self._lock:
            url, claimed = self._owners.setdefault(identity, (source.url, text))
        if claimed != text:
            raise SourceError(
                f"{source.url}: expected one content for {identity.name} of account {identity.account}, but {url} in "
                "this run has other content; convert only the correct one, or give them different accounts by `account`"
            )

    @contextmanager
    def alone_with(self, text: Text) -> Iterator[None]:
        """Wait until no other source of this run commits the same text."""
        with self._lock:
            lock = self._texts[text]
        with lock:
            yield

    # --- What this run has committed ----------------------------------------------------------------------------------

    @property
    def done(self) -> Container[Identity]:
        """A live view of the identities that this run has committed."""
        return self._done

    def add_done(self, identity: Identity) -> None:
        """Record that this run has committed an identity."""
        self._done.add(identity)

    # --- X.gz is converted before X (1).gz ----------------------------------------------------------------------------

    def expect(self, sources: Iterable[Source | Failed]) -> None:
        """Record the sources with an original API name. Sources with a copy's name wait for them."""
        with self._lock:
            for source in sources:
                name = parse_name(source.name)
                if name.is_api:
                    self._waiting[name.stem] = self._waiting.get(name.stem, 0) + 1

    @contextmanager
    def turn_of(self, source: Source | Failed) -> Iterator[None]:
        """If ``source`` has a copy's name, wait until the sources with the original name are done.

        The sources with the original name have already begun, because a run begins its sources in the order of
        ``in_order``.
        """
        self._wait_for_originals(source)
        try:
            yield
        finally:
            with self._finished:
                stem = parse_name(source.name).stem
                if stem in self._waiting:
                    self._waiting[stem] -= 1
                    self._finished.notify_all()

    def _wait_for_originals(self, source: Source | Failed) -> None:
        name = parse_name(source.name)
        if name.is_copy and name.api_name is not None:
            api_name = name.api_name
            with self._finished:
                self._finished.wait_for(lambda: self._waiting.get(api_name, 0) <= 0)
