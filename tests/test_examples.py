"""The examples in the docstrings of all public names run as they stand, in a folder with generated files."""

from __future__ import annotations

import doctest
import inspect
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import wsparquet
from wsparquet.emulator import DEMO, EmulatorOptions, serving
from wsparquet.generate import GenerateOptions, generate

FILES = GenerateOptions(files=2, records=20)
NAMES = [name for name in wsparquet.__all__ if callable(getattr(wsparquet, name))]
NEEDS_LAKE = frozenset(
    {
        *("AccountStatus", "ChangedSource", "Changes", "Cleaning", "Drift", "FileState", "Finding", "LakeDataset"),
        *("Status", "StatusLimits", "Stray", "Verification", "VerifyOptions", "attach", "changes", "clean", "connect"),
        *("drift", "list_files", "open_dataset", "refresh", "remove", "replay", "scan", "status", "verify"),
        *("Certificate", "ExpiredTable", "Expiry", "RawFile", "erase", "expire"),
        *("CompactOptions", "Compaction", "MergedTable", "StoredViews", "compact", "publish", "write_views"),
        *("Extended", "Proposal", "extend"),
        *("DayRows", "QuarantinedSource", "RootReport", "SlowSource", "TableFiles", "report"),
    }
)
"""The names whose examples work with a root that has commits."""


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files, named as the server names them."""
    return generate(tmp_path_factory.mktemp("generated"), FILES)


@pytest.fixture(scope="module")
def server(downloads: list[Path]) -> Iterator[str]:
    """The address of a server that has these files, as those of the last hour."""
    # The clock stands still: each hour, the server would have another file.
    started = time.time()
    with serving(EmulatorOptions(hours=0, now=lambda: started)) as emulator:
        for path in downloads:
            emulator.catalogue.put(path.name, path.read_bytes())
        yield emulator.base_url


@pytest.fixture
def folder(tmp_path: Path, downloads: list[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the files that the examples name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WSPARQUET_KEY", "5e" * 32)
    (tmp_path / "downloads").mkdir()
    for path in downloads:
        (tmp_path / "downloads" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "session.gz").write_bytes(downloads[0].read_bytes())
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_public_name_runs(name: str, folder: Path, server: str) -> None:
    """Each public function and class has an example, and it prints what it says."""
    if name in NEEDS_LAKE:
        wsparquet.convert("downloads/", to="lake")
    known = {"wsparquet": wsparquet, "Path": Path, "server": server, "credentials": DEMO}
    text = inspect.getdoc(getattr(wsparquet, name)) or ""
    test = doctest.DocTestParser().get_doctest(text, known, name, None, 0)
    assert test.examples, f"{name} has no example"
    said: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    ran = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)
    assert ran.failed == 0, "".join(said)
