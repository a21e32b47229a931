"""Whether decoding goes on at the first undamaged record or container after damage, however the input is cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from random import Random
from time import process_time

import pytest

from tests.decode.conftest import DECODERS
from tests.decode.groups import check_each, in_groups
from tests.scale import FULL, scaled
from wsparquet.decode import DecoderOptions, Limits, make_decoder


def geo(city: str | int, inside: str = "") -> str:
    """A record of the table `geo` for a city, with more fields ``inside`` its body."""
    return f'{{"body":{{"a.Geo":{{"geo":{{"city":"{city}"}}{inside}}}}}}}'


def lines(*containers: str) -> str:
    """Containers of the given records' texts, one a line, that tell their number as the account."""
    return "\n".join(
        f'{{"metaData":{{"accountId":"{number}"}},"recordCollection":[{records}]}}'
        for number, records in enumerate(containers)
    )


def held(records: str) -> str:
    """A container whose `metaData` follows its records."""
    return f'{{"recordCollection":[{records}],"metaData":{{"accountId":"0"}}}}'


@dataclass(frozen=True)
class Case:
    """A text, the cities of its rows in their order, and the texts in quarantine: records start with ``R``."""

    text: str
    cities: str
    quarantined: tuple[str, ...]
    containers: int = 1
    accounts: str | None = None

    @property
    def data(self) -> bytes:
        """The text's bytes; characters from U+0080 to U+00FF are single bytes."""
        return self.text.encode("latin-1")


