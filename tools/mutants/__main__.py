"""`python -m tools.mutants ROOM`: tries a sample of the room's mutants, and prints those that no test notices."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import click

from tools.mutants.baseline import Baseline, measure
from tools.mutants.equivalent import is_known, known_equivalents
from tools.mutants.mutant import Mutant, drawn
from tools.mutants.native import run_native
from tools.mutants.report import report, trial_line
from tools.mutants.rooms import PACKAGE, modules, targets_of
from tools.mutants.tree import Tree
from tools.mutants.trial import Trial, try_all, try_mutant

SOURCE = Path(__file__).parents[2]
SURVIVORS = 2


class Size(click.ParamType[int | None]):
    """A number of mutants, or `all`."""

    name = "number|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Return None for `all`."""
        return None if value == "all" else click.IntRange(min=1).convert(value, param, ctx)


@dataclass(frozen=True)
class Arguments:
    """The options of the command."""

    size: int | None
    seed: int
    jobs: int
    names: tuple[str, ...]
    tests: tuple[str, ...]
    only_list: bool


@click.command(help=__doc__)
@click.argument("room")
@click.option("--sample", "size", type=Size(), default="60", show_default=True, help="How many mutants to try.")
@click.option("--seed", default=1, show_default=True, help="Selects the sample.")
@click.option("--jobs", default=1, show_default=True, help="How many mutants to try at once.")
@click.option("--mutant", "names", multiple=True, help="Try this mutant only, such as PATH:LINE:NUMBER.")
@click.option("--tests", multiple=True, help="Run these test files or folders, in place of those of the room.")
@click.option("--list", "only_list", is_flag=True, help="Print the mutants of the sample, and try none.")
def main(room: str, **options: Any) -> None:
    """Exit with 0 if all mutants were noticed, and with 2 if some survived."""
    given = Arguments(**options)
    try:
        if room == "native":
            raise SystemExit(run_native(SOURCE, size=given.size, seed=given.seed, jobs=given.jobs))
        mutants = _chosen(room, given)
        tests = given.tests or targets_of(SOURCE, room)
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if given.only_list:
        click.echo("\n".join(f"{mutant.name}\n{mutant.diff}" for mutant in mutants))
        return
    trials = _trials(mutants, tests, given.jobs)
    for line in report(room, trials):
        click.echo(line)
    raise SystemExit(0 if all(trial.killed for trial in trials) else SURVIVORS)


def _chosen(room: str, given: Arguments) -> list[Mutant]:
    """Return the mutants to try."""
    try:
        from tools.mutants.operators import makes_sense, mutants_of
    except ImportError as error:
        remedy = "install the dependency group: .venv/bin/pip install --group mutants"
        raise ValueError(f"expected mutmut and libcst, found no {error.name}: {remedy}") from None
    texts = {path: (SOURCE / path).read_text(encoding="utf-8") for path in modules(SOURCE, room)}
    found = [mutant for path in texts for mutant in mutants_of(path, texts[path])]
    if given.names:
        return _named(found, given.names)
    known = known_equivalents()
    useful = (mutant for mutant in drawn(found, given.seed) if makes_sense(mutant) and not is_known(mutant, known))
    chosen = list(islice(useful, given.size))
    click.echo(f"{len(chosen)} of about {len(found)} mutants of {room}, seed {given.seed}")
    return chosen


def _named(mutants: Sequence[Mutant], names: Sequence[str]) -> list[Mutant]:
    found = {mutant.name: mutant for mutant in mutants if mutant.name in names}
    if unknown := [name for name in names if name not in found]:
        raise ValueError(f"expected mutants of this room, found no {', '.join(unknown)}; lines may have moved")
    return list(found.values())


def _trials(mutants: Sequence[Mutant], tests: Sequence[str], jobs: int) -> list[Trial]:
    """Try the mutants, and print each result; Ctrl-C ends the trials early, and what is known is reported."""
    trials: list[Trial] = []
    with ExitStack() as stack:
        trees = [Tree(SOURCE, _folder(stack)) for _ in range(jobs)]
        baseline = measure(trees[0], tests, PACKAGE)
        _say_baseline(baseline)
        try:
            for trial in try_all(trees, mutants, partial(_try, baseline)):
                trials.append(trial)
                click.echo(trial_line(trial, len(trials), len(mutants)))
        except KeyboardInterrupt:
            click.echo("interrupted")
    return trials


def _try(baseline: Baseline, tree: Tree, mutant: Mutant) -> Trial:
    return try_mutant(tree, mutant, baseline)


def _folder(stack: ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True)))


def _say_baseline(baseline: Baseline) -> None:
    click.echo(f"{len(baseline.seconds)} tests pass without a mutant, in {sum(baseline.seconds.values()):.0f} s")
    for test in baseline.failed:
        click.echo(f"left out, because it fails without a mutant: {test}")


if __name__ == "__main__":
    main()
