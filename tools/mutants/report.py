"""What a run of mutants says: one line for each trial, the survivors as diffs, and the scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tools.mutants.trial import Trial

__all__ = ["report", "trial_line"]


def trial_line(trial: Trial, number: int, total: int) -> str:
    """Return the line that is printed when a trial ends."""
    by = f" by {trial.killer}" if trial.killer else ""
    return f"[{number}/{total}] {trial.mutant.name} {trial.result}{by}"


def report(room: str, trials: Sequence[Trial]) -> Iterator[str]:
    """Yield the survivors as diffs, then the score of each module and of the room."""
    for trial in sorted(trials, key=lambda trial: (trial.mutant.path, trial.mutant.line)):
        if not trial.killed:
            yield f"\n{trial.mutant.name} {trial.result}\n{trial.mutant.diff}"
    modules: defaultdict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        modules[trial.mutant.path].append(trial)
    for path in sorted(modules):
        yield _score(path, modules[path])
    yield _score(room, trials)


def _score(name: str, trials: Iterable[Trial]) -> str:
    results = [trial.killed for trial in trials]
    percent = 100 * sum(results) // len(results) if results else 0
    return f"{sum(results):4} of {len(results):4} killed {percent:4} %  {name}"
