"""Selects the storage options that the file system of one source accepts."""

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
"""Options of fsspec's HTTPFileSystem."""
REQUEST_OPTIONS = frozenset(
    {
        *("params", "cookies", "headers", "skip_auto_headers", "auth", "allow_redirects", "max_redirects"),
        *("proxy", "proxy_auth", "proxy_headers", "timeout", "ssl", "server_hostname"),
        *("read_bufsize", "max_line_size", "max_field_size"),
    }
)
"""Options that HTTPFileSystem passes to aiohttp's ClientSession with each request."""
S3_CLIENT_OPTIONS = frozenset(
    {
        *("region_name", "api_version", "use_ssl", "verify", "endpoint_url", "config"),
        *("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id"),
    }
)
"""Options in ``client_kwargs`` that s3fs passes to botocore. HTTPFileSystem also has an option ``client_kwargs``."""


def options_for(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that the file system of a URL accepts.

    A run has the same options for all file systems, but the HTTP file system fails on options for others, such as S3.
    The result also disables the listing cache of an S3 file system that is a later component of a chained URL.
    """
    # fsspec shares one file system among callers with equal options, and botocore modifies its options, so copy them.
    options = _copied(options)
    if "::" not in url and url.lower().startswith(("http://", "https://")):
        return _http_options(url, options)
    # The later file systems of a chained URL are not accessible, so their listing caches cannot be cleared. Disable the
    # caches.
    protocols = {link.partition("://")[0] for link in url.split("::")[1:]} & {"s3", "s3a"}
    fresh = {each: {"use_listings_cache": False, **options.get(each, {})} for each in protocols}
    return {**options, **fresh}


def _http_options(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options that disable compression in transit and leave the URL's query unchanged."""
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
