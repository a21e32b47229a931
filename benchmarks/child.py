"""What runs in a measured process: a contender, a limit, a decoder, or nothing but a busy loop.

Run: ``python -m benchmarks.child contender NAME OUTPUT SOURCE...``, ``limit NAME SOURCE...``,
``decode NAME BYTES SEED SET``, ``busy ROUNDS``. Limits and decoders print the CPU seconds of their work alone, start
and preparation left out.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def _busy(rounds: int) -> None:
    total = 0
    for number in range(rounds):
        total += number & 7
    if total < 0:
        raise ValueError(total)


def main() -> None:
    """Do what the arguments say."""
    match sys.argv[1:]:
        case ["contender", name, output, *sources]:
            module = importlib.import_module(f"benchmarks.contenders.{name}")
            module.convert([Path(source) for source in sources], Path(output))
        case ["limit", name, *sources]:
            from benchmarks.limits import STEPS

            print(STEPS[name]([Path(source) for source in sources]))
        case ["decode", name, size, seed, kind]:
            from benchmarks.decoding import cpu_seconds

            print(cpu_seconds(name, size=int(size), seed=int(seed), kind=kind))
        case ["busy", rounds]:
            _busy(int(rounds))
        case other:
            raise SystemExit(f"expected contender, limit, decode or busy with their arguments, found {other}")


if __name__ == "__main__":
    main()
