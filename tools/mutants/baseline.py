"""What the tests do without a mutant: which of them pass, how long each takes, and which lines each runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.mutant import Mutant
from tools.mutants.session import run_pytest
from tools.mutants.tree import Tree

__all__ = ["Baseline", "measure"]

# Each process that a test starts is measured, too, and reports under the id of the test, which pytest keeps in the
# environment. Only the C tracer can change contexts on every version of Python.
_SETTINGS = """
[run]
source = {source}
data_file = {data}
parallel = true
sigterm = true
core = ctrace
context = ${{PYTEST_CURRENT_TEST-}}
"""


@dataclass(frozen=True)
class Baseline:
    """The tests that pass without a mutant, with their seconds, and the tests that run each line of each module."""

    seconds: dict[str, float]
    failed: tuple[str, ...]
    lines: dict[str, dict[int, set[str]]]

    def tests_for(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the mutant's statement, the quickest first; all if it runs at import."""
        if not mutant.last:
            found = set(self.seconds)
        else:
            lines = self.lines.get(mutant.path, {})
            found = set().union(*(lines.get(line, set()) for line in range(mutant.first, mutant.last + 1)))
        return sorted(found & self.seconds.keys(), key=lambda test: self.seconds[test])


def measure(tree: Tree, targets: Sequence[str], package: str) -> Baseline:
    """Run the tests of ``targets`` once, and measure which lines of ``package`` each of them runs."""
    folder = tree.path.parent / "coverage"
    folder.mkdir()
    settings = folder / "coverage.ini"
    settings.write_text(_SETTINGS.format(source=tree.path / package, data=folder / "data"))
    session = run_pytest(tree, targets, variables={"COVERAGE_PROCESS_START": str(settings)})
    if not session.passed:
        raise RuntimeError(f"expected tests that pass without a mutant, found none in {targets}:\n{session.output}")
    return Baseline(session.passed, session.failed, _lines(folder, tree.path))


def _lines(folder: Path, root: Path) -> dict[str, dict[int, set[str]]]:
    """Return the tests of each line of each module, from the files that all processes wrote."""
    import coverage

    lines: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in folder.glob("data.*"):
        data = coverage.CoverageData(str(file))
        data.read()
        for module in data.measured_files():
            path = Path(module).relative_to(root).as_posix()
            for line, contexts in data.contexts_by_lineno(module).items():
                lines[path][line] |= {_test(context) for context in contexts} - {""}
    return {path: dict(found) for path, found in lines.items()}


def _test(context: str) -> str:
    """Return the id of a test; `PYTEST_CURRENT_TEST` has the stage after the id, as in `test_a (call)`."""
    for stage in ("setup", "call", "teardown"):
        context = context.removesuffix(f" ({stage})")
    return context
