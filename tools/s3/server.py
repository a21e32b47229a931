"""Starts servers for S3's protocol, such as moto's, and accesses their buckets with a plain S3 client."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 60.0
SECRET = "s3cr3t-access-key"
_NUMBERS = itertools.count()


@contextmanager
def s3_server() -> Iterator[str]:
    """Run moto's server, and provide its address."""
    with serving_at(lambda port: [sys.executable, "-m", "tools.s3.serve", str(port)]) as address:
        yield address


@contextmanager
def serving_at(command: Callable[[int], list[str]]) -> Iterator[str]:
    """Run a server in a separate process, and provide its address. ``command`` returns the command line for a port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command(port), cwd=REPOSITORY, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the S3 server did not start")


def storage_options(endpoint: str) -> dict[str, Any]:
    """Return the options with which s3fs connects to a server. botocore does not retry.

    An answer may take a minute: a test that holds a request back while others work must not be asked again meanwhile.
    """
    return {
        "key": "tester",
        "secret": SECRET,
        "endpoint_url": endpoint,
        "client_kwargs": {"region_name": "us-east-1"},
        "config_kwargs": {"read_timeout": 60, "connect_timeout": 5, "retries": {"max_attempts": 0}},
    }


@cache
def _client(endpoint: str) -> Any:
    """Return the plain S3 client for all buckets of a server."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="tester",
        aws_secret_access_key=SECRET,
    )


class Bucket:
    """A new bucket, accessed with a plain S3 client."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.name = f"lake-{next(_NUMBERS)}"
        self.client = _client(endpoint)
        self.client.create_bucket(Bucket=self.name)

    @property
    def url(self) -> str:
        """The URL of the bucket for s3fs."""
        return f"s3://{self.name}"

    def keys(self, prefix: str = "") -> list[str]:
        """Return all keys that begin with a prefix."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def get(self, key: str) -> bytes:
        """Return the bytes of an object."""
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def put(self, key: str, data: bytes) -> None:
        """Write an object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def delete(self, key: str) -> None:
        """Delete an object."""
        self.client.delete_object(Bucket=self.name, Key=key)

    def begin_upload(self, key: str) -> None:
        """Begin a multipart upload without completing it."""
        self.client.create_multipart_upload(Bucket=self.name, Key=key)

    def uploads(self) -> list[str]:
        """Return the keys of all unfinished multipart uploads, or no keys if the server cannot list these uploads."""
        try:
            found = self.client.list_multipart_uploads(Bucket=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotImplemented":
                raise
            return []
        return [each["Key"] for each in found.get("Uploads", [])]
