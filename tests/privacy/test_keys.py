"""The secret key: where it comes from, what is refused, and that nothing shows it."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from wsparquet.errors import OptionError
from wsparquet.privacy.keys import KEY_VARIABLE, SecretKey

TEXT = "00112233445566778899aabbccddeeff"


def _file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_from_a_file_or_the_environment(tmp_path: Path) -> None:
    """The file comes first, a line end after the key is fine, and neither means no key."""
    file = _file(tmp_path, TEXT + "\n")
    assert SecretKey.load(file, environ={KEY_VARIABLE: "ff" * 16}) == SecretKey(bytes.fromhex(TEXT))
    assert SecretKey.load(environ={KEY_VARIABLE: TEXT}) == SecretKey(bytes.fromhex(TEXT))
    assert SecretKey.load(environ={}) is None


@pytest.mark.parametrize(
    ("text", "found"), [("", "found 0"), (TEXT[:-2], "found 30"), ("secret" * 8, "other characters"), ("é", "ASCII")]
)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str, found: str) -> None:
    """Too short, not hexadecimal, not ASCII: each error says so, without the text."""
    with pytest.raises(OptionError, match=found) as error:
        SecretKey.load(_file(tmp_path, text))
    assert not text or text not in str(error.value)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """The error names the remedy; a missing file is an error, too."""
    with pytest.raises(OptionError, match="chmod 600"):
        SecretKey.load(_file(tmp_path, TEXT, 0o640))
    with pytest.raises(OptionError, match="No such file"):
        SecretKey.load(tmp_path / "missing")


def test_digests_are_those_of_the_standard_library() -> None:
    """HMAC-SHA256 by key and value; neither digest nor fingerprint nor `repr` shows the key."""
    key = SecretKey(bytes.fromhex(TEXT))
    assert key.digest(b"visitor") == hmac.new(bytes.fromhex(TEXT), b"visitor", hashlib.sha256).hexdigest()
    assert key.fingerprint != SecretKey(bytes(16)).fingerprint
    assert TEXT not in key.fingerprint
    assert repr(key) == "SecretKey()"
