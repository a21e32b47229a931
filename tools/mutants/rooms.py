"""Which modules belong to a room, and which tests concern the room."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["PACKAGE", "modules", "targets_of"]

PACKAGE = "wsparquet"

# Tests that kill processes at random moments, or make very many files: they take long, and notice faults by chance.
_LEFT_OUT = {"test_kills.py", "test_many_commits.py", "test_second_store.py"}

# Rooms whose promises are tested in other folders, too. The other rooms have the tests in `tests/ROOM` alone.
_TESTS: dict[str, Sequence[str]] = {
    "commit": (
        "tests/commit",
        "tests/dataset/test_cleaning.py",
        "tests/store/s3/test_commits.py",
        "tests/conversion/test_identity.py",
    ),
    "dataset": ("tests/dataset", "tests/commit", "tests/store/s3/test_commits.py", "tests/system/test_open.py"),
    "store": ("tests/store", "tests/commit", "tests/dataset"),
    "synchronisation": ("tests/synchronisation", "tests/cli/test_sync.py"),
    "verification": ("tests/verification", "tests/cli/test_verify.py", "tests/store/s3/test_system.py"),
    "source": ("tests/source", "tests/store/s3/test_sources.py", "tests/conversion/test_run.py"),
    "conversion": ("tests/conversion", "tests/system/test_two_runs.py", "tests/system/test_idempotence.py"),
    "api": ("tests/api", "tests/synchronisation"),
    "cli": ("tests/cli", "tests/system/test_terminal.py"),
}


def modules(tree: Path, room: str) -> list[str]:
    """Return the paths of the room's modules relative to ``tree``.

    A room is a package or a module of `wsparquet`, or a package or module inside a room, such as `store/s3`.
    """
    place = tree / PACKAGE / room
    found = sorted(place.rglob("*.py")) or [path for path in [place.with_suffix(".py")] if path.is_file()]
    if not found:
        rooms = sorted(path.stem for path in (tree / PACKAGE).iterdir() if not path.name.startswith(("_", "py.")))
        raise ValueError(f"expected a room of {PACKAGE}, found {room!r}; the rooms are native, {', '.join(rooms)}")
    return [path.relative_to(tree).as_posix() for path in found]


def targets_of(tree: Path, room: str) -> list[str]:
    """Return the test files that concern a room."""
    top = room.partition("/")[0]
    candidates = _TESTS.get(top, (f"tests/{top}", f"tests/test_{top}.py"))
    found = [file for path in candidates for file in _files(tree / path) if file.name not in _LEFT_OUT]
    if not found:
        raise ValueError(f"expected tests of the room {room}, found neither of {', '.join(candidates)}")
    return [file.relative_to(tree).as_posix() for file in found]


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("test_*.py"))
