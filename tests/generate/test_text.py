"""Whether generated text is the same everywhere, of the size asked for, in both forms, with the counts that it says."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from itertools import islice
from random import Random
from typing import Any, Literal

import pytest

from tests.scale import scaled
from wsparquet.generate import Expected, GenerateOptions, expected, generate_text, records
from wsparquet.generate.stamper import Stamper
from wsparquet.generate.templates import Script, template

FORMS: tuple[Literal["lines", "document"], ...] = ("lines", "document")

# The text changes with the schema and with the generator; then these change too, on purpose.
PINNED = {
    ("lines", False): "d5314fccedf47a61086c8a9472f9bb802acd737197739d531efe65b1193e2c29",
    ("lines", True): "7055ee8d529dde51a903a71c610466765701dc33bb85024e283014910ecefa2d",
    ("document", False): "9ec61dde6b5a3951dccd40a0f17b2d8005743c024b8da46afcfcca3bc72b2613",
    ("document", True): "9966d51b5187769f150ca425f67a03a762dd364200833de9c946460e7452e9a6",
}
_TAGS = ("MetaData", "array")


def text_of(options: GenerateOptions, file_number: int = 0) -> bytes:
    """The whole text of one file."""
    return b"".join(generate_text(options, file_number=file_number))


def containers(text: bytes) -> list[dict[str, Any]]:
    """All containers of a text without defects, whatever stands between them."""
    decoder, found, at = json.JSONDecoder(), [], 0
    decoded = text.decode()
    while at < len(decoded):
        container, at = decoder.raw_decode(decoded, at)
        found.append(container)
        at += len(decoded[at:]) - len(decoded[at:].lstrip()) if decoded[at : at + 1].isspace() else 0
    return found


def untagged(value: Any) -> Any:
    """What is inside the tag of a metaData or a recordCollection."""
    if isinstance(value, dict) and len(value) == 1:
        (key, inner) = next(iter(value.items()))
        return inner if key.rpartition(".")[2] in _TAGS else value
    return value


def records_of(text: bytes) -> list[dict[str, Any]]:
    """All records of a text without defects."""
    return [record for container in containers(text) for record in untagged(container["recordCollection"])]


@pytest.mark.parametrize(("form", "defects"), PINNED)
def test_text_is_known_byte_by_byte(form: Literal["lines", "document"], defects: bool) -> None:
    """Equal options give the text that every other machine and Python gave."""
    options = GenerateOptions(size=300_000, seed=7, form=form, defects=defects)
    assert hashlib.sha256(text_of(options)).hexdigest() == PINNED[form, defects]


def test_hash_seed_does_not_matter() -> None:
    """A process with another hash seed generates the same text."""
    program = (
        "import sys; from wsparquet.generate import *\n"
        "sys.stdout.buffer.writelines(generate_text(GenerateOptions(size=50_000, seed=3, defects=True)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}, check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {text_of(GenerateOptions(size=50_000, seed=3, defects=True))}


def test_seeds_and_files_differ() -> None:
    """Another seed or file number gives other records, not the same ones with other identifiers."""
    texts = [text_of(GenerateOptions(records=40, seed=seed), number) for seed in (0, 1) for number in (0, 1)]
    types = [tuple(next(iter(record["body"])) for record in records_of(text)) for text in texts]
    assert len(set(texts)) == len(set(types)) == 4


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [500_000, scaled(20_000_000, 2_000_000)])
def test_size_is_met(form: Literal["lines", "document"], size: int) -> None:
    """A text is as long as asked for, within 5 %."""
    assert len(text_of(GenerateOptions(size=size, form=form))) == pytest.approx(size, rel=0.05)


def test_lines_are_as_long_as_asked() -> None:
    """Each line is one container of about the line size, the last one whatever is left."""
    lines = text_of(GenerateOptions(size=1_000_000, line_size=100_000)).splitlines(keepends=True)
    assert len(lines) == 10
    assert all(line.endswith(b"\n") for line in lines)
    assert all(100_000 <= len(line) <= 120_000 for line in lines[:-1])


@pytest.mark.parametrize("form", FORMS)
def test_counts_are_what_a_json_parser_finds(form: Literal["lines", "document"]) -> None:
    """Without defects every record parses, and records, rows by table, containers and bytes are as expected says."""
    counts = Expected()
    options = GenerateOptions(size=500_000, line_size=50_000, form=form)
    text = b"".join(generate_text(options, counts=counts))
    found = records_of(text)
    tags = Counter(next(iter(record["body"])).rpartition(".")[2] for record in found)
    assert counts.size == len(text)
    assert counts.containers == len(containers(text))
    assert counts.records == len(found) == sum(counts.rows.values())
    assert sorted(tags.values()) == sorted(counts.rows.values())
    assert (counts.quarantined, counts.items, counts.rescued) == (0, 0, {})
    assert expected(options) == counts


def test_forms_hold_the_same_records() -> None:
    """Both forms give the same records in the same order, and the same metaData."""
    lines, document = (
        containers(text_of(GenerateOptions(records=300, line_size=20_000, form=form), 1)) for form in FORMS
    )
    assert (len(lines) > 10, len(document)) == (True, 1)
    held = [record for line in lines for record in untagged(line["recordCollection"])]
    assert len(held) == len(document[0]["recordCollection"]) == 300
    assert held == document[0]["recordCollection"]
    assert {json.dumps(untagged(line["metaData"])) for line in lines} == {json.dumps(document[0]["metaData"])}


def test_forms_are_tagged_as_files_are() -> None:
    """Lines tag metaData and recordCollection, the document neither; both tag dataType."""
    (line,), (document,) = (containers(text_of(GenerateOptions(records=2, form=form))) for form in FORMS)
    assert line["dataType"] == document["dataType"] == {"com.liveperson.dataaccess.DataTypeEnum": "WebSession"}
    assert list(line["metaData"]) == ["com.liveperson.dataaccess.MetaData"]
    assert list(line["recordCollection"]) == ["array"]
    assert document["metaData"] == line["metaData"]["com.liveperson.dataaccess.MetaData"]
    assert type(document["recordCollection"]) is list


def test_document_is_indented_like_the_documentation() -> None:
    """A document is what json.dumps with an indent of two gives, as the documentation's example is."""
    text = text_of(GenerateOptions(records=100, form="document", seed=2)).decode()
    # Some records are written in ASCII only, others not.
    escaped = re.sub(r"[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], text)
    assert escaped.split("\n") == [*json.dumps(json.loads(text), indent=2).split("\n"), ""]


def times_of(text: bytes) -> list[int]:
    """The milliseconds of all events of a text."""
    return [int(part.partition(b"}")[0]) for part in text.split(b'"timestamp":{"long":')[1:]]


@pytest.mark.parametrize("preset", ["easy", "shop", "hard"])
def test_no_time_is_past_the_file_s_hour(preset: Any) -> None:
    """Files have closed sessions: all times are before the end of the file's hour, the last ones in that hour."""
    options = GenerateOptions(records=2000, files=5, preset=preset)
    start, end = options.hour(4)
    assert start == options.start_ms + 2 * 3_600_000
    times = times_of(text_of(options, 4))
    assert len(times) > 1500
    assert start < max(times) < end
    assert end - min(times) < 40 * 3_600_000


def test_times_of_a_visit_do_not_go_back() -> None:
    """However many times a visit holds, none is past its end, and none goes back; also where more come than planned."""
    options = GenerateOptions(preset="hard", midnight=1.0)
    stamper = Stamper(Random(1), options)
    for planned in (1000, 10):
        stamper.begin(Script((), planned))
        times = json.loads(stamper.fill(template("[" + ",".join(['"{{#ms}}"'] * 1000) + "]")))
        assert times == sorted(times)
        assert times[-1] < options.hour(0)[1]


def test_values_vary_as_in_real_files() -> None:
    """Visits have several records, identifiers do not come again, and text is in many scripts, also escaped."""
    text = text_of(GenerateOptions(size=4_000_000))
    visits = Counter(part[:63] for part in text.split(b'"visitId":{"string":"')[1:])
    assert 200 < len(visits) < sum(visits.values()) / 3
    for found in ("Zürich", "東京", "תל אביב", "\u2028"):
        assert found.encode() in text
    assert rb"\ud83c\udf1f" in text
    assert rb"Z\u00fcrich" in text


def test_records_are_plain_values() -> None:
    """The record generator gives pairs of table and record, the same for the same dice."""
    first, second = (list(islice(records(Random(5)), 50)) for _ in range(2))
    assert first == second
    assert {table for table, _ in first} >= {"navigation", "eligibility", "impression"}
    assert all(list(record) == ["body"] for _, record in first)


def test_account_is_escaped() -> None:
    """An account with JSON's own characters stands in the text as a JSON string."""
    (container,) = containers(text_of(GenerateOptions(records=1, account='a"\\b')))
    assert untagged(container["metaData"])["accountId"] == {"string": 'a"\\b'}


@pytest.mark.parametrize(
    "wrong",
    [
        {"files": 0},
        {"size": 0},
        {"seed": -1},
        {"records": 0},
        {"gzip_members": 0},
        {"preset": "x"},
        {"visits": 0},
        {"session_minutes": 0},
        {"distinct": 1.5},
        {"midnight": -0.5},
        {"returning": float("nan")},
        {"form": "x"},
        {"compression": "7z"},
    ],
)
def test_options_are_checked(wrong: dict[str, Any]) -> None:
    """An option that makes no sense is refused, with its name and its value."""
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"`{name}`: expected .*{value}"):
        GenerateOptions(**wrong)


def test_text_is_streamed() -> None:
    """The first pieces of a text of a terabyte come at once, none longer than 100 kB or so."""
    pieces = list(islice(generate_text(GenerateOptions(size=10**12, line_size=10**12)), 50))
    assert min(map(len, pieces)) >= 65_536
    assert max(map(len, pieces)) < 130_000
