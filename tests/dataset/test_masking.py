"""A root keeps its policy of masks: each later run applies it, and a run with another policy or key is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import wsparquet
from tests.cli.program import run
from tests.distributed.jobs import run_job
from tests.synchronisation.lake import server, sync
from wsparquet import Policy, SecretKey
from wsparquet.conversion.options import ConvertOptions
from wsparquet.dataset import Access, Root
from wsparquet.distributed import plan_conversion, plan_replay, plan_verify
from wsparquet.errors import DatasetError, OptionError, SchemaError
from wsparquet.generate import GenerateOptions, generate

KEY = "00112233445566778899aabbccddeeff"
POLICY = Policy.make({"visitorId": "hash", "geo.iPV4": "drop"})


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two sources, with defects."""
    folder = tmp_path_factory.mktemp("raw")
    generate(folder, GenerateOptions(files=2, records=60, seed=3, defects=True))
    return folder


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret key in the environment."""
    monkeypatch.setenv("WSPARQUET_KEY", KEY)


def visitors(lake: Path | str) -> set[str]:
    """The visitors in all tables of a root."""
    dataset = wsparquet.open_dataset(lake)
    found = (dataset.table(table).to_table(columns=["visitorId"])["visitorId"].to_pylist() for table in dataset.tables)
    return {each for some in found for each in some if each is not None}


def hashed(raw: Path) -> set[str]:
    """The hashes of all visitors in sources."""
    tables = wsparquet.read(raw, on_quarantined=lambda _: None).values()
    ids = {each for table in tables for each in table["visitorId"].to_pylist() if each is not None}
    assert ids
    return {SecretKey(bytes.fromhex(KEY)).digest(each.encode()) for each in ids}


def convert(raw: Path, lake: Path, **options: Any) -> wsparquet.Summary:
    """A conversion in which nothing fails."""
    return wsparquet.convert(raw, to=lake, **options).raise_for_failures()


@pytest.mark.usefixtures("key")
def test_the_policy_is_in_the_root_and_the_key_is_not(raw: Path, tmp_path: Path) -> None:
    """`root.json` has the rules, their hash, and the fingerprint of the key, and requires the feature `masked`."""
    convert(raw, tmp_path / "lake", policy=POLICY)
    text = (tmp_path / "lake/_wsparquet/root.json").read_text()
    values = json.loads(text)
    assert values["requires"] == ["masked"]
    assert values["masking"]["policy_hash"] == POLICY.hash
    assert values["masking"]["policy"] == POLICY.to_json()
    assert values["masking"]["key_fingerprint"] == SecretKey(bytes.fromhex(KEY)).fingerprint
    assert KEY not in text
    assert visitors(tmp_path / "lake") == hashed(raw)


@pytest.mark.usefixtures("key")
def test_later_runs_apply_the_policy_without_being_told(raw: Path, tmp_path: Path) -> None:
    """A later conversion, a redo, a replay, and tasks on other machines give the rows of one masked conversion."""
    lake, (first, second) = tmp_path / "lake", sorted(raw.iterdir())
    convert(first, lake, policy=POLICY)
    convert(second, lake)
    assert visitors(lake) == hashed(raw)
    assert convert(first, lake, again=True).replaced
    assert wsparquet.replay(lake, raw, again=True).raise_for_failures().committed
    assert visitors(lake) == hashed(raw)
    assert run_job(plan_conversion(raw, to=tmp_path / "other", policy=POLICY, workers=2)).committed
    assert visitors(tmp_path / "other") == hashed(raw)
    assert run_job(run_job(plan_replay(tmp_path / "other", raw, again=True))).committed
    assert visitors(tmp_path / "other") == hashed(raw)
    for root in (lake, tmp_path / "other"):
        assert wsparquet.verify(root, against=raw).raise_for_failures().compared_rows
        assert run_job(plan_verify(root, against=raw)).problems == []


def test_tasks_get_the_key_of_the_driver(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in a file of the driver is sent with the tasks, whose machines have neither file nor variable."""
    monkeypatch.delenv("WSPARQUET_KEY", raising=False)
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    job = plan_conversion(raw, to=tmp_path / "lake", policy=POLICY, key_file=file, workers=2)
    file.unlink()
    assert len(run_job(job).raise_for_failures().committed) == 2
    assert visitors(tmp_path / "lake") == hashed(raw)


