"""Work on a root in a process of its own, which tests kill: ``python -m tests.store.s3.workload WORK URL ENDPOINT``."""

from __future__ import annotations

import sys

from tests.commit.workload import WORKS
from tools.s3.server import storage_options
from wsparquet.dataset import Access, Root

if __name__ == "__main__":
    work, url, endpoint = sys.argv[1:]
    WORKS[work](Root.open(url, access=Access(storage_options(endpoint))))