G = [geo(number) for number in range(8)]
NESTED = ',"x":[1,' + geo("n") + "]"
CASES = {
    "a lost brace": Case(lines(f"{G[0]},{G[1][:-1]},{G[2]},{G[3]}"), "023", (f"I{G[1][:-1]}",)),
    "a lost brace in the middle": Case(
        lines(f'{G[0]},{{"body":{{"a.Geo":{{"geo":{{"city":"1"}}}},{G[2]},{G[3]}'),
        "023",
        ('I{"body":{"a.Geo":{"geo":{"city":"1"}}',),
    ),
    "a lost brace in the last record": Case(
        lines(f"{G[0]},{G[1][:-1]}", G[2]), "02", (f"I{G[1][:-1]}]}}",), containers=2
    ),
    "four lost brackets": Case(
        lines(f'{G[0]},{{"body":{{"a.Navigation":{{"navigationData":[{{"url":"1"}},{G[2]},{G[3]}', G[4]),
        "0234",
        ('I{"body":{"a.Navigation":{"navigationData":[{"url":"1"}',),
        containers=2,
    ),
    "a lost quote": Case(
        lines(f'{G[0]},{{"body":{{"a.Geo":{{"geo":{{"city":1"}}}}}}}},{G[2]},{G[3]}'),
        "023",
        ('I{"body":{"a.Geo":{"geo":{"city":1"}}}}',),
    ),
    "a lost comma": Case(lines(f"{G[0]},{G[1]}{G[2]},{G[3]}"), "03", (f"R{G[1]}{G[2]}",)),
    "a lost comma in a record": Case(
        lines(f'{G[0]},{{"body":{{"a.Geo":{{"x":1"y":2}}}}}},{G[2]}'), "02", ('R{"body":{"a.Geo":{"x":1"y":2}}}',)
    ),
    "a brace too many": Case(lines(f"{G[0]},{G[1]}}},{G[2]}"), "02", (f"I{G[1]}}}",)),
    "an opening bracket too many": Case(lines(f"{G[0]},[{G[1]},{G[2]},{G[3]}", G[4]), "0234", (f"I[{G[1]}",), 2),
    "a closing bracket too many in a record": Case(
        lines(f'{G[0]},{{"body":{{"a.Navigation":{{"navigationData":[]]}}}}}},{G[2]}'),
        "02",
        ('I{"body":{"a.Navigation":{"navigationData":[]]}}}',),
    ),
    "a lost and a gained brace": Case(
        lines(f"{G[0]},{G[1][:-1]},{G[2]},{G[3]}}},{G[4]}"), "024", (f"I{G[1][:-1]}", f"I{G[3]}}}")
    ),
    "a stray ]": Case(lines(f"{G[0]}],{G[1]},{G[2]}"), "012", ("I]",)),
    "a stray ] and text": Case(lines(f"{G[0]}] oops ,{G[1]},{G[2]}"), "012", ("I]", "Ioops")),
    "a stray ] at once": Case(lines(f"],{G[1]},{G[2]}"), "12", ("I]",)),
    "a stray ]} in a tagged list": Case(
        f'{{"recordCollection":{{"array":[{G[0]}]}},{G[1]},{G[2]}]}}}}', "012", ("I]", "I}"), accounts=""
    ),
    "two containers a line, damage in the first": Case(
        lines(f"{G[0]},{G[1][:-1]},{G[2]}").replace("\n", "") + lines(G[3]), "023", (f"I{G[1][:-1]}",), 2, "00"
    ),
    "two containers a line, damage in the last record of the first": Case(
        lines(f"{G[0]},{G[1][:-1]}") + " " + lines(f"{G[2]},{G[3]}"), "023", (f"I{G[1][:-1]}]}}",), 2, "00"
    ),
    "two containers a line, no brace between": Case(
        lines(G[0])[:-1] + lines(f"{G[2]},{G[3]}"), "023", ("I",), containers=2, accounts="00"
    ),
    "two containers a line, text between": Case(
        lines(G[0])[:-1] + "oops" + lines(f"{G[2]},{G[3]}"), "023", ("Ioops",), containers=2, accounts="00"
    ),
    "a nested body after the damage": Case(
        lines(f'{G[0]},{{"body":{{"a.Geo":{{oops{NESTED}}}}},{G[2]},{G[3]}'),
        "0n23",
        ('I{"body":{"a.Geo":{oops,"x":[1', "I]", "I}}"),
    ),
    "a nested body before the damage": Case(
        lines(f"{G[0]},{geo(1, NESTED)[:-1]},{G[2]},{G[3]}"),
        "0n23",
        ('I{"body":{"a.Geo":{"geo":{"city":"1"},"x":[1', "I]", "I}}"),
    ),
    "a nested body in a string": Case(
        lines(f'{G[0]},{{"body":{{"a.Geo":{{"x":"\\",{G[6]},' + f"{G[2]},{G[3]}"),
        "0623",
        ('I{"body":{"a.Geo":{"x":"\\"',),
    ),
    "Body in another case": Case(
        lines(f'{G[0]},{{oops,{{"B_o dy":{{"a.b.GEO":{{"geo":{{"city":"1"}}}}}}}},{G[2]}'), "012", ("I{oops",)
    ),
    "another key before body": Case(
        lines(f'{G[0]},{{oops,{{"x":1,"body":{{"a.Geo":{{"geo":{{"city":"1"}}}}}}}},{G[2]}'),
        "02",
        ('I{oops,{"x":1,"body":{"a.Geo":{"geo":{"city":"1"}}}}',),
    ),
    "an unknown tag": Case(
        lines(f'{G[0]},{{oops,{{"body":{{"a.Unheard":{{}}}}}},{G[2]}'), "02", ('I{oops,{"body":{"a.Unheard":{}}}',)
    ),
    "a tag without a dot": Case(
        lines(f'{G[0]},{{oops,{{"body":{{"Geo":{{}}}}}},{G[2]}'), "02", ('I{oops,{"body":{"Geo":{}}}',)
    ),
    "damage while records wait for metaData": Case(
        held(f"{G[0]},{G[1][:-1]},{G[2]}"), "02", (f"I{G[1][:-1]}",), accounts="0"
    ),
    "damage in the last record while records wait": Case(
        held(f"{G[0]},{G[1][:-1]}"), "0", (f'I{G[1][:-1]}],"metaData":{{"accountId":"0"}}}}',), accounts=""
    ),
    "a border in mid-record": Case(
        lines(f'{G[0]},{{oops,{G[1]},{{"body":')[:-2] + "\n" + lines(G[2]),
        "012",
        ("I{oops", 'I{"body":'),
        containers=2,
        accounts="00",
    ),
    "invalid UTF-8 in the stretch": Case(
        lines(f'{G[0]},{{"x":\xff,{G[1]},{geo(chr(0xE9))},{G[3]}'),
        "013",
        ('I{"x":\xff', f"R{geo(chr(0xE9))}"),
    ),
    "an invalid candidate": Case(lines(f"{G[0]},{{oops,{geo(chr(0xE9))},{G[2]}"), "02", (f"I{{oops,{geo(chr(0xE9))}",)),
    "white space everywhere": Case(
        lines(f'{G[0]} , {{ oops \t,\r\n{{ "body" :\t{{ "a.Geo" :\n{{ "geo" : {{"city":"1"}} }} }} }} , {G[2]}'),
        "012",
        ("I{ oops",),
    ),
    "a candidate before other text": Case(lines(f"{G[0]},{{oops,{G[1]}:,{G[2]}"), "02", (f"I{{oops,{G[1]}:",)),
    "a candidate at the end": Case(lines(f"{G[0]},{{oops,{G[1]}")[:-2], "0", (f"I{{oops,{G[1]}",)),
    "a balanced record with a record inside": Case(lines(f"{G[0]},{{oops,{G[1]},1}},{G[2]}"), "012", ("I{oops", "I1}")),
    "an undamaged record that holds records": Case(lines(f"{G[0]},{geo(1, NESTED)},{G[2]}"), "012", ()),
    "a damaged head": Case(
        '{"metaData":oops,"recordCollection":[' + f"{G[0]},{G[1]}]}}\n" + lines(G[2]),
        "2",
        (f'I{{"metaData":oops,"recordCollection":[{G[0]},{G[1]}]}}',),
        accounts="0",
    ),
    "a container without a list": Case(
        lines(f'{G[0]},{{oops,{{"recordCollection":null}},{G[2]}'), "02", ('I{oops,{"recordCollection":null}',)
    ),
}


