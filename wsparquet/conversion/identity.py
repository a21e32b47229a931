"""Decides what becomes of a converted source: a new commit, a replaced commit, or a copy of another commit.

The rules are those of ``docs/datasets.md``, "The identity of a source".
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from wsparquet.commit import CommitHeader, CommitIndex, Sighting, Text
from wsparquet.commit.twins import outranks
from wsparquet.errors import SourceError
from wsparquet.layout import SEVERAL_ACCOUNTS, UNKNOWN_ACCOUNT, Identity
from wsparquet.names import SourceName, parse_name
from wsparquet.source import Source

__all__ = ["Content", "Decision", "Refer", "Skip", "Write", "choose_account", "decide", "sighting", "skip_known"]

MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Content:
    """A source that was read to its end: its account, the SHA-256 of its stored bytes, its text, its row count.

    ``account_given``: the caller or the source's URL names the account.
    """

    source: Source
    account: str
    checksum: str
    text: Text
    rows: int
    account_given: bool = False

    @property
    def name(self) -> SourceName:
        """The source's name, parsed."""
        return parse_name(self.source.name)

    @property
    def identity(self) -> Identity:
        """The source's identity: its account and name and, unless the name is an API name, its content."""
        name = self.name
        return Identity(self.account, name.api_name or f"{name.stem}.{self.checksum[:16]}")


@dataclass(frozen=True, slots=True)
class Skip:
    """The commit ``holder`` covers the source. ``reason`` is empty if the commit was made from this very source.

    ``older_text`` is the hash of the source's text if the holder has replaced that text; otherwise the source has the
    text of the holder.
    """

    holder: CommitHeader
    reason: str = ""
    older_text: str | None = None


@dataclass(frozen=True, slots=True)
class Refer:
    """The source gets a record without rows, which refers to the commit ``holder`` with the same text."""

    identity: Identity
    before: CommitHeader | None
    holder: CommitHeader

    @property
    def reason(self) -> str:
        """Why the source has no rows of its own."""
        return _same_content(self.holder)


@dataclass(frozen=True, slots=True)
class Write:
    """The source gets a commit, which replaces ``before``. The commits ``yielding`` then yield to the new commit."""

    identity: Identity
    before: CommitHeader | None
    yielding: tuple[CommitHeader, ...] = ()

    @property
    def texts_before(self) -> tuple[str, ...]:
        """The hashes of older texts of the same API file, from commits made while its account was unknown."""
        same = (each for each in self.yielding if each.has_api_name and each.identity.name == self.identity.name)
        return tuple(text for each in same for text in each.texts_before)


Decision = Skip | Refer | Write


def decide(
    found: Content, commits: CommitIndex, *, again: bool = False, done: Container[Identity] = (), into: Identity | None
) -> Decision:
    """Return what to do with the rows of a source.

    ``again``: also convert committed sources, except those whose commits this run has made (``done``). ``into``: the
    identity of the commit that the source repeats, if any.

    Raises:
        SourceError: the name says that the source is a copy of a committed source, but its content is different; or the
            commit to repeat no longer has the source's content.

    """
    if into is not None:
        return _about_repeated(found, into, commits)
    identity = found.identity
    before = commits.get(identity)
    present = commits.counted(before)
    if present is not None and (decision := _about_own_commit(found, present, again=again and identity not in done)):
        return decision
    if holders := [each for each in commits.by_text(found.text) if found.rows and each.identity != identity]:
        return _about_twins(found, before, holders, again=again and holders[0].identity not in done)
    if not found.name.is_api and not found.source.listing and (newer := _newer_than(found, commits)):
        return _older_content(newer, found.text.blake3)
    return Write(identity, before)


def _about_repeated(found: Content, into: Identity, commits: CommitIndex) -> Decision:
    """Decide about a source that repeats a commit. Another run may have changed that commit in the meantime."""
    before = commits.get(into)
    if before is None or before.text != found.text:
        raise SourceError(
            f"{found.source.url}: expected the source as it was committed, found that another run has removed or "
            "replaced it; nothing was changed"
        )
    return Write(into, before) if before.same_as is None else Skip(before, _same_content(before))


