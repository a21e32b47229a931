"""Builds the states of a disk that a crash during a trace could leave, by the model of this package's docstring."""

from __future__ import annotations

import itertools
import math
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.system.power.trace import Event, File, Folder, Named, Node, Synced, Trace

DATA: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "empty": lambda _: b"",
    "half": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
}
"""What a crash can leave of a file whose data was not synced."""

SCRATCH = ("_wsparquet/tmp/", "_wsparquet/locks/")
"""Folders that are never synced, and have many names: their names are all lost, all kept, or drawn at random."""

Name = tuple[Folder, str]
Place = tuple[str, Node, str]


@dataclass(frozen=True, slots=True)
class State:
    """A state of a world: every path with its file or folder, parents first, and which ``DATA`` a file has.

    ``done``: the run had returned before the crash, so that its results must be there.
    """

    places: tuple[Place, ...] = field(repr=False)
    done: bool
    when: str = field(compare=False)

    def __str__(self) -> str:
        """Describe the state: when the crash happened, and what the disk has, scratch folders aside."""
        shown = [f"{path} ({data})" if data else path for path, _, data in self.places if not is_scratch(path)]
        return f"a crash {self.when}, which left {', '.join(shown)}"

    def build(self, world: Path, store: Path) -> None:
        """Make the state at ``world``, a new folder; files are hard links to those in the folder ``store``."""
        world.mkdir()
        for path, node, data in self.places:
            if isinstance(node, Folder):
                (world / path).mkdir()
                (world / path).chmod(node.mode)
            else:
                kept = store / f"{node.number}{data}"
                if not kept.exists():
                    kept.write_bytes(DATA[data](node.data))
                    kept.chmod(node.mode)
                os.link(kept, world / path)


def is_scratch(path: str) -> bool:
    """Return whether a path is in a scratch folder."""
    return any(mark in path for mark in SCRATCH)


def states(
    trace: Trace, *, without: str | None = None, at_once: int = 64, seed: int = 0, extremes: bool = False
) -> list[State]:
    """Return the different states that a crash could leave, in the order of the crashes.

    ``without``: a site whose syncs count as not done. ``at_once``: how many states to draw for one crash if its changes
    could survive in more combinations. ``extremes``: only all lost and all kept.
    """
    disk = _Disk(trace, random.Random(seed), 0 if extremes else at_once)
    found: dict[State, None] = {}
    if trace.start == 0:
        found.update(dict.fromkeys(disk.states("before the first change", done=False)))
    for number, event in enumerate(trace.events, 1):
        disk.add(event, without)
        if number >= trace.start and isinstance(event, Named):
            when = f"after change {number} of {len(trace.events)}, {'of' if event.node else 'without'} {event.path}"
            found.update(dict.fromkeys(disk.states(when, done=False)))
    found.update(dict.fromkeys(disk.states("after the end", done=True)))
    return list(found)


class _Disk:
    """What may be on the disk: the values of each name since its folder was synced, oldest first, and synced files."""

    def __init__(self, trace: Trace, chance: random.Random, at_once: int) -> None:
        self._world = trace.world
        self._chance = chance
        self._at_once = at_once
        self._names: dict[Folder, dict[str, list[Node | None]]] = {
            folder: {name: [node] for name, node in names.items()} for folder, names in trace.before.items()
        }
        self._synced = {node for names in trace.before.values() for node in names.values()}
        self._scratch: set[Folder] = set()

    def add(self, event: Event, without: str | None) -> None:
        """Apply an event; a sync at the site ``without`` does nothing."""
        match event:
            case Named(folder, name, node, path):
                self._names.setdefault(folder, {}).setdefault(name, [None]).append(node)
                if is_scratch(path):
                    self._scratch.add(folder)
            case Synced(site=site) if site == without:
                pass
            case Synced(node=Folder() as folder):
                names = self._names.setdefault(folder, {})
                names.update({name: values[-1:] for name, values in names.items()})
            case Synced(node=File() as file):
                self._synced.add(file)

    def states(self, when: str, *, done: bool) -> Iterator[State]:
        """Yield the states that a crash could leave now, some of them more than once."""
        open_names = [
            (folder, name, values)
            for folder, names in self._names.items()
            if folder not in self._scratch
            for name, values in names.items()
            if len(values) > 1
        ]
        files = dict.fromkeys(
            node
            for folder, names in self._names.items()
            if folder not in self._scratch
            for values in names.values()
            for node in values
            if isinstance(node, File) and node not in self._synced
        )
        sizes = [len(values) for _, _, values in open_names] + [len(DATA)] * len(files)
        for chosen, scratch in self._choices(sizes):
            of_names, of_files = chosen[: len(open_names)], chosen[len(open_names) :]
            names = {
                (folder, name): values[index]
                for (folder, name, values), index in zip(open_names, of_names, strict=True)
            }
            data = dict(zip(files, (list(DATA)[index] for index in of_files), strict=True))
            yield State(tuple(self._places(self._world, "", names, data, scratch)), done, when)

    def _choices(self, sizes: Sequence[int]) -> Iterator[tuple[tuple[int, ...], str]]:
        """Yield which value each name and file has, and whether scratch folders are ``old``, ``new`` or ``drawn``."""
        old, new = tuple(0 for _ in sizes), tuple(size - 1 for size in sizes)
        yield from itertools.product((old, new), ("old", "new"))
        if math.prod(sizes) <= self._at_once:
            yield from itertools.product(itertools.product(*map(range, sizes)), ("new", "drawn"))
            return
        for index, size in enumerate(sizes if self._at_once else ()):
            for value in range(size):
                for base in (old, new):
                    yield (*base[:index], value, *base[index + 1 :]), "drawn"
        for _ in range(self._at_once):
            yield tuple(self._chance.randrange(size) for size in sizes), "drawn"

    def _places(
        self, folder: Folder, path: str, names: Mapping[Name, Node | None], data: Mapping[File, str], scratch: str
    ) -> Iterator[Place]:
        """Yield what a folder has in one state, with all that is below it."""
        for name, values in self._names.get(folder, {}).items():
            node = names.get((folder, name), values[-1])
            if folder in self._scratch:
                node = (
                    values[0] if scratch == "old" else values[-1] if scratch == "new" else self._chance.choice(values)
                )
            if isinstance(node, Folder):
                yield path + name, node, ""
                yield from self._places(node, f"{path}{name}/", names, data, scratch)
            elif node is not None:
                drawn = "" if node in self._synced or scratch == "new" else self._chance.choice(list(DATA))
                yield path + name, node, data.get(node, drawn)
