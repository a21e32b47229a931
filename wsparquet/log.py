"""The standard logger ``wsparquet``, created when a run first needs it.

``import wsparquet`` does not import ``logging``, to keep the start of the command line fast. Until the application
configures logging, the NullHandler keeps Python from printing warnings to standard error.
"""

from __future__ import annotations

import logging

__all__ = ["LOGGER", "quiet_libraries"]

LOGGER = logging.getLogger("wsparquet")
LOGGER.addHandler(logging.NullHandler())


def quiet_libraries() -> None:
    """Suppress filelock's messages about every lock, unless the application has set a level for that logger."""
    filelock = logging.getLogger("filelock")
    if filelock.level == logging.NOTSET:
        filelock.setLevel(logging.WARNING)


quiet_libraries()
