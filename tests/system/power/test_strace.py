"""The system's own record of what a run does to the disk is that of the recorder, call by call."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.power.workloads import WORKLOADS

REPOSITORY = Path(__file__).parents[3]
NAMES = ("link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir")
OPENS = ("open", "openat", "creat")
SYNCS = ("fsync", "fdatasync")
WRITES = ("write", "pwrite64", "writev", "pwritev")
REFUSED = (
    *("symlink", "symlinkat", "sync", "syncfs", "sync_file_range", "msync", "truncate", "ftruncate", "fallocate"),
    *("copy_file_range", "sendfile", "pwritev2", "openat2"),
)
CALL = re.compile(r"(\w+)\((.*)\) += (\d+)(?:<(.*)>)?$")
"""A call that succeeded: its name, its arguments, its result, and the path of the descriptor that it returned."""
PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"([^"]*)"')
DESCRIPTOR = re.compile(r"\d+<([^>]*)>")
PART = re.compile(r"name .*/_wsparquet/tmp/\w+/\d+\.part")


def calls(text: str) -> Iterator[str]:
    """Yield the calls of an output of strace in the order of their ends, those joined that another thread cut."""
    begun: dict[str, str] = {}
    for line in text.splitlines():
        thread, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[thread] = call.removesuffix("<unfinished ...>")
        elif call.startswith("<... "):
            yield begun.pop(thread) + call.partition("resumed>")[2]
        else:
            yield call


class Seen:
    """What strace saw happen in one world, in the recorder's words."""

    def __init__(self, world: Path) -> None:
        self.world = world
        self.events: list[str] = []
        self.synced: set[str] = set()
        self.there: set[str] = set()

    def place(self, path: str) -> str | None:
        """Return a path relative to the world; None if it is outside."""
        return str(Path(path).relative_to(self.world)) if Path(path).is_relative_to(self.world) else None

    def add(self, name: str, arguments: str, opened: str | None) -> None:
        """Add a call."""
        paths = [self.place(str(Path(folder) / path)) for folder, path in PATH.findall(arguments)]
        if name in OPENS and opened and ("O_CREAT" in arguments or name == "creat"):
            place = self.place(opened)
            if place is not None and place not in self.there:
                self.named(place)
        elif name in NAMES and any(paths):
            *sources, place = paths
            assert place is not None
            self.gone(place) if name in {"unlink", "unlinkat", "rmdir"} else self.named(place)
            if name.startswith("rename"):
                assert sources[0] is not None
                self.gone(sources[0])
        elif name in SYNCS + WRITES and (found := DESCRIPTOR.match(arguments)):
            place = self.place(found[1])
            if place is not None:
                self.synced_or_written(name, place)

    def named(self, place: str) -> None:
        """Add a new name."""
        self.there.add(place)
        self.synced.discard(place)
        self.events.append(f"name {place}")

    def gone(self, place: str) -> None:
        """Add the end of a name."""
        self.there.discard(place)
        self.events.append(f"gone {place}")

    def synced_or_written(self, name: str, place: str) -> None:
        """Add a sync; a file is written in a workspace only, and not after its sync."""
        if name in SYNCS:
            self.synced.add(place)
            self.events.append(f"sync {place}")
        else:
            assert "/_wsparquet/tmp/" in place
            assert place not in self.synced


def seen_by_strace(text: str, folder: Path) -> dict[str, list[str]]:
    """Return the events of each workload by the output of strace."""
    found: dict[str, Seen] = {}
    current: Seen | None = None
    for call in calls(text):
        if mark := re.search(r'"(begin|end) (\w+)"', call):
            current = found.setdefault(mark[2], Seen(folder / mark[2])) if mark[1] == "begin" else None
        elif current is not None and (match := CALL.match(call)):
            name, arguments, _, opened = match.groups()
            assert name not in REFUSED, call
            current.add(name, arguments, opened)
    return {name: seen.events for name, seen in found.items()}


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (apt-get install strace)")
def test_the_recorder_misses_nothing_that_the_system_sees(tmp_path: Path) -> None:
    """Names and syncs are the same in the same order, but for parts: native code creates them, all in workspaces."""
    output = tmp_path / "strace"
    traced = ",".join(NAMES + OPENS + SYNCS + WRITES + REFUSED)
    command = ["strace", "-f", "-y", "--seccomp-bpf", "-s", "4096", "-e", f"trace={traced}", "-o", str(output)]
    program = [sys.executable, "-m", "tests.system.power", str(tmp_path)]
    done = subprocess.run(
        [*command, *program], cwd=REPOSITORY, capture_output=True, timeout=300, check=False, stdin=subprocess.DEVNULL
    )
    if b"ptrace" in done.stderr and not done.stdout:
        pytest.skip(f"strace may not trace here: {done.stderr.decode()}")
    assert done.returncode == 0, done.stderr.decode()
    recorded = dict(json.loads(line) for line in done.stdout.splitlines())
    seen = seen_by_strace(output.read_text(), tmp_path)
    assert list(recorded) == list(seen) == list(WORKLOADS)
    for name, events in recorded.items():
        there = seen[name]
        assert [event for event in events if event.startswith("sync")]
        assert sorted(event for event in events if PART.match(event)) == sorted(filter(PART.match, there))
        assert [event for event in events if not PART.match(event)] == [
            event for event in there if not PART.match(event)
        ]