def decode(pieces: Iterable[bytes], decoder: str, limits: Limits | None = None) -> tuple[object, ...]:
    """The cities of the rows, the quarantined texts in the text's order, containers, and accounts by container."""
    machine = make_decoder(DecoderOptions("f", limits or Limits()), decoder=decoder)
    decoded = [*(machine.feed(piece) for piece in pieces), machine.finish()]
    rows = [row for one in decoded for _, batch in one.batches for row in batch.to_pylist()]
    rows.sort(key=lambda row: row["record_number"])
    whole: list[tuple[int, bytes]] = []
    for entry in (entry for one in decoded for entry in one.quarantined):
        kind = entry.kind[0].upper().encode()
        if entry.continued:
            whole[-1] = (whole[-1][0], whole[-1][1] + entry.data)
        else:
            whole.append((entry.start, kind + entry.data))
    report = machine.report
    assert report.records == len(rows) + report.quarantined
    assert report.items == sum(text[:1] == b"I" for _, text in whole)
    texts = tuple(text.decode("latin-1") for _, text in sorted(whole))
    cities = "".join(row["city"] for row in rows)
    return cities, texts, report.containers, "".join(report.accounts.counts)


@cache
def in_one_piece(name: str, decoder: str) -> tuple[object, ...]:
    """What the case's text gives in one piece."""
    return decode([CASES[name].data], decoder)


def test_damage(decoder_name: str) -> None:
    """Every undamaged record is a row, and every byte of the damaged text is in quarantine."""

    def check(name: str) -> None:
        case = CASES[name]
        cities, texts, containers, accounts = in_one_piece(name, decoder_name)
        assert (cities, texts, containers) == (case.cities, case.quarantined, case.containers)
        if case.accounts is not None:
            assert accounts == "".join(dict.fromkeys(case.accounts))

    check_each(CASES, check)


