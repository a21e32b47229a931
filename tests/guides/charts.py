"""Pictures of the charts that a page's Python blocks make: drawn by a tool, and compared with what a block makes now.

Versions of the drawing library draw a chart a little differently, so a picture carries a digest of what it shows: the
data, the marks and the encodings. The digest is compared, not the picture.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from tests.guides.pages import DOCS

__all__ = ["agrees_with_picture", "draw", "is_chart", "picture_of"]

INK = "#7a8190"
"""A gray that can be read on light and on dark pages."""

SHOWN = ("datasets", "data", "mark", "encoding", "layer", "transform")


def is_chart(answer: Any) -> bool:
    """Whether a block has made a chart of Altair."""
    return type(answer).__module__.startswith("altair")


def picture_of(name: str, image: str) -> Path:
    """The file of an image that a page names."""
    return (DOCS / name).parent / image


def draw(chart: Any, path: Path) -> None:
    """Draw a chart as SVG, with its digest."""
    import vl_convert

    styled = (
        chart.configure(
            font="system-ui, sans-serif",
            background="transparent",
            padding={"left": 5, "top": 5, "bottom": 5, "right": 30},
        )
        .configure_axis(labelColor=INK, titleColor=INK, domainColor=INK, tickColor=INK, gridOpacity=0.2)
        .configure_legend(labelColor=INK, titleColor=INK)
        .configure_view(stroke=None)
    )
    svg = vl_convert.vegalite_to_svg(json.dumps(styled.to_dict()), allowed_base_urls=[])
    path.parent.mkdir(exist_ok=True)
    path.write_text(re.sub(r"(<svg [^>]*>)", rf"\1<desc>{digest(chart)}</desc>", svg, count=1) + "\n", encoding="utf-8")


def agrees_with_picture(chart: Any, path: Path) -> bool:
    """Whether a picture shows the data, the marks and the encodings of a chart."""
    return f"<desc>{digest(chart)}</desc>" in path.read_text(encoding="utf-8")


def digest(chart: Any) -> str:
    """The hash of what a chart shows."""
    made = chart.to_dict()
    shown = {key: made[key] for key in SHOWN if key in made}
    # Altair names a data set by its hash.
    shown["data"] = sorted(json.dumps(rows, sort_keys=True, default=str) for rows in shown.pop("datasets", {}).values())
    return hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode()).hexdigest()
