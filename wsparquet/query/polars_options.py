"""Translates options of s3fs into options of Polars, so that the same dictionary opens a root everywhere.

Polars reads S3 through the Rust crate object_store, whose options have other names. An option without an equivalent is
refused if it affects which objects are read, from where, or with which rights. Options that only tune s3fs are ignored.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wsparquet.errors import DatasetError, OptionError

__all__ = ["PolarsAccess", "S3Credentials", "polars_access"]

SECRETS = {
    "key": "aws_access_key_id",
    "username": "aws_access_key_id",
    "aws_access_key_id": "aws_access_key_id",
    "secret": "aws_secret_access_key",
    "password": "aws_secret_access_key",
    "aws_secret_access_key": "aws_secret_access_key",
    "token": "aws_session_token",
    "aws_session_token": "aws_session_token",
}
"""The options of s3fs and of botocore's client that contain credentials."""

TUNING = frozenset(
    {
        *("cache_regions", "default_block_size", "default_cache_type", "default_fill_cache", "fixed_upload_size"),
        *("listings_expiry_time", "local_expiry_check", "max_concurrency", "max_paths", "skip_instance_cache"),
        *("use_listings_cache", "version_aware"),
    }
)
"""Options of s3fs that decide only how fast files are read or written."""

WRITING = frozenset({"ACL", "MaxKeys", "SSEKMSKeyId", "ServerSideEncryption", "StorageClass", "Tagging"})
"""Arguments of s3fs's requests that have no effect on reading an object."""

CLIENT_TUNING = frozenset({"api_version", "config"})
CONFIG_TUNING = frozenset({"max_pool_connections", "read_timeout", "tcp_keepalive", "user_agent", "user_agent_extra"})

DEFAULT_REGION = "us-east-1"
"""The region for which botocore signs requests if nothing names a region."""

FRESH_SECONDS = 300
"""How many seconds Polars may use credentials before it asks again; botocore renews credentials well before they
expire."""


def _endpoint(url: Any) -> dict[str, Any]:
    return {"aws_endpoint_url": str(url)}


def _if(wanted: bool, name: str) -> Callable[[Any], dict[str, Any]]:
    """Return a translation that sets an option of Polars if an option of s3fs has the wanted truth value."""
    return lambda value: {name: "true"} if bool(value) is wanted else {}


def _retries(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, Mapping) or not isinstance(value.get("max_attempts"), int):
        return None
    return {"max_retries": value["max_attempts"]}


def _addressing(s3: Any) -> dict[str, Any] | None:
    styles = {"virtual": "true", "path": "false"}
    if not isinstance(s3, Mapping) or set(s3) != {"addressing_style"}:
        return None
    style = s3["addressing_style"]
    return {"aws_virtual_hosted_style_request": styles[style]} if style in styles else {}


TRANSLATIONS: dict[str, Callable[[Any], dict[str, Any] | None]] = {
    "endpoint_url": _endpoint,
    "client.endpoint_url": _endpoint,
    "client.region_name": lambda value: {"aws_region": str(value)},
    "client.use_ssl": _if(False, "aws_allow_http"),
    "client.verify": lambda value: _if(False, "allow_invalid_certificates")(value) if type(value) is bool else None,
    "use_ssl": _if(False, "aws_allow_http"),
    "anon": _if(True, "aws_skip_signature"),
    "requester_pays": _if(True, "aws_request_payer"),
    "config.connect_timeout": lambda value: {"connect_timeout": f"{value}s"},
    "config.retries": _retries,
    "config.s3": _addressing,
    "config.signature_version": lambda value: {} if value in {"s3v4", "v4"} else None,
}
"""The equivalents of options of s3fs that decide what is read; None stands for a value that has no equivalent."""


