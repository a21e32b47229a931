"""Draw the rooms of the package as an SVG image, from the import contract: ``python -m tools.website.rooms``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["IMAGE", "draw", "layers"]

ROOT = Path(__file__).parents[2]
IMAGE = ROOT / "docs/images/rooms.svg"

WIDTH, MARGIN, GAP = 760, 20, 12
BOX_WIDTH, BOX_HEIGHT, STEP = 150, 32, 52

HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"
  aria-labelledby="title desc" font-family="system-ui, sans-serif" font-size="14" text-anchor="middle">
  <title id="title">The rooms of wsparquet</title>
  <desc id="desc">The layers of the package. A module imports only from layers below its own.</desc>
  <rect width="{width}" height="{height}" fill="#fff"/>
"""


def layers(pyproject: str) -> list[list[str]]:
    """Return the rooms of each layer, from the top down, from the import contract in the text of ``pyproject.toml``."""
    contracts = tomllib.loads(pyproject)["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each["type"] == "layers")
    return [[room.strip() for room in layer.split("|")] for layer in contract["layers"]]


def draw(rooms: Sequence[Sequence[str]]) -> str:
    """Return an SVG image with a line of boxes for each layer, and an arrow from each layer to the next."""
    height = 2 * MARGIN + STEP * (len(rooms) - 1) + BOX_HEIGHT
    lines = [line for number, layer in enumerate(rooms) for line in _layer(layer, MARGIN + STEP * number)]
    lines += [_arrow(MARGIN + STEP * number + BOX_HEIGHT) for number in range(len(rooms) - 1)]
    return HEAD.format(width=WIDTH, height=height) + "\n".join(lines) + "\n</svg>\n"


def _layer(rooms: Sequence[str], top: int) -> Iterator[str]:
    gaps = GAP * (len(rooms) - 1)
    width = min(BOX_WIDTH, (WIDTH - 2 * MARGIN - gaps) // len(rooms))
    left = (WIDTH - width * len(rooms) - gaps) // 2
    for number, room in enumerate(rooms):
        x = left + number * (width + GAP)
        place = f'x="{x}" y="{top}" width="{width}" height="{BOX_HEIGHT}"'
        yield f'  <rect {place} rx="6" fill="#eef3fb" stroke="#3b5b92"/>'
        yield f'  <text x="{x + width // 2}" y="{top + 21}" fill="#111">{room}</text>'


def _arrow(top: int) -> str:
    middle, tip = WIDTH // 2, top + STEP - BOX_HEIGHT - 2
    return f'  <path d="M{middle} {top + 2} V{tip} m-4 -6 l4 6 l4 -6" fill="none" stroke="#444"/>'


if __name__ == "__main__":
    IMAGE.write_text(draw(layers((ROOT / "pyproject.toml").read_text("utf-8"))), encoding="utf-8")