@pytest.mark.usefixtures("key")
def test_a_synchronization_applies_the_policy(tmp_path: Path) -> None:
    """The first run creates the root with the policy, and the second one applies it to newer files."""
    with server() as emulator:
        found = sync(
            tmp_path / "lake", emulator, raw=str(tmp_path / "raw"), convert=ConvertOptions(jobs=1, policy=POLICY)
        )
        assert not found.converted.failures
        wsparquet.remove(tmp_path / "lake", found.converted.committed[:1], yes=True)
        assert len(sync(tmp_path / "lake", emulator).converted.committed) == 1
    assert visitors(tmp_path / "lake") == hashed(tmp_path / "raw")


@pytest.mark.usefixtures("key")
def test_a_run_with_another_policy_is_refused(raw: Path, tmp_path: Path) -> None:
    """Each entrance says where the policies differ and what to do; the same policy from elsewhere is fine."""
    lake = tmp_path / "lake"
    convert(raw, lake, policy=POLICY)
    before = sorted(path.name for path in lake.rglob("*"))
    other = Policy.make({"visitorId": "hash", "geo.iPV4": "truncate"})
    for attempt in (
        lambda: wsparquet.convert(raw, to=lake, policy=other),
        lambda: wsparquet.convert(raw, to=lake, policy=other, dry_run=True),
        lambda: wsparquet.replay(lake, raw, policy=other),
        lambda: plan_conversion(raw, to=lake, policy=other),
        lambda: plan_replay(lake, raw, policy=other),
    ):
        with pytest.raises(DatasetError, match=r"differs at geo\.iPV4; leave out `policy`.*new root"):
            attempt()
    with pytest.raises(DatasetError, match="the other text"):
        wsparquet.convert(raw, to=lake, policy=Policy(POLICY.masks, quarantine="keep"))
    assert sorted(path.name for path in lake.rglob("*")) == before
    assert convert(raw, lake, policy=Policy.make({"geo.iPV4": "drop", "$.visitorId": "hash"})).skipped


@pytest.mark.usefixtures("key")
def test_a_policy_for_a_root_without_one_is_refused(raw: Path, tmp_path: Path) -> None:
    """Its rows were not masked, so the remedy is a new root."""
    convert(raw, tmp_path / "lake")
    with pytest.raises(DatasetError, match=r"expected no policy.*new root"):
        wsparquet.convert(raw, to=tmp_path / "lake", policy=POLICY)


@pytest.mark.parametrize("other", [None, "ff" * 16])
def test_a_run_without_the_key_is_refused(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str | None
) -> None:
    """With no key or another one, every run that decodes is refused; reading the root needs no key."""
    monkeypatch.setenv("WSPARQUET_KEY", KEY)
    lake = tmp_path / "lake"
    convert(raw, lake, policy=POLICY)
    monkeypatch.delenv("WSPARQUET_KEY")
    if other:
        monkeypatch.setenv("WSPARQUET_KEY", other)
    fingerprint = SecretKey(bytes.fromhex(KEY)).fingerprint
    for attempt in (
        lambda: wsparquet.convert(raw, to=lake),
        lambda: wsparquet.convert(raw, to=lake, policy=POLICY),
        lambda: wsparquet.replay(lake, raw),
        lambda: wsparquet.verify(lake, against=raw),
        lambda: plan_conversion(raw, to=lake),
        lambda: plan_verify(lake, against=raw),
    ):
        with pytest.raises(DatasetError, match=f"fingerprint {fingerprint}, found .*WSPARQUET_KEY") as error:
            attempt()
        assert KEY not in str(error.value)
    assert wsparquet.verify(lake).problems == []
    assert not wsparquet.compact(lake, min_files=2).failures
    if other is None:
        for dry_run in (False, True):
            with pytest.raises(OptionError, match="openssl rand -hex 32"):
                wsparquet.convert(raw, to=tmp_path / "new", policy=POLICY, dry_run=dry_run)
        assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("key")
