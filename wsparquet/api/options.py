"""Options of the API client: the server's address, connections, retries, and timeouts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from wsparquet.errors import ApiError

__all__ = ["KEPT", "REGIONS", "ApiOptions"]

REGIONS = {"us": "va.da.liveperson.net", "uk": "lo.da.liveperson.net", "apac": "sy.da.liveperson.net"}
"""The fixed hosts (Data Access API, overview page)."""

KEPT = timedelta(days=30)
"""How long the server keeps a file (Data Access API, overview page)."""


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """How to talk to the Data Access API.

    ``base_url`` replaces the host of the region: ``https://host[:port]``, or ``http`` for this machine. ``connections``
    is the number of concurrent requests. ``tries`` limits the attempts of one request, and ``total_seconds`` their
    total time. ``pause_seconds`` is the first pause after a server error; later pauses are 2×, 3×, then doubling
    (LivePerson's retry page says 5, 10, and 15 seconds). ``connect_seconds``, ``read_seconds`` (without data), and
    ``list_seconds`` (for a whole list) are timeouts.

    Raises:
        ApiError: the region is unknown.

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
        """Refuse an unknown region."""
        if self.region not in REGIONS:
            raise ApiError(f"expected a region, {', '.join(REGIONS)}, found {self.region!r}")
