"""What `import wsparquet` offers, and what it costs."""

from __future__ import annotations

import doctest
import inspect
import pkgutil
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path
from textwrap import dedent

import pytest

import wsparquet
from wsparquet.generate import GenerateOptions, generate

ROOT = Path(__file__).parents[1]


def python(code: str) -> list[str]:
    """The lines that a fresh interpreter prints."""
    ran = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True, text=True, timeout=60, check=True)
    return ran.stdout.splitlines()


def test_all_is_sorted_and_every_name_is_there() -> None:
    """`__all__` is sorted (constants, classes, others), names nothing twice, and each of its names can be had."""
    assert wsparquet.__all__ == sorted(
        wsparquet.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    assert len(set(wsparquet.__all__)) == len(wsparquet.__all__)
    for name in wsparquet.__all__:
        assert getattr(wsparquet, name) is not None


def test_all_is_complete() -> None:
    """What the package has homes for is what it says it offers, and each home offers it too."""
    homes = {name: home for home, names in wsparquet._HOMES.items() for name in names}
    assert sorted(homes) == sorted(wsparquet.__all__)
    for name, home in homes.items():
        module = sys.modules.get(f"wsparquet.{home}") or __import__(f"wsparquet.{home}", fromlist=[name])
        assert name in module.__all__
        assert getattr(module, name) is getattr(wsparquet, name)


def test_every_error_is_public() -> None:
    """All classes of the error tree can be caught by their public names."""
    from wsparquet import errors

    assert set(errors.__all__) <= set(wsparquet.__all__)
    for name in errors.__all__:
        assert issubclass(getattr(wsparquet, name), wsparquet.WsparquetError)


def test_dir_lists_the_public_names_alone() -> None:
    """`dir(wsparquet)` has every public name from the start, and no other name, even after rooms are imported."""
    code = "import wsparquet; before = dir(wsparquet); wsparquet.convert; print(before == dir(wsparquet), *before)"
    assert python(code) == [" ".join(["True", *sorted(wsparquet.__all__)])]


def test_every_command_has_a_function() -> None:
    """Each command but `serve` has a public function of the same job."""
    from wsparquet.cli import cli

    other = {
        "list": ["list_files"],
        "generate": ["generate_files"],
        "schema": ["arrow_schema", "schema_text"],
        "sql": ["connect"],
        "views": ["write_views"],
    }
    expected = {name for command in cli.commands if command != "serve" for name in other.get(command, [command])}
    assert expected <= set(wsparquet.__all__)
    assert all(inspect.isfunction(getattr(wsparquet, name)) for name in expected)


def test_no_module_has_the_name_of_a_public_name() -> None:
    """Importing such a module would replace the public function as an attribute of the package."""
    modules = {module.name for module in pkgutil.iter_modules(wsparquet.__path__)}
    assert len(modules) > 20
    assert modules.isdisjoint(wsparquet.__all__)
    found = python("""
        import pkgutil, wsparquet
        from importlib import import_module
        for module in pkgutil.iter_modules(wsparquet.__path__):
            import_module(f"wsparquet.{module.name}")
        print(*[name for name in wsparquet.__all__ if type(getattr(wsparquet, name)).__name__ == "module"])
    """)
    assert found == [""]


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not there fails as in any module."""
    with pytest.raises(AttributeError, match="module 'wsparquet' has no attribute 'konvert'"):
        wsparquet.konvert  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(wsparquet, "__path_of_nothing__")


def test_a_star_import_brings_all_public_names() -> None:
    """`from wsparquet import *` works with names that are imported on first use."""
    assert python("from wsparquet import *; print(convert.__module__, TABLES['geo'].name, len(__version__) > 0)") == [
        "wsparquet.conversion.run geo True"
    ]


def test_importing_costs_nothing() -> None:
    """`import wsparquet` and its version alone import no library and no room of its own."""
    found = python("""
        import sys
        before = set(sys.modules)
        import wsparquet
        wsparquet.__version__
        new = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(*sorted(new & {"pyarrow", "click", "rich", "fsspec", "isal", "filelock", "numpy"}))
        print(*sorted(name for name in sys.modules if name.startswith("wsparquet")))
    """)
    assert found == ["", "wsparquet wsparquet._version"]


def test_a_conversion_imports_only_what_it_needs(tmp_path: Path) -> None:
    """From disk to disk with the native decoder: none of what takes tenths of a second and is for others.

    pandas is on the list where it is installed: pyarrow imports it when it is asked to make an array of Python values.
    """
    generate(tmp_path / "in", GenerateOptions(size=20_000))
    found = python(f"""
        import sys
        import wsparquet
        from wsparquet.decode import native_decoder
        summary = wsparquet.convert({str(tmp_path / "in")!r}, to={str(tmp_path / "lake")!r})
        costly = {{"pandas", "pyarrow.compute", "pyarrow.dataset", "fsspec", "s3fs", "asyncio", "importlib.metadata"}}
        costly |= {{"pyarrow._compute", "pyarrow.fs", "pyarrow.parquet", "ssl"}}
        print(summary.exit_code, *sorted(costly & set(sys.modules) if native_decoder() else []))
    """)
    assert found == ["0"]


def test_reading_and_converting_need_no_terminal() -> None:
    """The library imports neither click nor rich, nor anything of the command line."""
    found = python("""
        import sys, wsparquet
        wsparquet.convert, wsparquet.read, wsparquet.open_dataset, wsparquet.inspect
        print(*sorted(name for name in sys.modules if name in {"click", "rich"} or name.startswith("wsparquet.cli")))
    """)
    assert found == [""]


def test_the_version_is_that_of_the_distribution() -> None:
    """`__version__` is what the installed distribution says."""
    assert type(wsparquet.__version__) is str
    assert wsparquet.__version__ == metadata.version("wsparquet")


def test_the_package_is_marked_as_typed() -> None:
    """Type checkers are told to trust the annotations."""
    assert resources.files("wsparquet").joinpath("py.typed").is_file()


@pytest.mark.parametrize(
    "checker", [["mypy"], ["basedpyright", "--pythonpath", sys.executable]], ids=["mypy", "basedpyright"]
)
def test_the_public_api_is_typed(checker: list[str]) -> None:
    """Both type checkers see the exact types of the public functions in `tests/typing`, and refuse wrong arguments."""
    # The project's own settings are strict, and the cache of mypy spares most of the work.
    command = [sys.executable, "-m", *checker, "tests/typing"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_docstring_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example in the package's docstring runs as it stands, and its results are what it says of them."""
    monkeypatch.chdir(tmp_path)
    path, _ = generate("downloads", GenerateOptions(files=2, records=20))
    Path("WebSession….gz").write_bytes(path.read_bytes())
    examples = doctest.DocTestParser().get_examples(wsparquet.__doc__ or "")
    assert [example.source.partition("(")[0] for example in examples[1:]] == [
        "wsparquet.convert",
        "wsparquet.read",
        "wsparquet.open_dataset",
    ]
    names: dict[str, object] = {}
    exec(examples[0].source, names)
    summary, table, dataset = (eval(example.source, names) for example in examples[1:])
    assert (len(summary.committed), summary.records) == (2, 40)
    assert table.num_rows > 0
    assert dataset.count_rows() == summary.rows["geo"]
    assert eval(examples[1].source, names).skipped == summary.committed
