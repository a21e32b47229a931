"""Draws the charts of the page as SVG, with Altair. The charts have no script, and take their colors from the page.

Altair describes a chart, and vl-convert draws it without a browser and without a network. A reader's browser therefore
runs no code: names are only text in SVG. Each mark has a title, which browsers show near the mouse pointer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from wsparquet.errors import WsparquetError
from wsparquet.redaction import printable

if TYPE_CHECKING:
    import altair as alt

__all__ = ["Cell", "Run", "covered_hours", "heat_map", "size_bars"]

WIDTH = 860
"""The width of a chart without its labels, in pixels; the page shrinks it on small screens."""

LONGEST_NAME = 52
CHARACTER_WIDTH = 7
"""The width of a character in pixels, in the widest of the usual fonts."""

COLORS = {"ink": "var(--ink)", "muted": "var(--muted)", "line": "var(--line)"}
FONT = "system-ui, sans-serif"


@dataclass(frozen=True)
class Cell:
    """A cell of a heat map. ``text`` is its title."""

    column: str
    row: str
    value: int
    text: str


@dataclass(frozen=True)
class Run:
    """A run of hours of one UTC day, from ``start`` to before ``end`` (0 to 24), with or without files."""

    day: date
    start: float
    end: float
    covered: bool

    @property
    def text(self) -> str:
        """The title of the run."""
        what = "covered" if self.covered else "no file"
        return f"{self.day}, {_clock(self.start)} to {_clock(self.end)}: {what}"


def heat_map(cells: Iterable[Cell], columns: Sequence[str], rows: Sequence[str], *, label: str) -> str:
    """Return a heat map: the greater a value, the stronger its color. Pairs without a value stay empty."""
    alt = _altair()
    found = {(cell.column, cell.row): cell for cell in cells}
    values = [
        {"column": column, "row": _short(row), **_drawn(found.get((column, row)), column, row)}
        for row in rows
        for column in columns
    ]
    filled = alt.FillOpacity("value:Q", scale=_shades(found), legend=None)
    step = max(8, min(40, WIDTH // max(1, len(columns))))
    chart = (
        alt.Chart(alt.Data(values=values), width=alt.Step(step), height=alt.Step(22))
        .mark_rect(cornerRadius=2, stroke="var(--paper)", strokeWidth=1)
        .encode(
            x=alt.X("column:O", sort=None, title=None, axis=_day_axis()),
            y=alt.Y("row:N", sort=None, title=None, axis=_name_axis(rows)),
            fill=alt.condition("datum.value > 0", alt.value("var(--accent)"), alt.value("var(--empty)")),
            fillOpacity=alt.condition("datum.value > 0", filled, alt.value(1)),
            description=alt.Description("text:N"),
        )
    )
    return _svg(chart, label)


def _day_axis() -> Any:
    # Slanted dates of ten characters need this room in any font.
    return _altair().Axis(labelAngle=-45, labelOverlap="greedy", minExtent=10 * CHARACTER_WIDTH)


def _name_axis(names: Iterable[str]) -> Any:
    """Return an axis with room for names in any font, because browsers use other fonts than vl-convert."""
    longest = max((len(_short(name)) for name in names), default=0)
    return _altair().Axis(labelLimit=0, minExtent=longest * CHARACTER_WIDTH)


def _short(name: str) -> str:
    """Return a name, shortened in its middle to 52 characters, because the end of a path says more than its middle."""
    name = printable(name)
    return name if len(name) <= LONGEST_NAME else f"{name[:18]}…{name[-(LONGEST_NAME - 19) :]}"


def _drawn(cell: Cell | None, column: str, row: str) -> dict[str, Any]:
    value, text = (0, f"{column}, {row}: none") if cell is None else (cell.value, cell.text)
    return {"value": value, "text": printable(text)}


def _shades(cells: Mapping[Any, Cell]) -> Any:
    """Return a scale of square roots, on which a day with few rows is still visible next to a day with many.

    Several of the greatest values have the full color, so that a single great value does not make all others pale.
    """
    values = sorted(cell.value for cell in cells.values()) or [1]
    most = values[int(0.95 * (len(values) - 1))]
    return _altair().Scale(type="sqrt", domain=[0, most], range=[0.12, 1], clamp=True)


def covered_hours(runs: Sequence[Run], *, label: str) -> str:
    """Return a chart with a column for each day, and the hours of the day from top to bottom."""
    alt = _altair()
    values = [
        {"day": str(run.day), "start": run.start, "end": run.end, "covered": run.covered, "text": run.text}
        for run in runs
    ]
    days = len({run.day for run in runs})
    chart = (
        alt.Chart(alt.Data(values=values), width=alt.Step(max(8, min(40, WIDTH // max(1, days)))), height=190)
        .mark_rect(stroke="var(--paper)", strokeWidth=1)
        .encode(
            x=alt.X("day:O", title=None, axis=_day_axis()),
            y=alt.Y(
                "start:Q",
                title="hour (UTC)",
                scale=alt.Scale(domain=[24, 0]),
                axis=alt.Axis(values=[0, 6, 12, 18, 24], grid=False),
            ),
            y2="end:Q",
            fill=alt.condition("datum.covered", alt.value("var(--good)"), alt.value("var(--bad)")),
            description=alt.Description("text:N"),
        )
    )
    return _svg(chart, label)


def size_bars(sizes: Mapping[str, int], *, label: str) -> str:
    """Return a bar with its number for each class of file sizes."""
    alt = _altair()
    values = [{"size": name, "files": count, "text": f"{name}: {count:,} files"} for name, count in sizes.items()]
    base = alt.Chart(alt.Data(values=values), width=560, height=alt.Step(26)).encode(
        y=alt.Y("size:N", sort=None, title=None, axis=_name_axis(sizes)),
        x=alt.X("files:Q", title=None, axis=None),
        description=alt.Description("text:N"),
    )
    bars = base.mark_bar(fill="var(--accent)", cornerRadiusEnd=3, height=18)
    numbers = base.mark_text(align="left", dx=5, fill=COLORS["ink"], fontSize=12)
    return _svg(bars + numbers.encode(text=alt.Text("files:Q", format=",")), label)


def _clock(hour: float) -> str:
    return (datetime.min + timedelta(hours=hour)).strftime("%H:%M") if hour < 24 else "24:00"


def _altair() -> Any:
    try:
        import altair as alt
        import vl_convert  # noqa: F401 - so that a missing package is found before anything is drawn
    except ImportError as error:
        raise WsparquetError(
            "expected the packages altair and vl-convert-python, found at least one missing; install them with: "
            "pip install 'wsparquet[report]'"
        ) from error
    return alt


def _svg(chart: alt.TopLevelMixin, label: str) -> str:
    """Draw a chart. The colors are variables of the page, so the same drawing fits a light and a dark page."""
    import vl_convert

    styled = (
        chart.configure(font=FONT, background="transparent", padding=10)
        .configure_axis(
            labelColor=COLORS["muted"],
            titleColor=COLORS["muted"],
            titleFontWeight="normal",
            labelFontSize=12,
            titleFontSize=12,
            domainColor=COLORS["line"],
            tickColor=COLORS["line"],
        )
        .configure_view(stroke=None)
    )
    spec = json.dumps(styled.to_dict())
    return _for_page(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]), label)


def _for_page(svg: str, label: str) -> str:
    """Return an SVG without namespaces, in which the title of each mark is the mark's description."""
    top = ET.fromstring(svg)  # noqa: S314 - vl-convert has written it
    for element in top.iter():
        element.tag = element.tag.rpartition("}")[2]
        # Remove the clips: all charts give them the same names, and no mark leaves its chart.
        element.attrib.pop("clip-path", None)
        # The roles of groups are useful only in interactive charts. Marks keep their labels, which are also their
        # titles.
        element.attrib.pop("aria-roledescription", None)
        if element.attrib.pop("role", None) == "graphics-symbol" and (said := element.attrib.pop("aria-label", "")):
            title = ET.Element("title")
            title.text = said
            element.insert(0, title)
    for parent in list(top.iter()):
        for clips in parent.findall("defs"):
            parent.remove(clips)
    top.attrib.pop("class", None)
    # The page shrinks a wide chart to 600 pixels at most, and must not enlarge a narrow one to them.
    top.attrib.update({"role": "img", "aria-label": label, "style": f"--width: {top.attrib['width']}px"})
    return ET.tostring(top, encoding="unicode")
