"""What `wsparquet generate` writes for its options."""

from __future__ import annotations

import gzip
import signal
import time
from pathlib import Path

import pytest

from tests.cli.program import run, start
from wsparquet.generate import GenerateOptions, expected, generate_text
from wsparquet.source import expand

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def generated(folder: Path, *options: object) -> list[bytes]:
    """The inflated text of the files that the command writes and names."""
    ran = run("generate", folder, *options, "--output", "json")
    assert (ran.code, ran.err) == (0, "")
    assert sorted(ran.json["files"]) == sorted(str(path) for path in folder.iterdir())
    texts = []
    for source in expand(ran.json["files"]):
        with source.open() as reader:
            texts.append(b"".join(reader))
    return texts


def test_files_and_size_are_as_asked(tmp_path: Path) -> None:
    """`--files` files of about `--size` bytes of JSON, gzip'd, their names printed one a line."""
    ran = run("generate", tmp_path, "--files", "3", "--size", "50k")
    assert (ran.code, ran.err) == (0, "")
    paths = [Path(line) for line in ran.out.splitlines()]
    assert len(paths) == 3
    assert sorted(paths) == sorted(tmp_path.iterdir())
    for path in paths:
        assert path.name.startswith("WebSession.14672")
        size = len(gzip.decompress(path.read_bytes()))
        assert 50 * 1024 <= size <= 70 * 1024


def test_the_seed_decides_the_text(tmp_path: Path) -> None:
    """The same seed gives the same files, another one gives others."""
    first, again = generated(tmp_path / "a", "--seed", "7"), generated(tmp_path / "b", "--seed", "7")
    other = generated(tmp_path / "c", "--seed", "8")
    assert first == again
    assert first != other


@pytest.mark.parametrize("form", ["lines", "document"])
def test_the_form_is_as_asked(tmp_path: Path, form: str) -> None:
    """`lines` is one container a line, `document` one pretty-printed container; inspect says the same."""
    (text,) = generated(tmp_path, "--form", form, "--size", "20k")
    assert (text.count(b"\n") > 100) is (form == "document")
    (found,) = run("inspect", tmp_path, "--output", "json").json["sources"]
    assert found["form"] == form
    assert found["reasons"] == {}


@pytest.mark.parametrize(("name", "suffix", "magic"), [("gzip", ".gz", b"\x1f\x8b"), ("zstd", ".zst", ZSTD_MAGIC)])
def test_the_compression_is_as_asked(tmp_path: Path, name: str, suffix: str, magic: bytes) -> None:
    """`--compression` decides the bytes and the suffix."""
    generated(tmp_path, "--compression", name, "--size", "20k")
    (path,) = tmp_path.iterdir()
    assert path.suffix == suffix
    assert path.read_bytes().startswith(magic)


def test_plain_text_is_written_plainly(tmp_path: Path) -> None:
    """`--compression none` is JSON as it is."""
    (text,) = generated(tmp_path, "--compression", "none", "--size", "20k")
    (path,) = tmp_path.iterdir()
    assert (path.suffix, path.read_bytes()) == (".json", text)


def test_the_mix_is_as_asked(tmp_path: Path) -> None:
    """A preset and the options that override it write what the library writes for the same options."""
    given = ("--preset", "hard", "--visits", "3", "--distinct", "0.5", "--session-minutes", "20", "--midnight", "1",
             "--returning", "0")  # fmt: skip
    (text,) = generated(tmp_path, *given, "--size", "60k")
    options = GenerateOptions(
        preset="hard", visits=3, distinct=0.5, session_minutes=20, midnight=1.0, returning=0.0, size=60 * 1024
    )
    assert text == b"".join(generate_text(options))
    assert text != b"".join(generate_text(GenerateOptions(size=60 * 1024)))


def test_defects_are_all_there(tmp_path: Path) -> None:
    """With `--defects` an inspection counts what the generator says it put in; without, nothing is wrong."""
    generated(tmp_path, "--defects", "--size", "1", "--seed", "3")
    (found,) = run("inspect", tmp_path, "--output", "json").json["sources"]
    wanted = expected(GenerateOptions(defects=True, size=1, seed=3))
    assert (found["records"], found["quarantined"], found["items"]) == (
        wanted.records,
        wanted.quarantined,
        wanted.items,
    )
    assert found["rescued"] == wanted.rescued
    assert wanted.quarantined > 0


def test_the_account_is_in_the_files(tmp_path: Path) -> None:
    """`--account` is the account of every container."""
    generated(tmp_path, "--account", "4711", "--size", "10k")
    (found,) = run("inspect", tmp_path, "--output", "json").json["sources"]
    assert set(found["accounts"]) == {"4711"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """A folder below a file fails with its path."""
    (tmp_path / "file").write_text("")
    ran = run("generate", tmp_path / "file" / "below")
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert str(tmp_path / "file" / "below") in ran.err


@pytest.mark.parametrize(
    "options",
    [
        ("--files", "0"),
        ("--size", "0"),
        ("--seed", "-1"),
        ("--form", "csv"),
        ("--size", "much"),
        ("--distinct", "2"),
        ("--preset", "x"),
    ],
)
def test_options_out_of_range_are_wrong_usage(tmp_path: Path, options: tuple[str, str]) -> None:
    """A number that is too small or no number, and an unknown form, are exit code 2 and write nothing."""
    ran = run("generate", tmp_path / "out", *options)
    assert (ran.code, ran.out) == (2, "")
    assert options[0] in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("account", ["", " ", "7 5", "75\n", "a/b"])
def test_an_account_must_be_one(tmp_path: Path, account: str) -> None:
    """An account that no server would have is wrong usage, and nothing is written."""
    ran = run("generate", tmp_path / "sample", "--account", account)
    assert (ran.code, "expected letters and digits, found" in ran.err) == (2, True)
    assert not (tmp_path / "sample").exists()


def test_an_interrupted_file_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C amid a file leaves no file of its name, and what was under way is taken away; whole ones stay."""
    with start("generate", tmp_path, "--files", "3", "--size", "3M", stdout=-1, stderr=-1) as process:
        # The second file is begun, under whatever name.
        while not [path for path in tmp_path.iterdir() if "-00001-0" in path.name]:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    for path in tmp_path.iterdir():
        assert path.suffix == ".gz"
        assert len(gzip.decompress(path.read_bytes())) > 3_000_000
