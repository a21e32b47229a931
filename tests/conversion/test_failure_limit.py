"""wsparquet/conversion/failure_limit.py: a run of sources that all fail ends early, and quotes nothing of them."""

from __future__ import annotations

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.program import run
from wsparquet import convert, replay
from wsparquet.conversion.failure_limit import FailureLimit
from wsparquet.conversion.outcome import Outcome
from wsparquet.errors import OptionError, SourceError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.source import Failed, Source

SECRET = "root:$6$s3cr3t"


def wrong(folder: Path, number: int) -> Path:
    """A folder of files that are none of ours, sorted before generated ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in range(number):
        (folder / f"A{each:03}.conf").write_text(f"{SECRET}:{each}\n")
    return folder


def counts(root: Path, folder: Path, limit: int | None, jobs: int = 2) -> tuple[int, int, int, bool]:
    """How many sources of a conversion succeeded, failed, and were not begun, and whether it gave up."""
    summary = convert(folder, root, jobs=jobs, max_failures=limit)
    done = len(summary.committed) + len(summary.skipped)
    assert summary.sources == done + len(summary.failures) + summary.not_begun
    return done, len(summary.failures), summary.not_begun, summary.gave_up


def test_a_wrong_folder_ends_early(tmp_path: Path) -> None:
    """Twenty failures end the run by default; a number changes that; 0 and None convert what can be converted."""
    folder = wrong(tmp_path / "etc", 30)
    assert convert(folder, tmp_path / "lake").not_begun == 10
    generate(folder, GenerateOptions(records=5))
    assert counts(tmp_path / "lake", folder, 3) == (0, 3, 28, True)
    assert counts(tmp_path / "lake", folder, 3, jobs=1) == (0, 3, 28, True)
    assert counts(tmp_path / "lake", folder, 0) == (1, 30, 0, False)
    assert counts(tmp_path / "lake", folder, None) == (1, 30, 0, False)
    assert counts(tmp_path / "lake", folder, 31) == (1, 30, 0, False)
    with pytest.raises(OptionError, match=r"`?max_failures`?: expected a whole number of 0 or more or None, found -1"):
        convert(folder, tmp_path / "lake", max_failures=-1)


def test_one_success_is_enough(tmp_path: Path) -> None:
    """After a success, converted or skipped, no number of failures ends the run; replay never gives up."""
    folder = wrong(tmp_path / "b", 9)
    (good,) = generate(folder, GenerateOptions(records=5))
    good.rename(folder / "0.gz")
    for _ in range(2):
        assert counts(tmp_path / "lake", folder, 2, jobs=1) == (1, 9, 0, False)
    missing = [tmp_path / f"missing{number}" for number in range(5)]
    assert len(replay(tmp_path / "lake", missing, max_failures=2).failures) == 5


def test_a_slow_success_is_waited_for() -> None:
    """A source in progress may still succeed, so one that could fail beyond the limit waits for its end."""
    limit, may_end = FailureLimit(2), threading.Event()

    def one(source: Source | Failed) -> Outcome:
        if source.name == "slow":
            assert may_end.wait(60)
            return Outcome(source.name, "committed")
        return Outcome(source.name, "failed")

    names = ["slow", "a", "b", "c", "d"]
    sources = [Failed(name, name, SourceError(name)) for name in names]
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(limit.applied_to(one), source) for source in sources]
        assert str(futures[1].result(60)) == str(Outcome("a", "failed"))
        assert not futures[2].done()
        may_end.set()
        kinds = [outcome.kind for future in futures if (outcome := future.result(60)) is not None]
    assert (kinds, limit.not_begun) == (["committed", "failed", "failed", "failed", "failed"], 0)


def test_the_command_gives_up_and_says_what_to_do(tmp_path: Path) -> None:
    """The summary says why it ended and how to go on, and no output quotes the files, as text and as JSON."""
    folder = wrong(tmp_path / "etc", 30)
    ran = run("convert", folder, "--to", tmp_path / "lake")
    assert ran.code == 1
    assert "30 sources: 0 converted, 0 skipped, 20 failed, 10 not begun" in ran.out
    assert "gave up, since 20 sources failed and none succeeded" in ran.out
    assert "--max-failures 0" in ran.out
    as_json = run("convert", folder, "--to", tmp_path / "lake", "--max-failures", "4", "--output", "json")
    assert (as_json.json["not_begun"], as_json.json["gave_up"]) == (26, True)
    for said in (ran.out, ran.err, as_json.out, as_json.err):
        assert "s3cr3t" not in said
        assert "root:" not in said


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "nothing"),
        (b" \n\t", "nothing"),
        (SECRET.encode(), "other text"),
        (f"\n{SECRET}\n{'é' * 40}".encode(), "other text"),
        (b'{"password": "s3cr3t"}', "JSON of another kind"),
        (b'["s3cr3t"]', "JSON of another kind"),
        (b"<html>s3cr3t</html>", "HTML or XML"),
        (b"PAR1s3cr3tPAR1", "a Parquet file"),
        (b"\x00\x01s3cr3t", "binary data"),
        (b"s3cr3t\xff\xff\xff\xff", "binary data"),
    ],
)
@pytest.mark.parametrize("decoder", ["native", "reference"])
def test_a_failure_names_kind_and_length(tmp_path: Path, content: bytes, kind: str, decoder: str) -> None:
    """A file without containers fails with the kind of its content and its length, in the same words by both."""
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(content))
    (failure,) = convert(path, tmp_path / "lake", decoder=decoder).failures
    assert f"recordCollection, found {kind}; give Web Session files" in failure.error
    assert f"(in the first {len(content)} inflated bytes)" in failure.error
    assert "s3cr3t" not in failure.error
