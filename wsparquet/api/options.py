"""How the server is spoken with: where it is, how often and how long it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from wsparquet.errors import ApiError

__all__ = ["KEPT", "REGIONS", "ApiOptions"]

REGIONS = {"us": "va.da.liveperson.net", "uk": "lo.da.liveperson.net", "apac": "sy.da.liveperson.net"}
"""The fixed hosts (Data Access API, overview page)."""

KEPT = timedelta(days=30)
"""How long the server keeps a file after it was made (Data Access API, overview page)."""


@dataclass(frozen=True, kw_only=True)
class ApiOptions:
    """How the server is spoken with.

    ``base_url`` takes the place of the region's host: ``https://host[:port]``, or ``http`` on the machine itself.
    ``connections``: requests at a time. ``tries``: of one request, in ``total_seconds`` altogether; ``pause_seconds``
    is the first pause after a failure of the server's, twice and three times that the next ones, twice the last one
    from then on (the vendor's advice on retries has 5, 10 and 15 seconds). ``connect_seconds``, ``read_seconds`` (of
    silence) and ``list_seconds`` (of a whole list) are timeouts.

    Raises:
        ApiError: there is no such region.

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
