"""`report` writes what commit records say, as text and nothing else, on a page that loads nothing in a real browser."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image

import wsparquet
from tests.cli.program import run
from tests.dataset.helpers import DAY, START, facts, make_rows
from tests.query import roots
from tests.store.s3.lake import Lake
from tests.support.browser import Browser, browser, needs_chromium
from wsparquet import DatasetError, OptionError, RootReport, report
from wsparquet.dataset import Root
from wsparquet.generate import GenerateOptions, generate
from wsparquet.layout import Identity
from wsparquet.redaction import utf8_text
from wsparquet.synchronisation.state import Missing, State

HOUR = 3_600_000
HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=http://198.51.100.7/x onerror=alert(2)>',
    "' onmouseover='alert(3)",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- ]]> &amp; \u202e \udcff \x1b[31m \n",
    "javascript:alert(4)",
)


def commit(
    root: Root, name: str, *, account: str = "7", day: int = 0, tables: tuple[str, ...] = ("geo",), **known: Any
) -> None:
    """Commit a source with ten rows in each table, all of one day."""
    start = START + day * DAY
    with root.begin(fallback_day_ms=start) as attempt:
        for table in tables:
            rows = make_rows(table, 10, seed=day, start=start, span=HOUR)
            index = rows.schema.get_field_index("source_file")
            # A file name that is not UTF-8 is percent-encoded in rows, as in a conversion.
            names = pa.array([utf8_text(name)] * rows.num_rows)
            attempt.write(table, rows.set_column(index, rows.schema.field(index), names))
        report = {"records": 1, "start_time": start, "end_time": start + HOUR, **known.pop("report", {})}
        attempt.commit(Identity(account, name), facts(source_name=name, report=report, **known), expected=None)


def api_name(hour: int) -> str:
    """The name of the file of an hour."""
    start = START // HOUR * HOUR + hour * HOUR
    return f"WebSession.{start}.{start + HOUR}.part-00000-0"


def hostile(path: Path) -> Root:
    """A root in which every name that a page can show is hostile."""
    root = Root.open(path)
    for number, name in enumerate(HOSTILE):
        paths = {"geo": {f"$['{name}']": 1}}
        findings = {"rescued": paths, "undocumented": paths, "quarantined": 1, "items": 2}
        commit(root, name, account=name, day=number, seconds=float(number), report=findings)
    State(
        "<b>8</b>",
        None,
        {name: Missing(name, error=name, failed_since="2026-01-01T00:00:00+00:00") for name in HOSTILE},
    ).write(root)
    return root


def numbers(found: RootReport) -> dict[str, Any]:
    """The facts of a report without the file."""
    return {name: value for name, value in found.facts().items() if name != "html"}


def test_the_numbers_are_those_of_the_commit_records(tmp_path: Path) -> None:
    """Rows by table and day, files by size, hours, drift, quarantine, and the slowest sources first."""
    root = Root.open(tmp_path / "lake")
    commit(root, api_name(0), tables=("geo", "navigation"), seconds=1.5, report={"quarantined": 2, "items": 1})
    commit(root, api_name(2), seconds=2.5, report={"rescued": {"geo": {"$.x": 3}}})
    commit(root, api_name(24), day=1)
    found = report(root.place, tmp_path / "page.html")
    day = date.fromtimestamp(START / 1000)
    lake = wsparquet.open_dataset(root.place)
    assert sum(each.rows for each in found.days) == sum(lake.table(name).count_rows() for name in lake.tables) == 40
    assert {(each.table, each.day): each.rows for each in found.days if each.day is not None} == {
        (table, each): count
        for table in ("geo", "navigation")
        for each, count in _by_day(lake.table(table)).items()
        if each is not None
    }
    geo, navigation = found.tables
    assert (geo.table, geo.rows, geo.first_day) == ("geo", 30, day)
    assert navigation.files == len(lake.files("navigation"))
    sizes = [Path(root.place, path).stat().st_size for path in lake.files("geo")]
    assert (geo.bytes, geo.files, sum(geo.sizes.values())) == (sum(sizes), len(sizes), len(sizes))
    assert [(each.seconds, each.rows) for each in found.slowest] == [(2.5, 10), (1.5, 20)]
    assert [(each.records, each.items, each.samples) for each in found.quarantine] == [(2, 1, ())]
    assert [each.kind for each in found.drift] == ["rescued", "quarantined", "item"]
    (account,) = found.accounts
    assert (account.hours, len(account.gaps)) == (3, 2)


def _by_day(dataset: Any) -> dict[date | None, int]:
    days = dataset.to_table(columns=["date"])["date"].to_pylist()
    return {day: days.count(day) for day in days}


def test_small_files_are_those_that_one_file_could_replace(tmp_path: Path) -> None:
    """Two files of a day are small; the only file of another day is not, whatever its size."""
    root = Root.open(tmp_path / "lake")
    commit(root, "a", day=0)
    commit(root, "b", day=0)
    commit(root, "c", day=5)
    (geo,) = report(root.place, tmp_path / "page.html").tables
    counts = [0, *_files_by_day(root).values()]
    assert geo.small == sum(count for count in counts if count > 1) > 0
    assert geo.files > geo.small


def test_failed_sources_are_those_that_sync_remembers(tmp_path: Path) -> None:
    """Files that failed or are gone are on the page with their errors; a file that is only missing is not."""
    root = Root.open(tmp_path / "lake")
    commit(root, api_name(0))
    at = "2026-01-01T00:00:00+00:00"
    files = [
        Missing("new.gz"),
        Missing("failed.gz", failed_since=at, error="the text ends too early"),
        Missing("gone.gz", gone_at=at),
    ]
    State("7", at, {each.name: each for each in files}).write(root)
    assert report(root.place, tmp_path / "page.html").failed == 2
    page = (tmp_path / "page.html").read_text()
    rows = [re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)]
    assert [row for row in rows if ".gz|" in row and ("still" in row or "deleted" in row)] == [
        "||failed.gz||7||2026-01-01 00:00||still missing||the text ends too early||",
        "||gone.gz||7||unknown||deleted by the server||||",
    ]
    assert "new.gz" not in page


def test_a_compacted_root_has_no_small_files_and_the_same_rows(tmp_path: Path) -> None:
    """The files are the merged ones, and rows by day stay those of the sources, also after one is removed."""
    root = Root.open(tmp_path / "lake")
    for name in ("a", "b", "c"):
        commit(root, name, day=1)
    before = report(root.place, tmp_path / "page.html")
    assert before.tables[0].small > 0
    wsparquet.compact(root.place, min_files=2)
    after = report(root.place, tmp_path / "page.html")
    lake = wsparquet.open_dataset(root.place)
    assert (after.tables[0].small, after.tables[0].files) == (0, len(lake.files("geo")))
    assert (after.days, after.tables[0].rows) == (before.days, 30)
    wsparquet.remove(root.place, ["b"], yes=True)
    assert report(root.place, tmp_path / "page.html").tables[0].rows == 20


def _files_by_day(root: Root) -> dict[str, int]:
    folders = [path.rpartition("/")[0] for path in wsparquet.open_dataset(root.place).files("geo")]
    return {folder: folders.count(folder) for folder in folders}


def test_only_rows_that_count_are_reported(tmp_path: Path) -> None:
    """A twin, a removed source, and parts of an attempt under way are not on the page."""
    for make in (roots.twins, roots.removed, roots.under_way):
        root = make(tmp_path / make.__name__)
        found = report(root.place, tmp_path / "page.html")
        lake = wsparquet.open_dataset(root.place)
        assert {each.table: each.rows for each in found.tables} == {
            name: count for name in lake.tables if (count := lake.table(name).count_rows())
        }


def test_quarantined_text_is_on_the_page_only_if_it_was_asked_for(tmp_path: Path) -> None:
    """Without samples, the file has no quarantined text; with samples, as many as asked, for this user alone."""
    (tmp_path / "in").mkdir()
    text = '{"dataType": "WebSession", "recordCollection": [1, "quarantined <b>text</b>", 2]}'
    (tmp_path / "in" / "a.json").write_text(text)
    wsparquet.convert(tmp_path / "in", tmp_path / "lake")
    page = tmp_path / "page.html"
    assert report(tmp_path / "lake", page).quarantine[0].records == 3
    assert "quarantined &lt;b&gt;" not in page.read_text()
    (source,) = report(tmp_path / "lake", page, samples=2).quarantine
    assert source.samples == ("1", '"quarantined <b>text</b>"')
    assert "&#34;quarantined &lt;b&gt;text&lt;/b&gt;&#34;" in page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    assert report(tmp_path / "lake", page, samples=9).quarantine[0].samples[2] == "2"


def test_a_long_sample_is_cut(tmp_path: Path) -> None:
    """Of a long text, only the beginning is shown, also if it is not UTF-8."""
    (tmp_path / "a.json").write_bytes(
        b'{"dataType": "WebSession", "recordCollection": [' + b'"' + b"\xff\xc3\xa4" * 5000 + b'"]}'
    )
    wsparquet.convert(tmp_path / "a.json", tmp_path / "lake")
    (sample,) = report(tmp_path / "lake", tmp_path / "page.html", samples=1).quarantine[0].samples
    assert (len(sample), sample[-1], "\ufffd" in sample) == (301, "…", True)


@pytest.mark.parametrize("tables", [(), ("geo",)])
def test_a_root_with_little_has_a_page(tmp_path: Path, tables: tuple[str, ...]) -> None:
    """An empty root, and one whose sources have no rows, no times and no API names."""
    root = Root.open(tmp_path / "lake")
    zero = dict.fromkeys(("sources", "rows", "files", "hours", "drift", "quarantined", "failed"), 0)
    assert numbers(report(root.place, tmp_path / "page.html")) == {**zero, "small": None, "gaps": None}
    assert "The root has no rows." in (tmp_path / "page.html").read_text()
    commit(root, "a", tables=tables, report={"start_time": None, "end_time": None, "rescued": {"geo": {"$.x": 1}}})
    assert report(root.place, tmp_path / "page.html").sources == 1


def test_a_page_is_whole_or_not_there_and_never_in_a_root(tmp_path: Path) -> None:
    """A file in a root is refused, a missing folder is an error, and nothing is left behind."""
    root = roots.two_sources(tmp_path / "lake")
    with pytest.raises(OptionError, match="`html`: expected a file outside of all roots"):
        report(root.place, tmp_path / "lake" / "record_type=geo" / "page.html")
    with pytest.raises(DatasetError, match="cannot write the page: No such file or directory"):
        report(root.place, tmp_path / "no" / "page.html")
    with pytest.raises(OptionError, match="`samples`"):
        report(root.place, tmp_path / "page.html", samples=-1)
    with pytest.raises(DatasetError, match="nowhere"):
        report(tmp_path / "nowhere", tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["lake"]


def test_a_root_in_a_bucket(bucket: Lake, tmp_path: Path) -> None:
    """The records are read from S3, and the page has no secret."""
    commit(bucket.open(), api_name(0))
    found = report(bucket.url, tmp_path / "page.html", storage_options=bucket.options)
    assert (found.sources, found.root) == (1, bucket.url)
    assert str(bucket.options["secret"]) not in (tmp_path / "page.html").read_text()


def test_the_command(tmp_path: Path) -> None:
    """One line says what was written, another what to look at; JSON has the numbers; the page may be replaced."""
    root = Root.open(tmp_path / "lake")
    commit(root, api_name(0), report={"quarantined": 1})
    commit(root, api_name(2), day=1)
    page = tmp_path / "page.html"
    ran = run("report", root.place, "--html", page)
    files = len(wsparquet.open_dataset(root.place).files("geo"))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"{page}: 2 sources, 20 rows in {files} files",
        "look at: 1 gap, 1 finding, 1 quarantined text",
    ]
    found = run("report", root.place, "--html", page, "--output", "json").json
    assert (found["sources"], found["tables"][0]["rows"], found["html"]) == (2, 20, str(page))
    assert run("report", root.place).code == 2


def test_without_the_extra_it_is_named(tmp_path: Path) -> None:
    """The error says what to install, and `import wsparquet` needs none of it."""
    roots.two_sources(tmp_path / "lake")
    code = f"""
