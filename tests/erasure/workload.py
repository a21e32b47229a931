"""Erasures and expiries in processes that tests kill: ``python -m tests.erasure.workload MODE WORK …``.

The modes are those of ``tests.commit.workload``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import wsparquet
from tests.commit import workload
from tests.erasure import people
from wsparquet.dataset import Root

AGE = datetime.now(UTC) - datetime.fromtimestamp(people.START / 1000, UTC).replace(hour=0, minute=0) - timedelta(days=1)
"""How long ago the first of the sources' two days ended."""


def erase(root: Root) -> None:
    """Erase the person."""
    os.environ["WSPARQUET_KEY"] = people.KEY
    wsparquet.erase(root.place, visitors=[people.VISITOR, people.NUMBER], customers=people.CUSTOMER, yes=True)


def expire(root: Root) -> None:
    """Expire the first day."""
    wsparquet.expire(root.place, older_than=AGE, yes=True)


WORKS = {"erase": erase, "expire": expire}


if __name__ == "__main__":
    workload.WORKS |= WORKS
    modes: dict[str, Callable[..., None]] = {"once": workload.once, "steps": workload.steps}
    modes[sys.argv[1]](*sys.argv[2:])
