"""wsparquet/synchronisation/status.py and the state that it reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import pytest

from tests.cli.program import run
from tests.dataset.helpers import put
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity
from wsparquet.synchronisation import AccountStatus, StatusLimits, status
from wsparquet.synchronisation.state import Missing, State

HOUR_MS = 3_600_000
FIRST = 1_467_291_600_000


def root_with(path: Path, *hours: int, account: str = "7") -> Root:
    """A root in which a file of each of these hours is committed."""
    root = Root.open(path / "lake")
    for number, hour in enumerate(hours):
        start = FIRST + hour * HOUR_MS
        name = f"WebSession.{start}.{start + HOUR_MS}.part-{number:05d}-0"
        put(root, Identity(account, name), seed=number, count=1)
    return root


def only(root: Root, **options: object) -> AccountStatus:
    """The status of a root's one account."""
    (account,) = status(Path(root.place), **options).accounts  # type: ignore[arg-type]
    return account


def hour(number: int) -> datetime:
    """The start of an hour."""
    return datetime.fromtimestamp((FIRST + number * HOUR_MS) / 1000, UTC)


def test_hours_and_gaps(tmp_path: Path) -> None:
    """Hours are counted once however many parts they have; spans without any are gaps, first to last hour."""
    found = only(root_with(tmp_path, 0, 0, 1, 4, 5, 9))
    assert (found.commits, found.hours) == (6, 5)
    assert (found.first_hour, found.last_hour) == (hour(0), hour(9))
    assert found.gaps == ((hour(2), hour(4)), (hour(6), hour(9)))
    assert status(tmp_path / "lake").exit_code == 0


def test_other_names_cover_no_hours(tmp_path: Path) -> None:
    """A file whose name tells no times is a commit and no hour."""
    root = Root.open(tmp_path / "lake")
    put(root, Identity("7", "export.0123456789abcdef"), count=1)
    found = only(root)
    assert (found.commits, found.hours, found.first_hour, found.gaps) == (1, 0, None, ())


@pytest.mark.parametrize(
    ("minutes", "hours"),
    [((0, 90), [0, 1]), ((0, 60), [0]), ((45, 75), [0, 1]), ((30, 30), [0]), ((0, 99_999), [*range(24)])],
)
def test_a_name_covers_every_hour_that_it_touches(tmp_path: Path, minutes: tuple[int, int], hours: list[int]) -> None:
    """A name that spans more or less than an hour covers whole hours, at most a day, and leaves no gap within them."""
    root = Root.open(tmp_path / "lake")
    start, end = (FIRST + minute * 60_000 for minute in minutes)
    put(root, Identity("7", f"WebSession.{start}.{end}.part-00000-0"), count=1)
    found = only(root)
    assert (found.hours, found.first_hour, found.last_hour) == (len(hours), hour(hours[0]), hour(hours[-1]))
    assert found.gaps == ()


def test_a_root_that_was_never_synced_says_so(tmp_path: Path) -> None:
    """It is neither well nor in need of attention, in text and in JSON, until a run has listed the server's files."""
    root = root_with(tmp_path, 0)
    first = run("status", root.place)
    assert (first.code, first.out.splitlines()[0]) == (0, "account 7: never synced")
    assert "last listing:  never synced" in first.out
    found = run("status", root.place, "--output", "json").json
    assert (found["well"], found["accounts"][0]["state"], found["accounts"][0]["well"]) == (
        False,
        "never synced",
        False,
    )
    sleep(1.1)
    stale = run("status", root.place, "--stale", "1s")
    assert (stale.code, stale.out.splitlines()[0]) == (1, "account 7: needs attention")
    assert "last listing:  never synced" in stale.out
    State("7", listed_at=datetime.now(UTC).isoformat()).write(root)
    assert run("status", root.place).out.splitlines()[0] == "account 7: ok"
    assert status(Path(root.place)).well


@pytest.mark.parametrize(("age", "stale"), [(23.9, False), (24.1, True)])
def test_a_root_without_new_commits_is_stale(tmp_path: Path, age: float, stale: bool) -> None:
    """Without a commit for longer than allowed, the status is not well."""
    root = root_with(tmp_path, 0)
    now = datetime.now(UTC) + timedelta(hours=age)
    assert only(root, now=now).stale is stale
    assert status(Path(root.place), now=now).exit_code == int(stale)
    assert not only(root, now=now, limits=StatusLimits(stale=timedelta(days=9))).stale


