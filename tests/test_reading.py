"""What `wsparquet.read` returns, hands out and raises."""

from __future__ import annotations

import io
import sys
import warnings
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import wsparquet
from wsparquet.generate import GenerateOptions, broken_files, expected, generate
from wsparquet.schema import TABLES

ODD = GenerateOptions(size=1, seed=5, defects=True)


def rows(tables: dict[str, pa.Table]) -> Counter[str]:
    """Rows by table, of those that have any."""
    return Counter({name: table.num_rows for name, table in tables.items() if table.num_rows})


@pytest.mark.parametrize("form", ["lines", "document"])
def test_every_table_is_there_with_its_schema(tmp_path: Path, form: str) -> None:
    """All tables come in the schema's order, those without rows too, exactly typed, with the generated rows."""
    options = GenerateOptions(records=60, form=form)  # type: ignore[arg-type]
    (path,) = generate(tmp_path, options)
    tables = wsparquet.read(path)
    assert rows(tables) == expected(options).rows
    assert list(tables) == list(TABLES)
    for name, table in tables.items():
        assert type(table) is pa.Table
        assert table.schema.equals(TABLES[name].schema, check_metadata=True)
        assert set(table["source_file"].to_pylist()) <= {path.name}
    numbers: list[Any] = [number for table in tables.values() for number in table["record_number"].to_pylist()]
    assert sorted(numbers) == list(range(60))


def test_a_folder_is_read_as_one(tmp_path: Path) -> None:
    """The rows of all files of a folder are there, in the order of the files."""
    options = GenerateOptions(files=3, records=30)
    paths = generate(tmp_path, options)
    tables = wsparquet.read(str(tmp_path))
    assert rows(tables) == sum((expected(options, file_number=number).rows for number in range(3)), Counter())
    each = [wsparquet.read(path) for path in paths]
    for name, table in tables.items():
        assert table.equals(pa.concat_tables([one[name] for one in each]))


def test_standard_input_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is standard input."""
    options = GenerateOptions(records=20)
    (path,) = generate(tmp_path, options)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    tables = wsparquet.read("-")
    assert rows(tables) == expected(options).rows
    assert {name for table in tables.values() for name in table["source_file"].to_pylist()} == {"stdin"}


def test_zip_members_are_read_each_under_its_name(tmp_path: Path) -> None:
    """All members of an archive are read."""
    options = GenerateOptions(files=2, records=10, compression="none")
    paths = generate(tmp_path, options)
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    tables = wsparquet.read(tmp_path / "both.zip")
    names = Counter(name for table in tables.values() for name in table["source_file"].to_pylist())
    assert names == {path.name: 10 for path in paths}


def test_what_becomes_no_row_is_handed_out(tmp_path: Path) -> None:
    """Every quarantined record and item goes to `on_quarantined`, its bytes those of the text, and nobody is warned."""
    (path,) = generate(tmp_path, GenerateOptions(**{**vars(ODD), "compression": "none"}))
    wanted = expected(ODD)
    entries: list[wsparquet.Quarantined] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tables = wsparquet.read(path, on_quarantined=entries.append)
    assert rows(tables) == wanted.rows
    kinds = Counter(entry.kind for entry in entries if not entry.continued)
    assert kinds == {"record": wanted.quarantined, "item": wanted.items}
    text = path.read_bytes()
    for entry in entries:
        assert entry.data == text[entry.start : entry.end]
    numbers: list[Any] = [entry.record_number for entry in entries if entry.kind == "record"]
    numbers += [number for table in tables.values() for number in table["record_number"].to_pylist()]
    assert sorted(numbers) == list(range(wanted.records))


def test_quarantine_is_warned_of(tmp_path: Path) -> None:
    """Without a callback a warning at the caller's line says how much is missing, of what, and how to get it."""
    (path,) = generate(tmp_path, ODD)
    wanted = expected(ODD)
    with pytest.warns(wsparquet.QuarantineWarning) as caught:
        tables = wsparquet.read(path)
    assert rows(tables) == wanted.rows
    (warning,) = caught
    assert warning.filename == __file__
    message = str(warning.message)
    assert message.startswith(f"{wanted.quarantined + wanted.items} records or items of {path} ")
    assert "on_quarantined" in message


def test_a_long_item_in_several_pieces_counts_once(tmp_path: Path) -> None:
    """Text outside of containers comes in pieces if it is long, all of it, and is one item in the warning."""
    (path,) = generate(tmp_path, GenerateOptions(records=5, compression="none"))
    good, garbage = path.read_bytes(), b"garbage " * 400_000
    path.write_bytes(good + garbage + b"\n" + good)
    entries: list[wsparquet.Quarantined] = []
    assert rows(wsparquet.read(path, on_quarantined=entries.append)).total() == 10
    assert len(entries) > 1
    assert b"".join(entry.data for entry in entries).strip() == garbage.strip()
    with pytest.warns(wsparquet.QuarantineWarning, match=r"^1 records or items"):
        wsparquet.read(path)


def test_values_without_a_column_are_rescued(tmp_path: Path) -> None:
    """Rescued values are in the rows' own column."""
    (path,) = generate(tmp_path, ODD)
    tables = wsparquet.read(path, on_quarantined=lambda _: None)
    found = sum(table["rescued"].drop_null().length() for table in tables.values())
    assert found > 10


def test_a_file_that_fails_raises(tmp_path: Path) -> None:
    """A corrupt or foreign file raises an error that names it; nothing comes back of it."""
    for name, broken in broken_files(tmp_path).items():
        if not broken.fails:
            continue
        with pytest.raises((wsparquet.SourceError, wsparquet.DecodeError)) as caught:
            wsparquet.read(broken.path)
        assert broken.path.name in str(caught.value), name


def test_a_file_that_is_not_there_raises(tmp_path: Path) -> None:
    """A wrong path raises an error with the path."""
    with pytest.raises(wsparquet.SourceError, match="missing"):
        wsparquet.read(tmp_path / "missing.gz")


def test_an_unknown_decoder_raises(tmp_path: Path) -> None:
    """A decoder that does not exist is named with those that do."""
    (path,) = generate(tmp_path, GenerateOptions(records=1))
    with pytest.raises(wsparquet.OptionError, match=r"auto, native, reference.*'fast'"):
        wsparquet.read(path, decoder="fast")
