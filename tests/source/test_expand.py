"""Which local files paths, globs and folders mean."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from wsparquet.errors import SourceError
from wsparquet.source import Failed, Source, expand


def tree(root: Path, *files: str) -> None:
    """Write files, each holding its own name."""
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def names(root: Path, arguments: Sequence[str | Path], exclude: str | None = None) -> list[str]:
    """The paths of the sources below ``root``; ``!`` before what failed."""
    found = expand([os.path.join(root, argument) for argument in arguments], exclude=exclude)  # noqa: PTH118
    return [("!" if isinstance(one, Failed) else "") + one.url.removeprefix(root.as_uri()).lstrip("/") for one in found]


def message(argument: str | Path, **options: str) -> str:
    """Why an argument is no source."""
    (found,) = expand([argument], exclude=options.get("exclude"))
    assert isinstance(found, Failed)
    assert isinstance(found.error, SourceError)
    return str(found.error)


def test_a_file(tmp_path: Path) -> None:
    """A file is a source with its path as URL, its size and its time."""
    path = tmp_path / "account" / "755" / "ä b.json"
    tree(tmp_path, "account/755/ä b.json")
    (source,) = expand([path])
    assert isinstance(source, Source)
    status = path.stat()
    assert (source.name, source.url, source.account) == ("ä b.json", path.as_uri(), "755")
    assert (source.size, source.etag, source.mtime) == (status.st_size, None, str(status.st_mtime_ns))
    assert source.rereadable
    with source.open() as reader:
        assert b"".join(reader).decode() == "account/755/ä b.json"


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path has an absolute URL, and stays right if the working folder changes."""
    tree(tmp_path, "a.json", "d/b.json")
    monkeypatch.chdir(tmp_path)
    sources = expand(["a.json", "./d/../d/b.json", Path("d")])
    monkeypatch.chdir("/")
    assert [source.url for source in sources] == [(tmp_path / name).as_uri() for name in ("a.json", "d/b.json")]
    assert all(isinstance(source, Source) and source.checksum() for source in sources)


def test_file_urls(tmp_path: Path) -> None:
    """A file URL is the path that it names, percent-encoded or not."""
    tree(tmp_path, "ä b.json", "c%20d.json")
    for path in (tmp_path / "ä b.json", tmp_path / "c%20d.json"):
        for url in (path.as_uri(), f"file://{path}"):
            (source,) = expand([url])
            assert (source.name, source.url) == (path.name, path.as_uri())


def test_folder(tmp_path: Path) -> None:
    """A folder means all files in it and below, sorted, but hidden ones."""
    tree(tmp_path, "b.gz", "a.json", "c/z", "c/a/x", "C/y", ".hidden", ".git/config", "c/.DS_Store", "d/.only")
    assert names(tmp_path, [""]) == ["a.json", "b.gz", "C/y", "c/z", "c/a/x"]
    assert names(tmp_path, [".git"]) == [".git/config"]
    assert names(tmp_path, [".hidden"]) == [".hidden"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.gz", ["a.gz", "b.gz"]),
        ("?.gz", ["a.gz", "b.gz"]),
        ("[!a].gz", ["b.gz"]),
        (".*.gz", [".h.gz"]),
        ("*/*.gz", ["d/c.gz"]),
        ("**/*.gz", ["a.gz", "b.gz", "d/c.gz", "d/e/f.gz"]),
        ("d/**", ["d/c.gz", "d/e/f.gz"]),
        ("d/**/f.gz", ["d/e/f.gz"]),
        ("d*", ["d/c.gz", "d/e/f.gz"]),
        ("*/e", ["d/e/f.gz"]),
    ],
)
def test_globs(tmp_path: Path, pattern: str, found: list[str]) -> None:
    """A glob means what a shell makes of it; ``**`` is any number of folders."""
    tree(tmp_path, "a.gz", "b.gz", "t.txt", ".h.gz", "d/c.gz", "d/.i.gz", "d/e/f.gz", ".j/k.gz")
    assert names(tmp_path, [pattern]) == found


def test_existing_names_win_over_globs(tmp_path: Path) -> None:
    """A file or folder whose own name looks like a glob is itself."""
    tree(tmp_path, "[ab].gz", "a.gz", "d[1]/x.gz", "d1/y.gz", "s*r/z.gz", "star/z.gz")
    assert names(tmp_path, ["[ab].gz"]) == ["%5Bab%5D.gz"]
    assert names(tmp_path, ["d[1]/*.gz"]) == ["d%5B1%5D/x.gz"]
    assert names(tmp_path, ["s*r"]) == ["s%2Ar/z.gz"]


