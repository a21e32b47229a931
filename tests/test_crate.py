"""Whether the modules of the Rust crate depend on each other in one direction only, and stay small."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

CRATE = Path(__file__).parents[1] / "native/src"
MAX_LINES = 500


def module(path: Path) -> str:
    """The path of a file's module, ``decode::json::scan``."""
    return "::".join(path.relative_to(CRATE).with_suffix("").parts)


FILES = {module(path): path for path in CRATE.rglob("*.rs")}


def used(path: Path) -> set[str]:
    """The modules that a file's `use crate::` and `use super::` lines name."""
    text = path.read_text()
    code = text.partition("#[cfg(test)]")[0]  # tests of a file import it as `super`
    parents = module(path).split("::")[:-1]
    found = re.findall(r"use crate::((?:\w+::)*\w+)", text)
    found += ["::".join([*parents, name]) for name in re.findall(r"use super::((?:\w+::)*\w+)", code)]
    if "use super::{" in code:
        found.append("::".join(parents))
    owners = (owner(name.split("::")) for name in found)
    return {name for name in owners if name and name != module(path)}


def owner(steps: list[str]) -> str | None:
    """The module that an imported path lies in: its longest beginning that is a file."""
    names = ("::".join(steps[:length]) for length in range(len(steps), 0, -1))
    return next((name for name in names if name in FILES), None)


def test_the_crate_is_here() -> None:
    """All modules are found, and their imports with them."""
    assert {"decode::splitter", "decode::columns::leaves", "parquet", "python::writing"} <= FILES.keys()
    assert "decode::json::scan" in used(FILES["decode::readers"])
    assert "decode::brackets" in used(FILES["decode::records"])


def test_no_module_cycle() -> None:
    """No module imports itself through others, parents and children included."""
    tree = {name: used(path) for name, path in FILES.items()}
    assert list(TopologicalSorter(tree).static_order())


def test_files_stay_small() -> None:
    """No file is longer than a reader wants to scroll."""
    long = {name: lines for name, path in FILES.items() if (lines := len(path.read_text().splitlines())) > MAX_LINES}
    assert not long
