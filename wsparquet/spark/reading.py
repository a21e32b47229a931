"""Makes Web Session files, and the tables and flat views of a root, available to Spark's queries."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wsparquet.dataset import LakeDataset, open_dataset
from wsparquet.errors import WsparquetError
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.policy import Policy
from wsparquet.reading import decoder_options
from wsparquet.render.spark import schema
from wsparquet.render.views import VIEWS, view_query
from wsparquet.spark.session import imported_pyspark

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
    session until the next call. The reader's option ``table`` names the
    table, and ``load`` takes a path, a glob, a folder or a URL. Each file is one partition. The schema is known without
    reading a file. A query fails if text of a file became no row, unless the option ``max_quarantined`` allows a number
    of records and items for each file, or ``any`` number.

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

    The views read the files that are in the folders of the tables now; call the function again to see later commits. A
    root in a bucket needs the file system ``s3a`` in Spark; ``storage_options`` are options of s3fs, with which this
    function looks up which tables have files.

    Raises:
        WsparquetError: PySpark is not installed.
        DatasetError: there is no root, or a commit record is unreadable.
        SchemaError: the root has another schema version.

    """
    imported_pyspark()
    lake = open_dataset(root, storage_options=storage_options)
    for table in lake.tables:
        _table(spark, lake, table).createOrReplaceTempView(table)
    for view in VIEWS:
        spark.sql(view_query(view, "spark")).createOrReplaceTempView(view)
    return (*lake.tables, *VIEWS)


def _table(spark: SparkSession, lake: LakeDataset, table: str) -> DataFrame:
    """Return the rows of a table.

    Spark cannot read the folder of a table without files, because the folder does not exist.
    """
    from pyspark.sql.types import StructType

    columns = StructType.fromJson(schema(lake.schema.tables[table]))
    if table in lake.empty_tables:
        return spark.createDataFrame([], columns)
    folder = re.sub("^s3://", "s3a://", f"{lake.location}/record_type={table}")
    return spark.read.schema(columns).parquet(folder)
