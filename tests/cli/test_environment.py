"""wsparquet/cli/environment.py: the environment variables of options, and options that may be given once."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from tests.cli.program import run
from wsparquet.cli import cli
from wsparquet.cli.environment import EXCLUDED
from wsparquet.dataset import Root
from wsparquet.generate import GenerateOptions, generate
from wsparquet.privacy.policy import Policy

OPTIONS = [
    (command, parameter)
    for command in cli.commands.values()
    for parameter in command.params
    if isinstance(parameter, click.Option)
]
EXTENSION = Path(__file__).parents[1] / "extensions.toml"
PAGE = (Path(__file__).parents[2] / "docs/reference/environment.md").read_text()


def test_every_option_has_its_variable_in_help_and_page() -> None:
    """The variable is the option's name; the ones that could destroy or assert something have none."""
    for command, option in OPTIONS:
        expected = f"WSPARQUET_{option.opts[0][2:].replace('-', '_').upper()}"
        if {option.opts[0], f"{command.name} {option.opts[0]}"} & EXCLUDED:
            assert option.envvar is None
            assert f"`{expected}`" not in PAGE or option.opts[0] not in EXCLUDED
            assert f"`{option.opts[0]}`" in PAGE, option.opts
        else:
            assert option.envvar == expected
            assert option.show_envvar
            assert f"`{expected}`" in PAGE, (command.name, expected)
    dangerous = {"--delete", "--again", "--single-writer", "--recheck", "--dry-run"}
    assert dangerous <= {option.opts[0] for _, option in OPTIONS if option.opts[0] in EXCLUDED}


def test_variables_stand_for_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversion takes root, account and form of its result from variables; an option on the command line wins."""
    generate(tmp_path / "in", GenerateOptions(records=5))
    monkeypatch.setenv("WSPARQUET_TO", str(tmp_path / "lake"))
    monkeypatch.setenv("WSPARQUET_ACCOUNT", "75555851")
    monkeypatch.setenv("WSPARQUET_OUTPUT", "json")
    monkeypatch.setenv(f"WSPARQUET_{'again'.upper()}", "1")
    assert run("convert", tmp_path / "in").json["root"] == str(tmp_path / "lake")
    other = run("convert", tmp_path / "in", "--to", tmp_path / "other")
    assert other.json["root"] == str(tmp_path / "other")
    assert len(run("convert", tmp_path / "in").json["skipped"]) == 1
    monkeypatch.setenv("WSPARQUET_ACCOUNT", "1 2")
    assert "expected one account, found 2" in run("convert", tmp_path / "in").err


def test_variables_stand_for_masks_and_extensions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new root gets its masks from variables, blanks between them; a schema gets its extension."""
    generate(tmp_path / "in", GenerateOptions(records=5))
    monkeypatch.setenv("WSPARQUET_MASK", "visitorId=drop geo.iPV4=truncate")
    monkeypatch.setenv("WSPARQUET_MASK_NETWORK", "1")
    assert run("convert", tmp_path / "in", "--to", tmp_path / "lake", "--quiet").code == 0
    masking = Root.open(tmp_path / "lake", create=False).version.masking
    assert masking is not None
    assert masking.policy == Policy.make({"visitorId": "drop", "geo.iPV4": "truncate"}, presets=["network"])
    monkeypatch.setenv("WSPARQUET_EXTENSION", str(EXTENSION))
    assert "loadTime" in run("schema", "navigation").out


@pytest.mark.parametrize("command", [command for command, option in OPTIONS if option.name == "account"])
def test_a_repeated_account_is_an_error(command: click.Command) -> None:
    """No command silently uses the last of several accounts."""
    found = run(command.name, "--account", "1", "--account", "2", *["x"] * 2)
    assert found.code == 2
    assert "expected one account, found 2; run the command once for each account" in found.err