def test_an_empty_root_is_not_well(tmp_path: Path) -> None:
    """A root in which nothing is committed has no accounts, and exit code 1."""
    Root.open(tmp_path / "lake")
    found = status(tmp_path / "lake")
    assert (found.accounts, found.exit_code) == ((), 1)
    assert status(tmp_path / "lake", account="7").exit_code == 1


def test_no_root_is_an_error(tmp_path: Path) -> None:
    """A path without a root is said to be none."""
    with pytest.raises(DatasetError, match=r"root\.json"):
        status(tmp_path)


def missing(name: str, *, now: datetime, failing: float | None = None, left: float = 20, gone: bool = False) -> Missing:
    """A file that fails for so many hours, or is not tried, and has so many days left."""
    return Missing(
        name,
        expires=(now + timedelta(days=left)).isoformat(),
        failed_since=None if failing is None else (now - timedelta(hours=failing)).isoformat(),
        error=None if failing is None else "why",
        gone_at=now.isoformat() if gone else None,
    )


def test_missing_files_are_told_apart(tmp_path: Path) -> None:
    """Missing, failing for too long, soon deleted and gone files are in their lists; the last three are not well."""
    root, now = root_with(tmp_path, 0), datetime.now(UTC)
    files = [
        missing("new", now=now),
        missing("failed once", now=now, failing=1),
        missing("failing", now=now, failing=25),
        missing("soon", now=now, left=2.9),
        missing("gone", now=now, failing=700, left=-1, gone=True),
    ]
    for kept, well in ((files[:2], True), (files[2:3], False), (files[3:4], False), (files[4:], False), (files, False)):
        State("7", now.isoformat(), {each.name: each for each in kept}).write(root)
        assert only(root, now=now).well is well
    found = only(root, now=now)
    assert [each.name for each in found.missing] == ["failed once", "failing", "new", "soon"]
    assert [each.name for each in found.failing] == ["failing"]
    assert [each.name for each in found.expiring] == ["soon"]
    assert [each.name for each in found.gone] == ["gone"]
    values = json.loads(json.dumps(status(Path(root.place), now=now).to_dict()))
    assert (values["well"], values["accounts"][0]["failing"][0]["error"]) == (False, "why")


@pytest.mark.parametrize("hours", [-0.01, 0.01])
def test_files_need_attention_from_the_limit_on(tmp_path: Path, hours: float) -> None:
    """A file that fails for 24 hours is failing, and one that goes within 3 days is expiring; a bit less is not."""
    root, now = root_with(tmp_path, 0), datetime.now(UTC)
    files = [missing("failing", now=now, failing=24 + hours), missing("expiring", now=now, left=3 - hours / 24)]
    State("7", now.isoformat(), {each.name: each for each in files}).write(root)
    found = only(root, now=now)
    assert [each.name for each in found.failing] == (["failing"] if hours > 0 else [])
    assert [each.name for each in found.expiring] == (["expiring"] if hours > 0 else [])
    assert found.well is (hours < 0)


def test_accounts_are_apart(tmp_path: Path) -> None:
    """Each account has its own hours and files; one that was never committed is there through its state."""
    root = root_with(tmp_path, 0, 1)
    root_with(tmp_path, 5, account="8")
    now = datetime.now(UTC)
    State("9", files={"x": missing("x", now=now)}).write(root)
    found = status(Path(root.place))
    assert [(each.account, each.hours, len(each.missing)) for each in found.accounts] == [
        ("7", 2, 0),
        ("8", 1, 0),
        ("9", 0, 1),
    ]
    assert [each.account for each in status(Path(root.place), account="8").accounts] == ["8"]
    assert found.exit_code == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format_version":2,"account":"7","listed_at":null,"complete_at":null,"files":[]}',
        '{"format_version":1,"account":"7","listed_at":null,"complete_at":null,"files":[{"name":"x"}]}',
        '{"format_version":1,"account":"7","listed_at":3,"complete_at":null,"files":[]}',
        '{"format_version":1,"account":"7","listed_at":"2026-01-01T00:00:00","complete_at":null,"files":[]}',
    ],
)
def test_a_state_that_is_none_says_what_to_do(tmp_path: Path, text: str) -> None:
    """What is no state is an error that says to delete the file."""
    root = root_with(tmp_path, 0)
    root.write_sync_state("7", text.encode())
    with pytest.raises(DatasetError, match="delete the file"):
        status(Path(root.place))
