"""A second S3 server, for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.s3.s3s import s3s_server


@pytest.fixture(scope="session")
def second_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server by other authors, in full runs."""
    with s3s_server(tmp_path_factory.mktemp("s3s")) as address:
        yield address
