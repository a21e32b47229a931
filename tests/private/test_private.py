"""wsparquet/private: the only place that uses private APIs of other libraries, with the versions that were tried."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from botocore.parsers import RestXMLParser  # type: ignore[import-untyped]
from botocore.session import Session  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

import wsparquet
from wsparquet.private import fsspec, s3fs
from wsparquet.private import pyarrow as private_pyarrow

PACKAGE = Path(wsparquet.__file__).parent
PRIVATE = PACKAGE / "private"
MODULES = sorted(path for path in PRIVATE.glob("*.py") if path.name != "__init__.py")
UNDOCUMENTED = {"fsspec.asyn", "fsspec.utils", "s3fs.core", "s3fs.utils"}
"""Modules that are not part of a documented API, though their names have no underscore."""


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full name of every module that a file imports, and of every name that it imports from one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{each.name}" for each in node.names)


def is_private(name: str) -> bool:
    """Whether a name of another library is private or undocumented."""
    if name.startswith(("wsparquet.", "__future__", "_typeshed")):
        return False
    undocumented = any(name.startswith(f"{each}.") for each in UNDOCUMENTED)
    return undocumented or any(part.startswith("_") for part in name.split("."))


def test_no_other_module_uses_private_apis() -> None:
    """Neither an import nor an attribute, which ruff would report without its exception."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        if path.parent == PRIVATE:
            continue
        found += [(path.name, name) for name in imported(ast.parse(text)) if is_private(name)]
        found += [(path.name, line) for line in text.splitlines() if "noqa: SLF001" in line]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_each_module_says_which_versions_were_tried(path: Path) -> None:
    """The docstring names at least one version."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert re.search(rf"Tried with {path.stem} \d+\.\d+\.\d+", text), text


def test_arrow_data_goes_out_and_comes_back() -> None:
    """A batch and its schema survive the C data interface."""
    native = pytest.importorskip("wsparquet._native")
    batch = pa.RecordBatch.from_pydict({"a": [1, None, 3]})
    struct = native.Imported()
    private_pyarrow.export_batch(batch, struct.address)
    assert private_pyarrow.import_batch(struct.address, batch.schema).equals(batch)
    assert private_pyarrow.import_schema(batch.schema.__arrow_c_schema__()) == batch.schema


def test_functions_of_arrow_are_called_by_name() -> None:
    """A field of structs is null if the struct is, as with `pyarrow.compute`."""
    structs = pa.array([{"a": 1}, None, {"a": None}], pa.struct([("a", pa.int64())]))
    assert private_pyarrow.call_function("struct_field", [structs], fields=["a"]).to_pylist() == [1, None, None]
    bounds = private_pyarrow.call_function("min_max", [pa.array([3, 1, None])])
    assert bounds.as_py() == {"min": 1, "max": 3}


def test_globs_and_paths_are_those_of_fsspec() -> None:
    """One star stays in its folder, and a protocol is left out."""
    pattern = re.compile(fsspec.glob_pattern("/a/*.gz"))
    assert pattern.match("/a/b.gz")
    assert not pattern.match("/a/b/c.gz")
    assert fsspec.own_path(LocalFileSystem(), "file:///a/b") == "/a/b"


LISTING = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><IsTruncated>false</IsTruncated>
<Contents><Key>a&amp;b ü</Key><LastModified>2026-01-01T00:00:00.500Z</LastModified><ETag>&quot;1&quot;</ETag>
<Size>5</Size><Owner><ID>x</ID></Owner></Contents><Contents><Key>c</Key></Contents><KeyCount>2</KeyCount>
</ListBucketResult>"""


def test_objects_of_a_listing_are_parsed_as_botocore_does() -> None:
    """Names, sizes, times and tags have the same values, and the rest of the answer stays."""
    found, rest = s3fs.objects_in(LISTING.encode()) or ([], b"")
    shape = Session().get_service_model("s3").operation_model("ListObjectsV2").output_shape
    parse = lambda body: RestXMLParser().parse({"body": body, "headers": {}, "status_code": 200}, shape)  # noqa: E731
    whole = parse(LISTING.encode())
    assert {**parse(rest), "Contents": found} == {
        **whole,
        "Contents": [{name: value for name, value in each.items() if name != "Owner"} for each in whole["Contents"]],
    }


@pytest.mark.parametrize(
    "change",
    [
        ("<Contents>", "<s:Contents>"),
        ("<Key>", "<Name>"),
        ("2026-01-01T00:00:00.500Z", "Thu, 01 Jan 2026"),
        ("<Size>5", "<Size>five"),
        ("ü", "\x01"),
        ("UTF-8", "latin1"),
        ("</Contents><Contents>", "</Contents><CommonPrefixes></CommonPrefixes><Contents>"),
        ("<ListBucketResult", "<!DOCTYPE x><ListBucketResult"),
    ],
    ids=str,
)
def test_other_answers_are_left_to_botocore(change: tuple[str, str]) -> None:
    """Nothing is guessed: an answer of another form is parsed whole, or refused, by botocore."""
    assert change[0] in LISTING
    assert s3fs.objects_in(LISTING.replace(*change).encode()) is None
