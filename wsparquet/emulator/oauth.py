"""Verifies OAuth 1.0a signatures (RFC 5849) with oauthlib."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from oauthlib import oauth1

from wsparquet.api import Credentials

__all__ = ["Verifier"]

WINDOW_SECONDS = 300
"""The largest difference between a timestamp and the clock, in seconds."""


class _Validator(oauth1.RequestValidator):
    """A validator for one application with one access token. The validator accepts each nonce once."""

    enforce_ssl = False

    def __init__(self, credentials: Credentials, clock: Callable[[], float]) -> None:
        super().__init__()
        self._credentials = credentials
        self._clock = clock
        self._seen: dict[tuple[str, str], float] = {}

    # LivePerson's keys may have any length and contain any characters.
    def check_client_key(self, client_key: str) -> bool:
        return bool(client_key)

    def check_access_token(self, request_token: str) -> bool:
        return bool(request_token)

    def check_nonce(self, nonce: str) -> bool:
        return bool(nonce)

    @property
    def dummy_client(self) -> str:
        return "nobody"

    @property
    def dummy_access_token(self) -> str:
        return "nothing"

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == self._credentials.app_key

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token == self._credentials.access_token

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return self._credentials.app_secret

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self._credentials.access_token_secret

    def validate_realms(self, client_key: str, token: str, request: Any, uri: Any = None, realms: Any = None) -> bool:
        return True

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: Any,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        now = self._clock()
        if abs(now - int(timestamp)) > WINDOW_SECONDS or (timestamp, nonce) in self._seen:
            return False
        self._seen[timestamp, nonce] = now
        self._forget(now - 2 * WINDOW_SECONDS)
        return True

    def _forget(self, before: float) -> None:
        # The nonces are in order of arrival, so expired nonces are at the beginning.
        while self._seen and next(iter(self._seen.values())) < before:
            del self._seen[next(iter(self._seen))]


class Verifier:
    """Verifies the signatures of one set of credentials."""

    def __init__(self, credentials: Credentials, *, clock: Callable[[], float] = time.time) -> None:
        self._endpoint = oauth1.ResourceEndpoint(_Validator(credentials, clock))

    def is_valid(self, url: str, *, method: str, headers: Mapping[str, str]) -> bool:
        """Return whether a request without a body has a valid signature, a recent timestamp, and an unused nonce."""
        authorization = headers.get("Authorization")
        if authorization is None:
            return False
        try:
            valid, _ = self._endpoint.validate_protected_resource_request(
                url, http_method=method, body=None, headers={"Authorization": authorization}
            )
        except (ValueError, oauth1.OAuth1Error):
            return False
        return bool(valid)
