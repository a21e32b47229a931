"""What opening a root costs with very many commits: ``python -m benchmarks.records 100000 [1000000]``.

In a bucket: the server speaks enough of S3 for a reader, and makes each record when it is asked for, so nothing has
to be uploaded. On a disk: the records are empty files, which are listed and not read. The checkpoint is written by this
module, in the form that ``wsparquet.commit.checkpoint`` reads. Each step is measured in a process of its own. The time
of the server is not counted in CPU seconds, but the reader waits for it.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from benchmarks.process import measured
from tools.commits import HOUR_MS, START_MS, make_commit
from tools.s3.server import serving_at
from wsparquet.layout import COMMITS, ROOT_FILE, TMP, Identity

__all__ = ["records"]

PAGE = 1000
URL = "s3://bucket/lake"
PREFIX = "lake/"
NUMBER = re.compile(r"-(\d+)\.json$")
ETAG = '"1"'
SAMPLE = 987_654
LOOKUPS = 1000
MOST_READ = 20_000
"""With more commits, reading each record alone is not measured: it takes the same time for each."""


def records(count: int) -> Iterator[tuple[str, dict[str, float]]]:
    """CPU seconds, wall seconds and peak MiB of each step for a root with so many commits, as soon as it is done."""
    few = count <= MOST_READ
    steps = ["list", *(["read"] if few else []), "checkpoint", "open", *(["dataset"] if few else [])]
    program = [sys.executable, "-m", "benchmarks.records"]
    with serving_at(lambda port: [*program, "serve", str(port), str(count)]) as server:
        yield from _measured("S3", steps, server, count)
    with tempfile.TemporaryDirectory(prefix="wsparquet-") as folder:
        _make_root(Path(folder), count)
        yield from _measured("disk", ["list", "checkpoint", "open"], folder, count)


def _measured(place: str, steps: list[str], where: str, count: int) -> Iterator[tuple[str, dict[str, float]]]:
    for step in steps:
        used = measured([sys.executable, "-m", "benchmarks.records", step, where, str(count)])
        found = {"cpu": round(used.cpu, 1), "wall": round(used.wall, 1), "MiB": round(used.peak / 2**20)}
        yield f"{place}: {step}", found | json.loads(used.output or "{}")


def _make_root(folder: Path, count: int) -> None:
    """Make a root with empty files in the places of records."""
    for number in range(count):
        path = folder / path_of(number)
        try:
            path.touch()
        except FileNotFoundError:
            path.parent.mkdir(parents=True)
            path.touch()
    (folder / TMP).mkdir()
    (folder / ROOT_FILE).write_bytes(_root_file())


# --- The server -------------------------------------------------------------------------------------------------------


def path_of(number: int) -> str:
    """The path of the record with this number."""
    start = START_MS + number * HOUR_MS
    name = f"WebSession.{start}.{start + HOUR_MS}.part-00000-{number}"
    return Identity("75555851", name).key.record_path


def serve(port: int, count: int) -> None:
    """Answer requests for listings and objects."""
    paths = sorted(map(path_of, range(count)))
    objects = {ROOT_FILE: _root_file()}

    async def answer(request: web.Request) -> web.Response:
        path = request.match_info["key"].removeprefix(PREFIX)
        if request.method == "PUT":
            objects[path] = await request.read()
            return web.Response(headers={"ETag": '"1"'})
        if not request.match_info["key"]:
            return web.Response(text=_page(paths, objects, request.query), content_type="application/xml")
        data = objects.get(path)
        if data is None and (number := NUMBER.search(path)):
            data = make_commit(int(number[1])).to_json()
        if data is None:
            return web.Response(
                status=404, text="<Error><Code>NoSuchKey</Code></Error>", content_type="application/xml"
            )
        return web.Response(body=data, headers={"ETag": '"1"'})

    app = web.Application(client_max_size=2**32)
    app.router.add_route("*", "/bucket{_:/?}{key:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


def _root_file() -> bytes:
    from wsparquet.dataset.version import RootVersion
    from wsparquet.schema import SCHEMA_VERSION

    return RootVersion(SCHEMA_VERSION).to_json()


def _page(paths: list[str], made: Iterable[str], query: Any) -> str:
    """One page of a listing, of the commit records or of what was written."""
    prefix = query.get("prefix", "").removeprefix(PREFIX)
    found = (
        paths if COMMITS.startswith(prefix.rstrip("/")) else sorted(each for each in made if each.startswith(prefix))
    )
    start = int(query.get("continuation-token", 0))
    keys = "".join(
        f"<Contents><Key>{PREFIX}{path}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;1&quot;</ETag><Size>5000</Size></Contents>"
        for path in found[start : start + PAGE]
    )
    more = start + PAGE < len(found)
    token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if more else ""
    return (
        f"<ListBucketResult><Name>bucket</Name><IsTruncated>{str(more).lower()}</IsTruncated>{token}{keys}"
        "</ListBucketResult>"
    )


# --- The steps, each in a process of its own --------------------------------------------------------------------------


def options(server: str) -> dict[str, Any]:
    """The storage options for the server."""
    from tools.s3.server import storage_options

    return {**storage_options(server), "config_kwargs": {"read_timeout": 120, "s3": {"addressing_style": "path"}}}


def list_all(where: str, count: int) -> dict[str, float]:
    """List all commit records."""
    return _checked(sum(len(some) for some in _root(where).store.versions(COMMITS)), count)


def read(server: str, count: int) -> dict[str, float]:
    """Open the root without a checkpoint: read each record."""
    return _checked(len(_root(server).commits()), count)


def checkpoint(server: str, count: int) -> dict[str, float]:
    """Write the checkpoint; the size in bytes is what each opening reads."""
    import pyarrow as pa

    from wsparquet.commit.checkpoint import SHARD_ROWS
    from wsparquet.commit.shard import SCHEMA, named

    texts, store, size = _texts(), _root(server).store, 0
    # All objects of the server have one tag, so they need not be listed.
    listed = () if _is_url(server) else store.versions(COMMITS)
    versions = {path: version for some in listed for path, version in some}
    for start in range(0, count, SHARD_ROWS):
        numbers = range(start, min(count, start + SHARD_ROWS))
        batches = (
            pa.RecordBatch.from_pylist([_row(number, texts, versions) for number in some], schema=SCHEMA)
            for some in (numbers[first : first + PAGE] for first in range(0, len(numbers), PAGE))
        )
        path, data = named(pa.Table.from_batches(batches, schema=SCHEMA))
        store.put(path, data)
        size += len(data)
    return {"bytes": size}


def _texts() -> tuple[str, str]:
    """The header and the parts of the record with the number ``SAMPLE``, as the checkpoint has them."""
    values = json.loads(make_commit(SAMPLE).to_json())
    parts = json.dumps(values.pop("parts"), separators=(",", ":"))
    return json.dumps({**values, "report": {}}, separators=(",", ":")), parts


def _row(number: int, texts: tuple[str, str], versions: dict[str, str | None]) -> dict[str, Any]:
    from wsparquet.commit.lookup import facts_of, text_fact
    from wsparquet.commit.parsing import decode_header

    path = path_of(number)
    header, parts = (_renumbered(text, number) for text in texts)
    found = decode_header(header.encode(), path)
    if found is None or found.text is None:
        raise RuntimeError(f"expected a header with a text, found {header}")
    keys = sorted({fact.key for fact in facts_of(found)})
    text = text_fact(found.text).key
    version = versions.get(path, ETAG)
    return {"path": path, "version": version, "keys": keys, "text": text, "header": header, "parts": parts}


def _renumbered(text: str, number: int) -> str:
    """The text with another number; making a million records anew would take longer than all that is measured.

    One pass replaces all, because the end of one hour is the start of the next one.
    """
    return SAMPLED.sub(lambda found: _filled(FORMS[(found.lastindex or 1) - 1], number), text)


def _filled(form: str, number: int) -> str:
    start = START_MS + number * HOUR_MS
    return form.format(number, start, start + HOUR_MS)


FORMS = ("{0:064x}", "{0:016x}", "{1}", "{2}", "-{0}", "/{0}.gz")
SAMPLED = re.compile("|".join(f"({re.escape(_filled(form, SAMPLE))})" for form in FORMS))


def open_root(server: str, count: int) -> dict[str, float]:
    """Open the root as a conversion does: look for twins, and find some sources."""
    commits = _root(server).commits()
    twins = commits.twins()
    some = (make_commit(number) for number in range(0, count, max(count // LOOKUPS, 1)))
    if twins or not all(commits.get(commit.identity) for commit in some):
        raise RuntimeError(f"expected no twins and all commits, found {len(twins)} twins, or commits missing")
    return _checked(len(commits), count)


def dataset(server: str, count: int) -> dict[str, float]:
    """Open the datasets as a reader does, with the list of all parts."""
    from wsparquet import open_dataset

    return _checked(len(open_dataset(URL, storage_options=options(server)).commits), count)


def _is_url(where: str) -> bool:
    return where.startswith("http://")


def _root(where: str) -> Any:
    from wsparquet.dataset import Access, Root

    if _is_url(where):
        return Root.open(URL, create=False, access=Access(options(where)))
    return Root.open(where, create=False)


def _checked(found: int, count: int) -> dict[str, float]:
    if found != count:
        raise RuntimeError(f"expected {count} commits, found {found}")
    return {}


STEPS: dict[str, Callable[[str, int], dict[str, float]]] = {
    "list": list_all,
    "read": read,
    "checkpoint": checkpoint,
    "open": open_root,
    "dataset": dataset,
}


def table(counts: list[int]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| commits | step | CPU s | wall s | peak MiB | bytes |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for count in counts:
        for step, used in records(count):
            size = f"{used['bytes']:,.0f}" if "bytes" in used else ""
            yield f"| {count:,} | {step} | {used['cpu']} | {used['wall']} | {used['MiB']:.0f} | {size} |"


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", port, count]:
            serve(int(port), int(count))
        case [step, server, count] if step in STEPS:
            print(json.dumps(STEPS[step](server, int(count))))
        case counts:
            for line in table([int(count) for count in counts]):
                print(line, flush=True)
