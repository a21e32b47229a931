"""Reads published tables with other engines: ``python other_engines.py JOBS.json``.

This file runs in an environment of its own, which has neither wsparquet nor its dependencies: DuckDB's extension for
Iceberg exists for some versions of DuckDB only. ``JOBS.json`` has a list of jobs: the engine, the table's location, the
Parquet file to write, and the access to S3, if the table is there.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any


def duckdb(jobs: list[dict[str, Any]]) -> None:
    """Read tables with ``iceberg_scan``."""
    import duckdb as engine

    connection = engine.connect(config={"allow_unsigned_extensions": "true"})
    for name in ("avro", "httpfs", "iceberg"):
        folder = os.path.dirname(importlib.import_module(f"duckdb_extension_{name}").__file__ or "")  # noqa: PTH120
        connection.execute(f"LOAD '{folder}/extensions/v{engine.__version__}/{name}.duckdb_extension'")
    connection.execute("SET TimeZone = 'UTC'")
    for job in jobs:
        if s3 := job["s3"]:
            endpoint = s3["s3.endpoint"].removeprefix("http://")
            connection.execute(
                f"CREATE OR REPLACE SECRET s3 (TYPE s3, KEY_ID '{s3['s3.access-key-id']}', "
                f"SECRET '{s3['s3.secret-access-key']}', ENDPOINT '{endpoint}', URL_STYLE path, USE_SSL false)"
            )
        connection.execute(f"COPY (SELECT * FROM iceberg_scan('{job['table']}')) TO '{job['to']}'")


def clickhouse(jobs: list[dict[str, Any]]) -> None:
    """Read tables with ``icebergLocal`` and ``icebergS3``."""
    import chdb

    # The engine reads files below the working directory only.
    os.chdir("/")
    for job in jobs:
        source = f"icebergLocal('{job['table']}/')"
        if s3 := job["s3"]:
            url = job["table"].replace("s3://", f"{s3['s3.endpoint']}/")
            source = f"icebergS3('{url}/', '{s3['s3.access-key-id']}', '{s3['s3.secret-access-key']}')"
        chdb.query(f"SELECT * FROM {source} INTO OUTFILE '{job['to']}' FORMAT Parquet")


def daft(jobs: list[dict[str, Any]]) -> None:
    """Read tables with ``read_iceberg``: pyiceberg finds the files, and Daft reads them and adds ``date``."""
    import daft as engine
    import pyarrow.parquet as pq
    from pyiceberg.table import StaticTable

    for job in jobs:
        s3 = job["s3"]
        access = engine.io.IOConfig(
            s3=engine.io.S3Config(
                endpoint_url=s3.get("s3.endpoint"),
                key_id=s3.get("s3.access-key-id"),
                access_key=s3.get("s3.secret-access-key"),
                region_name=s3.get("s3.region"),
                force_virtual_addressing=False,
            )
        )
        table = StaticTable.from_metadata(job["table"], s3)
        pq.write_table(engine.read_iceberg(table, io_config=access).to_arrow(), job["to"])


def datafusion(jobs: list[dict[str, Any]]) -> None:
    """Read tables with iceberg-rust, which knows no hint: the caller says which metadata is the current one."""
    import pyarrow.parquet as pq
    from datafusion import SessionContext
    from pyiceberg_core.datafusion import IcebergDataFusionTable

    for job in jobs:
        access = {**job["s3"], "s3.path-style-access": "true"}
        context = SessionContext()
        context.register_table("found", IcebergDataFusionTable(["lake", "found"], job["metadata"], access))
        pq.write_table(context.sql("SELECT * FROM found").to_arrow_table(), job["to"])


if __name__ == "__main__":
    wanted = json.load(open(sys.argv[1]))  # noqa: PTH123, SIM115
    for read in (duckdb, clickhouse, daft, datafusion):
        if chosen := [job for job in wanted if job["engine"] == read.__name__]:
            read(chosen)
    sys.stdout.flush()
    # Threads of Daft may still run, and end the interpreter with an error when Python waits for no thread any more.
    os._exit(0)
