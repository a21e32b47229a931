"""Whether the native decoder makes of each scalar, spelled in any way, what the reference decoder makes of it."""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Iterator
from itertools import islice

from tests.decode.test_native import assert_same, check, needs_native, outcome
from tests.scale import scaled

SEED = 11
RECORD = (
    '{"body":{"x.WebSessionEngAttrsData":{"engagementAttributes":[{"timestamp":%s,"data":{"x.Cart":{"total":%s}}}]}}}'
)


def source(times: list[str], totals: list[str]) -> bytes:
    """A source with a record for each pair of JSON texts."""
    records = (RECORD % pair for pair in zip(times, totals, strict=True))
    return f'{{"recordCollection":[{",".join(records)}]}}'.encode()


def doubles(rng: random.Random) -> Iterator[float]:
    """Doubles of every size, and many with a short decimal expansion, which lie halfway between shorter numbers."""
    while True:
        (any_bits,) = struct.unpack("<d", rng.randbytes(8))
        yield from (any_bits, round(rng.uniform(0, 5000), 2), 2.0 ** rng.randint(-1074, 1023))
        yield rng.randint(1, 255) * 2.0 ** rng.randint(-80, 20)


def spellings(rng: random.Random) -> Iterator[str]:
    """Texts of doubles by writers of any kind, and numbers that differ from such a text in the last digit."""
    for number in doubles(rng):
        if not math.isfinite(number):
            continue
        count = rng.randint(0, 18)
        mantissa, _, exponent = f"{number:.{count}e}".partition("e")
        moved = int(mantissa.replace(".", "")) + rng.choice((-1, 0, 1))
        yield from (repr(number), f"{number:.16e}", f"{number:.17g}", f"{moved}e{int(exponent) - count}")
        yield from (f"{number:.{count}e}", f"{number:.{rng.randint(0, 25)}f}")


@needs_native
def test_doubles_in_every_spelling() -> None:
    """A hundred thousand literals (3,000 in the small suite) are the same double, or the same misfit, for both."""
    literals = list(islice(spellings(random.Random(SEED)), scaled(100_000, 3_000)))
    text = source(["null"] * len(literals), literals)
    check(text)
    found = outcome([text], decoder="native")
    assert not isinstance(found, str)
    fits = sum(total is None for total in found.rescued["engagement_attributes"])
    assert 0.6 < fits / len(literals) < 0.97


@needs_native
def test_times_in_every_spelling() -> None:
    """Texts of times with every length of fraction and form of offset are the same for both."""
    rng = random.Random(SEED)
    zones = (
        "",
        "Z",
        "+00:00",
        "+0000",
        "+00",
        "-0330",
        "+05:30",
        "-23:59",
        "+24",
        "+0260",
        "+2",
        "+020",
        "+02:",
        "+0200x",
    )
    texts = []
    for _ in range(scaled(50_000, 2_000)):
        day = f"{rng.choice((1999, 2000, 2016, 2099, 2100))}-{rng.randint(1, 12):02}-{rng.randint(1, 31):02}"
        clock = f"{rng.randint(0, 24):02}:{rng.randint(0, 59):02}:{rng.randint(0, 60):02}"
        digits = rng.randint(0, 9)
        fraction = f".{rng.randrange(10**digits):0{digits}}" if digits else ""
        texts.append(json.dumps(day + rng.choice("T ") + clock + fraction + rng.choice(zones)))
    check(source(texts, ["1"] * len(texts)))


@needs_native
def test_every_container_keeps_its_own_values() -> None:
    """Each of 5,000 containers of one record has its own account, in both, however the text is cut."""
    record = '{"body":{"x.Geo":{"geo":{"city":"a"}}}}'
    containers = (
        f'{{"metaData":{{"accountId":"{number}","startTime":{1467291704468 + number}}},"recordCollection":[{record}]}}'
        for number in range(5_000)
    )
    text = "\n".join(containers).encode()
    reference, native = outcome([text], decoder="reference"), outcome([text], decoder="native")
    assert_same(reference, native)
    assert not isinstance(native, str)
    accounts = [row["accountId"] for row in native.tables["geo"]["metaData"].to_pylist()]
    assert accounts == [str(number) for number in range(5_000)]


@needs_native
def test_rescued_values_of_the_header_precede_those_of_the_payload() -> None:
    """A header after its payload leaves the same ``rescued``, byte for byte, as both orders in the reference."""
    payload, header = '"navigationData":[{"odd1":1}]', '"header":{"odd2":2}'
    for members in ((payload, header), (header, payload)):
        text = f'{{"recordCollection":[{{"body":{{"x.Navigation":{{{",".join(members)}}}}}}}]}}'.encode()
        check(text)
        native = outcome([text], decoder="native")
        assert not isinstance(native, str)
        assert native.rescued["navigation"] == ['{"$header.odd2": 2, "$.navigationData[0].odd1": 1}']
