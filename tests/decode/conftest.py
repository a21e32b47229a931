"""Fixtures of the decoder tests: every decoder that this installation has."""

from __future__ import annotations

import pytest

from wsparquet.decode import native_decoder

DECODERS = ("reference",) if native_decoder() is None else ("reference", "native")


@pytest.fixture(params=DECODERS)
def decoder_name(request: pytest.FixtureRequest) -> str:
    """Name a decoder; a test that asks for it runs once with each."""
    name: str = request.param
    return name
