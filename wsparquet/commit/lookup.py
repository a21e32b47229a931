"""The facts by which a run finds commits, and their 64-bit keys, by which a checkpoint finds them."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple

from wsparquet.commit.record import CommitHeader, Text
from wsparquet.layout import Identity

__all__ = ["Fact", "Kind", "facts_of", "text_fact"]

KEY_BYTES = 8


class Kind(Enum):
    """What a fact says of a commit. The values are parts of keys in checkpoints."""

    RECORD = "record"
    CONTENT = "content"
    URL = "url"
    SIZE = "size"
    CHECKSUM = "checksum"
    TEXT = "text"
    OLDER_TEXT = "older"
    SOURCE_NAME = "name"
    LISTED_NAME = "listed"


class Fact(NamedTuple):
    """Something that is known of a commit, such as the URL of its source."""

    kind: Kind
    value: str

    @property
    def key(self) -> int:
        """The key of the fact. Two facts may have one key, so compare what a key finds."""
        text = f"{self.kind.value}\0{self.value}".encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=KEY_BYTES).digest(), "little")

    @classmethod
    def of_record(cls, identity: Identity) -> Fact:
        """Return the fact that a record is that of ``identity``."""
        return cls(Kind.RECORD, identity.key.record_path)


def text_fact(text: Text) -> Fact:
    """Return the fact that a commit has a text."""
    return Fact(Kind.TEXT, f"{text.blake3} {text.length}")


def facts_of(header: CommitHeader) -> Iterator[Fact]:
    """Yield the facts by which a commit is found, some of them perhaps twice."""
    facts = header.facts
    yield Fact.of_record(header.identity)
    yield Fact(Kind.CONTENT, header.content_id)
    yield Fact(Kind.CHECKSUM, header.checksum)
    yield Fact(Kind.SOURCE_NAME, facts.source_name)
    if facts.size is not None:
        yield Fact(Kind.SIZE, str(facts.size))
    if facts.text is not None:
        yield text_fact(facts.text)
    for text in header.texts_before:
        yield Fact(Kind.OLDER_TEXT, text)
    for url in (facts.url, *(each.url for each in header.also)):
        if url is not None:
            yield Fact(Kind.URL, url)
    for listing in header.listings():
        if (name := listing.get("name")) is not None:
            yield Fact(Kind.LISTED_NAME, name)