@pytest.mark.parametrize("names", in_groups(CASES))
def test_damage_cut_at_every_byte(names: tuple[str, ...], decoder_name: str) -> None:
    """Cut in two at any byte, or between all bytes, damaged text gives the same rows and quarantine."""

    def check(name: str) -> None:
        data = CASES[name].data
        whole = in_one_piece(name, decoder_name)
        assert decode((data[at : at + 1] for at in range(len(data))), decoder_name) == whole
        for at in range(1, len(data), scaled(1, 3)):
            assert decode([data[:at], data[at:]], decoder_name) == whole, (data[:at], data[at:])

    check_each(names, check)


# --- What must not become a row ---------------------------------------------------------------------------------------


def _nesting_record(random: Random, number: int) -> str:
    """An undamaged record that holds what looks like records and containers, in strings and in lists."""
    fake = random.choice([geo("fake"), lines(geo("fake")), "{" + f"oops,{geo('fake')}"])
    valid = random.choice([geo("fake"), lines(f"1,{geo('fake')}"), geo("fake", f',"y":[1,{geo("fake")}]')])
    escaped = fake.replace("\\", "\\\\").replace('"', '\\"')
    inside = random.choice([f',"x":[1,{valid}]', f',"x":", {escaped},"', f',"{escaped},":[{{}},{valid},2]'])
    return geo(number, inside)


@pytest.mark.parametrize(
    "damage", ["", "{oops", geo(0)[:-1], geo(0) + "}", "[", '{"body":{"a.Geo":{"x":[', geo(0) + '"']
)
def test_nothing_inside_an_undamaged_record_becomes_a_row(damage: str, decoder_name: str) -> None:
    """Before, between and after damaged text, a record that holds other records is one row, and they are none."""
    for seed in range(scaled(300, 12)):
        random = Random(seed)
        records = [_nesting_record(random, number) for number in range(1, 6)]
        at = random.randrange(5)
        texts = [*records[:at], damage, *records[at:]] if damage else records
        cities, _, containers, _ = decode([lines(",".join(texts)).encode()], decoder_name)
        assert (cities, containers) == ("12345", 1), (seed, texts)


# --- Bounded work -----------------------------------------------------------------------------------------------------

UNITS = {
    "short candidates": ',{"body":{"a.WebSessionNavigationData":{',
    "long candidates": ',{"body":{"a.WebSessionNavigationData":{"x":"' + "x" * 5000 + '","y":[1',
}


@pytest.mark.parametrize("unit", UNITS)
def test_work_is_bounded(unit: str, decoder_name: str) -> None:
    """Megabytes of text that looks like the start of records take seconds, in chunks too, and the next line is read."""
    if decoder_name == "reference" and unit == "long candidates" and not FULL:
        pytest.skip("64 MiB of work take the reference decoder half a minute")
    size = 10_000_000 if decoder_name == "native" else 100_000 if unit == "short candidates" else 1_000_000
    damage = "oops " + UNITS[unit] * (size // len(UNITS[unit]))
    text = (lines(f"{geo(0)},{{{damage}", geo(1))).encode()
    started = process_time()
    found = decode((text[at : at + 65_536] for at in range(0, len(text), 65_536)), decoder_name)
    assert process_time() - started < (20 if decoder_name == "native" else 120)
    assert found == ("01", (f"I{{{damage}]}}",), 2, "01")


def test_work_is_counted_alike() -> None:
    """Both decoders give up a search at the same candidate."""
    if len(DECODERS) == 1:
        pytest.skip("the native decoder is not built here")
    candidate, long = ',{"body":{"a.Geo":{"x":[1', ',"' + "x" * (1 << 20) + '"}'
    for count in range(scaled(58, 63), scaled(72, 65)):
        text = lines(f"{geo(0)},{{oops{candidate * count}{long},{geo(1)}", geo(2)).encode()
        assert decode([text], "reference") == decode([text], "native")
