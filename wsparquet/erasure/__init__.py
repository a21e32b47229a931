"""Erases people from a root. Never name a room `erase`: that is a public function."""

from __future__ import annotations

from wsparquet.erasure.certificate import Certificate, RawFile
from wsparquet.erasure.run import erase

__all__ = ["Certificate", "RawFile", "erase"]
