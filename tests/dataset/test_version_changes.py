"""Changes of ``root.json``: each keeps what another process has written in the same moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wsparquet.dataset import Root
from wsparquet.dataset.version import ERASED, Extending, change_version, read_version
from wsparquet.schema.extended import adopt
from wsparquet.store.local import LocalDisk

EXTENSION = adopt('structs.Navigation.fields.title = "string"', "more.toml")


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"schema": 1}, Root.begin_replay),
        ({"replaying_from": 1}, Root.end_replay),
        ({}, lambda root: root.begin_extension(EXTENSION)),
        ({"extending": Extending(None)}, Root.end_extension),
    ],
)
def test_what_another_process_requires_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: dict[str, Any], change: Callable[[Root], None]
) -> None:
    """If people are erased while a replay or an extension begins or ends, the root still requires their list."""
    root = Root.open(tmp_path / "lake")
    change_version(root.store, lambda version: replace(version, **before))
    put, others = LocalDisk.put, [ERASED]

    def after_another(disk: LocalDisk, path: str, data: bytes, **keywords: Any) -> None:
        if others:
            other = others.pop()
            change_version(root.store, lambda version: replace(version, requires=(other,)))
        put(disk, path, data, **keywords)

    monkeypatch.setattr(LocalDisk, "put", after_another)
    change(root)
    assert not others
    assert ERASED in read_version(root.store).requires
