"""Masks the values of batches and of rescued values; the native decoder has the same rules in ``masks.rs``."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final

import pyarrow as pa

from wsparquet.decode.masks import DROP, KEEP, ColumnMask, Masks
from wsparquet.decode.reference.rescue import Path, Rescue, path_text, to_json
from wsparquet.privacy.keys import SecretKey

__all__ = ["masked_batch", "masked_rescue", "network", "short_url"]

REDACTED: Final = "redacted"

V6_KEPT: Final = 3
"""How many groups of 16 bits of an IP address of version 6 are kept."""


# --- Columns ----------------------------------------------------------------------------------------------------------


def masked_batch(masks: Masks, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with masked columns."""
    for mask in masks.columns[table]:
        first, *rest = mask.column.steps
        index = batch.schema.get_field_index(first)
        column = _masked(batch.column(index), rest, mask, masks.key)
        batch = batch.set_column(index, batch.schema.field(index), column)
    return batch


def _masked(array: pa.Array, steps: list[str], mask: ColumnMask, key: SecretKey | None) -> pa.Array:
    """Return an array in which the leaf at ``steps`` is masked. Lists have no step."""
    kind: Any = array.type
    if isinstance(array, pa.ListArray):
        # `values` ignores the offset of a slice, so that the offsets still fit.
        values = _masked(array.values, steps, mask, key)
        return pa.Array.from_buffers(kind, len(array), array.buffers()[:2], offset=array.offset, children=[values])
    if isinstance(array, pa.StructArray):
        index = kind.get_field_index(steps[0])
        children = [array.field(at) for at in range(kind.num_fields)]
        children[index] = _masked(children[index], steps[1:], mask, key)
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())
    texts = [] if mask.operation == DROP else array.to_pylist()
    masked: pa.Array[Any] = pa.array([_replaced(text, mask.operation, key) for text in texts], kind)
    nulls: pa.Array[Any] = pa.nulls(len(array), kind)
    return nulls if mask.operation == DROP else masked


def _replaced(value: str | None, operation: str, key: SecretKey | None) -> str | None:
    """Return what replaces a text."""
    return None if value is None else _operations(key)[operation](value)


def _operations(key: SecretKey | None) -> dict[str, Callable[[str], str | None]]:
    def hashed(value: str) -> str | None:
        return key.digest(value.encode("utf-8")) if key is not None else None

    return {"hash": hashed, "ip": network, "url": short_url, "redact": lambda _: REDACTED, DROP: lambda _: None}


def network(value: str) -> str | None:
    """Return the address of an IP address's network (24 bits, or 48 in version 6), or None for any other text.

    Example:
        >>> network("203.0.113.77"), network("2001:db8:17:4::1"), network("localhost")
        ('203.0.113.0', '2001:db8:17::', None)

    """
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(ipaddress.IPv4Address(int(address) & ~0xFF))
    if address.scope_id is not None:
        return None
    groups = [int(address) >> 112 - 16 * index & 0xFFFF for index in range(V6_KEPT)]
    while groups and not groups[-1]:
        groups.pop()
    return ":".join(f"{group:x}" for group in groups) + "::"


def short_url(value: str) -> str:
    """Return a URL without its query, its fragment, and the user in its authority.

    Example:
        >>> short_url("https://eva:pw@shop.example/cart?email=eva#top")
        'https://shop.example/cart'

    """
    end = min((at for mark in "?#" if (at := value.find(mark)) >= 0), default=len(value))
    before, slashes, after = value[:end].partition("//")
    authority = min((at for mark in "/\\" if (at := after.find(mark)) >= 0), default=len(after))
    return before + slashes + after[after[:authority].rfind("@") + 1 :]


# --- Rescued values ---------------------------------------------------------------------------------------------------


def masked_rescue(masks: Masks, table: str, rescue: Rescue) -> list[tuple[Path, str]]:
    """Return the rescued values of a row as JSON texts, masked by their paths and their keys."""
    return [(path, _text(masks, _operation(masks, table, path), value)) for path, value in rescue]


def _operation(masks: Masks, table: str, path: Path) -> str:
    known = masks.paths[table].get(path_text(path, starred=True))
    if known is not None:
        return known
    step = path[1] if isinstance(path, tuple) else 0
    return KEEP if isinstance(step, int) else masks.named(step)


def _text(masks: Masks, operation: str, value: Any) -> str:
    """Return the JSON text of a masked value. A value that is kept may have members that are masked."""
    if operation == KEEP:
        match value:
            case tuple():
                pairs = (f"{to_json(key)}: {_text(masks, masks.named(key), item)}" for key, item in value)
                return "{" + ", ".join(pairs) + "}"
            case list():
                return "[" + ", ".join(_text(masks, KEEP, item) for item in value) + "]"
    if operation == KEEP or value is None:
        return to_json(value)
    text = to_json(value)
    if text[0] == '"':
        text = json.loads(text)
    elif operation not in {"hash", "redact"}:
        return "null"
    masked = _replaced(text, operation, masks.key)
    return "null" if masked is None else str(encode_basestring(masked))
