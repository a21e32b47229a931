"""Whether what is installed from the built package is whole, and works without anything that only tests need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.scale import FULL
from wsparquet import __version__
from wsparquet.generate import GenerateOptions, expected, generate

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OURS = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "target", "*.so")
OPTIONS = GenerateOptions(records=30)


def run(*command: object, cwd: Path, **environment: str) -> str:
    """Run a command outside of the checkout, and return what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(
        [*map(str, command)], cwd=cwd, env={**kept, **environment}, capture_output=True, timeout=600, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout to build from: a build leaves files in its own."""
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("build") / "checkout", ignore=OURS))


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    """The built wheel."""
    out = checkout.parent / "wheel"
    command = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, checkout)
    # Crates that the checkout's own build has compiled need not be compiled again, which takes two minutes. `make test`
    # compiles them in the profile `checked`, `make test-full` as they are shipped.
    profile = "release" if FULL else "checked"
    target = str(ROOT / "native" / "target")
    run(*command, cwd=checkout.parent, CARGO_TARGET_DIR=target, SETUPTOOLS_RUST_CARGO_PROFILE=profile)
    (built,) = out.iterdir()
    return built


def modules() -> set[str]:
    """Every file that the installed package must have, relative to its parent folder."""
    suffixes = {".py", ".pyi", ".csv", ".html"}
    found = (ROOT / "wsparquet").rglob("*")
    return {path.relative_to(ROOT).as_posix() for path in found if path.suffix in suffixes or path.name == "py.typed"}


@pytest.mark.long
def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    """The wheel holds every module, its data, the licence and the entry point; no test, benchmark or rendering."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = f"wsparquet-{__version__}.dist-info"
    assert modules() <= names
    rest = {name for name in names - modules() if not name.endswith(".so")}
    assert {name.split("/")[0] for name in rest} == {info}
    assert {f"{info}/METADATA", f"{info}/entry_points.txt", f"{info}/licenses/LICENSE"} <= rest


def test_the_metadata_says_what_the_project_file_says(wheel: Path) -> None:
    """Name, version, Python and runtime requirements are there; nothing that only development needs is required."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    project = PROJECT["project"]
    assert (metadata["Name"], metadata["Version"]) == ("wsparquet", __version__)
    assert metadata["Requires-Python"] == project["requires-python"]
    assert metadata["License-Expression"] == project["license"]
    assert str(metadata.get_payload()).startswith("# wsparquet")
    required = [text for text in metadata.get_all("Requires-Dist", []) if "extra ==" not in text]
    bare = {text.split(";")[0].strip() for text in project["dependencies"]}
    assert {text.split(";")[0].strip() for text in required} == bare
    assert all(">=" in text and "<" not in text.split(";")[0] for text in required), "lower bounds, no upper caps"


# Runs the program from what is installed, and fails if that is the checkout, or a test's library was imported.
PROGRAM = """
import atexit, sys, wsparquet
assert not wsparquet.__file__.startswith({root!r}), wsparquet.__file__
@atexit.register
def check():
    extra = set(sys.modules) & {{"pytest", "hypothesis", "duckdb", "polars", "aiohttp", "mypy"}}
    assert not extra, extra
from wsparquet.cli import main
sys.argv[0] = "wsparquet"
main()
"""


def check_end_to_end(command: list[object], folder: Path, **environment: str) -> None:
    """Generate, convert, inspect and read back with the program at ``command``."""
    generate(folder / "in", OPTIONS)
    summary = run(*command, "convert", "in", "--to", "lake", cwd=folder, **environment)
    assert summary.startswith("1 source: 1 converted, 0 skipped, 0 failed\n")
    assert f"{OPTIONS.records} records" in summary
    for table, rows in expected(OPTIONS).rows.items():
        assert [str(rows), table] in [line.split() for line in summary.splitlines()]
    assert f"records:         {OPTIONS.records}" in run(*command, "inspect", "in", cwd=folder, **environment)
    assert "1 skipped" in run(*command, "convert", "in", "--to", "lake", cwd=folder, **environment)
    assert "CREATE" in run(*command, "schema", "geo", "--as", "duckdb", cwd=folder, **environment)


def test_the_wheel_works_outside_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Installed to a folder of its own, the wheel converts end to end without any library that tests need."""
    target = tmp_path / "installed"
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, wheel, cwd=tmp_path)
    program = PROGRAM.format(root=str(ROOT))
    check_end_to_end([sys.executable, "-c", program], tmp_path, PYTHONPATH=str(target), PYTHONWARNINGS="error")


@pytest.mark.skipif(not FULL, reason="downloads all runtime dependencies; `make test-full` does so")
def test_the_source_distribution_installs_with_its_own_dependencies(checkout: Path, tmp_path: Path) -> None:
    """The source distribution, installed into an empty environment, brings all that converting needs."""
    venv.create(tmp_path / "builder", with_pip=True)
    venv.create(tmp_path / "user", with_pip=True)
    builder, user = (tmp_path / name / "bin" / "python" for name in ("builder", "user"))
    run(builder, "-m", "pip", "install", "--quiet", *PROJECT["build-system"]["requires"], cwd=tmp_path)
    build = f"from setuptools import build_meta; build_meta.build_sdist({str(tmp_path / 'sdist')!r})"
    (tmp_path / "sdist").mkdir()
    run(builder, "-c", build, cwd=checkout)
    (sdist,) = (tmp_path / "sdist").iterdir()
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert modules() | {"LICENSE", "README.md", "pyproject.toml"} <= names
    run(user, "-m", "pip", "install", "--quiet", sdist, cwd=tmp_path)
    check_end_to_end([user.with_name("wsparquet")], tmp_path, PYTHONWARNINGS="error")
    installed = run(user, "-m", "pip", "list", "--format=freeze", cwd=tmp_path)
    assert not {"pytest", "hypothesis", "duckdb", "mypy"} & {line.partition("==")[0] for line in installed.splitlines()}


def test_a_wheel_without_cargo_is_refused_at_once(tmp_path: Path) -> None:
    """`make wheel` says what it needs before it makes anything: a wheel without the native crate is not wanted."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("make", "sh"):
        (tools / name).symlink_to(shutil.which(name) or name)
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    (tmp_path / "pyproject.toml").touch()
    ran = subprocess.run(["make", "wheel"], cwd=tmp_path, env={"PATH": str(tools)}, capture_output=True, check=False)
    assert ran.returncode != 0
    assert b"make wheel: needs cargo" in ran.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile", "bin", "pyproject.toml"]


def test_a_wheel_has_nothing_of_earlier_builds(tmp_path: Path) -> None:
    """The native crate that lies in `build/` is no part of a wheel that is built without cargo."""
    copy = Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=OURS))
    old = copy / "build" / f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}" / "wsparquet"
    old.mkdir(parents=True)
    (old / "_native.abi3.so").write_bytes(b"old")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sh").symlink_to(shutil.which("sh") or "sh")
    command = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, copy)
    run(*command, cwd=tmp_path, PATH=str(tools), CARGO="", HOME=str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".so")]
        assert "wsparquet/decode/native.py" in archive.namelist()
