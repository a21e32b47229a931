"""Erasing people: nothing of them is left in any byte, nobody else loses a row, and they do not come back."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import wsparquet
from tests.cli.program import run
from tests.commit.test_kills import REPOSITORY, line
from tests.erasure import people, workload
from tests.erasure.conftest import COMPACT
from tests.erasure.people import CUSTOMER, NUMBER, VISIT, VISITOR, rows, traces, without
from tests.scale import scaled
from tests.support.at_rest import assert_at_rest, files_below
from wsparquet.compaction import CompactOptions
from wsparquet.compaction.plan import planned_days
from wsparquet.conversion.converter import Converter
from wsparquet.conversion.options import ConvertOptions
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import MergeLimits
from wsparquet.dataset.erased import ErasedMeanwhile
from wsparquet.errors import DatasetError, OptionError
from wsparquet.privacy.keys import SecretKey
from wsparquet.progress import ignore
from wsparquet.source import expand

IDS = (VISITOR, VISIT, CUSTOMER, NUMBER)
EVERYBODY: dict[str, Any] = {"visitors": [VISITOR, NUMBER], "customers": [CUSTOMER]}
FILE = "_wsparquet/erased.json"


def hashed(value: str) -> str:
    """What stands in a column that is masked by hash."""
    return SecretKey(bytes.fromhex(people.KEY)).digest(value.encode())


def assert_erased(lake: Path, raw: Path, before: list[str]) -> None:
    """Nothing of the person is left, all other rows are as before, and all records agree with files and sources."""
    assert traces(lake, VISITOR, CUSTOMER, NUMBER) == set()
    assert rows(lake) == without(before, *IDS)
    assert_at_rest(lake)
    assert wsparquet.verify(lake, against=raw).problems == []


def test_nothing_is_left_and_nothing_else_is_gone(lake: Path, raw: Path) -> None:
    """From tables, rescued values, records without a table, quarantine, and values of containers; the dry run says it.

    The search is one that finds the ids before: in parts of own and merged kinds, in quarantine and in commit records.
    """
    before = rows(lake)
    kinds = {path.split("/")[0 if path.startswith("record_type") else 1] for path in traces(lake, *IDS)}
    assert kinds >= {"record_type=geo", "record_type=navigation", "record_type=unrecognized", "quarantine", "commits"}
    files = {path: (lake / path).read_bytes() for path in files_below(lake)}
    dry = wsparquet.erase(lake, **EVERYBODY, search=raw)
    assert {path: (lake / path).read_bytes() for path in files_below(lake)} == files
    done = wsparquet.erase(lake, **EVERYBODY, search=raw, yes=True)
    gone = len(before) - len(without(before, *IDS))
    assert (sum(done.erased.rows.values()), done.erased.quarantined, done.erased.items) == (gone, 1, 1)
    assert done.erased.container_values == 1
    assert (dry.erased, dry.rewritten, dry.raw_files) == (done.erased, done.rewritten, done.raw_files)
    assert (dry.dry_run, done.dry_run, done.rewritten.sources) == (True, False, 2)
    assert [Path(each.url).name for each in done.raw_files if each.found] == [people.NAMES[0], people.NAMES[2]]
    assert_erased(lake, raw, before)
    report = json.loads(next((lake / "_wsparquet/commits").rglob(f"{people.NAMES[0][:-3]}*")).read_text())["report"]
    assert report["records"] == sum(report["rows"].values()) + report["quarantined"] + report["erased"]


def test_they_do_not_come_back(lake: Path, raw: Path, tmp_path: Path) -> None:
    """Converted again by either decoder, under other names, replayed, compacted: all rows are as after the erasure."""
    before = rows(lake)
    wsparquet.erase(lake, **EVERYBODY, yes=True)
    again = wsparquet.convert(raw, to=lake, again=True)
    assert again.left_out["erased"] == len(before) - len(without(before, *IDS)) + 1
    assert again.records == sum(again.rows.values()) + again.quarantined + again.left_out["erased"]
    assert_erased(lake, raw, before)
    other = wsparquet.convert(raw, to=lake, again=True, decoder="reference")
    assert (other.left_out, other.rows, other.items) == (again.left_out, again.rows, again.items)
    wsparquet.compact(lake, **COMPACT)
    assert_erased(lake, raw, before)
    late = tmp_path / "late"
    shutil.copytree(raw, late)
    late.joinpath(people.NAMES[0]).write_bytes(
        (raw / people.NAMES[0]).read_bytes() + (raw / people.NAMES[1]).read_bytes()
    )
    wsparquet.convert(late, to=lake)
    assert traces(lake, VISITOR, CUSTOMER, NUMBER) == set()


def test_each_kind_of_id_alone(plain: Path, raw: Path) -> None:
    """A visit goes without the visitor's other visits, and a customer with all rows of the customer's visit."""
    before = rows(plain)
    done = wsparquet.erase(plain, visits=f"{VISIT}0", yes=True)
    assert (done.ids, done.visits_of_customers) == ({"visitor": 0, "visit": 1, "customer": 0}, 0)
    # The stranger's row has the visitor's id, but not that of the visit.
    assert rows(plain) == without(before, f"{VISIT}0")
    done = wsparquet.erase(plain, customers=CUSTOMER, yes=True)
    assert (done.visits_of_customers, done.erased.rows) == (1, {"geo": 1, "engagement_attributes": 1})
    assert rows(plain) == without(before, f"{VISIT}0", f"{VISIT}of-customer")
    assert wsparquet.verify(plain, against=raw).problems == []


def test_the_ids_are_nowhere_in_certificate_list_and_output(plain: Path, tmp_path: Path) -> None:
    """Only keyed hashes of them are, so that the certificate can be kept, and lookups need the key."""
    ids = tmp_path / "ids.txt"
    # Some editors begin each file with a mark of the order of bytes.
    ids.write_text(f"visitor {VISITOR}\n# people\n\nCustomer, {CUSTOMER}\n", encoding="utf-8-sig")
    into = tmp_path / "certificate.json"
    ran = run("erase", plain, "--from", ids, "--visitor", NUMBER, "--yes", "--into", into)
    assert (ran.code, ran.err) == (0, "")
    written = into.read_text()
    certificate = json.loads(written)
    assert not any(each in ran.out + written + (plain / FILE).read_text() for each in IDS)
    assert [len(certificate["digests"][kind]) for kind in ("visitor", "visit", "customer")] == [4, 1, 2]
    assert set(certificate["digests"]["visitor"]) == set(json.loads((plain / FILE).read_text())["digests"]["visitor"])
    assert certificate["not_reached"]
    assert traces(plain, VISITOR, CUSTOMER, NUMBER) == set()


def test_a_run_without_the_key_or_with_another_is_refused(
    plain: Path, raw: Path, own_parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that could bring people back, and the comparison with sources; all else needs no key."""
    wsparquet.erase(plain, visitors=VISITOR, yes=True)
    found = rows(plain)
    runs = [
        lambda: wsparquet.convert(raw, to=plain, again=True),
        lambda: wsparquet.replay(plain, raw, again=True),
        lambda: wsparquet.verify(plain, against=raw),
        lambda: wsparquet.erase(plain, visitors="somebody else", yes=True),
        lambda: wsparquet.erase(plain),
    ]
    for value, says in ((None, "found none; set WSPARQUET_KEY"), ("ab" * 32, "fingerprint")):
        monkeypatch.delenv("WSPARQUET_KEY") if value is None else monkeypatch.setenv("WSPARQUET_KEY", value)
        for call in runs:
            with pytest.raises(OptionError, match=says) as caught:
                call()
            assert "key_file" in str(caught.value)
    assert rows(plain) == found
    assert wsparquet.verify(plain).problems == []
    assert wsparquet.compact(plain, **COMPACT).failures == ()
    key = raw.with_name("key")
    key.write_text(people.KEY)
    key.chmod(0o600)
    assert wsparquet.convert(raw, to=plain, again=True, key_file=key).left_out["erased"] > 0
    monkeypatch.delenv("WSPARQUET_KEY", raising=False)
    with pytest.raises(OptionError, match="expected a secret key"):
        wsparquet.erase(own_parts, visitors="x", yes=True)


