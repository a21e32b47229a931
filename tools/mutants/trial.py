"""Whether the tests notice a mutant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from queue import SimpleQueue

from tools.mutants.baseline import Baseline
from tools.mutants.mutant import Mutant
from tools.mutants.session import ALL_PASSED, OUT_OF_TIME, Limits, run_pytest
from tools.mutants.tree import Tree

__all__ = ["Trial", "try_all", "try_mutant"]

START_SECONDS = 20.0
"""CPU time for starting the tests."""
WAIT_SECONDS = 300.0
"""How long a busy machine may take for starting them, or for a deadlock."""

KILLED, TIMED_OUT, SURVIVED, NOT_RUN = "killed", "timed out", "survived", "survived: no test runs the line"


@dataclass(frozen=True)
class Trial:
    """A mutant, what became of it, and the first test that noticed it."""

    mutant: Mutant
    result: str
    killer: str = ""

    @property
    def killed(self) -> bool:
        """Whether a test failed, or the tests did not end."""
        return self.result in {KILLED, TIMED_OUT}


def try_mutant(tree: Tree, mutant: Mutant, baseline: Baseline) -> Trial:
    """Run the tests that can notice the mutant until one fails.

    A process may use five times the CPU time that the tests take without a mutant: an endless loop ends then, however
    busy the machine is.
    """
    tests = baseline.tests_for(mutant)
    if not tests:
        return Trial(mutant, NOT_RUN)
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    seconds = 5 * sum(baseline.seconds[test] for test in tests)
    limits = Limits(cpu=START_SECONDS + seconds, wall=WAIT_SECONDS + seconds)
    with tree.mutated(mutant):
        session = run_pytest(tree, files, options=["-x"], selected=tests, limits=limits)
    if session.code in OUT_OF_TIME:
        return Trial(mutant, TIMED_OUT)
    if session.code == ALL_PASSED:
        return Trial(mutant, SURVIVED)
    return Trial(mutant, KILLED, session.failed[0] if session.failed else f"exit code {session.code}")


def try_all(
    trees: Sequence[Tree], mutants: Iterable[Mutant], trial: Callable[[Tree, Mutant], Trial]
) -> Iterator[Trial]:
    """Try mutants, one in each tree at a time, and yield each result as soon as it is known."""
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def with_tree(mutant: Mutant) -> Trial:
        tree = free.get()
        try:
            return trial(tree, mutant)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        futures = [pool.submit(with_tree, mutant) for mutant in mutants]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
