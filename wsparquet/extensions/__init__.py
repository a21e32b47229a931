"""Extensions of the schema: checks them, proposes them, and brings roots to them."""

from __future__ import annotations

from wsparquet.extensions.check import CheckedExtension, check_extension
from wsparquet.extensions.propose import Proposal, propose_extension
from wsparquet.extensions.run import Extended, extend, extension_text

__all__ = [
    "CheckedExtension",
    "Extended",
    "Proposal",
    "check_extension",
    "extend",
    "extension_text",
    "propose_extension",
]
