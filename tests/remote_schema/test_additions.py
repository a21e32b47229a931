"""What is proposed from the schema that the server publishes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from tests.cli.program import run
from wsparquet.remote_schema import propose_additions
from wsparquet.schema.extended import extended
from wsparquet.schema.extension import parse_extension


def record(name: str, **fields: Any) -> dict[str, Any]:
    """A record of Avro."""
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields.items()]}


def published() -> dict[str, Any]:
    """A later version of the source's schema."""
    header = record("VisitorHeader", visitId="string", appId=["null", "string"])
    point = record("Point", x="double", y=["null", "float"])
    page = record(
        "Navigation",
        url="string",
        title=["null", "string"],
        loadTime=["null", "long"],
        clicks={"type": "array", "items": point},
        kind={"type": "enum", "name": "PageKind", "symbols": ["HOME"]},
        odd=["int", "string"],
        more={"type": "map", "values": "string"},
    )
    survey = record("SurveyAnswer", question="string", score="int")
    attribute = record("EngAttr", timestamp="long", data=["null", survey])
    bodies = [
        record("WebSessionNavigationData", header=header, navigationData={"type": "array", "items": page}),
        record(
            "WebSessionEngAttrsData", header="VisitorHeader", engagementAttributes={"type": "array", "items": attribute}
        ),
        record(
            "WebSessionCobrowseData",
            header="VisitorHeader",
            cobrowse={"type": "array", "items": record("Cobrowse", mode="string")},
        ),
    ]
    return record("Envelope", recordCollection={"type": "array", "items": record("Item", body=bodies)})


def test_new_fields_branches_and_tables_are_proposed_with_their_types() -> None:
    """Types are those of Avro; what has no column is said; documented differences are not proposed."""
    found = propose_additions(published())
    values = tomllib.loads(found.text)
    fields = values["structs"]["Navigation"]["fields"]
    assert {name: each["type"] for name, each in fields.items()} == {
        "title": "string",
        "loadTime": "long",
        "clicks": "list of struct",
        "kind": "string",
    }
    assert fields["clicks"]["fields"] == {"x": "double", "y": "double"}
    assert values["structs"]["Header"]["fields"]["appId"]["type"] == "string"
    assert values["unions"]["data"]["surveyAnswer"]["fields"] == {"question": "string", "score": "int"}
    assert values["tables"]["cobrowse"]["fields"] == {"mode": "string"}
    assert [each.partition(":")[0] for each in found.left_out] == ["Navigation, odd (0)", "Navigation, more (0)"]
    assert "# from the published schema\n" in found.text
    assert extended(parse_extension(found.text)).hash is not None


def test_enums_keep_their_symbols_and_all_keep_their_descriptions() -> None:
    """A text gets the values of the enum; a list, and a text that may be another, has them in its description."""
    kind = {"type": "enum", "name": "Kind", "symbols": ["HOME", "CART"], "doc": "The kind of a page."}
    page = record(
        "Navigation",
        kind=["null", kind],
        other="Kind",
        kinds={"type": "array", "items": "Kind"},
        free=["string", "Kind"],
        place=record("Place", kind=kind, plain="int"),
    )
    page["fields"][1]["doc"] = 'The "other" kind.'
    body = record("WebSessionNavigationData", navigationData={"type": "array", "items": page})
    probe = {**record("ProbeData", probe={"type": "array", "items": record("Probe", kind="Kind")}), "doc": "Probes."}
    found = propose_additions(record("Item", body=[body, probe]))
    values = tomllib.loads(found.text)
    fields = values["structs"]["Navigation"]["fields"]
    enum = {"type": "string", "values": ["HOME", "CART"], "doc": "The kind of a page."}
    assert fields["kind"] == fields["place"]["fields"]["kind"] == enum
    assert fields["other"] == {**enum, "doc": 'The "other" kind.'}
    assert fields["kinds"] == {"type": "list of string", "doc": "Values: HOME, CART."}
    assert fields["free"] == {"type": "string", "doc": "The kind of a page. Values: HOME, CART."}
    assert fields["place"]["fields"]["plain"] == "int"
    assert (values["tables"]["probe"]["doc"], values["tables"]["probe"]["fields"]) == ("Probes.", {"kind": enum})
    assert extended(parse_extension(found.text)).hash is not None


def test_further_values_of_documented_enums_are_proposed() -> None:
    """Only values that the documentation lacks. A field that the documentation does not call an enum gets none."""
    device = {"type": "enum", "name": "Device", "symbols": ["DESKTOP", "WATCH"]}
    city = {"type": "enum", "name": "City", "symbols": ["BERLIN"]}
    bodies = [
        record("WebSessionSessionInfoData", sessionInfo=record("SessionInfo", deviceFamily=device)),
        record("WebSessionGeoData", geo=record("GEO", city=city)),
    ]
    structs = tomllib.loads(propose_additions(record("Item", body=bodies)).text)["structs"]
    assert structs == {"Session Info": {"fields": {"deviceFamily": {"values": ["WATCH"]}}}}


def test_what_no_extension_can_add_is_left_out_with_the_reason() -> None:
    """Fields beside the body, and types that contradict each other in two records of the same struct."""
    one, other = (
        record(name, pageId="string", more=kind) for name, kind in (("Engagement", "int"), ("Engagement", "string"))
    )
    one["name"] = other["name"] = "Engagement"
    bodies = [
        record("WebSessionImpressionData", impressions={"type": "array", "items": record("I", engagement=one)}),
        record(
            "WebSessionEligibilityData",
            eligibilityData={
                "type": "array",
                "items": record(
                    "E",
                    eligibleCampaigns={
                        "type": "array",
                        "items": record("C", engagements={"type": "array", "items": other}),
                    },
                ),
            },
        ),
    ]
    found = propose_additions(record("Item", body=bodies, stamp="long"))
    assert "$record.stamp (0): no extension can add it; published as long" in found.left_out
    assert any(line.startswith("Engagement, more (0): published as int and as string") for line in found.left_out)


def test_headers_of_new_bodies_are_read() -> None:
    """A field that only the header of a new body has is proposed for all headers."""
    header = record("ProbeHeader", visitId="string", theme="string")
    body = record("ProbeData", header=header, probe={"type": "array", "items": record("Probe", x="int")})
    values = tomllib.loads(propose_additions({"all": [published(), record("Item", body=[body])]}).text)
    assert values["tables"]["probe"]["fields"] == {"x": "int"}
    assert values["structs"]["Header"]["fields"].keys() == {"appId", "theme"}


def test_records_may_contain_themselves() -> None:
    """A recursive record has no columns; the other fields of its record have."""
    node = record("Node", value="int", next=["null", "Node"])
    page = record("Navigation", url="string", tree=node, title="string")
    body = record("WebSessionNavigationData", navigationData={"type": "array", "items": page})
    found = propose_additions(record("Item", body=[body]))
    assert tomllib.loads(found.text)["structs"]["Navigation"]["fields"]["title"]["type"] == "string"


def test_the_command_prints_the_file(tmp_path: Path) -> None:
    """`schema --from FILE --additions` prints TOML; the option needs a schema of the server."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(published()))
    ran = run("schema", "--from", path, "--additions")
    assert (ran.code, ran.err) == (0, "")
    assert "cobrowse" in tomllib.loads(ran.out)["tables"]
    assert run("schema", "--additions").code == 2
    assert run("schema", "--from", path, "--additions", "--diff").code == 2
