"""wsparquet/spark/ on a real cluster of one driver and two executors, each a process of its own."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from filelock import FileLock

from tests.scale import FULL

ROOT = Path(__file__).parents[2]
HOSTS = "speculation"
"""The case that runs on a cluster of its own, whose executors are on two hosts."""

MISSING = [
    name
    for name, there in (("PySpark", find_spec("pyspark") is not None), ("Java 17", shutil.which("java") is not None))
    if not there
]
if MISSING and os.environ.get("WSPARQUET_REQUIRE_SPARK") == "1":
    raise AssertionError(f"the tests of Spark need {' and '.join(MISSING)}, and this run requires them")
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"a Spark cluster needs {' and '.join(MISSING)}")


def cases() -> list[str]:
    """The names of all cases, without importing them: that would need PySpark."""
    tree = ast.parse((ROOT / "tests/spark/cases.py").read_text(encoding="utf-8"))
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    return [each.name for each in functions if any(ast.unparse(mark) == "case" for mark in each.decorator_list)]


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What became of each case. All processes of a test run share one cluster: the first process runs all cases."""
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else None
    folder = shared / "spark" if shared else tmp_path_factory.mktemp("spark") / "cluster"
    folder.mkdir(exist_ok=True)
    output = folder / "results"
    with FileLock(folder / "lock"):
        if not output.exists():
            printed = _run(folder / "cluster")
            output.write_bytes(printed + (_run(folder / "hosts", HOSTS) if FULL else b""))
    lines = [line for line in output.read_text().splitlines() if line.startswith('{"case"')]
    return {each["case"]: each["error"] for each in map(json.loads, lines)}


def _run(folder: Path, *names: str) -> bytes:
    folder.mkdir()
    with (folder / "driver.log").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "tests.spark.cluster", str(folder), *names],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
            stdout=subprocess.PIPE,
            stderr=log,
            timeout=1800,
            check=False,
        )
    if done.returncode:
        print((folder / "driver.log").read_text(errors="replace")[-5000:])
    return done.stdout


@pytest.mark.parametrize("case", cases())
def test_case(case: str, found: dict[str, str | None]) -> None:
    """Each case of ``cases.py`` says what it shows."""
    if case == HOSTS and not FULL:
        pytest.skip("needs a cluster of its own, on two hosts; part of make test-full")
    assert case in found, "the cluster did not come to this case"
    assert found[case] is None, found[case]
