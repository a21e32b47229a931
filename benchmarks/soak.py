"""Does a lake on S3 stay right for hours? Two writers, a faulty server, a faulty store, and kills at random.

``python -m benchmarks.soak --minutes 60``: an emulator of the Data Access API whose clock runs fast, an S3 server
behind a proxy, and two `wsparquet sync` of one account into one root, each killed and started again. In the end the
faults stop, one run brings the root up to date, and `wsparquet verify` compares it with every file of the server.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tools.s3.proxy import Proxy, Settings, proxying
from tools.s3.server import Bucket, s3_server, storage_options
from wsparquet.api.credentials import VARIABLES
from wsparquet.emulator import DEMO, Emulator, EmulatorOptions, serving

ACCOUNT = "75555851"
PROGRAM = str(Path(sys.executable).with_name("wsparquet"))
DAYS = 25
"""How many days of the server go by, whatever the length of the run."""
API_FAULTS = {"all": 0.05}
S3_FAULTS = 0.05
LIFE_SECONDS = 25.0
"""How long a writer lives on average."""
SAMPLE_SECONDS = 2.0


@dataclass
class Result:
    """What went on."""

    seconds: float = 0.0
    kills: int = 0
    memory: list[int] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)


class Writer:
    """A `wsparquet sync` that goes on for ever, and is killed and started again."""

    def __init__(self, command: list[str], log: Path, chance: random.Random, result: Result) -> None:
        self._command = command
        self._log = log
        self._chance = chance
        self._result = result
        self._begin()

    def _begin(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=log)
        self._dies = time.monotonic() + self._chance.expovariate(1 / LIFE_SECONDS)

    def look(self) -> None:
        """Note its memory, and kill it if its time has come."""
        code = self._process.poll()
        if code is None and time.monotonic() > self._dies:
            self._process.kill()
            self._process.wait()
            self._result.kills += 1
            self._begin()
        elif code is not None:
            self._result.codes[code] += 1
            self._begin()
        elif (resident := _resident(self._process.pid)) is not None:
            self._result.memory.append(resident)

    def end(self) -> None:
        """Kill it for good."""
        self._process.kill()
        self._process.wait()


def _resident(pid: int) -> int | None:
    """The resident bytes of a process, None if it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS")), None)


@contextmanager
def _api(seconds: float, folder: Path, *, size: int, seed: int) -> Iterator[Emulator]:
    """A server whose clock began 25 days ago, and is here in so many seconds."""
    began = time.time()
    speed = DAYS * 86_400 / seconds

    def now() -> float:
        return min(began - DAYS * 86_400 + (time.time() - began) * speed, time.time())

    options = EmulatorOptions(
        account=ACCOUNT, hours=6, size=size, seed=seed, late=0.1, now=now, faults=API_FAULTS, stall_seconds=5
    )
    key = folder / "key.toml"
    key.touch(mode=0o600)
    key.write_text("".join(f'{name} = "{getattr(DEMO, name)}"\n' for name in VARIABLES), encoding="utf-8")
    with serving(options) as emulator:
        yield emulator


def _store_options(endpoint: str) -> list[str]:
    pairs = storage_options(endpoint).items()
    return [
        each
        for key, value in pairs
        for each in ("--storage-option", f"{key}={value if isinstance(value, str) else json.dumps(value)}")
    ]


@dataclass(frozen=True)
class Stage:
    """What takes part: the API, the store behind its proxy, the root there, and a folder for files and messages."""

    api: Emulator
    store: Proxy
    root: str
    folder: Path

    @property
    def reach(self) -> list[str]:
        """The options with which commands reach the root."""
        return _store_options(self.store.url)

    def api_command(self, name: str, *arguments: str) -> list[str]:
        """A command that speaks with the API."""
        key = str(self.folder / "key.toml")
        server = ["--base-url", self.api.base_url, "--credentials", key, "--pause", "0.1"]
        return [PROGRAM, name, "--account", ACCOUNT, *server, *arguments]


def soak(seconds: float, folder: Path, *, size: int, seed: int) -> dict[str, Any]:
    """Everything; what came of it."""
    faulty = Settings(probability=S3_FAULTS, stall_seconds=2, seed=seed)
    with s3_server() as server, proxying(server, faulty) as store, _api(seconds, folder, size=size, seed=seed) as api:
        stage = Stage(api, store, f"{Bucket(server).url}/lake", folder)
        result = _soaked(stage, seconds, random.Random(seed))
        faults = Counter(request.fault for request in api.log if request.fault)
        return {**_checked(stage, result), "api_faults": dict(faults)}


def _soaked(stage: Stage, seconds: float, chance: random.Random) -> Result:
    began, result = time.monotonic(), Result()
    command = stage.api_command("sync", "--to", stage.root, "--every", "1s", "--quiet", *stage.reach)
    writers = [Writer(command, stage.folder / f"writer-{number}.log", chance, result) for number in range(2)]
    while time.monotonic() - began < seconds:
        time.sleep(SAMPLE_SECONDS)
        for writer in writers:
            writer.look()
    for writer in writers:
        writer.end()
    result.seconds = time.monotonic() - began
    return result


def _checked(stage: Stage, result: Result) -> dict[str, Any]:
    """Bring the root up to date without faults, and compare it with all that the server has."""
    faults, requests = dict(stage.store.faults()), len(stage.store.log)
    stage.store.settings.probability = 0.0
    stage.api.heal()
    root, raw, json_ = stage.root, str(stage.folder / "raw"), ["--output", "json"]
    # First of all: what comes late while this goes on is nothing that the root must have.
    _run(stage.api_command("fetch", "--into", raw, "--quiet", *json_))
    synced = _run(stage.api_command("sync", "--to", root, "--quiet", *json_, *stage.reach))
    cleaning = [PROGRAM, "clean", root, "--older-than", "0s", *json_, *stage.reach]
    _run([*cleaning, "--delete"])
    left = _run(cleaning)
    verified = _run([PROGRAM, "verify", root, "--against", raw, *json_, *stage.reach])
    third = len(result.memory) // 3
    return {
        "minutes": round(result.seconds / 60, 1),
        "files": verified["commits"],
        "listed": synced["listed"],
        "failed": len(synced["failed"]),
        "rows": verified["rows"],
        "compared_rows": verified["compared_rows"],
        "problems": dict(Counter(problem["kind"] for problem in verified["problems"])),
        "strays_left": len(left["strays"]),
        "kills": result.kills,
        "store_requests": requests,
        "store_faults": faults,
        "memory_peak_mib": round(max(result.memory) / 2**20),
        "memory_first_third_mib": round(median(result.memory[:third]) / 2**20),
        "memory_last_third_mib": round(median(result.memory[-third:]) / 2**20),
        "exits": dict(result.codes),
    }


def _run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise RuntimeError(f"{command[1]}: expected a result, found {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Run it and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--size", type=int, default=100_000, help="bytes of JSON in each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the writers' messages")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wsparquet-soak-") as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = soak(given.minutes * 60, folder, size=given.size, seed=given.seed)
    print(json.dumps({**found, "cores": os.cpu_count()}, indent=2))
    right = not (found["problems"] or found["failed"] or found["strays_left"]) and found["files"] == found["listed"]
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
