"""What was measured, as Markdown for people and as JSON for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.contest import Contest, Result
from benchmarks.data import Data
from benchmarks.scaling import Cores
from benchmarks.statistic import Series

__all__ = [
    "compact_tables",
    "contest_tables",
    "cores_table",
    "costs_table",
    "decoding_table",
    "machine",
    "native_build",
    "opening_table",
    "plain",
    "query_table",
    "sizes_table",
    "start_table",
    "sync_table",
]

_MIB = 1 << 20
_MB = 1_000_000


def machine() -> dict[str, Any]:
    """The machine and the day."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(total / (1 << 30), 1),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "native": native_build(),
    }


def native_build() -> str:
    """Return which build of the native module is measured: the one in wheels, or the slower one of the tests."""
    try:
        from wsparquet import _native
    except ImportError:
        return "none"
    return "checked" if getattr(_native, "CHECKED", False) else "release"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Series):
        return value.to_dict()
    if isinstance(value, Data):
        return {"files": len(value.sources), "bytes": value.size, "stored_bytes": value.stored, "rows": value.rows}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    return [plain(child) for child in value] if isinstance(value, list | tuple) else value


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _megabytes(result: Result) -> str:
    return _in_unit(result.peak, _MIB).text(0)


def _in_unit(values: Series, unit: float) -> Series:
    return Series(tuple(value / unit for value in values.values))


def contest_tables(found: Contest, data: Data) -> str:
    """The contenders, the fastest first, and the limits."""
    ranked = sorted(found.results.items(), key=lambda item: item[1].wall.median)
    ours = next((name for name in ("wsparquet_native", "wsparquet_reference") if name in found.results), None)
    base = found.results[ours].wall.median if ours else ranked[0][1].wall.median
    rows = [
        [
            name,
            result.wall.text(),
            result.cpu.text(),
            _megabytes(result),
            f"{data.size / _MB / result.wall.median:.1f}",
            f"{result.wall.median / base:.2f}",
        ]
        for name, result in ranked
    ]
    header = ["contender", "wall s", "CPU s", "peak MiB", "MB of JSON/s", f"wall / {ours or ranked[0][0]}"]
    return f"{_table(header, rows)}\n\n{_limits_table(found)}\n\n{_hash_table(found)}"


def _limits_table(found: Contest) -> str:
    total = sum(limit.median for limit in found.limits.values())
    rows = [[f"{name} alone", limit.text(3), ""] for name, limit in found.limits.items()]
    rows.append(["their sum (of medians)", f"{total:.3f}", "1"])
    for name, start in found.start.items():
        cpu = found.results[name].cpu
        rows.append([f"{name}, whole", cpu.text(3), f"{cpu.median / total:.2f}"])
        rest = cpu.median - start.cpu.median
        rows.append([f"{name}, less its start ({start.cpu.median:.2f} s)", f"{rest:.3f}", f"{rest / total:.2f}"])
    return _table(["CPU time", "s", "/ sum"], rows)


def _hash_table(found: Contest) -> str:
    hashing = found.hash
    shares = [[name, f"{100 * hashing.median / found.results[name].cpu.median:.1f} %"] for name in found.start]
    return _table([f"hashing the text, alone: {hashing.text(3)} s of CPU time", "share"], shares)


def decoding_table(found: dict[str, Series], *, size: int) -> str:
    """Decoders and parsers in MB of JSON per CPU second."""
    against = "pysimdjson" if "pysimdjson" in found else "json.loads"
    base = found[against].median
    rows = [
        [
            name,
            _in_unit(Series(tuple(1 / value for value in seconds.values)), _MB / size).text(0),
            f"{base / seconds.median:.2f}",
        ]
        for name, seconds in found.items()
    ]
    return _table(["bytes in memory to", "MB/s of CPU time", f"/ {against}"], rows)


