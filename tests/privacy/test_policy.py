"""The policy of masks: what a file, presets and single masks say together, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.guides.pages import blocks
from wsparquet.errors import OptionError
from wsparquet.privacy.columns import all_columns, columns_at
from wsparquet.privacy.policy import Policy
from wsparquet.schema import TABLES
from wsparquet.schema.personal import personal_data

EMAIL = "engagementAttributes.data.personalInfo.contacts.email"


def masks(*pairs: tuple[str, str], **more: object) -> dict[str, str]:
    """The masked columns of a policy by table and path."""
    return dict(Policy.make(dict(pairs), **more).masks)  # type: ignore[arg-type]


def test_a_path_is_that_of_one_table_or_of_each_table_that_has_it() -> None:
    """With a table, without one, as reports write it, and of a struct, which means all columns in it."""
    assert masks(("geo.iPV4", "hash")) == {"geo.iPV4": "hash"}
    assert masks(("visitorId", "drop")) == {f"{table}.visitorId": "drop" for table in TABLES}
    path = "$.engagementAttributes[*].data.personalInfo.contacts[*].email"
    assert masks((path, "hash")) == {f"engagement_attributes.{EMAIL}": "hash"}
    contacts = masks(("engagementAttributes.data.personalInfo.contacts", "drop"))
    assert {path.rpartition(".")[2] for path in contacts} == {"email", "phone"}


def test_no_column_has_the_name_of_a_table() -> None:
    """So the first name of a path says whether the path begins with a table."""
    assert not {column.steps[0] for column in all_columns().values()} & {*TABLES}


@pytest.mark.parametrize("reverse", [False, True])
def test_the_more_specific_path_wins_in_any_order(reverse: bool) -> None:
    """A path with a table wins over one without, and a longer path over a shorter one."""
    info = "engagementAttributes.data.personalInfo"
    pairs = [("visitorId", "hash"), ("geo.visitorId", "drop"), (f"{info}.contacts", "drop"), (EMAIL, "hash")]
    found = masks(*(reversed(pairs) if reverse else pairs))
    assert (found["geo.visitorId"], found["navigation.visitorId"]) == ("drop", "hash")
    assert found[f"engagement_attributes.{EMAIL}"] == "hash"
    assert found[f"engagement_attributes.{info}.contacts.phone"] == "drop"


def test_a_file_adds_to_its_presets_and_single_masks_win(tmp_path: Path) -> None:
    """Keys may have quotes or not; the settings of other text are read; `keep` exempts from a preset."""
    file = tmp_path / "policy.toml"
    file.write_text(
        'presets = ["network"]\nquarantine = "keep"\n[masks]\nvisitorId = "hash"\ngeo.city = "drop"\n'
        '"geo.iPV4" = "keep"\n'
    )
    policy = Policy.make({"geo.city": "redact"}, file=file)
    found = dict(policy.masks)
    assert (found["geo.city"], found["geo.iPV6"], "geo.iPV4" in found) == ("redact", "truncate", False)
    assert (policy.quarantine, policy.record, policy.values) == ("keep", "drop", "drop")


def test_presets_follow_the_classes_of_columns() -> None:
    """`pii` masks each identifying column and free text, `network` each address and URL, and both nothing else."""
    pii, network = masks(presets=["pii"]), masks(presets=["network"])
    for line in personal_data().values():
        name = f"{line.table}.{line.path}"
        kept_text = line.path in {"record", "rescued"}
        assert (name in pii) == (line.personal in {"direct", "pseudonymous", "text"} and not kept_text)
        assert (network.get(name) == "truncate") == bool(line.truncate)
        if name in pii and line.personal != "text":
            assert pii[name] == ("hash" if pa.types.is_string(all_columns()[name].type) else "drop")


def test_equal_policies_have_equal_hashes_wherever_they_come_from(tmp_path: Path) -> None:
    """From a file or from masks; and the JSON form, which `root.json` has, gives the policy back."""
    file = tmp_path / "policy.toml"
    file.write_text("[masks]\n" + "".join(f'{table}.visitorId = "hash"\n' for table in TABLES))
    one, other = Policy.make(file=file), Policy.make({"$.visitorId": "hash"})
    assert one == other
    assert one.hash == other.hash != Policy.make({"visitorId": "drop"}).hash
    assert one.hash != Policy.make({"visitorId": "hash"}, values="keep").hash
    assert Policy.from_json(one.to_json()) == one
    assert (one.needs_key, Policy.make({"visitorId": "drop"}).needs_key) == (True, False)


@pytest.mark.parametrize(
    ("path", "action", "words"),
    [
        ("email", "hash", f"did you mean {EMAIL}?"),
        ("geo.ipv4", "drop", "did you mean geo.iPV4?"),
        ("navigation.url", "drop", "navigationData.url"),
        ("nothing", "drop", "wsparquet schema"),
        ("", "drop", "found ''"),
        ("visitorId", "mask", "keep, drop, hash, truncate, redact"),
        ("source_file", "drop", "identifies rows"),
        ("metaData.accountId", "hash", "identifies rows"),
        ("sessionStartTime", "drop", "partition"),
        ("date", "drop", "identifies rows"),
        ("engagementAttributes.data.cart.total", "hash", "expected drop for .*which is double"),
        ("geo.city", "truncate", "only columns with IP addresses and URLs"),
        ("rescued", "hash", "expected drop for .*text with JSON"),
    ],
)
def test_what_is_refused_says_what_fits(path: str, action: str, words: str) -> None:
    """An unknown path has near names, and a column that an action does not suit says which do."""
    with pytest.raises(OptionError, match=words):
        Policy.make({path: action})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("masks = 5", "expected paths with actions below masks, found 5"),
        ("[masks]\nvisitorId = 5", "for visitorId, found 5"),
        ("[mask]\nvisitorId = 'hash'", "did you mean masks"),
        ("presets = 'pii'", "a list of names"),
        ("presets = ['pia']", "did you mean pii"),
        ("quarantine = 'hash'", "keep, drop"),
        ("[masks", "readable TOML"),
        ("[masks]\nvisitor = 'hash'", "did you mean"),
    ],
)
def test_a_file_that_is_no_policy_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """A wrong file says what was expected; a missing one, too."""
    file = tmp_path / "policy.toml"
    file.write_text(text)
    with pytest.raises(OptionError, match=words):
        Policy.make(file=file)
    with pytest.raises(OptionError, match="No such file"):
        Policy.make(file=tmp_path / "missing.toml")


def test_the_file_on_the_page_is_a_policy(tmp_path: Path) -> None:
    """The TOML of the how-to page can be used as it stands."""
    (block,) = blocks("how-to/masks.md", "toml")
    (tmp_path / "policy.toml").write_text(block.text)
    policy = Policy.make(file=tmp_path / "policy.toml")
    assert (dict(policy.masks)["geo.city"], "geo.visitId" in dict(policy.masks)) == ("drop", False)


def test_columns_of_a_policy_must_have_tables() -> None:
    """A policy that is made by hand is checked, too."""
    with pytest.raises(OptionError, match=r"Policy\.make"):
        Policy((("visitorId", "hash"),))
    assert [column.name for column in columns_at("geo.iPV4")] == ["geo.iPV4"]
