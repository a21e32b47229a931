"""A picture of a page agrees with the chart that it was drawn from, and with no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from tests.guides.charts import agrees_with_picture, draw, is_chart


def bars(*heights: int, mark: str = "bar") -> Any:
    """A chart of a few numbers."""
    chart = alt.Chart(pl.DataFrame({"x": range(len(heights)), "y": heights}))
    return getattr(chart, f"mark_{mark}")().encode(x="x:O", y="y")


def test_a_picture_agrees_with_its_chart_alone(tmp_path: Path) -> None:
    """Other numbers, another order and another mark are noticed; drawing again changes nothing."""
    picture = tmp_path / "charts" / "bars.svg"
    draw(bars(1, 2), picture)
    before = picture.read_bytes()
    assert agrees_with_picture(bars(1, 2), picture)
    for other in (bars(1, 3), bars(2, 1), bars(1), bars(1, 2, mark="line")):
        assert not agrees_with_picture(other, picture)
    draw(bars(1, 2), picture)
    assert picture.read_bytes() == before


def test_only_charts_are_charts() -> None:
    """Neither a frame nor a number is a chart."""
    assert is_chart(bars(1))
    assert not is_chart(pl.DataFrame({"a": [1]}))
    assert not is_chart(1)