def test_existing_names_win_over_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A local file whose name looks like a chained URL is itself."""
    tree(tmp_path, "zip::a")
    monkeypatch.chdir(tmp_path)
    (source,) = expand(["zip::a"])
    assert isinstance(source, Source)
    assert source.name == "zip::a"


def test_the_same_file_counts_once(tmp_path: Path) -> None:
    """However often and by whichever name a file is given, it is one source, under the first name."""
    tree(tmp_path, "a.gz", "b.gz")
    (tmp_path / "link.gz").symlink_to("a.gz")
    arguments = ["b.gz", "*.gz", "", "./a.gz", (tmp_path / "a.gz").as_uri(), "link.gz"]
    found = expand([argument if ":" in argument else f"{tmp_path}/{argument}" for argument in arguments])
    assert [source.name for source in found] == ["b.gz", "a.gz"]


def test_links(tmp_path: Path) -> None:
    """Linked files and folders are followed, circles end, a dangling link is a failure of its own."""
    tree(tmp_path, "in/a.gz", "out/b.gz", "out/d/c.gz")
    (tmp_path / "in/file.gz").symlink_to(tmp_path / "out/b.gz")
    (tmp_path / "in/folder").symlink_to(tmp_path / "out/d")
    (tmp_path / "in/circle").symlink_to(tmp_path / "in")
    (tmp_path / "out/d/up").symlink_to(tmp_path)
    (tmp_path / "in/gone.gz").symlink_to("nowhere")
    for argument in ("in", "in/**", "in/*"):
        found = names(tmp_path, [argument])
        assert len(found) == 4
        assert sorted(name.rpartition("/")[2] for name in found) == ["a.gz", "c.gz", "file.gz", "gone.gz"]
        assert [name.startswith("!") for name in found if name.endswith("gone.gz")] == [True]
    assert len(names(tmp_path, ["in/**/*.gz"])) == 4


def test_one_bad_argument_stops_no_other(tmp_path: Path) -> None:
    """Every argument that means nothing is a failure in its place."""
    tree(tmp_path, "a.gz", "b.gz", "empty/.hidden")
    arguments = ["a.gz", "missing#1.gz", "empty", "*.zst", "a.gz/x", "b.gz", "x" * 300]
    found = expand([f"{tmp_path}/{argument}" for argument in arguments])
    assert [isinstance(one, Source) for one in found] == [True, False, False, False, False, True, False]
    assert [one.name for one in found] == ["a.gz", "missing#1.gz", "empty", "*.zst", "x", "b.gz", "x" * 300]


@pytest.mark.parametrize("argument", ["", "a\0b", "file:///a%00b"])
def test_impossible_names(argument: str) -> None:
    """What cannot be a path is a failure that says so."""
    assert "expected a path or a URL, found another text; check the name" in message(argument)


def test_a_url_that_lacks_a_slash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no path, unless there is such a folder."""
    monkeypatch.chdir(tmp_path)
    assert "found one with a single slash; add the missing slash" in message("s3:/bucket/a.gz")
    tree(tmp_path, "s3:/bucket/a.gz")
    (source,) = expand(["s3:/bucket/a.gz"])
    assert source.name == "a.gz"


def test_messages(tmp_path: Path) -> None:
    """A failure says where, what was expected and found, and what to do."""
    (tmp_path / "empty").mkdir()
    missing = tmp_path / "missing.gz"
    assert message(missing) == f"{missing}: expected a file, a folder or a glob, found: no such file; check the name"
    for nothing in (tmp_path / "empty", tmp_path / "*.gz"):
        assert message(nothing).startswith(f"{nothing}: expected a folder or a glob with files, found none")
        assert message(nothing).endswith("check the name")


def test_no_regular_files(tmp_path: Path) -> None:
    """Pipes and devices are failures: opening them could wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        assert "expected a file, found a pipe, socket or device; pipe its content to `-`" in message(path)


def test_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket in a folder fails alone."""
    tree(tmp_path, "a.gz")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert names(tmp_path, [""]) == ["a.gz", "!s"]


UNPRIVILEGED = """
import os, sys
from wsparquet.source import Failed, expand
if os.geteuid() == 0:
    os.seteuid(65534)
for one in expand(sys.argv[1:]):
    print(one.name, one.error if isinstance(one, Failed) else "is a source")
"""


