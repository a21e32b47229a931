"""The root that most tests of published roots start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.iceberg.helpers import put
from wsparquet import publish
from wsparquet.dataset import Root


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A published root."""
    made = Root.open(tmp_path / "lake")
    put(made, seed=1)
    publish(made.place)
    return made
