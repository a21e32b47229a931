"""Erasing people whose ids are in columns that an extension adds."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

import wsparquet
from tests.erasure.conftest import COMPACT
from tests.erasure.people import NAMES, PREFIX, START, container, geo, pages, record, rows

EXTENSION = """
[structs.Navigation.fields]
customer_id = "long"
visitorId = "list of string"

[tables.cobrowse]
tags = ["WebSessionCobrowseData"]
payload = "cobrowse"
fields = { customerId = "double", VISIT_ID = "string", contact = "string" }
"""


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A source whose undocumented fields have ids: numbers, lists, and names of another spelling."""
    records: list[dict[str, Any]] = []
    for each in range(3):
        page = pages(f"v{each}", f"t{each}", START)
        (data,) = (value for value in page["body"].values())
        data["navigationData"]["array"][0] |= {"customer_id": {"long": 4711 + each}, "visitorId": [f"friend{each}"]}
        seen = {"customerId": {"double": 77.0 + each}, "VISIT_ID": f"seen{each}"}
        records += [page, geo(f"v{each}", f"t{each}"), record("WebSessionCobrowseData", f"v{each}", f"t{each}")]
        records[-1]["body"][f"{PREFIX}.WebSessionCobrowseData"]["cobrowse"] = [seen]
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / NAMES[0]).write_bytes(gzip.compress(container(*records).encode()))
    return tmp_path / "raw"


def test_ids_in_columns_of_an_extension_are_found_as_before_it(raw: Path, tmp_path: Path) -> None:
    """By a number, in a list, and whatever the spelling of the name; and the people do not come back."""
    lake = tmp_path / "lake"
    wsparquet.convert(raw, to=lake)
    (tmp_path / "more.toml").write_text(EXTENSION)
    cases: list[dict[str, Any]] = [
        {"customers": "4711"}, {"visitors": "friend1"}, {"customers": "79.0"}, {"visits": "seen0"}
    ]  # fmt: skip
    before = [wsparquet.erase(lake, **case) for case in cases]
    assert [sum(each.erased.rows.values()) for each in before] == [3, 1, 3, 1]
    wsparquet.extend(lake, tmp_path / "more.toml")
    assert wsparquet.open_dataset(lake).table("cobrowse").count_rows() == 3
    for own_parts in (True, False):
        found = [wsparquet.erase(lake, **case) for case in cases]
        assert [sum(each.erased.rows.values()) for each in found] == [3, 1, 3, 1]
        assert [each.visits_of_customers for each in found] == [each.visits_of_customers for each in before]
        if own_parts:
            wsparquet.compact(lake, **COMPACT)
    wsparquet.erase(lake, visitors="friend1", customers=["4711", "79"], yes=True)
    left = rows(lake)
    assert not any(each in row for row in left for each in ("friend1", "4711", "79.0", "'t0'", "'t2'"))
    again = wsparquet.convert(raw, to=lake, again=True)
    assert again.left_out["erased"] == 9 - len(left)
    assert rows(lake) == left
    assert wsparquet.verify(lake, against=raw).problems == []
