"""Options of s3fs become those of Polars, or are refused; secrets are not shown."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from wsparquet.errors import DatasetError, OptionError
from wsparquet.query.polars_options import polars_access

NAMES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE")
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's settings for AWS."""
    for name in (*NAMES, *KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"anon": True}, {"aws_skip_signature": "true"}),
        ({"anon": False, "profile": None, "max_concurrency": 5, "use_listings_cache": False}, {}),
        ({"client_kwargs": {"region_name": "eu-central-1"}}, {"aws_region": "eu-central-1"}),
        (
            {"endpoint_url": "http://minio:9000"},
            {"aws_endpoint_url": "http://minio:9000", "aws_allow_http": "true", "aws_region": "us-east-1"},
        ),
        (
            {"client_kwargs": {"endpoint_url": "https://s3.example", "verify": False}, "requester_pays": True},
            {
                "aws_endpoint_url": "https://s3.example",
                "allow_invalid_certificates": "true",
                "aws_request_payer": "true",
                "aws_region": "us-east-1",
            },
        ),
        (
            {"config_kwargs": {"connect_timeout": 5, "read_timeout": 9, "retries": {"max_attempts": 2}}},
            {"connect_timeout": "5s", "max_retries": 2},
        ),
        ({"config_kwargs": {"s3": {"addressing_style": "virtual"}}}, {"aws_virtual_hosted_style_request": "true"}),
        ({"config_kwargs": {"s3": {"addressing_style": "path"}}}, {"aws_virtual_hosted_style_request": "false"}),
        ({"s3_additional_kwargs": {"ServerSideEncryption": "aws:kms", "MaxKeys": 10}}, {}),
    ],
)
def test_an_option_becomes_its_equivalent(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """What decides which bytes are read is passed on; what only tunes s3fs is left out."""
    assert polars_access(given).storage_options == expected


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"nonsense": "x"}, "nonsense"),
        ({"client_kwargs": {"proxies": "x"}}, "client_kwargs: proxies"),
        ({"client_kwargs": {"verify": "/ca.pem"}}, "client_kwargs: verify"),
        ({"config_kwargs": {"signature_version": "s3"}}, "config_kwargs: signature_version"),
        ({"config_kwargs": {"s3": {"use_accelerate_endpoint": True}}}, "config_kwargs: s3"),
        ({"s3_additional_kwargs": {"SSECustomerKey": "hidden"}}, "s3_additional_kwargs: SSECustomerKey"),
    ],
)
def test_an_option_without_an_equivalent_is_refused(given: dict[str, Any], named: str) -> None:
    """The message names the option, and not its value."""
    with pytest.raises(OptionError, match="`storage_options`: expected options of s3fs that Polars also has") as caught:
        polars_access(given)
    assert f"found {named!r}; leave it out" in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("spelled", [("key", "secret", "token"), ("username", "password", "token")])
def test_given_credentials_are_used_and_not_shown(spelled: tuple[str, ...]) -> None:
    """They go to Polars when it asks for them, survive pickling, and no text of the objects has them."""
    access = polars_access(dict(zip(spelled, ("known", "hidden", "hidden too"), strict=True)))
    assert "hidden" not in f"{access!r} {access.credential_provider!r} {access.storage_options!r}"
    provider = pickle.loads(pickle.dumps(access.credential_provider))
    assert provider() == (
        {"aws_access_key_id": "known", "aws_secret_access_key": "hidden", "aws_session_token": "hidden too"},
        None,
    )


def test_a_profile_brings_its_credentials_region_and_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Polars gets what s3fs would take from the same files and variables; what is given wins."""
    (tmp_path / "config").write_text("[profile lake]\nregion = eu-west-1\nendpoint_url = https://s3.example\n")
    (tmp_path / "credentials").write_text("[lake]\naws_access_key_id = a\naws_secret_access_key = b\n")
    access = polars_access({"profile": "lake"})
    assert access.storage_options == {"aws_endpoint_url": "https://s3.example", "aws_region": "eu-west-1"}
    assert access.credential_provider is not None
    credentials, until = access.credential_provider()
    assert credentials == {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    assert until is not None
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://other.example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert polars_access({}).storage_options == {
        "aws_endpoint_url": "https://other.example",
        "aws_region": "eu-north-1",
    }
    given = {"endpoint_url": "https://mine.example", "client_kwargs": {"region_name": "x"}}
    assert polars_access(given).storage_options == {"aws_endpoint_url": "https://mine.example", "aws_region": "x"}


def test_no_credentials_is_an_error_with_a_remedy() -> None:
    """An anonymous access asks for none; another one says how to give them."""
    assert polars_access({"anon": True}).credential_provider is None
    provider = polars_access({}).credential_provider
    assert provider is not None
    with pytest.raises(DatasetError, match=r"expected credentials for S3, found none; set AWS_…, name a profile"):
        provider()
