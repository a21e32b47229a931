"""wsparquet/spark/__main__.py as users start it: in a process of its own, with executors of the same machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import wsparquet
import wsparquet.spark.__main__ as program
from tests.scale import scaled
from tests.spark.test_cluster import MISSING, ROOT
from tests.support.at_rest import assert_at_rest
from tests.system.helpers import assert_same, rows_on_disk
from wsparquet.generate import GenerateOptions, generate

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}")

STARTS = {
    "python": [sys.executable, "-m", "wsparquet.spark"],
    "spark-submit": [str(Path(sys.executable).with_name("spark-submit")), "--master", "local[2]", program.__file__],
}


@pytest.mark.parametrize("start", scaled([*STARTS], ["python"]))
def test_a_conversion_with_a_source_that_fails(tmp_path: Path, start: str) -> None:
    """Standard output has the summary as JSON and nothing of Spark's, the failure is named, and the exit code is 1."""
    generate(tmp_path / "raw", GenerateOptions(files=3, records=10))
    wsparquet.convert(tmp_path / "raw", tmp_path / "whole")
    (tmp_path / "raw" / "broken.gz").write_bytes(b"\x1f\x8b\x08broken")
    done = subprocess.run(
        [*STARTS[start], "convert", tmp_path / "raw", "--to", tmp_path / "lake", "--output", "json"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_SUBMIT_ARGS": "--master local[2] pyspark-shell",
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 1, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert len(found["committed"]) == 3
    assert found["failed"] == ["broken.gz"]
    assert_same(rows_on_disk(tmp_path / "lake"), rows_on_disk(tmp_path / "whole"))
    assert_at_rest(tmp_path / "lake")
