"""A copy of the source tree in a temporary folder: mutants are put there, and never into the tree of the developer."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.mutants.mutant import Mutant

__all__ = ["Tree"]

_LEFT_OUT = shutil.ignore_patterns(
    ".*_cache", ".demo", ".git", ".hypothesis", ".venv", "__pycache__", "build", "dist", "target"
)
# The first would name a test outside of the copy. Without bytecode, each process compiles the package again.
_NOT_INHERITED = {"PYTEST_CURRENT_TEST", "PYTHONDONTWRITEBYTECODE"}
_PLUGIN = Path(__file__).with_name("plugin.py")


class Tree:
    """A copy of a source tree in ``folder``, with the plugin of pytest beside the copy."""

    def __init__(self, source: Path, folder: Path) -> None:
        """Copy the files, the compiled crate too, but not what builds and tests leave behind."""
        self.path = folder / "tree"
        self.temporary = folder / "tmp"
        self._plugins = folder / "plugins"
        self._times = itertools.count(1_000_000_000)
        shutil.copytree(source, self.path, ignore=_LEFT_OUT)
        self._plugins.mkdir()
        shutil.copy(_PLUGIN, self._plugins / "mutants_plugin.py")

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which pytest and the processes that a test starts import the copy."""
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        return {**inherited, "PYTHONPATH": f"{self.path}{os.pathsep}{self._plugins}"}

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """Put a mutant into the copy, and take the mutant out at the end."""
        self._write(mutant.path, mutant.after)
        try:
            yield
        finally:
            self._write(mutant.path, mutant.before)

    def _write(self, path: str, text: str) -> None:
        """Write a module with a time of its own: Python takes bytecode for current if time and size are equal."""
        target = self.path / path
        target.write_text(text, encoding="utf-8")
        seconds = next(self._times)
        os.utime(target, (seconds, seconds))
