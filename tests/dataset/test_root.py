"""What a run that commits nothing takes away with it, and what it leaves to others."""

from __future__ import annotations

import threading
from pathlib import Path

from tests.dataset.helpers import IDENTITY, facts, make_rows
from tests.support.at_rest import assert_at_rest
from wsparquet.dataset import Root


def commit(root: Root) -> None:
    """Commit a source with rows."""
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 20))
        attempt.commit(IDENTITY, facts(report={"records": 20, "rows": {"geo": 20}}), expected=None)


def test_a_run_that_commits_nothing_leaves_nothing(tmp_path: Path) -> None:
    """Whatever it has created goes, the folders above the root included; a folder that was there stays."""
    root = Root.open_to_write(tmp_path / "a/b/lake")
    with root.begin(fallback_day_ms=None):
        assert (tmp_path / "a/b/lake/_wsparquet/tmp").is_dir()
    root.discard_if_unmade()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake/notes.txt").touch()
    root = Root.open_to_write(tmp_path / "lake")
    with root.begin(fallback_day_ms=None):
        pass
    root.discard_if_unmade()
    assert [path.name for path in (tmp_path / "lake").rglob("*")] == ["notes.txt"]
    (tmp_path / "lake/notes.txt").unlink()
    commit(root)
    root.discard_if_unmade()
    assert len(root.commits()) == 1
    assert_at_rest(tmp_path / "lake")


def test_an_attempt_of_another_run_keeps_its_files(tmp_path: Path) -> None:
    """A run that ends without a commit deletes nothing while another run's attempt is alive."""
    one, other = Root.open_to_write(tmp_path / "lake"), Root.open_to_write(tmp_path / "lake")
    with one.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 20))
        with other.begin(fallback_day_ms=None):
            pass
        other.discard_if_unmade()
        attempt.commit(IDENTITY, facts(report={"records": 20, "rows": {"geo": 20}}), expected=None)
    assert len(other.commits()) == 1
    assert_at_rest(tmp_path / "lake")


def test_runs_that_take_the_folders_away_do_not_disturb_a_run_that_commits(tmp_path: Path) -> None:
    """The folders are deleted again and again while others create them: each attempt succeeds."""
    errors: list[BaseException] = []

    def attempts() -> None:
        try:
            for _ in range(40):
                root = Root.open_to_write(tmp_path / "lake")
                with root.begin(fallback_day_ms=None) as attempt:
                    attempt.write("geo", make_rows("geo", 1))
                root.discard_if_unmade()
        except BaseException as error:  # noqa: BLE001 - the test reports it
            errors.append(error)

    threads = [threading.Thread(target=attempts) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    # The run that has created the root's folder may not be the last one.
    assert [path for path in tmp_path.rglob("*") if path != tmp_path / "lake"] == []
    commit(Root.open_to_write(tmp_path / "lake"))
    assert_at_rest(tmp_path / "lake")
