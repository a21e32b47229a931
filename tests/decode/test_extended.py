"""Whether both decoders make of drifted sources what the definition of an extension says."""

from __future__ import annotations

from random import Random

from tests.decode.test_native import assert_same, needs_native, outcome
from tests.drift import drifted, extension_schema
from tests.scale import scaled


@needs_native
def test_the_native_decoder_runs_an_extended_plan_as_the_definition_says() -> None:
    """The native decoder reads drifted records in one pass, and makes of them what decoding and promoting makes."""
    schema = extension_schema()
    for seed in range(scaled(20_000, 400)):
        text = drifted(Random(seed)).encode("utf-8", "surrogatepass")
        pieces = [text]
        reference = outcome(pieces, decoder="reference", schema=schema)
        native = outcome(pieces, decoder="native", schema=schema)
        try:
            assert_same(reference, native)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
