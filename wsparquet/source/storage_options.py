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
"""Options that s3fs passes to botocore in ``client_kwargs``, a name that HTTPFileSystem uses as well."""


def options_for(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options for the file system of a URL, plus options that disable cached listings.

    One run may have options for a root on S3 and sources elsewhere. HTTP fails on options that it does not know.
    """
    # fsspec shares a file system among equal options, and botocore modifies the options that it receives, so copy them.
    options = _copied(options)
    if "::" not in url and url.lower().startswith(("http://", "https://")):
        return _http_options(url, options)
    # In a chained URL the later file systems cannot be reached to clear their caches, so disable their listing caches.
    protocols = {link.partition("://")[0] for link in url.split("::")[1:]} & {"s3", "s3a"}
    fresh = {each: {"use_listings_cache": False, **options.get(each, {})} for each in protocols}
    return {**options, **fresh}


def _http_options(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that request the bytes as stored, without compression in transit, and keep the query as spelled."""
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
