"""What `wsparquet schema` prints for each table and form; what the server publishes, and how it differs."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import api_environment, run
from wsparquet.emulator import Emulator, EmulatorOptions, serving
from wsparquet.emulator.answers import own_schema
from wsparquet.render import EXTENSIONS, FORMS
from wsparquet.schema import TABLES

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("table", TABLES)
def test_a_table_in_a_form_is_the_file_in_schemas(table: str, form: str) -> None:
    """Every table in every form is what `schemas/` holds, to the byte."""
    ran = run("schema", table, "--as", form)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (SCHEMAS / form / f"{table}.{EXTENSIONS[form]}").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_no_table_is_all_tables(form: str) -> None:
    """Without a table all are printed: JSON as one object by table, text one after the other."""
    ran = run("schema", "--as", form)
    assert (ran.code, ran.err) == (0, "")
    parts = {table: run("schema", table, "--as", form).out for table in TABLES}
    if EXTENSIONS[form] in {"json", "avsc"}:
        assert json.loads(ran.out) == {table: json.loads(text) for table, text in parts.items()}
    else:
        assert ran.out == "\n".join(parts.values())


def test_arrow_is_the_default() -> None:
    """Without `--as` the Arrow schema is printed."""
    assert run("schema", "geo").out == run("schema", "geo", "--as", "arrow").out


def test_an_unknown_table_lists_all() -> None:
    """An unknown table is wrong usage, told with every table that there is and the nearest one."""
    ran = run("schema", "navigatoin")
    assert (ran.code, ran.out) == (2, "")
    assert all(table in ran.err for table in TABLES)
    assert ran.err.endswith("found 'navigatoin'; did you mean navigation?\n")
    assert "did you mean" not in run("schema", "zzz").err


def test_an_unknown_form_is_wrong_usage() -> None:
    """A form that does not exist is exit code 2, with those that do."""
    ran = run("schema", "geo", "--as", "hive")
    assert (ran.code, ran.out) == (2, "")
    assert all(form in ran.err for form in FORMS)


# --- The server's schema ----------------------------------------------------------------------------------------------

ACCOUNT = "75555851"


def with_a_field(name: str) -> Any:
    """Our schema with one more field of geo."""
    schema = own_schema()
    schema[0]["fields"].append({"name": name, "type": ["null", "string"]})
    return schema


def speak_with(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands speak with an emulator."""
    for name, value in api_environment(emulator).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def same() -> Iterator[Emulator]:
    """A server with our schema."""
    with serving(EmulatorOptions(hours=1)) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def other() -> Iterator[Emulator]:
    """A server with a field more."""
    with serving(EmulatorOptions(hours=1, schema=with_a_field("brandNew"))) as emulator:
        yield emulator


def test_what_the_server_answers_is_printed(other: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--remote` prints the JSON that the server answers, all of it, and nothing else on standard output."""
    speak_with(other, monkeypatch)
    ran = run("schema", "--remote", "--account", ACCOUNT)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.isascii()
    assert json.loads(ran.out) == with_a_field("brandNew")


def test_what_is_no_schema_is_saved_but_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON without records is printed as it is; `--diff` says in one line what was expected, and how to save it."""
    answer = {"schemaId": "1.0.0.35", "caf\u00e9": [1, 2.5, None]}
    with serving(EmulatorOptions(hours=1, schema=answer)) as emulator:
        speak_with(emulator, monkeypatch)
        saved = run("schema", "--remote", "--account", ACCOUNT)
        compared = run("schema", "--remote", "--account", ACCOUNT, "--diff")
    assert (saved.code, saved.json) == (0, answer)
    assert (compared.code, compared.out) == (1, "")
    assert len(compared.err.splitlines()) == 1
    assert "Avro records" in compared.err
    assert "wsparquet schema --remote" in compared.err


def test_the_same_schema_is_exit_code_0(same: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing differs, that is said with how much was compared."""
    speak_with(same, monkeypatch)
    ran = run("schema", "--remote", "--diff", "--account", ACCOUNT)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "289 fields compared in 7 tables\nno differences\n"
    found = run("schema", "--remote", "--diff", "--account", ACCOUNT, "--output", "json").json
    assert (found["fields"], len(found["tables"]), found["differences"]) == (289, 7, [])


def test_differences_are_exit_code_1(other: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each difference is a line, or an object in JSON."""
    speak_with(other, monkeypatch)
    ran = run("schema", "--remote", "--diff", "--account", ACCOUNT)
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines()[1:] == ["server_only: geo $body.brandNew: string there, nothing here", "1 difference"]
    found = run("schema", "--remote", "--diff", "--account", ACCOUNT, "--output", "json")
    difference = {"kind": "server_only", "table": "geo", "path": "$body.brandNew", "server": "string", "ours": None}
    assert (found.code, found.json["differences"]) == (1, [difference])


def test_a_saved_schema_is_compared(tmp_path: Path) -> None:
    """`--from` takes a file or standard input, in which our own rendering is the same as ours."""
    own = run("schema", "--as", "avro").out.encode()
    assert run("schema", "--diff", "--from", "-", stdin=own).code == 0
    saved = tmp_path / "schema.json"
    saved.write_text(json.dumps(with_a_field("brand\x1b[2Jnew")))
    ran = run("schema", "--diff", "--from", saved)
    assert (ran.code, ran.err) == (1, "")
    assert "\x1b" not in ran.out
    assert "brand" in ran.out
    saved.write_text("<html>")
    ran = run("schema", "--diff", "--from", saved)
    assert (ran.code, ran.out) == (1, "")
    assert str(saved) in ran.err


def test_a_version_that_is_not_there_is_an_error(same: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--version` asks for another than the latest; what the server says of it is one line of error."""
    speak_with(same, monkeypatch)
    ran = run("schema", "--remote", "--account", ACCOUNT, "--version", "0.0.0.1/../x")
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert "404" in ran.err


class _Busy(http.server.BaseHTTPRequestHandler):
    """Fails once, then answers."""

    failures = 1

    def do_GET(self) -> None:
        status = 503 if type(self).failures else 200
        type(self).failures = 0
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


def test_a_failure_of_the_servers_is_said_and_passes(same: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is tried again is a line on standard error, since pauses may be minutes."""
    speak_with(same, monkeypatch)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        ran = run("schema", "--remote", "--account", ACCOUNT, "--base-url", url, "--pause", "0.01")
        server.shutdown()
    assert (ran.code, ran.json) == (0, {})
    assert len(ran.err.splitlines()) == 1
    assert "503" in ran.err
    assert "retrying" in ran.err


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        ("--diff", "--from FILE"),
        ("geo --diff", "--from FILE"),
        ("--remote", "--account"),
        ("--remote --account a/b", "letters"),
        ("--remote --account 1 --region us --base-url http://127.0.0.1:1", "--region"),
        ("geo --remote --account 1", "TABLE and --remote"),
        (f"--remote --account 1 --from {__file__}", "--remote and --from"),
        (f"--from {__file__} --account 1", "--remote"),
        (f"--from {__file__} --diff --as avro", "--as"),
        ("--account 1", "--remote"),
        ("geo --version latest", "--remote"),
        ("--remote --account 1 --output json", "--diff"),
        ("--diff --from nowhere.json", "nowhere.json"),
    ],
)
def test_options_that_mean_nothing_together_are_wrong_usage(arguments: str, missing: str) -> None:
    """No option is passed over in silence: what cannot be meant is exit code 2, with what is missing."""
    ran = run("schema", *arguments.split())
    assert (ran.code, ran.out) == (2, "")
    assert missing in ran.err.replace("\n", " ")