def cores_table(found: Cores) -> str:
    """One core against two."""
    rows = [
        ["wsparquet", found.one.text(), found.two.text(), f"{found.speedup:.2f}"],
        ["busy processes, as many as cores", found.busy_one.text(), found.busy_two.text(), f"{found.possible:.2f}"],
        ["ratio", "", "", f"{found.speedup / found.possible:.2f}"],
    ]
    return _table(["what", "one core, wall s", "two cores, wall s", "times the work"], rows)


def sizes_table(found: dict[str, tuple[Data, Result]]) -> str:
    """Files of several sizes."""
    rows = [
        [
            name,
            result.wall.text(),
            result.cpu.text(),
            _megabytes(result),
            f"{data.size / _MB / result.wall.median:.1f}",
        ]
        for name, (data, result) in found.items()
    ]
    return _table(["files", "wall s", "CPU s", "peak MiB", "MB of JSON/s"], rows)


def costs_table(made: dict[str, Data], found: dict[str, Result]) -> str:
    """Sets of one size; the ratios are of CPU seconds for a MB of JSON, to those of the first set."""
    each = {name: result.cpu.median / made[name].size for name, result in found.items()}
    base = next(iter(each.values()))
    rows = [
        [name, result.wall.text(), result.cpu.text(), _megabytes(result), f"{each[name] / base:.2f}"]
        for name, result in found.items()
    ]
    return _table(["files", "wall s", "CPU s", "peak MiB", f"CPU / {next(iter(each))}"], rows)


def start_table(found: dict[str, Series]) -> str:
    """Start-up times."""
    return _table(["command", "wall s"], [[name, walls.text(3)] for name, walls in found.items()])


def sync_table(found: dict[str, Series]) -> str:
    """The same files from a folder and from a server."""
    base = next(iter(found.values())).median
    rows = [[name, walls.text(), f"{walls.median / base:.2f}"] for name, walls in found.items()]
    return _table(["the same files", "wall s", "ratio"], rows)


def opening_table(found: dict[str, dict[str, float]]) -> str:
    """Seconds to open or publish a root, for each store and what is asked for."""
    asked = list(next(iter(found.values())))
    return _table(
        ["root", *(f"{name}, s" for name in asked)],
        [[store, *map(str, times.values())] for store, times in found.items()],
    )


def compact_tables(found: dict[str, Any]) -> str:
    """Files and bytes of each table before and after, and seconds of each query with their ratio."""
    before, after = found["sizes"]["before"], found["sizes"]["after"]
    sizes = []
    for table in before:
        one, other = before[table], after[table]
        ratio = f"{one['bytes'] / other['bytes']:.1f}"
        sizes.append([table, *(f"{each[key]:,}" for key in ("files", "bytes") for each in (one, other)), ratio])
    times = []
    for name, each in found["queries"].items():
        ratio = f"{each['before'].median / each['after'].median:.1f}"
        times.append([name, each["before"].text(3), each["after"].text(3), ratio])
    cost = f"{found['cpu']:.1f} s of CPU time, {found['wall']:.1f} s of wall time, {found['rows']:,} rows"
    return "\n\n".join(
        (
            cost,
            _table(["table", "files before", "after", "bytes before", "after", "before / after"], sizes),
            _table(["query", "before, s", "after, s", "before / after"], times),
        )
    )


def query_table(found: dict[str, Any]) -> str:
    """Seconds of each query, with wsparquet and by hand, and their ratio."""
    rows = []
    for name, times in found["queries"].items():
        ours, by_hand = times["wsparquet"], times["by hand"]
        rows.append([name, ours.text(3), by_hand.text(3), f"{ours.median / by_hand.median:.2f}"])
    return _table(["query", "wsparquet, s", "by hand, s", "wsparquet / by hand"], rows)


def masks_table(found: dict[str, Series]) -> str:
    """CPU seconds by kind of masks, and their ratio to those of no masks."""
    base = next(iter(found.values())).median
    rows = [[name, cpu.text(), f"{cpu.median / base:.3f}"] for name, cpu in found.items()]
    return _table(["masks", "CPU s", "ratio"], rows)
