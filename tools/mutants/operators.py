"""All mutants of a module: operators of mutmut, and others that mutmut lacks. Needs the dependency group `mutants`."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation import mutators

from tools.mutants.mutant import Mutant

__all__ = ["makes_sense", "mutants_of"]

Node = Any
Operator = Callable[[Node], Iterable[Node]]

# A changed import or annotation is noticed by mypy, and a changed decorator by the import of the module.
_SKIPPED = (cst.Import, cst.ImportFrom, cst.Annotation, cst.Decorator)


def mutants_of(path: str, text: str) -> list[Mutant]:
    """Return all mutants of the module ``path`` with this text, in the order of their lines.

    Some are not valid Python: see ``makes_sense``.
    """
    wrapper = MetadataWrapper(cst.parse_module(text))
    lines = wrapper.resolve(PositionProvider)
    parents = wrapper.resolve(ParentNodeProvider)
    found, counts = [], Counter[int]()
    for node in _walk(wrapper.module):
        for changed in _changes(node):
            line = lines[node].start.line
            counts[line] += 1
            render = partial(_render, wrapper.module, node, changed)
            found.append(Mutant(path, line, counts[line], *_reach(node, parents, lines), text, render))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.number))


def makes_sense(mutant: Mutant) -> bool:
    """Return whether a mutant is valid Python, and means something else than the module."""
    return _meaning(mutant.after) not in {None, _meaning(mutant.before)}


def _render(module: Node, node: Node, changed: Node) -> str:
    return str(module.deep_replace(node, changed).code)


def _walk(node: Node) -> Iterator[Node]:
    """Yield all nodes that may change."""
    if isinstance(node, _SKIPPED) or _is_left_out(node):
        return
    yield node
    for child in node.children:
        yield from _walk(child)


def _is_left_out(node: Node) -> bool:
    """Return whether a node only matters to type checkers, or is the list of public names."""
    match node:
        case cst.Subscript(value=cst.Name(value="Literal")) | cst.Arg(keyword=cst.Name(value="total")):
            return True
        case cst.If(test=cst.Name(value="TYPE_CHECKING")):
            return True
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value="__all__"))]):
            return True
    return False


def _changes(node: Node) -> Iterator[Node]:
    for kind, operator in _OPERATORS:
        if isinstance(node, kind):
            yield from operator(node)


def _meaning(text: str) -> str | None:
    """Return the syntax tree as text, or None if the text is not valid Python."""
    try:
        tree = ast.parse(text)
        compile(tree, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return ast.dump(tree)


def _reach(node: Node, parents: Any, lines: Any) -> tuple[int, int]:
    """Return the first and the last line of the statement around a node; of a block, only its head.

    The default of a parameter is used when the function runs, so its statement is the whole function.
    """
    while not isinstance(node, (cst.SimpleStatementLine, cst.BaseCompoundStatement, cst.MatchCase, cst.Module)):
        node = parents[node]
    if isinstance(node, cst.Module) or not _is_in_function(node, parents):
        return 1, 0
    first, last = lines[node].start.line, lines[node].end.line
    if isinstance(node, (cst.SimpleStatementLine, cst.FunctionDef)):
        return first, last
    body = node.cases[0] if isinstance(node, cst.Match) else node.body
    return first, max(first, lines[body].start.line - 1)


def _is_in_function(node: Node, parents: Any) -> bool:
    while not isinstance(node, (cst.FunctionDef, cst.Module)):
        node = parents[node]
    return isinstance(node, cst.FunctionDef)


def _removed_statement(node: Node) -> Iterator[Node]:
    """Leave out a call whose result nobody uses, such as an fsync, and a `raise`."""
    is_call = isinstance(node, cst.Expr) and isinstance(node.value, (cst.Call, cst.Await))
    if is_call or isinstance(node, cst.Raise):
        yield cst.Pass()


def _opposite_condition(node: Node) -> Iterator[Node]:
    """Run the other branch."""
    test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    yield node.with_changes(test=cst.UnaryOperation(cst.Not(), test))


def _nothing_returned(node: Node) -> Iterator[Node]:
    """Return None in place of a value."""
    if node.value is not None:
        yield cst.Return(cst.Name("None"))


def _one_string(node: Node) -> Iterator[Node]:
    """Change a string in one way; mutmut has three, which tests notice or miss together."""
    return islice(mutators.operator_string(node), 1)


def _no_value(node: Node) -> Iterator[Node]:
    """Assign None; mutmut also replaces None by an empty string, which rarely makes a difference."""
    if not (isinstance(node.value, cst.Name) and node.value.value == "None"):
        yield from mutators.operator_assignment(node)


# Those of mutmut that are replaced by the two above.
_REPLACED = {mutators.operator_string, mutators.operator_assignment}
_OPERATORS: list[tuple[type, Operator]] = [
    *((kind, operator) for kind, operator in mutators.mutation_operators if operator not in _REPLACED),
    (cst.SimpleString, _one_string),
    (cst.Assign, _no_value),
    (cst.AnnAssign, _no_value),
    (cst.BaseSmallStatement, _removed_statement),
    (cst.If, _opposite_condition),
    (cst.Return, _nothing_returned),
]
