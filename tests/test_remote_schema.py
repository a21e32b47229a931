"""wsparquet/remote_schema: how a published schema differs from ours."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import api_environment, run
from wsparquet.emulator import EmulatorOptions, serving
from wsparquet.emulator.answers import own_schema
from wsparquet.errors import SchemaError
from wsparquet.remote_schema import compare_schema


def record(schema: Any, name: str) -> dict[str, Any]:
    """The Avro record of a table."""
    found = next(each for each in schema if each["name"] == name)
    assert isinstance(found, dict)
    return found


def changed(change: Any) -> list[dict[str, Any]]:
    """Our schema with a change."""
    schema = copy.deepcopy(own_schema())
    change(schema)
    return schema


def test_our_own_schema_is_the_same() -> None:
    """All tables are found in it, and nothing differs."""
    found = compare_schema(own_schema())
    assert len(found.tables) == 7
    assert found.fields > 200
    assert found.differences == ()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda schema: {"schema": schema},
        lambda schema: {"schemas": [{"id": 1, "schema": json.dumps(each)} for each in schema]},
        json.dumps,
    ],
)
def test_however_it_is_wrapped(wrap: Any) -> None:
    """In an object, in text, in a list of texts."""
    assert compare_schema(wrap(own_schema())).differences == ()


def test_a_new_field_is_the_servers_only() -> None:
    """A field that we do not know is named with its type."""
    new = {"name": "brandNew", "type": ["null", "string"]}
    found = compare_schema(changed(lambda schema: record(schema, "geo")["fields"].append(new)))
    assert [(each.kind, each.table, each.server, each.ours) for each in found.differences] == [
        ("server_only", "geo", "string", None)
    ]
    assert "brandNew" in found.differences[0].path


def test_a_missing_field_is_ours_only() -> None:
    """A field that the server does not have is named."""

    def drop(schema: Any) -> None:
        fields = record(schema, "geo")["fields"]
        fields[:] = [field for field in fields if field["name"] != "country"]

    (found,) = compare_schema(changed(drop)).differences
    assert (found.kind, found.table, found.path.rpartition(".")[2]) == ("ours_only", "geo", "country")


def test_another_type_is_said_with_both() -> None:
    """A field of another type has both types in the difference."""

    def change(schema: Any) -> None:
        for field in record(schema, "geo")["fields"]:
            if field["name"] == "country":
                field["type"] = ["null", "long"]

    (found,) = compare_schema(changed(change)).differences
    assert (found.kind, found.server, found.ours) == ("type", "long", "string")


@pytest.mark.parametrize(
    "answer", [None, 3, "x", [], {}, {"type": "record"}, {"fields": 1, "type": "record"}, [[[[]]]]]
)
def test_what_is_no_schema_is_an_error(answer: Any) -> None:
    """Without any record there is nothing to compare, which is said."""
    with pytest.raises(SchemaError, match="Avro records"):
        compare_schema(answer)


def test_the_command_prints_and_compares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published schema goes to standard output as it is; --diff says what differs by its exit code."""
    new = {"name": "brandNew", "type": "string"}
    schema = changed(lambda found: record(found, "geo")["fields"].append(new))
    with serving(EmulatorOptions(hours=1)) as same, serving(EmulatorOptions(hours=1, schema=schema)) as other:
        for emulator, code in ((same, 0), (other, 1)):
            for name, value in api_environment(emulator).items():
                monkeypatch.setenv(name, value)
            printed = run("schema", "--remote", "--account", "75555851")
            assert (printed.code, json.loads(printed.out)) == (0, schema if code else own_schema())
            compared = run("schema", "--remote", "--diff", "--account", "75555851")
            assert (compared.code, "brandNew" in compared.out) == (code, bool(code))
            (tmp_path / "saved.json").write_text(printed.out)
            saved = run("schema", "--from", tmp_path / "saved.json", "--diff", "--output", "json")
            assert (saved.code, len(saved.json["differences"])) == (code, code)


@pytest.mark.parametrize(
    "arguments", [["--diff"], ["--remote"], ["geo", "--remote", "--account", "1"], ["--remote", "--from", __file__]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    """What cannot be meant is wrong usage."""
    assert run("schema", *arguments).code == 2
