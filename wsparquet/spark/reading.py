"""Makes Web Session files, and the tables and flat views of a root, available to Spark's queries."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wsparquet.dataset import Access, LakeDataset, Root
from wsparquet.errors import WsparquetError
from wsparquet.layout import ICEBERG
from wsparquet.log import LOGGER
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.policy import Policy
from wsparquet.reading import decoder_options
from wsparquet.render.spark import schema
from wsparquet.render.views import VIEWS, view_query
from wsparquet.schema import TABLES
from wsparquet.spark.session import imported_pyspark
from wsparquet.urls import is_url

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["register", "views"]


def register(
    spark: SparkSession,
    *,
    storage_options: Mapping[str, Any] | None = None,
    extension: str | os.PathLike[str] | None = None,
    policy: Policy | None = None,
    key_file: str | os.PathLike[str] | SecretKey | None = None,
) -> None:
    """Make ``spark.read.format("wsparquet")`` available in a session: Web Session files as a table, without a root.

    ``storage_options`` are options for fsspec, if the files are behind a URL. ``extension``, ``policy`` and
    ``key_file`` are those of ``wsparquet.read``; they are read now, on the driver, and apply to all queries of the
    session until the next call.

    The reader's option ``table`` names the table, and ``load`` takes a path, a glob, a folder or a URL. Each file is
    one partition. The schema is known without reading a file. A query fails if text of a file became no row, unless the
    option ``max_quarantined`` allows a number of records and items for each file, or ``any`` number.

    Every query decodes all columns of all files again, so use this data source only to look at a few files.

    Raises:
        WsparquetError: PySpark is not installed, or is older than 4.0.
        OptionError: there is both an extension and a policy, or the policy needs a key and there is none.
        SchemaError: the extension is not valid.

    """
    imported_pyspark()
    try:
        from wsparquet.spark.source import Reading, make_data_source
    except ImportError as error:
        raise WsparquetError(
            "expected PySpark 4.0 or newer, which has data sources in Python, found an older one; upgrade PySpark, or "
            "convert the files and read the root"
        ) from error
    reading = Reading(storage_options or {}, decoder_options(extension, policy, key_file))
    spark.dataSource.register(make_data_source(reading))


def views(
    spark: SparkSession, root: str | os.PathLike[str], *, storage_options: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Create temporary views of all tables of a root and of all flat views, and return their names.

    If the root is published in itself (see ``wsparquet.publish``), and Spark has the jar of Iceberg, the views read the
    Iceberg tables, and so only the rows that count. For a root in a bucket, the setting ``spark.hadoop.fs.s3.impl``
    must also name a file system for ``s3://`` URLs, because these are the locations in the tables. Otherwise, the views
    read the files that are in the folders of the tables now, through ``s3a://`` if the root is in a bucket. Call the
    function again to see later commits.

    ``storage_options`` are options of s3fs, with which this function looks up which tables have files.

    Raises:
        WsparquetError: PySpark is not installed.
        DatasetError: there is no root, or a commit record is unreadable.
        SchemaError: the root has another schema version.

    """
    imported_pyspark()
    opened = Root.open(root, create=False, access=Access.checked(storage_options))
    lake = LakeDataset(opened)
    iceberg = opened.version.is_published_in(opened.location) and _has_iceberg(spark, lake.location)
    LOGGER.info("views of %s read %s", opened.place, "its Iceberg tables" if iceberg else "the folders of its tables")
    for table in lake.tables:
        frame = _iceberg_table(spark, lake, table) if iceberg else _folder(spark, lake, table)
        frame.createOrReplaceTempView(table)
    for view in VIEWS:
        spark.sql(view_query(view, "spark")).createOrReplaceTempView(view)
    return (*lake.tables, *VIEWS)


def _has_iceberg(spark: SparkSession, location: str) -> bool:
    """Return whether Spark can read Iceberg tables at a location: it has the jar, and a file system for the URLs."""
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException

    if is_url(location) and not spark.sparkContext.getConf().contains("spark.hadoop.fs.s3.impl"):
        return False
    try:
        spark.read.format("iceberg").load(f"{location}/{ICEBERG}/{next(iter(TABLES))}")
    except (PySparkException, Py4JError) as error:
        if "DATA_SOURCE_NOT_FOUND" in str(error):
            return False
        raise
    return True


def _iceberg_table(spark: SparkSession, lake: LakeDataset, table: str) -> DataFrame:
    """Return the rows of the Iceberg table that the root has."""
    names = [field["name"] for field in schema(lake.schema.tables[table])["fields"]]
    return spark.read.format("iceberg").load(f"{lake.location}/{ICEBERG}/{table}").select(*names)


def _folder(spark: SparkSession, lake: LakeDataset, table: str) -> DataFrame:
    """Return the rows in the folder of a table.

    Spark cannot read the folder of a table without files, because the folder does not exist.
    """
    from pyspark.sql.types import StructType

    columns = StructType.fromJson(schema(lake.schema.tables[table]))
    if table in lake.empty_tables:
        return spark.createDataFrame([], columns)
    folder = re.sub("^s3://", "s3a://", f"{lake.location}/record_type={table}")
    return spark.read.schema(columns).parquet(folder)
