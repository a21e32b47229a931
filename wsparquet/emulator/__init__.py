"""An emulator of the Data Access API, for experiments, demonstrations, and tests."""

from __future__ import annotations

from wsparquet.emulator.catalogue import Catalogue
from wsparquet.emulator.faults import FAULTS
from wsparquet.emulator.options import DEMO, EmulatorOptions
from wsparquet.emulator.server import Emulator, Request, serving

__all__ = ["DEMO", "FAULTS", "Catalogue", "Emulator", "EmulatorOptions", "Request", "serving"]
