"""Files for the commands to work on: good ones, and ones with every kind of defect, with what must come of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from wsparquet.generate import Expected, GenerateOptions, broken_files, expected, generate

GOOD = GenerateOptions(files=2, records=30)
ODD = GenerateOptions(size=1, seed=8, defects=True, account="89995382")


@dataclass(frozen=True)
class Files:
    """A folder of generated files and the counts of each."""

    folder: Path
    paths: list[Path]
    expected: list[Expected]

    @property
    def names(self) -> list[str]:
        """The files' names."""
        return [path.name for path in self.paths]

    @property
    def records(self) -> int:
        """The records of all files."""
        return sum(each.records for each in self.expected)


def make(folder: Path, options: GenerateOptions) -> Files:
    """Generated files in a folder."""
    counts = [expected(options, file_number=number) for number in range(options.files)]
    return Files(folder, generate(folder, options), counts)


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Two good files; no test may change them."""
    return make(tmp_path_factory.mktemp("good") / "downloads", GOOD)


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A file with every kind of defect that still converts; no test may change it."""
    return make(tmp_path_factory.mktemp("odd") / "odd", ODD)


@pytest.fixture(scope="session")
def corrupt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A truncated gzip file."""
    return broken_files(tmp_path_factory.mktemp("corrupt"))["truncated_gzip"].path
