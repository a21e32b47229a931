"""Extensions of the schema: checks them, proposes them, and brings roots to them."""

from __future__ import annotations

from wsparquet.extensions.check import CheckedExtension, check_extension
from wsparquet.extensions.run import Extended, extend

__all__ = ["CheckedExtension", "Extended", "check_extension", "extend"]
