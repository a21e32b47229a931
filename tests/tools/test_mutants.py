"""Whether mutants are put where tests and their processes see them, and are judged by what the tests say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.mutants.baseline import Baseline, measure
from tools.mutants.equivalent import is_known, known_equivalents
from tools.mutants.mutant import Mutant, drawn
from tools.mutants.native import options_for
from tools.mutants.report import report, trial_line
from tools.mutants.rooms import modules, targets_of
from tools.mutants.tree import Tree
from tools.mutants.trial import Trial, try_all, try_mutant

ROOT = Path(__file__).parents[2]
MODULE = "toy/sums.py"
TEXT = """LIMIT = 3


def add(a, b):
    print("adding")
    return a + b


def twice(a):
    return a * 2


def unused(a):
    return a + 1


def count(n):
    while n > 0:
        n = n - 1
    return n
"""
TESTS = '''
import subprocess
import sys

from toy.sums import add, count


def test_add():
    assert add(1, 2) == 3


def test_process():
    """Only a process of its own calls this function."""
    ran = subprocess.run([sys.executable, "-c", "from toy.sums import twice; print(twice(4))"], capture_output=True)
    assert ran.stdout == b"8\\n"


def test_count():
    assert count(3) == 0


def test_broken():
    assert False
'''


def mutant(old: str, new: str, *, last: int | None = None) -> Mutant:
    """The fault that replaces the only ``old`` of the toy module."""
    assert TEXT.count(old) == 1
    line = TEXT[: TEXT.index(old)].count("\n") + 1
    return Mutant(MODULE, line, 1, line, line if last is None else last, TEXT, lambda: TEXT.replace(old, new))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source tree with one module, and tests that notice some of its faults."""
    folder = tmp_path_factory.mktemp("source")
    for path, text in [(MODULE, TEXT), ("tests/test_sums.py", TESTS), ("build/left", ""), (".venv/left", "")]:
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture(scope="module")
def tree(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A copy of the toy tree."""
    return Tree(source, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def baseline(tree: Tree) -> Baseline:
    """What the toy's tests do without a mutant."""
    return measure(tree, ["tests"], "toy")


def test_the_baseline_knows_what_each_test_runs(tree: Tree, baseline: Baseline) -> None:
    """Lines that a process of a test runs count for this test; a test that fails without a mutant is left out."""
    assert baseline.failed == ("tests/test_sums.py::test_broken",)
    assert len(baseline.seconds) == 3
    assert baseline.tests_for(mutant("a + b", "a - b")) == ["tests/test_sums.py::test_add"]
    assert baseline.tests_for(mutant("a * 2", "a / 2")) == ["tests/test_sums.py::test_process"]
    assert baseline.tests_for(mutant("a + 1", "a - 1")) == []
    assert set(baseline.tests_for(mutant("LIMIT = 3", "LIMIT = 4", last=0))) == baseline.seconds.keys()
    assert not (tree.path / "build").exists()
    assert not (tree.path / ".venv").exists()


def test_mutants_are_judged(source: Path, tree: Tree, baseline: Baseline) -> None:
    """A fault dies of an assertion, here or in a process, or because the module has no import; others survive."""
    mutants = [
        mutant("a + b", "a - b"),
        mutant("a * 2", "a / 2"),
        mutant("LIMIT = 3", "LIMIT =", last=0),
        mutant('print("adding")', "pass"),
        mutant("a + 1", "a - 1"),
    ]
    trials = list(try_all([tree], mutants, lambda tree, mutant: try_mutant(tree, mutant, baseline)))
    results = {trial.mutant.after: (trial.result, trial.killer) for trial in trials}
    assert [results[each.after] for each in mutants] == [
        ("killed", "tests/test_sums.py::test_add"),
        ("killed", "tests/test_sums.py::test_process"),
        ("killed", "tests/test_sums.py"),
        ("survived", ""),
        ("survived: no test runs the line", ""),
    ]
    assert (tree.path / MODULE).read_text() == (source / MODULE).read_text() == TEXT


def test_an_endless_loop_is_noticed(tree: Tree, baseline: Baseline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant whose tests do not end is stopped after some CPU time, and counts as noticed."""
    monkeypatch.setattr("tools.mutants.trial.START_SECONDS", 2.0)
    trial = try_mutant(tree, mutant("n = n - 1", "pass"), baseline)
    assert (trial.result, trial.killed) == ("timed out", True)


def test_the_sample_is_seeded_and_broad() -> None:
    """A seed gives one order, another seed another; each line has a mutant before one has two."""
    mutants = [Mutant("m.py", line, number, line, line, "", str) for line in range(20) for number in range(3)]
    first = list(drawn(mutants, 1))
    assert first == list(drawn(mutants, 1)) != list(drawn(mutants, 2))
    assert sorted(map(str, first)) == sorted(map(str, mutants))
    assert {each.line for each in first[:20]} == {each.line for each in first[20:40]} == set(range(20))


def test_the_report_has_survivors_and_scores() -> None:
    """Survivors are diffs; a mutant that timed out is killed; each module has a score, and the room."""
    survivor = mutant("a + b", "a - b")
    trials = [Trial(survivor, "survived"), Trial(survivor, "timed out"), Trial(survivor, "killed", "tests/t.py::t")]
    text = "\n".join(report("room", trials))
    assert text.count("-    return a + b\n+    return a - b\n") == 1
    assert "2 of    3 killed   66 %  toy/sums.py" in text
    assert text.endswith("2 of    3 killed   66 %  room")
    assert trial_line(trials[2], 3, 3) == "[3/3] toy/sums.py:6:1 killed by tests/t.py::t"


def test_known_equivalents_are_left_out(tmp_path: Path) -> None:
    """An entry names the change, and holds wherever the line has moved."""
    entry = '[[mutant]]\npath = "toy/sums.py"\nremoved = "return a + b"\nadded = "return b + a"\nreason = "adding"\n'
    (tmp_path / "known.toml").write_text(entry)
    known = known_equivalents(tmp_path / "known.toml")
    assert is_known(mutant("a + b", "b + a"), known)
    assert not is_known(mutant("a + b", "a - b"), known)


def test_known_equivalents_are_in_the_code() -> None:
    """Each entry of the list names a line that the module still has."""
    for path, removed, _ in known_equivalents():
        lines = [line.strip() for line in (ROOT / path).read_text().splitlines()]
        assert set(removed.splitlines()) <= set(lines), (path, removed)


def test_every_room_has_modules_and_tests() -> None:
    """A room's modules and tests are found, and an unknown room is refused with the names of all."""
    for room in ("commit", "store", "synchronisation", "verification", "source", "decode", "conversion", "api", "cli"):
        assert modules(ROOT, room)
        assert targets_of(ROOT, room)
    assert modules(ROOT, "layout") == ["wsparquet/layout.py"]
    with pytest.raises(ValueError, match=r"expected a room of wsparquet, found 'attic'; .* native, api, cli, commit"):
        modules(ROOT, "attic")


def test_the_crate_has_a_sample_of_shards() -> None:
    """Shard k of n is about as large as the sample; all mutants need no shard."""
    assert "--shard=1/10" in options_for(600, size=60, seed=1, jobs=1)
    assert "--shard=2/10" in options_for(600, size=60, seed=12, jobs=1)
    assert not [part for part in options_for(600, size=None, seed=1, jobs=1) if "shard" in part]


def test_operators_change_one_thing_each() -> None:
    """Each operator makes a module with one other line; imports, annotations and public names stay."""
    pytest.importorskip("mutmut", reason="the dependency group `mutants` is not installed")
    from tools.mutants.operators import makes_sense, mutants_of

    text = (
        'from os import sep\n__all__ = ["f"]\n\n\ndef f(a: "int" = 1) -> "int":\n'
        "    if a:\n        g(a)\n        raise ValueError\n    return a\n"
    )
    found = {each.change for each in mutants_of("m.py", text) if makes_sense(each)}
    assert {
        ('def f(a: "int" = 1) -> "int":', 'def f(a: "int" = 2) -> "int":'),
        ("if a:", "if not (a):"),
        ("g(a)", "pass"),
        ("g(a)", "g(None)"),
        ("raise ValueError", "pass"),
        ("return a", "return None"),
    } == found
