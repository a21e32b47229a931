"""Extends roots in children that kill themselves: ``python -m tests.extensions.workload FIRST STRIDE ROOT...``."""

from __future__ import annotations

import os
import sys

import wsparquet
from tests.commit.workload import kill_self_at
from tests.drift import EXTENSION


def main(first: str, stride: str, *roots: str) -> None:
    """In each root, extend in a child that is killed before its n-th change of the disk, n being FIRST + STRIDE…."""
    for index, root in enumerate(roots):
        child = os.fork()
        if child == 0:
            kill_self_at(int(first) + index * int(stride), root)
            wsparquet.extend(root, EXTENSION)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
