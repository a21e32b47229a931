"""`read` with a policy: the rows are those of a conversion with this policy."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wsparquet
from tests.privacy.sources import LEAK, policy_masks, source
from wsparquet import Policy, SecretKey
from wsparquet.errors import OptionError

KEY = SecretKey(bytes.fromhex("00112233445566778899aabbccddeeff"))
EMAIL = "engagement_attributes.engagementAttributes.data.personalInfo.contacts.email"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A source with a value in each column, and with odd records."""
    path = tmp_path / "WebSession.1467291600000.1467295200000.part-00000-0.gz"
    path.write_bytes(gzip.compress(source(), mtime=0))
    return path


def in_order(rows: list[dict[str, Any]]) -> list[str]:
    """Rows as text, in an order of their own."""
    return sorted(repr(sorted(row.items())) for row in rows)


def ignore(text: wsparquet.Quarantined) -> None:
    """Do nothing with a text that becomes no rows."""


def read(
    raw: Path, policy: Policy, on_quarantined: Callable[[wsparquet.Quarantined], None] = ignore
) -> dict[str, list[Any]]:
    """The rows of each table, read with a policy."""
    found = wsparquet.read(raw, policy=policy, key_file=KEY, on_quarantined=on_quarantined)
    return {name: table.to_pylist() for name, table in found.items()}


def test_all_masks_give_what_a_conversion_gives(raw: Path, tmp_path: Path) -> None:
    """Every column that can be masked, lists and rescued values included; quarantined text follows the policy too."""
    policy = Policy.make(policy_masks())
    assert {action for _, action in policy.masks} == {"drop", "hash", "redact", "truncate"}
    texts: list[wsparquet.Quarantined] = []
    found = read(raw, policy, texts.append)
    wsparquet.convert(raw, to=tmp_path / "lake", policy=policy, key_file=KEY)
    lake = wsparquet.open_dataset(tmp_path / "lake")
    for name, rows in found.items():
        stored = lake.table(name).to_table().drop_columns("date")
        assert in_order(rows) == in_order(stored.to_pylist()), name
    assert sum(map(len, found.values())) > 20
    assert any(row["rescued"] for rows in found.values() for row in rows)
    assert LEAK not in repr(found).lower()
    assert texts
    assert LEAK not in repr(texts).lower()


def test_each_action_changes_its_columns_and_no_other(raw: Path) -> None:
    """The values say what the action is: a hash is that of the key, an address loses its end, a list keeps its form."""
    plain = read(raw, Policy.make(quarantine="keep", record="keep", values="keep"))
    masks = {"visitorId": "hash", "geo.iPV4": "truncate", "navigation.navigationData.url": "truncate"}
    found = read(raw, Policy.make({**masks, EMAIL: "redact", "geo.city": "drop"}, record="keep"))
    for name, rows in found.items():
        visitors = [row["visitorId"] for row in plain[name]]
        assert [row["visitorId"] for row in rows] == [each and KEY.digest(each.encode()) for each in visitors]
    assert {row["iPV4"] for row in found["geo"]} == {"203.0.113.0", None}
    assert {row["city"] for row in found["geo"]} == {None} != {row["city"] for row in plain["geo"]}
    urls = {page["url"] for row in found["navigation"] for page in row["navigationData"] or [] if page}
    assert urls - {None} == {"https://shop.example/cart"}
    emails, phones = (contacts(found, name) for name in ("email", "phone"))
    assert (len(emails), phones) == (len(contacts(plain, "email")), contacts(plain, "phone"))
    assert emails != contacts(plain, "email")
    assert len({*emails} - {None}) == 1
    assert [row["sessionStartTime"] for row in found["session_info"]] == [
        row["sessionStartTime"] for row in plain["session_info"]
    ]


def contacts(found: dict[str, list[Any]], name: str) -> list[Any]:
    """The values of all contacts of a kind."""
    infos = [
        attribute["data"]["personalInfo"]
        for row in found["engagement_attributes"]
        for attribute in row["engagementAttributes"] or []
        if attribute["data"]
    ]
    return [contact[name] for info in infos if info for contact in info["contacts"] or [] if contact]


def test_hashes_need_the_key(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the reading is refused, and a policy without hashes needs none; the variable's key counts too."""
    monkeypatch.delenv("WSPARQUET_KEY", raising=False)
    policy = Policy.make({"visitorId": "hash"})
    with pytest.raises(OptionError, match="expected a secret key"):
        wsparquet.read(raw, policy=policy, on_quarantined=ignore)
    assert wsparquet.read(raw, policy=Policy.make({"visitorId": "drop"}), on_quarantined=ignore)["geo"].num_rows
    monkeypatch.setenv("WSPARQUET_KEY", "00112233445566778899aabbccddeeff")
    found = wsparquet.read(raw, policy=policy, on_quarantined=ignore)
    assert found["geo"].to_pylist() == read(raw, policy)["geo"]
