"""Runs all cases on one local cluster of separate executor processes: ``python -m tests.spark.cluster FOLDER``.

A Spark session takes ten seconds of a core to start, so one process runs all cases, and prints a line for each. The
tests in ``test_cluster.py`` report them. The names of cases as further arguments run these only.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOCAL = "local-cluster[2,1,1024]"
HOSTS = ("127.0.0.1", "127.0.0.2")
"""Spark begins a speculative attempt on another host only, and all executors of a local cluster have the same one."""
JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@dataclass
class Cluster:
    """A session, a folder of its own for each case, and where Spark writes its logs."""

    spark: Any
    folder: Path
    home: Path
    endpoint: str
    made: int = field(default=0)

    def new_folder(self) -> Path:
        """A new empty folder."""
        self.made += 1
        folder = self.folder / f"case{self.made}"
        folder.mkdir()
        return folder

    def logs(self) -> str:
        """All that executors and Spark have logged: standard output and error of all processes, and the event log."""
        self.spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
        files = [*(self.home / "work").rglob("std*"), *(self.folder / "events").rglob("*"), self.folder / "driver.log"]
        return "\n".join(path.read_text(errors="replace") for path in files if path.is_file())


def spark_home(folder: Path) -> Path:
    """A copy of Spark's home by links, so that the workers write their logs below ``folder``."""
    import pyspark

    home = folder / "spark"
    home.mkdir()
    for name in ("bin", "jars", "python", "sbin"):
        (home / name).symlink_to(Path(pyspark.__file__).parent / name)
    return home


@contextmanager
def two_hosts(home: Path) -> Iterator[str]:
    """Run a master and two workers as processes of their own, whose hosts have different names; yield its URL."""
    with socket.socket() as free:
        free.bind((HOSTS[0], 0))
        port = str(free.getsockname()[1])
    url = f"spark://{HOSTS[0]}:{port}"
    master = ["master.Master", "--host", HOSTS[0], "--port", port, "--webui-port", "0"]
    more = ["--webui-port", "0", "--cores", "1", "--memory", "1g", "-d", str(home / "work"), url]
    with ExitStack() as stack:
        for host, command in [
            (HOSTS[0], master),
            *((host, ["worker.Worker", "--host", host, *more]) for host in HOSTS),
        ]:
            environment = {**os.environ, "SPARK_LOCAL_IP": host, "SPARK_DAEMON_MEMORY": "256m"}
            process = subprocess.Popen(
                [home / "bin/spark-class", f"org.apache.spark.deploy.{command[0]}", *command[1:]],
                env={**environment, "SPARK_DAEMON_JAVA_OPTS": JAVA},
                stdout=sys.stderr,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield url


def session(folder: Path, home: Path, master: str) -> Any:
    """A session on a new cluster, with speculation."""
    (folder / "events").mkdir()
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "512m",
        "spark.driver.extraJavaOptions": JAVA,
        "spark.executor.memory": "512m",
        "spark.executor.extraJavaOptions": JAVA,
        "spark.executorEnv.PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",  # so that the tests can search it for secrets
        "spark.eventLog.dir": (folder / "events").as_uri(),
        "spark.scheduler.mode": "FAIR",
        "spark.speculation": "true",
        "spark.speculation.quantile": "0.5",
        "spark.speculation.minTaskRuntime": "1s",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def main() -> None:
    """Run the cases, and print the name of each, the time, and the traceback if it failed."""
    folder, *names = Path(sys.argv[1]), *sys.argv[2:]
    from tests.spark.cases import CASES
    from tools.s3.server import s3_server

    home = spark_home(folder)
    os.environ.update(SPARK_HOME=str(home), SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    os.environ["SPARK_LOCAL_DIRS"] = str(folder)
    names = names or [name for name in CASES if name != "speculation"]
    with two_hosts(home) if "speculation" in names else nullcontext(LOCAL) as master, s3_server() as endpoint:
        spark = session(folder, home, master)
        cluster = Cluster(spark, folder, home, endpoint)
        for name in names:
            print(json.dumps({"case": name, **outcome(cluster, CASES[name])}), flush=True)
        spark.stop()


def outcome(cluster: Cluster, case: Callable[[Cluster], None]) -> dict[str, Any]:
    """What became of a case."""
    began = time.monotonic()
    try:
        case(cluster)
    except Exception:  # noqa: BLE001 - whatever it is, the test reports it
        return {"error": traceback.format_exc(), "seconds": round(time.monotonic() - began, 1)}
    return {"error": None, "seconds": round(time.monotonic() - began, 1)}


if __name__ == "__main__":
    main()