def test_two_runs_that_create_a_root_agree_on_its_policy(tmp_path: Path) -> None:
    """The run that comes second with another policy commits nothing, because its rows are masked otherwise."""
    from tests.dataset.helpers import IDENTITY, facts, make_rows

    one = Root.open_to_write(tmp_path / "lake", access=Access(policy=POLICY, key=SecretKey(bytes.fromhex(KEY))))
    other = Root.open_to_write(tmp_path / "lake")
    with one.begin(fallback_day_ms=None) as first, other.begin(fallback_day_ms=None) as second:
        for attempt in (first, second):
            attempt.write("geo", make_rows("geo", 5))
        first.commit(IDENTITY, facts(), expected=None)
        with pytest.raises(DatasetError, match="another policy or key"):
            second.commit(IDENTITY, facts(), expected=None)
    assert len(one.commits()) == 1


@pytest.mark.usefixtures("key")
def test_a_damaged_policy_in_the_root_is_refused(raw: Path, tmp_path: Path) -> None:
    """A policy that does not fit its hash was changed by hand, and software without the feature refuses the root."""
    lake = tmp_path / "lake"
    convert(raw, lake, policy=POLICY)
    file = lake / "_wsparquet/root.json"
    values = json.loads(file.read_text())
    del values["masking"]["policy"]["masks"]["geo.iPV4"]
    file.write_text(json.dumps(values))
    with pytest.raises(DatasetError, match="a policy that fits policy_hash"):
        wsparquet.convert(raw, to=lake)
    file.write_text(json.dumps(values | {"masking": None, "requires": ["masked", "unheard of"]}))
    with pytest.raises(SchemaError, match="unheard of"):
        wsparquet.convert(raw, to=lake)


@pytest.mark.usefixtures("key")
def test_masks_on_the_command_line(raw: Path, tmp_path: Path) -> None:
    """A file, presets and single masks make one policy, and errors name the flags."""
    lake, file = tmp_path / "lake", tmp_path / "policy.toml"
    file.write_text('[masks]\n"geo.iPV4" = "drop"\n')
    arguments = ("--policy", file, "--mask", "visitorId=hash", "--mask", "geo.city=redact")
    assert run("convert", raw, "--to", lake, *arguments).code == 3
    policy = Policy.make({"visitorId": "hash", "geo.city": "redact"}, file=file)
    assert Root.open(lake, create=False).version.masking.policy == policy
    assert run("convert", raw, "--to", lake).code == 0
    refused = run("convert", raw, "--to", lake, "--mask-pii")
    assert (refused.code, "leave out --policy" in refused.err) == (1, True)
    assert "--mask: " in run("convert", raw, "--to", tmp_path / "x", "--mask", "email=hash").err
    assert "PATH=ACTION" in run("convert", raw, "--to", tmp_path / "x", "--mask", "email").err
    assert "one action" in run("convert", raw, "--to", tmp_path / "x", "--mask", "geo=drop", "--mask", "geo=hash").err
    shutil.copytree(lake, tmp_path / "copy")
    assert run("verify", tmp_path / "copy", raw).code == 0


def test_masks_and_an_extension_exclude_each_other(raw: Path, tmp_path: Path) -> None:
    """No policy knows the columns of an extension, so neither a root nor a call of `read` has both."""
    file, policy = tmp_path / "more.toml", Policy.make({"geo.iPV4": "drop"})
    file.write_text('[structs.Navigation.fields.title]\ntype = "string"\n')
    source = min(raw.iterdir())
    convert(source, tmp_path / "masked", policy=policy, decoder="reference")
    with pytest.raises(DatasetError, match="expected a root without masks"):
        wsparquet.extend(tmp_path / "masked", file)
    wsparquet.extend(tmp_path / "extended", file)
    with pytest.raises(DatasetError, match="expected no policy"):
        wsparquet.convert(source, to=tmp_path / "extended", policy=policy)
    with pytest.raises(OptionError, match="found both"):
        wsparquet.read(source, policy=policy, extension=file)