def test_no_permission() -> None:
    """A file or a folder that may not be read, or not be searched, fails alone, once."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        tree(root, "a.gz", "b.gz", "d/c.gz", "e/f.gz")
        root.chmod(0o755)
        for below, mode in (("a.gz", 0), ("d", 0), ("e", 0o444)):
            (root / below).chmod(mode)
        lines = []
        for argument in (name, f"{name}/**/*.gz"):
            command = [sys.executable, "-c", UNPRIVILEGED, argument]
            lines.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())
        for below in ("d", "e"):
            (root / below).chmod(0o700)
    for found in lines:
        assert [line.split()[0] for line in found] == ["a.gz", "b.gz", "d", "f.gz"]
        assert found[1] == "b.gz is a source"
        for line in (found[0], found[2], found[3]):
            assert "found: Permission denied; check that you may read it" in line


def test_exclude(tmp_path: Path) -> None:
    """Nothing in the excluded folder is a source, by whatever way it is reached."""
    tree(tmp_path, "a.gz", "lake/part.parquet", "lake/t/b.parquet", "lakeside/c.gz")
    (tmp_path / "link").symlink_to("lake/t")
    (tmp_path / "part").symlink_to("lake/part.parquet")
    lake = str(tmp_path / "lake")
    for exclude in (lake, lake + "/", f"{tmp_path}/link/..", Path(lake).as_uri()):
        assert names(tmp_path, ["", "**", "*"], exclude=exclude) == ["a.gz", "lakeside/c.gz"]
        assert names(tmp_path, ["**/*.parquet"], exclude=exclude) == ["!%2A%2A/%2A.parquet"]
    for inside in ("lake/part.parquet", "part", "lake", "lake/t"):
        assert "expected a source outside of the dataset, found one in it" in message(tmp_path / inside, exclude=lake)
    assert names(tmp_path, ["a.gz"], exclude="s3://bucket/lake") == ["a.gz"]


def test_roots_are_passed_over_as_a_whole(tmp_path: Path) -> None:
    """A root among sources is none of them, nor is any of its files, however deep; named itself, it is one failure."""
    tree(tmp_path, "in/a.gz", "in/b/c.gz", "in/lake/_wsparquet/root.json", "in/lake/t/d=1/x.parquet", "in/lake/y")
    (tmp_path / "link").symlink_to("in/lake")
    assert names(tmp_path, ["in"]) == names(tmp_path, [""]) == ["in/a.gz", "in/b/c.gz"]
    for pattern in ("in/**", "in/*", "in/**/*", "*", "in/*/*", "in/*/*/*", "in/*/t/*/*"):
        assert not [name for name in names(tmp_path, [pattern]) if "lake" in name and "%2A" not in name], pattern
    for root in ("in/lake", "link"):
        assert "expected Web Session files, found datasets that wsparquet has written" in message(tmp_path / root)


def test_a_file_that_goes_away(tmp_path: Path) -> None:
    """A file that is gone when it is opened is a clear failure."""
    tree(tmp_path, "a.gz")
    (source,) = expand([tmp_path / "a.gz"])
    assert isinstance(source, Source)
    (tmp_path / "a.gz").unlink()
    for read in (source.open, source.checksum):
        with pytest.raises(SourceError, match=r"a\.gz: expected a file that can be read, found: no such file; check"):
            read()


def test_order(tmp_path: Path) -> None:
    """Arguments keep their order; only what one argument means is sorted."""
    tree(tmp_path, "z.gz", "b/2.gz", "b/1.gz", "a.gz")
    assert names(tmp_path, ["z.gz", "b", "a.gz"]) == ["z.gz", "b/1.gz", "b/2.gz", "a.gz"]


def test_names_that_are_no_utf8_are_escaped(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are %XX in names and URLs, as the path's own URL has them, and the file can be read."""
    path = tmp_path / os.fsdecode(b"caf\xe9.json")
    path.write_text("content")
    for argument in (path, tmp_path, f"{tmp_path}/*", path.as_uri(), f"file://{path}"):
        (source,) = expand([argument])
        assert isinstance(source, Source)
        assert (source.name, source.url) == ("caf%E9.json", path.as_uri())
        with source.open() as reader:
            assert b"".join(reader) == b"content"


@pytest.mark.parametrize(
    ("name", "said"),
    [(os.fsdecode(b"l\xff.gz"), "l%FF.gz"), ("l\ud800.gz", "%ED%A0%80"), (os.fsdecode(b"memory://\xff"), "%FF")],
)
def test_what_cannot_be_found_is_said_in_utf8(name: str, said: str) -> None:
    """Messages about names that are no UTF-8 are text that every terminal and file takes."""
    (found,) = expand([name])
    assert isinstance(found, Failed)
    for text in (found.name, found.url, str(found.error)):
        assert text.encode()
    assert said in str(found.error)
