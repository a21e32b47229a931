"""Which of the storage options of a run are for the file system of one source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["HTTP_OPTIONS", "REQUEST_OPTIONS", "options_for"]

HTTP_OPTIONS = frozenset(
    {
        *("simple_links", "same_scheme", "size_policy", "block_size", "cache_type", "cache_options", "encoded"),
        *("client_kwargs", "get_client", "asynchronous", "loop"),
        *("use_listings_cache", "listings_expiry_time", "max_paths", "skip_instance_cache"),
    }
)
"""What fsspec's HTTPFileSystem takes for itself."""
REQUEST_OPTIONS = frozenset(
    {
        *("params", "cookies", "headers", "skip_auto_headers", "auth", "allow_redirects", "max_redirects"),
        *("proxy", "proxy_auth", "proxy_headers", "timeout", "ssl", "server_hostname"),
        *("read_bufsize", "max_line_size", "max_field_size"),
    }
)
"""What it passes on to aiohttp's ClientSession with each request."""
S3_CLIENT_OPTIONS = frozenset(
    {
        *("region_name", "api_version", "use_ssl", "verify", "endpoint_url", "config"),
        *("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id"),
    }
)
"""What s3fs passes on to botocore's ``create_client`` under a name that HTTP has, too: ``client_kwargs``."""


def options_for(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options for a URL's file system, with those that keep it from showing anything but what is there.

    One run has options for a root on S3 and sources anywhere; HTTP would break at what it does not know.
    """
    # fsspec has one file system for equal options, and botocore changes those that it is given.
    options = _copied(options)
    if "::" not in url and url.lower().startswith(("http://", "https://")):
        return _http_options(url, options)
    # The last links of a chain are out of reach, and s3fs would remember there what it has listed.
    protocols = {link.partition("://")[0] for link in url.split("::")[1:]} & {"s3", "s3a"}
    fresh = {each: {"use_listings_cache": False, **options.get(each, {})} for each in protocols}
    return {**options, **fresh}


def _http_options(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What a server stores is asked for, not what it would compress on the way, and by the query as it is spelled."""
    own = options.get(url.partition("://")[0].lower(), {})
    known = {name: options[name] for name in HTTP_OPTIONS | REQUEST_OPTIONS if name in options} | own
    client = {name: value for name, value in known.get("client_kwargs", {}).items() if name not in S3_CLIENT_OPTIONS}
    return {
        "encoded": "?" in url and url.isascii() and " " not in url,
        **known,
        "headers": {**known.get("headers", {}), "Accept-Encoding": "identity"},
        "client_kwargs": {"auto_decompress": False, **client},
    }


def _copied(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, dict) else value for name, value in options.items()}
