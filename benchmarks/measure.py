"""What one command takes: runs it and writes wall and CPU seconds and peak resident bytes to a file, as JSON.

A program of its own that imports next to nothing: the peak of a process counts what its parent held when it started it.
Run: ``python -I -S measure.py REPORT COMMAND...``; leaves with the command's exit code. CPU seconds are user and system
time of the command and of all descendants that were waited for, the peak is that of the largest of them.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> int:
    """Run the command and write the report."""
    report, *command = sys.argv[1:]
    started = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    taken = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * unit}
    with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be most of what this imports
        json.dump(taken, file)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