def test_ids_that_a_policy_has_masked_by_hash_are_found(tmp_path: Path, raw: Path) -> None:
    """A column may have the keyed hash of an id instead of the id, made with the same key."""
    masked = hashed(VISITOR)
    (tmp_path / "raw").mkdir()
    text = gzip.decompress((raw / people.NAMES[0]).read_bytes()).replace(VISITOR.encode(), masked.encode())
    (tmp_path / "raw" / people.NAMES[0]).write_bytes(gzip.compress(text))
    lake = tmp_path / "lake"
    assert wsparquet.convert(tmp_path / "raw", to=lake).failed == []
    before = rows(lake)
    assert len(without(before, masked)) < len(before)
    wsparquet.erase(lake, visitors=VISITOR, yes=True)
    wsparquet.convert(tmp_path / "raw", to=lake, again=True)
    assert rows(lake) == without(before, masked)
    assert traces(lake, masked) == set()


def test_a_root_with_masks_needs_the_key_of_its_masks(
    tmp_path: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another key, or none, would find nobody, say so, and leave a list that no run could use."""
    lake = tmp_path / "lake"
    policy = wsparquet.Policy.make(masks={"visitorId": "hash", "geo.visitId": "drop"})
    assert wsparquet.convert(raw, to=lake, policy=policy).failed == []
    before = rows(lake)
    for key in ("0f" * 32, None):
        monkeypatch.delenv("WSPARQUET_KEY")
        if key is not None:
            monkeypatch.setenv("WSPARQUET_KEY", key)
        for yes in (True, False):
            with pytest.raises(DatasetError, match="expected the secret key of the root's masks"):
                wsparquet.erase(lake, visitors=VISITOR, yes=yes)
    monkeypatch.setenv("WSPARQUET_KEY", people.KEY)
    found = wsparquet.erase(lake, visitors=VISITOR, yes=True)
    masked = hashed(VISITOR)
    assert sum(found.erased.rows.values()) == len(before) - len(without(before, masked)) > 0
    assert rows(lake) == without(before, masked)
    assert found.not_reached[-1] == "rows that only `visitId` could identify, in geo: the root's masks drop it"


def test_a_customer_in_rescued_text_takes_the_visit_along(tmp_path: Path, raw: Path) -> None:
    """All rows of a visit go in which the customer was recognized, also if the id had an undocumented type."""
    (tmp_path / "raw").mkdir()
    text = gzip.decompress((raw / people.NAMES[2]).read_bytes()).decode()
    changed = text.replace(json.dumps({"string": CUSTOMER}), json.dumps({"long": 4711}))
    assert changed != text
    (tmp_path / "raw" / people.NAMES[2]).write_bytes(gzip.compress(changed.encode()))
    lake = tmp_path / "lake"
    assert wsparquet.convert(tmp_path / "raw", to=lake).failed == []
    before = rows(lake)
    found = wsparquet.erase(lake, customers="4711", yes=True)
    assert found.visits_of_customers == 1
    assert found.erased.rows["geo"] == 1
    assert rows(lake) == without(before, f"{VISIT}of-customer")


def test_the_list_is_needed_and_must_be_whole(plain: Path, raw: Path) -> None:
    """A root that requires a list that is missing or damaged is not converted into, since people would come back."""
    wsparquet.erase(plain, visitors=VISITOR, yes=True)
    good = (plain / FILE).read_bytes()
    values = json.loads(good)
    for wrong in (b"{", json.dumps(values | {"digests": {}}).encode(), json.dumps(values | {"marks": "1"}).encode()):
        (plain / FILE).write_bytes(wrong)
        with pytest.raises(DatasetError, match="expected a list of hashes"):
            wsparquet.convert(raw, to=plain)
    (plain / FILE).unlink()
    with pytest.raises(DatasetError, match="expected the list of erased people"):
        wsparquet.convert(raw, to=plain)
    assert {problem.kind for problem in wsparquet.verify(plain).problems} == {"unerased"}
    (plain / FILE).write_bytes(good)
    assert wsparquet.convert(raw, to=plain).failed == []


def test_an_attempt_that_began_before_is_made_again(plain: Path, raw: Path) -> None:
    """A conversion that has looked at the list before the erasure commits nothing of the person after it."""
    root = Root.open(plain)
    converter = Converter(root, root.commits(), ConvertOptions(again=True), ignore, expected=1)
    (source,) = expand([raw / people.NAMES[0]])
    with root.begin(fallback_day_ms=None) as attempt:
        commit = next(each for each in root.log.commits() if each.facts.source_name == people.NAMES[0])
        wsparquet.erase(plain, visitors=VISITOR, yes=True)
        current = root.log.read(commit.identity)
        with pytest.raises(ErasedMeanwhile, match="people were erased"):
            attempt.commit(commit.identity, commit.facts, expected=current)
    converter.commits = root.commits()
    outcome = converter.one(source)
    assert (outcome.kind, outcome.error) == ("committed", "")
    assert traces(plain, VISITOR) == set()
    assert_at_rest(plain)


def test_a_compaction_that_began_before_changes_nothing(plain: Path, raw: Path) -> None:
    """It may have read rows that no longer count: its day record is not written, before or after the erasure's end."""
    root = Root.open(plain)
    state = root.erased_state()
    options = CompactOptions(**COMPACT)
    planned = planned_days(root.log.counting(), options, root.schema)
    changes = [each.change(options, root.schema) for each in planned]
    before = rows(plain)
    wsparquet.erase(plain, **EVERYBODY, yes=True)
    for change in changes:
        assert change is not None
        with pytest.raises(Exception, match=r"people were erased|record_type"):
            root.replace_day(change, MergeLimits(), erased=state)
    assert_erased(plain, raw, before)


def test_files_that_would_still_wait_go_at_once(plain: Path, raw: Path) -> None:
    """``compact`` with ``keep`` leaves replaced files for a time: an erasure does not wait for it."""
    before = rows(plain)
    wsparquet.compact(plain, keep=timedelta(days=1), **COMPACT)
    wsparquet.compact(plain, keep=timedelta(days=1), **COMPACT)
    assert len(traces(plain, VISITOR)) > 8
    wsparquet.erase(plain, **EVERYBODY, yes=True)
    assert_erased(plain, raw, before)


def test_leftovers_of_killed_runs_go_too(plain: Path, raw: Path) -> None:
    """Stray parts and quarantine files, and files of dead attempts, have rows of people as well."""
    before = rows(plain)
    for path in [each for each in files_below(plain) if each.startswith(("record_type=geo", "_wsparquet/quarantine"))]:
        stray = re.sub(r"\.[0-9a-f]{16}\.", f".{'0' * 16}.", path)
        shutil.copy(plain / path, plain / stray)
    temporary = plain / "_wsparquet/tmp/0123456789abcdef"
    temporary.mkdir()
    (temporary / "part").write_text(VISITOR)
    done = wsparquet.erase(plain, **EVERYBODY, yes=True)
    assert done.strays > 2
    assert_erased(plain, raw, before)


def test_a_published_root_forgets_older_snapshots(lake: Path, raw: Path) -> None:
    """Each table has one snapshot, and no file of an older one is left, whatever the publication keeps."""
    pytest.importorskip("pyiceberg")
    from tests.iceberg.helpers import published

    wsparquet.publish(lake, keep=timedelta(days=30))
    wsparquet.convert(raw, to=lake, again=True)
    before = rows(lake)
    assert len(published(str(lake), "geo").metadata.snapshots) == 2
    done = wsparquet.erase(lake, **EVERYBODY, yes=True)
    assert done.published
    assert traces(lake, VISITOR, CUSTOMER, NUMBER) == set()
    assert rows(lake) == without(before, *IDS)
    assert wsparquet.verify(lake, against=raw).problems == []
    for table in ("geo", "navigation", "unrecognized"):
        found = published(str(lake), table)
        assert len(found.metadata.snapshots) == 1
        assert found.scan().to_arrow().num_rows == len([row for row in rows(lake) if row.startswith(f"{table} ")])
        folder = lake / f"_wsparquet/iceberg/{table}/metadata"
        assert len([*folder.glob("*.metadata.json")]) == 1
        assert len([*folder.glob("snap-*.avro")]) == 1


def test_an_erasure_without_ids_finishes_one_that_was_interrupted(plain: Path, raw: Path) -> None:
    """``verify`` says that it is needed; it also finds rows that a restored file has brought back."""
    before = rows(plain)
    values = {path: (plain / path).read_bytes() for path in files_below(plain)}
    wsparquet.erase(plain, **EVERYBODY, yes=True)
    for path in [each for each in files_below(plain) if each.startswith(("record_type", "_wsparquet/commits"))]:
        (plain / path).unlink()
    for path, data in values.items():
        if path.startswith(("record_type", "_wsparquet/commits", "_wsparquet/quarantine")):
            (plain / path).write_bytes(data)
    listed = json.loads((plain / FILE).read_text())
    (plain / FILE).write_text(json.dumps(listed | {"unfinished": True}))
    assert {problem.kind for problem in wsparquet.verify(plain).problems} == {"unerased"}
    assert sum(wsparquet.erase(plain).erased.rows.values()) == len(before) - len(without(before, *IDS))
    wsparquet.erase(plain, visitors="somebody else", yes=True)
    assert_erased(plain, raw, before)


def test_bloom_filters_and_statistics_save_reading(day_parts: Path) -> None:
    """Parts that cannot have the visitor are not read, if no text of their sources was rescued."""
    found = wsparquet.erase(day_parts, visitors="nobody at all")
    skipped = ("record_type=navigation", "record_type=engagement_attributes")
    assert found.looked_at.skipped == sum(path.startswith(skipped) for path in files_below(day_parts)) > 2
    assert found.erased.rows == {}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, "expected the id of"),
        ({"visitors": [""]}, "empty"),
        ({"visits": [7]}, "text"),
        ({"from_file": "nowhere.txt"}, "No such file"),
        ({"visitors": "x", "yes": 1}, "True or False"),
    ],
)
def test_wrong_parameters_change_nothing(own_parts: Path, wrong: dict[str, object], says: str) -> None:
    """Each is refused, and names its parameter."""
    with pytest.raises(OptionError, match=says):
        wsparquet.erase(own_parts, **wrong)  # type: ignore[arg-type]
    assert not (own_parts / FILE).exists()


