"""The S3 server s3s-fs, built by cargo: a second implementation of the protocol, independent of moto.

Its answers differ from those of moto. It verifies signatures. Its listings have no entity tags, and claim that names
are percent-encoded when they are not. It cannot list uploads, and reports an internal error for a HEAD of a folder.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.scale import FULL
from tools.s3.server import REPOSITORY, SECRET, serving_at

VERSION = "0.14.0"
HOME = REPOSITORY / "target" / f"s3s-fs-{VERSION}"
"""A folder that git ignores. The program is built once and stays there."""

BUILD_SECONDS = 1800
CHECKSUM_CRATES = ("md-5", "sha2", "crc-fast", "crc32fast", "block-buffer", "digest")
LONGEST_NAME = 100
"""The server writes the bucket and the key, in base64, into one file name of a local disk."""


def s3s_program() -> Path:
    """The program, built on first use in two and a half minutes of one core.

    Skips the test in quick runs, without cargo, and if the build fails, such as without a network.
    """
    if not FULL:
        pytest.skip("only `make test-full` builds the second S3 server")
    cargo = shutil.which("cargo")
    if cargo is None:
        pytest.skip("found no cargo to build the second S3 server")
    program = HOME / "bin" / "s3s-fs"
    HOME.mkdir(parents=True, exist_ok=True)
    with FileLock(HOME / "lock"):
        if not program.exists():
            _build(cargo)
    return program


def _build(cargo: str) -> None:
    # The crate comes with a lock file. A build without optimization takes half the time. Only the checksums are
    # optimized: otherwise large uploads take longer than the timeouts of clients.
    crate = ["s3s-fs", "--version", f"={VERSION}", "--features", "binary", "--locked", "--debug"]
    fast = [part for name in CHECKSUM_CRATES for part in ("--config", f"profile.dev.package.{name}.opt-level=3")]
    command = [cargo, "install", "--quiet", *crate, *fast, "--root", str(HOME), "--target-dir", str(HOME / "build")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    if done.returncode != 0:
        pytest.skip(f"the second S3 server cannot be built: {done.stderr.strip()[-500:]}")


@contextmanager
def s3s_server(folder: Path) -> Iterator[str]:
    """The address of a server with its objects in a folder."""
    program = [str(s3s_program()), "--host", "127.0.0.1", "--access-key", "tester", "--secret-key", SECRET]
    with serving_at(lambda port: [*program, "--port", str(port), str(folder)]) as address:
        yield address