def _newer_than(found: Content, commits: CommitIndex) -> CommitHeader | None:
    """Return a commit that has replaced the text of the source by a newer text."""
    return next((each for each in commits.by_older_text(found.text) if found.rows and commits.counted(each)), None)


def _older_content(newer: CommitHeader, text: str) -> Skip:
    return Skip(newer, f"an older content of {newer.identity.name}", text)


def _about_own_commit(found: Content, present: CommitHeader, *, again: bool) -> Decision | None:
    """Decide by the commit of the source's own identity. Return None if the source has new content."""
    own, name = present.facts.source_name, found.name
    if found.text == present.text and not (again and present.same_as is None):
        return Skip(present, "" if found.source.name == own else _same_content(present))
    if found.text != present.text and found.text.blake3 in present.texts_before and (name.is_copy or not again):
        return _older_content(present, found.text.blake3)
    if found.text != present.text and name.is_copy:
        raise SourceError(
            f"{found.source.url}: expected the content of {own}, because its name says that it is a copy, found other "
            f"content; if this file is newer, rename it to {present.identity.name}.gz, otherwise delete it"
        )
    return None


def _about_twins(
    found: Content, before: CommitHeader | None, holders: Sequence[CommitHeader], *, again: bool
) -> Decision:
    """Decide by ``holders``, the commits of other identities with rows of the same text, the preferred one first."""
    best = holders[0]
    if found.name.is_api:
        # The record keeps its account, even if this call does not name the account that the containers contradict.
        if again and not found.account_given and (own := _of_same_name(found, holders)):
            return Write(own.identity, own)
        if outranks(found.identity, best.identity):
            return Write(found.identity, before, tuple(holders))
        return Refer(found.identity, before, best)
    # The rows of an API file contain the file's name, so only the file itself is converted again, not a copy.
    if again and not best.has_api_name:
        return Write(best.identity, best)
    # Only a record under the source's own identity tells later synchronizations that a listed file is committed.
    if found.source.listing:
        return Refer(found.identity, before, best)
    return Skip(best, _same_content(best))


def _of_same_name(found: Content, holders: Sequence[CommitHeader]) -> CommitHeader | None:
    return next((each for each in holders if each.identity.name == found.name.api_name), None)


def skip_known(source: Source, header: CommitHeader, place: Sighting | None = None) -> Skip:
    """Return the decision to skip a source because of the commit ``header``.

    The source has the stored bytes of that commit, or the commit lists the source's place as ``place``. In the second
    case the source may have an older text, which the commit has replaced.
    """
    if place is not None and header.text is not None and place.text != header.text.blake3:
        return _older_content(header, place.text)
    return Skip(header, "" if source.name == header.facts.source_name else _same_content(header))


def _same_content(holder: CommitHeader) -> str:
    return f"{holder.facts.source_name} holds the same content"


def sighting(source: Source, skip: Skip) -> Sighting | None:
    """Return the place of a skipped source to record, or None if it is already recorded or would be of no use."""
    current = skip.holder.text
    if current is None or not source.rereadable:
        return None
    text = skip.older_text or current.blake3
    place = Sighting(source.name, source.url, source.size, source.etag, source.mtime, text, source.listing)
    return None if place in skip.holder.places() else place


def choose_account(source: Source, given: str | None, stated: Sequence[str], *, force: bool) -> str:
    """Return the account of a source: the given one, the one in its URL, or the only one that its containers state.

    ``stated``: the accounts that the containers state. With ``force``, the given account and the URL's account may
    differ from them.

    Raises:
        SourceError: the containers state another account than the given account or the account in the URL.

    """
    account = given or source.account
    if account is None:
        return (stated[0] if len(stated) == 1 else SEVERAL_ACCOUNTS) if stated else UNKNOWN_ACCOUNT
    if stated and set(stated) != {account} and not force:
        shown = ", ".join(stated[:MOST_SHOWN]) + (" and others" if len(stated) > MOST_SHOWN else "")
        origin, remedy = (
            ("`account`", "leave `account` out")
            if given
            else (f"the folder account/{account}/", f"name the folder after the account, or pass `account` {stated[0]}")
        )
        raise SourceError(
            f"{source.url}: expected containers of account {account}, which {origin} names, found account {shown}; "
            f"{remedy}, or accept {account} for all rows with `force_account`"
        )
    return account