def test_a_line_of_the_file_that_is_no_id_is_not_shown(own_parts: Path, tmp_path: Path) -> None:
    """The error has the number of the line, because the line may be an id."""
    (tmp_path / "ids").write_text(f"visitor x\n{VISITOR}\n")
    with pytest.raises(OptionError, match="line 2") as caught:
        wsparquet.erase(own_parts, from_file=tmp_path / "ids")
    assert VISITOR not in str(caught.value)


# --- Kills ------------------------------------------------------------------------------------------------------------


STEPS = {"erase": (260, 430), "expire": (140, 170)}
"""A few more steps than the work has with own parts and with day parts, so that the last ones are not killed at all."""


@pytest.mark.parametrize("work", ["erase", "expire"])
def test_killed_before_any_step_and_done_again_a_root_ends_right(
    own_parts: Path, day_parts: Path, raw: Path, tmp_path: Path, work: str
) -> None:
    """Between any two changes of the disk: no other row is lost or doubled, and a second run ends it."""
    before = rows(own_parts)
    shutil.copytree(own_parts, tmp_path / "undisturbed")
    workload.WORKS[work](Root.open(tmp_path / "undisturbed"))
    after = rows(tmp_path / "undisturbed")
    assert 0 < len(after) < len(before)
    templates = list(zip((own_parts, day_parts), STEPS[work], strict=True))
    for template, most in scaled(templates, templates[1:]):
        steps = range(1, most, scaled(1, most // 6))
        roots = [tmp_path / template.name / str(step) for step in steps]
        for root in roots:
            shutil.copytree(template, root)
        command = [sys.executable, "-m", "tests.erasure.workload", "steps", work, steps.start, steps.step, *roots]
        with subprocess.Popen(
            [*map(str, command)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, env=os.environ
        ) as process:
            outcomes = [line(process) for _ in roots]
        assert outcomes[0] == "1 killed"
        assert outcomes[-1] == f"{steps[-1]} 0"
        killed = [root for root, outcome in zip(roots, outcomes, strict=True) if outcome.endswith("killed")]
        assert len(killed) >= scaled(60, 2)
        for root in killed:
            found = rows(root)
            assert set(after) <= set(found) <= set(before)
            assert len(found) == len(set(found))
            workload.WORKS[work](Root.open(root))
            assert rows(root) == after
            assert_at_rest(root)
            if work == "erase":
                assert traces(root, VISITOR, CUSTOMER, NUMBER) == set()
        assert wsparquet.verify(killed[-1], against=raw).problems == []