@dataclass(frozen=True, eq=False)
class S3Credentials:
    """Returns credentials to Polars: either the given options, or the credentials that botocore finds for s3fs, too."""

    profile: str | None
    given: Mapping[str, str] = field(repr=False)

    def __call__(self) -> tuple[dict[str, str], int | None]:
        """Return the credentials under Polars' names, and when to ask again, in seconds since 1970.

        Raises DatasetError if there are no credentials.
        """
        if self.given:
            return dict(self.given), None
        found = _botocore(self.profile).get_credentials()
        if found is None:
            raise DatasetError(
                "expected credentials for S3, found none; set AWS_…, name a profile, or pass `storage_options`"
            )
        frozen = found.get_frozen_credentials()
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        values = (frozen.access_key, frozen.secret_key, frozen.token)
        known = {name: value for name, value in zip(names, values, strict=True) if value}
        return known, int(time.time()) + FRESH_SECONDS


@dataclass(frozen=True, eq=False)
class PolarsAccess:
    """The arguments of ``polars.scan_parquet`` for a root on S3; they may contain secrets."""

    storage_options: dict[str, Any] = field(repr=False)
    credential_provider: S3Credentials | None


def polars_access(given: Mapping[str, Any]) -> PolarsAccess:
    """Return the equivalent of options of s3fs for Polars.

    Raises:
        OptionError: Polars has no equivalent of an option; the message does not contain its value.

    """
    profile = given.get("profile")
    secrets: dict[str, str] = {}
    options: dict[str, Any] = {}
    for name, value in _flat(given):
        if name in SECRETS:
            secrets[SECRETS[name]] = str(value)
        elif name != "profile":
            options.update(_translated(name, value))
    _add_defaults(options, profile)
    anonymous = "aws_skip_signature" in options
    return PolarsAccess(options, None if anonymous else S3Credentials(profile, secrets))


def _flat(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each option that has a value; the name of an option of botocore begins with the option's group."""
    for name, value in given.items():
        match name:
            case "client_kwargs":
                yield from ((each if each in SECRETS else f"client.{each}", of) for each, of in _set(value))
            case "config_kwargs":
                yield from ((f"config.{each}", of) for each, of in _set(value))
            case "s3_additional_kwargs":
                yield from ((f"request.{each}", of) for each, of in _set(value))
            case _ if value is not None:
                yield name, value


def _set(values: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in (values or {}).items() if value is not None)


def _translated(name: str, value: Any) -> dict[str, Any]:
    if name in TRANSLATIONS:
        found = TRANSLATIONS[name](value)
        if found is not None:
            return found
    if _is_tuning(name):
        return {}
    raise _unknown(name)


def _is_tuning(name: str) -> bool:
    group, _, option = name.rpartition(".")
    known = {"": TUNING, "client": CLIENT_TUNING, "config": CONFIG_TUNING, "request": WRITING}
    return option in known.get(group, ())


def _unknown(name: str) -> OptionError:
    groups = {"client": "client_kwargs", "config": "config_kwargs", "request": "s3_additional_kwargs"}
    group, dot, option = name.partition(".")
    shown = f"{groups[group]}: {option}" if dot and group in groups else name
    return OptionError(
        "storage_options",
        f"expected options of s3fs that Polars also has, found {shown!r}; leave it out, or read the root with "
        "open_dataset",
    )


def _add_defaults(options: dict[str, Any], profile: str | None) -> None:
    """Set a missing region or endpoint to the value that botocore finds in the environment or in a profile."""
    session = _botocore(profile)
    endpoint = (
        os.environ.get("AWS_ENDPOINT_URL_S3")
        or os.environ.get("AWS_ENDPOINT_URL")
        or session.get_scoped_config().get("endpoint_url")
    )
    if endpoint:
        options.setdefault("aws_endpoint_url", endpoint)
    region = session.get_config_variable("region") or (DEFAULT_REGION if "aws_endpoint_url" in options else None)
    if region:
        options.setdefault("aws_region", region)
    if options.get("aws_endpoint_url", "").startswith("http://"):
        options["aws_allow_http"] = "true"


def _botocore(profile: str | None) -> Any:
    from botocore.session import Session  # type: ignore[import-untyped]

    return Session(profile=profile)
