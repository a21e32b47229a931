"""Whether a root holds what its records say, and whether these say what the sources hold."""

from __future__ import annotations

from wsparquet.verification.outcome import Problem, Verification
from wsparquet.verification.verify import VerifyOptions, verify

__all__ = ["Problem", "Verification", "VerifyOptions", "verify"]
