"""Decides which masks apply to the rows of a root: a root keeps the policy with which it was created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsparquet.dataset.access import Access
from wsparquet.dataset.version import Masking
from wsparquet.errors import DatasetError

if TYPE_CHECKING:
    from wsparquet.decode.masks import Masks
    from wsparquet.privacy.policy import Policy

__all__ = ["check_not_masked", "check_same", "masking_of", "masks_of_root", "wanted_masks"]

SHOWN = 12
"""How many digits of a policy's hash a message shows."""


def wanted_masks(access: Access) -> Masks | None:
    """Return the masks of a root that does not exist yet. Raises OptionError if the policy needs a key."""
    if access.policy is None:
        return None
    # Imported only here, because most roots have no policy.
    from wsparquet.decode.masks import Masks

    return Masks.of(access.policy, access.key)


def masking_of(masks: Masks | None) -> Masking | None:
    """Return what ``root.json`` says about masks."""
    if masks is None:
        return None
    return Masking(masks.policy, masks.key.fingerprint if masks.key is not None else None)


def masks_of_root(place: str, kept: Masking | None, access: Access) -> Masks | None:
    """Return the masks of a root whose ``root.json`` has ``kept``.

    Raises:
        DatasetError: the caller wants another policy, or does not have the key of the root.

    """
    if access.policy is not None and (kept is None or kept.policy != access.policy):
        raise DatasetError(f"{place}: {_other_policy(kept, access.policy)}")
    if kept is None:
        return None
    from wsparquet.decode.masks import Masks

    found = access.key.fingerprint if access.key is not None else None
    if kept.key_fingerprint is not None and found != kept.key_fingerprint:
        raise DatasetError(
            f"{place}: expected the secret key of the root's masks, with the fingerprint {kept.key_fingerprint}, found "
            f"{f'one with the fingerprint {found}' if found else 'none'}; set WSPARQUET_KEY to the key of the first "
            "run, or give its file with `key_file`"
        )
    return Masks.of(kept.policy, access.key)


def check_same(place: str, kept: Masking | None, wanted: Masking | None) -> None:
    """Check the policy of a root that another run created a moment ago. Raises DatasetError if it is another one."""
    if kept != wanted:
        raise DatasetError(
            f"{place}: expected a new root, found one that another run has just created with another policy or key; "
            "run again with the same `policy` and `key_file`, or convert into a new root"
        )


def check_not_masked(place: str, kept: Masking | None) -> None:
    """Refuse to extend a root with masks: the columns of an extension have no masks. Raises DatasetError."""
    if kept is not None:
        raise DatasetError(
            f"{place}: expected a root without masks, found one with a policy of masks, which knows only documented "
            "columns; convert into a new root without masks to extend it"
        )


def _other_policy(kept: Masking | None, wanted: Policy) -> str:
    if kept is None:
        return (
            "expected no policy, because the root has rows that were not masked, found a policy; convert into a new "
            "root, or leave out `policy` and the masks"
        )
    differing = min((path for path, _ in {*kept.policy.masks} ^ {*wanted.masks}), default="the other text")
    return (
        f"expected the root's own policy, with the hash {kept.policy.hash[:SHOWN]}, found one with the hash "
        f"{wanted.hash[:SHOWN]}, which differs at {differing}; leave out `policy` and the masks, because a root "
        "keeps its policy, or convert into a new root"
    )
