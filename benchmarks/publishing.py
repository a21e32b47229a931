"""How long the publication of a root takes: the first one, one without changes, and those after one more commit."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from tools.commits import make_commit
from tools.s3.server import Bucket, s3_server, storage_options
from wsparquet import publish
from wsparquet.commit import Commit
from wsparquet.dataset import Access, Root

__all__ = ["publishing"]

PUBLICATIONS = ("first", "no changes", "one commit more", "one commit replaced")


def publishing(folder: Path, *, commits: int) -> dict[str, dict[str, float]]:
    """CPU and wall seconds of each publication of a root with so many commits; its files need not exist.

    The first publication includes the import of pyiceberg. That on S3 has fewer commits: each record is uploaded alone.
    """
    local = _records(Root.open(folder / "published"), commits)
    found = {"local": _times(local, commits, {})}
    with s3_server() as server:
        bucket, options = Bucket(server), storage_options(server)
        fewer = max(commits // 10, 1)
        root = _records(Root.open(f"{bucket.url}/published", access=Access(options)), fewer)
        found[f"S3, {fewer:,} commits"] = _times(root, fewer, {"storage_options": options})
    return found


def _records(root: Root, commits: int) -> Root:
    for number in range(commits):
        _put(root, make_commit(number))
    return root


def _put(root: Root, commit: Commit) -> None:
    if root.is_remote:
        root.store.put(commit.path, commit.to_json())
        return
    # Without the syncs of a commit, which would take minutes.
    path = Path(root.place, commit.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(commit.to_json())


def _times(root: Root, commits: int, options: dict[str, object]) -> dict[str, float]:
    times: dict[str, float] = {}
    for name in PUBLICATIONS:
        if name == "one commit more":
            _put(root, make_commit(commits))
        elif name == "one commit replaced":
            _put(root, _replaced(make_commit(0)))
        wall, cpu = time.monotonic(), time.process_time()
        result = publish(root.place, **options)  # type: ignore[arg-type]
        times[f"{name}, wall"] = round(time.monotonic() - wall, 2)
        times[f"{name}, CPU"] = round(time.process_time() - cpu, 2)
        changed = sum(table.added for table in result.tables)
        if (changed == 0) != (name == "no changes"):
            raise RuntimeError(f"{name}: expected other changes, found {changed} added files")
    return times


def _replaced(commit: Commit) -> Commit:
    """The commit with other files, as after a new conversion."""
    token = "f" * 16
    parts = tuple(part._replace(path=part.path.replace(commit.token, token)) for part in commit.parts)
    return replace(commit, token=token, content_id=token, parts=parts)
