"""wsparquet/api/credentials.py: profiles, and what is said of a file that lacks credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from wsparquet.api import Credentials
from wsparquet.errors import ApiError

FOUR = """app_key = "{0}k"
app_secret = "{0}s"
access_token = "{0}t"
access_token_secret = "{0}ts"
"""


def write(folder: Path, text: str) -> Path:
    """A private file with credentials."""
    path = folder / "credentials.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def said(path: Path | None, profile: str | None = None) -> str:
    """Why credentials cannot be loaded; the message quotes no value."""
    with pytest.raises(ApiError) as caught:
        Credentials.load(path, profile=profile, environ={})
    assert "s3cr3t" not in str(caught.value)
    return str(caught.value)


def test_a_profile_is_a_table_of_the_file(tmp_path: Path) -> None:
    """Without a profile the keys at the top count, with one those of its table, and they are never mixed."""
    path = write(tmp_path, f"{FOUR.format('a')}[uk]\n{FOUR.format('b')}[half]\napp_key = 's3cr3t'\n")
    assert Credentials.load(path) == Credentials("ak", "as", "at", "ats")
    assert Credentials.load(path, profile="uk") == Credentials("bk", "bs", "bt", "bts")
    half = said(path, "half")
    assert half.startswith(f"{path}, profile [half]: expected app_key, app_secret, access_token, access_token_secret")
    assert "found no app_secret, access_token, access_token_secret; add each" in half
    assert said(path, "us") == (
        f"{path}: expected the profile [us], found none; its profiles are uk, half; choose one by `profile`"
    )
    assert "expected the profile [app_key], found none" in said(path, "app_key")


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """A message names the file and the keys that it lacks, and the profiles that it has."""
    path = write(tmp_path, 'app_key = "s3cr3t"\napp_secret = 7\naccess_token = ""\n')
    assert "found no app_secret, access_token, access_token_secret; add each" in said(path)
    assert said(path, "uk").endswith("expected the profile [uk], found none; it has no profiles")
    path = write(tmp_path, f"[uk]\n{FOUR.format('b')}")
    assert said(path).endswith("its profiles are uk; choose one by `profile`")
    assert "found WSPARQUET_APP_KEY, WSPARQUET_APP_SECRET" in said(None)
    assert "set `credentials` to the file" in said(None, "uk")
