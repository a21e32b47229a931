"""The options of requests to the server: its URL, limits on requests, and timeouts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from wsparquet.options import check_choice, check_kind, check_number

__all__ = ["KEPT", "REGIONS", "ApiOptions"]

REGIONS = {"us": "va.da.liveperson.net", "uk": "lo.da.liveperson.net", "apac": "sy.da.liveperson.net"}
"""The fixed hosts (Data Access API, overview page)."""

KEPT = timedelta(days=30)
"""How long the server keeps a file (Data Access API, overview page)."""


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """How requests are sent to the Data Access API.

    ``region``: ``us``, ``uk`` or ``apac``. ``base_url``: the server to use instead of the region's server, as
    ``https://host[:port]``; ``http`` is allowed only for this machine. ``connections``: the maximum number of
    concurrent requests. ``tries``: the maximum number of attempts for one request, all within ``total_seconds``.
    ``pause_seconds``: the first pause after a failure of the server; the next two pauses are 2 and 3 times as long, and
    each later pause is twice the previous one, up to 2 minutes (the API's documentation recommends 5, 10 and 15
    seconds). The timeouts: ``connect_seconds`` for making a connection, ``read_seconds`` for waiting for the next
    bytes, and ``list_seconds`` for the response to a list request.

    >>> wsparquet.ApiOptions(region="uk", tries=3).pause_seconds
    5.0

    Raises:
        OptionError: a field has an invalid value.

    """

    region: str = "us"
    base_url: str | None = None
    connections: int = 8
    tries: int = 8
    total_seconds: float = 900.0
    pause_seconds: float = 5.0
    connect_seconds: float = 30.0
    read_seconds: float = 60.0
    list_seconds: float = 300.0

    def __post_init__(self) -> None:
        """Reject invalid values."""
        check_choice("region", self.region, tuple(REGIONS))
        check_kind("base_url", self.base_url, str, "a URL as text", optional=True)
        for name in ("connections", "tries"):
            check_number(name, getattr(self, name), minimum=1)
        for name in ("total_seconds", "pause_seconds", "connect_seconds", "read_seconds", "list_seconds"):
            check_number(name, getattr(self, name), minimum=0, whole=False)
