"""How long a root with many commits takes to open: on a local disk, and on an S3 server on the same machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.commits import make_commit
from tools.s3.server import Bucket, s3_server, storage_options
from wsparquet import open_dataset
from wsparquet.dataset import Access, Root

__all__ = ["opening"]

UPLOADS_AT_ONCE = 8


def opening(folder: Path, *, commits: int) -> dict[str, dict[str, float]]:
    """Seconds to open roots with so many commits: the list of what is committed, and the datasets."""
    made = [make_commit(number) for number in range(commits)]
    records = [(commit.path, commit.to_json()) for commit in made]
    local = folder / "many"
    Root.open(local)
    for path, data in records:
        (local / path).parent.mkdir(parents=True, exist_ok=True)
        (local / path).write_bytes(data)
    found = {
        "local": _times(lambda: Root.open(local).commits(write_checkpoint=True), lambda: open_dataset(local), commits)
    }
    with s3_server() as server:
        bucket, options = Bucket(server), storage_options(server)
        url = f"{bucket.url}/many"
        access = Access(options)
        Root.open(url, access=access)
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            list(pool.map(lambda record: bucket.put(f"many/{record[0]}", record[1]), records))
        found["S3"] = _times(
            lambda: Root.open(url, access=access).commits(write_checkpoint=True),
            lambda: open_dataset(url, storage_options=options),
            commits,
        )
    return found


def _times(commits: Callable[[], object], dataset: Callable[[], object], expected: int) -> dict[str, float]:
    """The first and the second time that each takes, in seconds."""
    times = {}
    for name, call in (("commits", commits), ("dataset", dataset)):
        for turn in ("first", "again"):
            began = time.monotonic()
            found = call()
            times[f"{name}, {turn}"] = round(time.monotonic() - began, 2)
            count = len(getattr(found, "commits", found))  # type: ignore[arg-type]
            if count != expected:
                raise RuntimeError(f"expected {expected} commits, found {count}")
    return times
