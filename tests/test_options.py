"""Keyword arguments and options: what is refused, and that the error names the parameter."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import wsparquet
from wsparquet.conversion.options import ConvertKeywords
from wsparquet.emulator import DEMO
from wsparquet.generate.options import GenerateKeywords
from wsparquet.inspection import InspectKeywords
from wsparquet.source import as_list
from wsparquet.synchronisation.options import FetchKeywords, SyncKeywords
from wsparquet.synchronisation.status import StatusKeywords
from wsparquet.verification.verify import VerifyKeywords

PAIRS = [
    (ConvertKeywords, wsparquet.ConvertOptions),
    (FetchKeywords, wsparquet.FetchOptions),
    (GenerateKeywords, wsparquet.GenerateOptions),
    (InspectKeywords, wsparquet.InspectOptions),
    (StatusKeywords, wsparquet.StatusLimits),
    (SyncKeywords, wsparquet.SyncOptions),
    (VerifyKeywords, wsparquet.VerifyOptions),
]
MADE: dict[str, Callable[..., object]] = {
    "convert": wsparquet.ConvertOptions,
    "inspect": wsparquet.InspectOptions,
    "api": wsparquet.ApiOptions,
    "limits": wsparquet.Limits,
    "source": wsparquet.SourceLimits,
    "generate": wsparquet.GenerateOptions,
    "status": wsparquet.StatusLimits,
    "fetch": lambda **given: wsparquet.FetchOptions(**{"account": "1", "credentials": DEMO, **given}),
    "sync": lambda **given: wsparquet.SyncOptions(account="1", credentials=DEMO, **given),
}


@pytest.mark.parametrize(("keywords", "options"), PAIRS, ids=lambda each: each.__name__)
def test_keywords_are_the_fields_of_the_options(keywords: type, options: Any) -> None:
    """Each keyword is a field of the options, each field a keyword, and the types are the same."""
    hints = get_type_hints(options)
    assert get_type_hints(keywords) == {field.name: hints[field.name] for field in fields(options)}


@pytest.mark.parametrize(
    ("kind", "parameter", "value", "problem"),
    [
        ("convert", "jobs", 0, "a whole number of 1 or more, found 0"),
        ("convert", "jobs", "2", "a whole number of 1 or more, found '2'"),
        ("convert", "jobs", True, "a whole number of 1 or more, found True"),
        ("convert", "max_quarantined", -1, "a whole number of 0 or more or None, found -1"),
        ("convert", "decoder", "fast", "one of auto, native, reference, found 'fast'"),
        ("convert", "account", 1, "the account's number as text or None, found a value of type int"),
        ("convert", "dry_run", "yes", "True or False, found a value of type str"),
        ("convert", "storage_options", "secret", "a dictionary or None, found a value of type str"),
        ("inspect", "samples", 1.5, "a whole number of 0 or more, found 1.5"),
        ("api", "region", "eu", "one of us, uk, apac, found 'eu'"),
        ("api", "read_seconds", float("nan"), "a number of 0 or more, found nan"),
        ("limits", "max_record", -1, "a whole number of 0 or more, found -1"),
        ("source", "max_ratio", None, "a whole number of 0 or more, found None"),
        ("generate", "form", "xml", "one of lines, document, found 'xml'"),
        ("status", "stale", 5, "a timedelta of 0 or more, found 5"),
        ("fetch", "account", "a/b", "letters and digits, found 'a/b'"),
        ("fetch", "credentials", "secret", "Credentials, found a value of type str"),
        ("fetch", "since", datetime(2026, 1, 1), "a time with a time zone, found 2026-01-01T00:00:00, which has none"),
        ("sync", "convert", {}, "ConvertOptions, found a value of type dict"),
    ],
)
def test_a_wrong_value_is_refused(kind: str, parameter: str, value: object, problem: str) -> None:
    """A wrong value is a ValueError of the error tree that names the parameter, with what was expected and found."""
    with pytest.raises(wsparquet.OptionError) as raised:
        MADE[kind](**{parameter: value})
    assert isinstance(raised.value, ValueError)
    assert raised.value.parameter == parameter
    assert str(raised.value) == f"`{parameter}`: expected {problem}"


def test_keywords_win_over_options(tmp_path: Path) -> None:
    """A keyword argument takes the place of the field of the given options, and the others stay."""
    wsparquet.generate_files(tmp_path / "in", records=5)
    options = wsparquet.ConvertOptions(jobs=1, dry_run=True)
    assert wsparquet.convert(tmp_path / "in", tmp_path / "lake", options=options).dry_run
    assert not (tmp_path / "lake").exists()
    summary = wsparquet.convert(tmp_path / "in", tmp_path / "lake", options=options, dry_run=False)
    assert (summary.dry_run, len(summary.committed), summary.records) == (False, 1, 5)


def test_an_unknown_keyword_is_refused(tmp_path: Path) -> None:
    """An unknown keyword is an OptionError with the nearest name, and nothing is written."""
    with pytest.raises(wsparquet.OptionError, match=r"`job`: expected a known parameter such as jobs, found"):
        wsparquet.convert(tmp_path, tmp_path / "lake", job=2)  # type: ignore[call-arg]
    assert not (tmp_path / "lake").exists()


def test_a_missing_account_is_refused(tmp_path: Path) -> None:
    """A field without a default has to be given."""
    with pytest.raises(wsparquet.OptionError, match="`account`: expected a value, found none"):
        wsparquet.sync(tmp_path / "lake", credentials=DEMO)


def test_options_of_another_class_are_refused(tmp_path: Path) -> None:
    """Options of another function are not taken for the right ones."""
    with pytest.raises(wsparquet.OptionError, match="`options`: expected ConvertOptions, found VerifyOptions"):
        wsparquet.convert(tmp_path, tmp_path / "lake", options=wsparquet.VerifyOptions())  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [1, b"a", [1], ["a", b"b"], None])
def test_what_is_not_a_source_is_refused(given: Any) -> None:
    """Sources are paths or URLs, or several of them; anything else is an OptionError."""
    with pytest.raises(wsparquet.OptionError, match="`sources`: expected a path, a glob, a folder, a URL, or a list"):
        as_list(given)


def test_sources_are_one_or_many(tmp_path: Path) -> None:
    """Each function takes one path, a glob, or several paths of any kind."""
    first, second = wsparquet.generate_files(tmp_path / "in", files=2, records=5)
    lake = tmp_path / "lake"
    for given in (str(first), first):
        assert len(wsparquet.inspect(given)) == 1
    ways: tuple[Any, ...] = (
        str(tmp_path / "in" / "*.gz"),
        [str(first), second],
        (first, second),
        iter([first, second]),
    )
    for several in ways:
        assert [found.name for found in wsparquet.inspect(several)] == [first.name, second.name]
    assert sum(table.num_rows for table in wsparquet.read([first, str(second)]).values()) == 10
    assert wsparquet.convert((first, second), lake).records == 10
    assert wsparquet.verify(lake, against=[first, second]).compared_rows == 10
    assert wsparquet.replay(lake, [first]).sources == 0
    assert [each.rows for each in wsparquet.remove(lake, [first.name, second.name], yes=True).removed] == [5, 5]


def test_errors_survive_pickling() -> None:
    """Errors with attributes arrive whole from another process."""
    error = pickle.loads(pickle.dumps(wsparquet.OptionError("jobs", "expected 1")))
    assert (error.parameter, str(error)) == ("jobs", "`jobs`: expected 1")
    failures = pickle.loads(pickle.dumps(wsparquet.FailuresError("1 failure", ["a"])))
    assert (failures.names, str(failures)) == (("a",), "1 failure")
