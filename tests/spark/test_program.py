"""wsparquet/spark/__main__.py as users start it: in a process of its own, with executors of the same machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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


def on_this_machine(command: list[Any], *, code: int) -> str:
    """What a process prints that finds a session whose executors run in the driver's own process."""
    done = subprocess.run(
        command,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_SUBMIT_ARGS": "--master local[2] pyspark-shell",
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("start", scaled([*STARTS], ["python"]))
def test_a_conversion_with_a_source_that_fails(tmp_path: Path, start: str) -> None:
    """Standard output has the summary as JSON and nothing of Spark's, the failure is named, and the exit code is 1."""
    generate(tmp_path / "raw", GenerateOptions(files=3, records=10))
    wsparquet.convert(tmp_path / "raw", tmp_path / "whole")
    (tmp_path / "raw" / "broken.gz").write_bytes(b"\x1f\x8b\x08broken")
    command = [*STARTS[start], "convert", tmp_path / "raw", "--to", tmp_path / "lake", "--output", "json"]
    found = json.loads(on_this_machine(command, code=1))
    assert len(found["committed"]) == 3
    assert found["failed"] == ["broken.gz"]
    assert_same(rows_on_disk(tmp_path / "lake"), rows_on_disk(tmp_path / "whole"))
    assert_at_rest(tmp_path / "lake")


SCRIPT = """
import json, sys
from pathlib import Path
from pyspark.sql import SparkSession
from tests.spark.cases import run_with
from tests.spark.cluster import Cluster
from tests.spark.work import LateWork
from wsparquet.distributed import plan_conversion

spark = SparkSession.builder.getOrCreate()
raw, lake = sys.argv[1:]
job = plan_conversion(raw, to=lake, workers=1)
largest = max((task.items for task in job.tasks), key=len)
assert len(largest) > 1
bad = largest[0][1].name
summary = run_with(Cluster(spark, Path(), Path(), ""), job, LateWork, bad=bad)
print(json.dumps(summary.to_dict()))
"""


def test_what_a_failing_task_has_committed_counts(tmp_path: Path) -> None:
    """Without speculation, a task that fails at its end is run again source by source: the others are there already."""
    generate(tmp_path / "raw", GenerateOptions(files=12, records=10))
    found = json.loads(on_this_machine([sys.executable, "-c", SCRIPT, tmp_path / "raw", tmp_path / "lake"], code=0))
    assert [len(found[kind]) for kind in ("committed", "skipped", "failed")] == [11, 0, 1]
