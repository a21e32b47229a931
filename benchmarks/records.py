"""What opening a root in a bucket costs with very many commits: ``python -m benchmarks.records 100000 [1000000]``.

The server speaks enough of S3 for a reader, and makes each record when it is asked for, so that nothing has to be
uploaded. The checkpoint is written by this module, in the form that ``wsparquet.commit.checkpoint`` reads. Each step is
measured in a process of its own. The time of the server is not counted in CPU seconds, but the reader waits for it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web

from benchmarks.process import measured
from tools.commits import HOUR_MS, START_MS, make_commit
from tools.s3.server import serving_at
from wsparquet.layout import CHECKPOINT, COMMITS, ROOT_FILE, Identity

__all__ = ["records"]

PAGE = 1000
URL = "s3://bucket/lake"
PREFIX = "lake/"
NUMBER = re.compile(r"-(\d+)\.json$")
ROWS_AT_ONCE = 10_000
SAMPLE = 987_654
MOST_READ = 20_000
"""With more commits, reading each record alone is not measured: it takes the same time for each."""


def records(count: int) -> Iterator[tuple[str, dict[str, float]]]:
    """CPU seconds, wall seconds and peak MiB of each step for a root with so many commits, as soon as it is done."""
    steps = ["list", *(["read"] if count <= MOST_READ else []), "checkpoint", "open", "dataset"]
    program = [sys.executable, "-m", "benchmarks.records"]
    with serving_at(lambda port: [*program, "serve", str(port), str(count)]) as server:
        for step in steps:
            used = measured([*program, step, server, str(count)])
            found = {"cpu": round(used.cpu, 1), "wall": round(used.wall, 1), "MiB": round(used.peak / 2**20)}
            yield step, found | json.loads(used.output or "{}")


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
            return web.Response(text=_page(paths, request.query), content_type="application/xml")
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


def _page(paths: list[str], query: Any) -> str:
    """One page of a listing; only commit records are listed."""
    found = paths if f"{PREFIX}{COMMITS}".startswith(query.get("prefix", "").rstrip("/")) else []
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


def list_all(server: str, count: int) -> dict[str, float]:
    """List all commit records."""
    from wsparquet.store.s3.store import ObjectStore

    found = sum(1 for _ in ObjectStore.open(URL, options(server), patience_seconds=60).entries(COMMITS))
    return _checked(found, count)


def read(server: str, count: int) -> dict[str, float]:
    """Open the root without a checkpoint: read each record."""
    return _checked(len(_root(server).commits()), count)


def checkpoint(server: str, count: int) -> dict[str, float]:
    """Write the checkpoint; the size in bytes is what each opening reads."""
    from io import BytesIO

    import pyarrow as pa
    import pyarrow.parquet as pq

    from wsparquet.commit.checkpoint import SCHEMA

    texts = _texts()
    versions = {entry.path: entry.version for entry in _root(server).store.entries(COMMITS)}
    sink = BytesIO()
    with pq.ParquetWriter(sink, SCHEMA, compression="zstd") as writer:
        for start in range(0, count, ROWS_AT_ONCE):
            rows = [_row(number, versions, texts) for number in range(start, min(count, start + ROWS_AT_ONCE))]
            writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
    _root(server).store.put(CHECKPOINT, sink.getvalue())
    return {"bytes": len(sink.getvalue())}


def _texts() -> tuple[str, str]:
    """The header and the parts of the record with the number ``SAMPLE``, as the checkpoint has them."""
    values = json.loads(make_commit(SAMPLE).to_json())
    parts = json.dumps(values.pop("parts"), separators=(",", ":"))
    return json.dumps({**values, "report": {}}, separators=(",", ":")), parts


def _row(number: int, versions: dict[str, str | None], texts: tuple[str, str]) -> dict[str, str]:
    path = path_of(number)
    header, parts = (_renumbered(text, number) for text in texts)
    return {"path": path, "version": versions[path] or "", "header": header, "parts": parts}


def _renumbered(text: str, number: int) -> str:
    """The text with another number; making a million records anew would take longer than all that is measured."""
    for form in ("{0:064x}", "{0:016x}", "{1}", "{2}", "-{0}", "/{0}.gz"):
        text = text.replace(_filled(form, SAMPLE), _filled(form, number))
    return text


def _filled(form: str, number: int) -> str:
    start = START_MS + number * HOUR_MS
    return form.format(number, start, start + HOUR_MS)


def open_root(server: str, count: int) -> dict[str, float]:
    """Open the root as a conversion does."""
    return _checked(len(_root(server).commits()), count)


def dataset(server: str, count: int) -> dict[str, float]:
    """Open the datasets as a reader does, with the list of all parts."""
    from wsparquet import open_dataset

    return _checked(len(open_dataset(URL, storage_options=options(server)).commits), count)


def _root(server: str) -> Any:
    from wsparquet.dataset import Access, Root

    return Root.open(URL, create=False, access=Access(options(server)))


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
