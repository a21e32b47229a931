"""Record every workload and print the changes and syncs: ``python -m tests.system.power FOLDER``.

A failing ``unlink`` of ``begin NAME`` and of ``end NAME`` marks each recording in the output of strace.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

from tests.support.tables import few_tables
from tests.system.power.recorder import Recorder
from tests.system.power.trace import Named
from tests.system.power.workloads import WORKLOADS, Place, make_inputs


def mark(text: str) -> None:
    """Make a mark in the output of strace."""
    with suppress(FileNotFoundError):
        Path(text).unlink()


def main(folder: Path) -> None:
    """Record every workload in a folder of its own."""
    inputs = make_inputs(folder / "inputs")
    for name, work in WORKLOADS.items():
        place = Place(folder / name, inputs)
        place.world.mkdir()
        with few_tables():
            work.before(place)
            recorder = Recorder(place.world)
            with recorder.recording():
                mark(f"begin {name}")
                work.run(place)
                mark(f"end {name}")
        events = [
            f"{'sync' if not isinstance(event, Named) else 'name' if event.node else 'gone'} {event.path}"
            for event in recorder.trace.events
        ]
        print(json.dumps([name, events]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