import sys
import wsparquet
for module in ("altair", "vl_convert", "jinja2"):
    kept = {{name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] == module}}
    sys.modules[module] = None
    try:
        wsparquet.report({str(tmp_path / "lake")!r}, {str(tmp_path / "page.html")!r})
    except wsparquet.WsparquetError as error:
        print(error)
    del sys.modules[module]
    sys.modules.update(kept)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert [line.endswith("pip install 'wsparquet[report]'") for line in ran.stdout.splitlines()] == [True] * 3
    assert not (tmp_path / "page.html").exists()


# --- Names are text ---------------------------------------------------------------------------------------------------


def test_hostile_names_are_text(tmp_path: Path) -> None:
    """Whatever names are, the page has the elements of the template alone, all names as text, and no URL."""
    root = hostile(tmp_path / 'a"><script>alert(0)<' / "script>")
    report(root.place, tmp_path / "page.html", samples=1)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    elements = {name.lower() for name in re.findall(r"<\s*([a-zA-Z!]+)", page)}
    assert elements <= {
        *("html", "head", "meta", "title", "style", "body", "main", "section", "div", "h", "p", "b", "span", "code"),
        *("table", "tr", "th", "td", "ul", "li", "footer", "svg", "g", "path", "text", "line", "rect", "!doctype"),
    }  # fmt: skip
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", re.sub(r'"[^"]*"', '""', page))
    for name in HOSTILE[:2]:
        assert name not in page
    assert "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7 * 7 }}{% raw %}" in page
    assert not {"\u202e", "\x1b"} & set(page)
    assert "http" not in re.sub(r"http://198\.51\.100\.7|http-equiv", "", page)


def test_the_policy_of_the_page_forbids_scripts_and_loading(tmp_path: Path) -> None:
    """Even if a name were an element, a browser would run nothing and ask for nothing."""
    report(roots.two_sources(tmp_path / "lake").place, tmp_path / "page.html")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', (tmp_path / "page.html").read_text())
    assert policy is not None
    assert policy[1].split("; ") == [
        "default-src 'none'", "style-src 'unsafe-inline'", "base-uri 'none'", "form-action 'none'",
    ]  # fmt: skip


# --- In a browser -----------------------------------------------------------------------------------------------------

SCRIPTS = "document.scripts.length + document.querySelectorAll('img, iframe, link, object, embed').length"
COLORS = """[document.body, document.querySelector('#rows path[fill="var(--accent)"]')].map(
    (each) => each === document.body ? getComputedStyle(each).backgroundColor : getComputedStyle(each).fill)"""
TEXT = "document.body.innerText"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """[...document.querySelectorAll('svg')].flatMap((svg) => [...svg.querySelectorAll('text')].filter((text) => {
    const [inner, outer] = [text.getBoundingClientRect(), svg.getBoundingClientRect()];
    return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
}).map((text) => text.textContent))"""
MARKS = """[...document.querySelectorAll('svg path')].filter((each) => each.querySelector('title')).map((each) => {
    const [box, style] = [each.getBoundingClientRect(), getComputedStyle(each)];
    const paper = getComputedStyle(each.closest('section')).backgroundColor;
    return [box.left + scrollX, box.top + scrollY, box.width, box.height, style.fill, style.fillOpacity, paper];
})"""
ENLARGED = """[...document.querySelectorAll('svg')].filter(
    (svg) => svg.getBoundingClientRect().width > svg.width.baseVal.value + 1).map((svg) => svg.ariaLabel)"""
TITLES = "[...document.querySelectorAll('svg title')].map((title) => title.textContent)"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests."""
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@needs_chromium
def test_a_browser_shows_hostile_names_and_runs_nothing(tmp_path: Path, chromium: Browser) -> None:
    """The page asks for itself alone, complains about nothing, opens no dialog, and shows the names as they are."""
    report(hostile(tmp_path / "lake").place, tmp_path / "page.html", samples=1)
    url = (tmp_path / "page.html").as_uri()
    seen = chromium.open(url, SCRIPTS, TEXT)
    assert (seen.requests, seen.complaints) == ([url], [])
    scripts, text = seen.answers
    assert scripts == 0
    for name in (*HOSTILE[:4], HOSTILE[5]):
        assert name in text


@needs_chromium
@pytest.mark.parametrize("dark", [False, True])
def test_a_browser_shows_charts_in_light_and_dark(tmp_path: Path, chromium: Browser, dark: bool) -> None:
    """Colors follow the reader's setting, cells say their numbers, no label is cut, and a telephone can scroll."""
    generate(tmp_path / "in", GenerateOptions(files=3, size=60_000, seed=3, defects=True))
    wsparquet.convert(tmp_path / "in", tmp_path / "lake")
    found = report(tmp_path / "lake", tmp_path / "page.html")
    url = (tmp_path / "page.html").as_uri()
    seen = chromium.open(url, COLORS, TITLES, CUT, WIDE, ENLARGED, MARKS, dark=dark)
    assert (seen.requests, seen.complaints) == ([url], [])
    colors, titles, cut, wide, enlarged, marks = seen.answers
    assert colors == (["rgb(17, 21, 28)", "rgb(127, 176, 255)"] if dark else ["rgb(244, 245, 247)", "rgb(36, 87, 197)"])
    assert {f"{each.day}, {each.table}: {each.rows:,} rows" for each in found.days if each.day} <= {*titles}
    assert (cut, wide, enlarged) == ([], 0, [])
    assert_painted(seen.picture, marks)
    assert chromium.open(url, WIDE, dark=dark, width=390).answers == [0]


def assert_painted(picture: bytes, marks: list[list[Any]]) -> None:
    """In the middle of each mark that is large enough, the picture has the mark's color over the color of its paper."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    looked_at = 0
    for left, top, width, height, fill, opacity, paper in marks:
        if min(width, height) < 4:
            continue
        share = float(opacity)
        expected = [
            share * over + (1 - share) * under for over, under in zip(channels(fill), channels(paper), strict=True)
        ]
        found = image.getpixel((int(left + width / 2), int(top + height / 2)))
        assert found == pytest.approx(expected, abs=3)
        looked_at += 1
    assert looked_at > 20


def channels(color: str) -> list[int]:
    """Red, green and blue of a CSS color."""
    return [int(each) for each in re.findall(r"\d+", color)[:3]]


@needs_chromium
def test_the_browser_of_these_tests_notices_what_a_page_does(tmp_path: Path, chromium: Browser) -> None:
    """A page with a script, an image and an error has requests and complaints, so their absence means something."""
    page = tmp_path / "page.html"
    page.write_text("<img src='http://127.0.0.1:9/x.png'><script>console.error('oh'); nothing.here</script>")
    seen = chromium.open(page.as_uri())
    assert "http://127.0.0.1:9/x.png" in seen.requests
    assert {each["method"] for each in seen.complaints} >= {"Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
    assert json.dumps(seen.complaints).count("oh") > 0
