"""Runs wsparquet on a Spark cluster, and reads Web Session files and roots in Spark. Needs ``wsparquet[spark]``.

The functions have the arguments and the results of the functions of the same names in ``wsparquet``, with a Spark
session as the first argument. The executors read the sources and write the root by themselves, so all of them must
reach both, and must have the same version of wsparquet as the driver:

    import wsparquet.spark
    summary = wsparquet.spark.convert(spark, "s3://bucket/raw/", to="s3://bucket/lake")
    summary.raise_for_failures()
"""

from __future__ import annotations

from wsparquet.spark.functions import compact, convert, replay, sync, verify
from wsparquet.spark.reading import register, views

__all__ = ["compact", "convert", "register", "replay", "sync", "verify", "views"]
