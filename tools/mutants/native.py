"""Mutants of the native crate: cargo-mutants makes and tries them, in a copy of the crate of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["options_for", "run_native"]

# The crate's own tests are built without the feature `python`, so they have no code of these files.
_ONLY_WITH_PYTHON = ("src/parquet.rs", "src/python.rs", "src/python/**")
_MISSING = "expected cargo-mutants, found none: install it with `cargo install --locked cargo-mutants`"


def run_native(tree: Path, *, size: int | None, seed: int, jobs: int) -> int:
    """Try a sample of the crate's mutants with the crate's own tests, and return the exit code of cargo-mutants.

    0: all were noticed. 2: some survived. 3: some took too long. 4: the tests fail without a mutant.
    """
    cargo = shutil.which("cargo")
    if not cargo or not shutil.which("cargo-mutants"):
        raise ValueError(_MISSING)
    crate = tree / "native"
    every = options_for(0, size=None, seed=seed, jobs=jobs)
    listed = subprocess.run([cargo, "mutants", "--list", *every], cwd=crate, capture_output=True, text=True, check=True)
    options = options_for(len(listed.stdout.splitlines()), size=size, seed=seed, jobs=jobs)
    return subprocess.run([cargo, "mutants", *options], cwd=crate, check=False).returncode


def options_for(count: int, *, size: int | None, seed: int, jobs: int) -> Sequence[str]:
    """Return the options of cargo-mutants for trying about ``size`` of ``count`` mutants.

    Shard k of n has each n-th mutant, beginning with mutant k, so a shard is a sample of the whole crate.
    """
    options = [f"--jobs={jobs}", "--profile=checked", "--output=target"]
    options += [f"--exclude={path}" for path in _ONLY_WITH_PYTHON]
    shards = max(1, round(count / size)) if size else 1
    if shards > 1:
        options += [f"--shard={seed % shards}/{shards}", "--sharding=round-robin"]
    return options
