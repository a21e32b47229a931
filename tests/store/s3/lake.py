"""A root on S3, as wsparquet has it and as a stranger with a plain S3 client finds it."""

from __future__ import annotations

import copy
import io
import json
import re
from typing import Any, Self

import pyarrow.parquet as pq

from tests.support.at_rest import assert_only_named
from tools.s3.server import Bucket, storage_options
from wsparquet.dataset import Access, Root

TABLE = re.compile(r"lake/record_type=([a-z_]+)/date=[^/]+/[^/]+\.parquet")


class Lake:
    """``url`` is the root's; ``endpoint`` is where this process reaches the server for it, mostly a proxy."""

    def __init__(self, server: str, endpoint: str) -> None:
        self.bucket = Bucket(server)
        self.endpoint = endpoint
        self.url = f"{self.bucket.url}/lake"

    def past_proxy(self) -> Self:
        """The same root, reached at the server itself: a request through the proxy takes twice as long."""
        found = copy.copy(self)
        found.endpoint = self.bucket.endpoint
        return found

    @property
    def options(self) -> dict[str, Any]:
        """The storage options to reach it."""
        return storage_options(self.endpoint)

    @property
    def flags(self) -> list[str]:
        """The options with which commands reach it."""
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in self.options.items()}
        return [each for key, text in texts.items() for each in ("--storage-option", f"{key}={text}")]

    def open(self, *, patience_seconds: float = 60.0, single_writer: bool = False, create: bool = True) -> Root:
        """The root."""
        access = Access(self.options, single_writer=single_writer, patience_seconds=patience_seconds)
        return Root.open(self.url, access=access, create=create)

    # --- As a stranger finds it ------------------------------------------------------------------------------------

    def keys(self, folder: str = "") -> list[str]:
        """All keys of the root below a folder, relative to it."""
        return [key.removeprefix("lake/") for key in self.bucket.keys(f"lake/{folder}")]

    def data_files(self) -> list[str]:
        """Whatever lies in the tables' folders."""
        return [key for key in self.keys() if key.startswith("record_type=")]

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Every row in the tables' folders, by table, sorted; the records are not asked."""
        found: dict[str, list[dict[str, Any]]] = {}
        for path in self.data_files():
            match = TABLE.fullmatch(f"lake/{path}")
            assert match is not None, path
            table = pq.ParquetFile(io.BytesIO(self.bucket.get(f"lake/{path}"))).read()
            found.setdefault(match[1], []).extend(table.to_pylist())
        return {table: sorted(rows, key=repr) for table, rows in found.items()}

    def assert_at_rest(self) -> None:
        """Exactly what records name is there, and nothing is half done, but for probes of killed runs."""
        counting = self.past_proxy().open(create=False).log.counting()
        named = [part.path for part, void in counting.parts() if not void]
        named += [commit.quarantine for commit in counting.commits if commit.quarantine]
        assert_only_named(self.keys(), named)
        assert self.bucket.uploads() == []
