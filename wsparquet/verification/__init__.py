"""Checks that a root matches its commit records, and that its rows match their sources."""

from __future__ import annotations

from wsparquet.verification.outcome import Problem, Verification
from wsparquet.verification.verify import VerifyOptions, verify

__all__ = ["Problem", "Verification", "VerifyOptions", "verify"]
