"""The standard logger ``wsparquet``, made when a run first has something to say.

``import wsparquet`` does not import ``logging``, so that the command line starts as fast as before. Until the
application configures logging, the NullHandler keeps Python from printing warnings to standard error.
"""

from __future__ import annotations

import logging

__all__ = ["LOGGER", "quiet_libraries"]

LOGGER = logging.getLogger("wsparquet")
LOGGER.addHandler(logging.NullHandler())


def quiet_libraries() -> None:
    """Keep the messages of filelock about every lock out of an application's log, unless it asked for them."""
    filelock = logging.getLogger("filelock")
    if filelock.level == logging.NOTSET:
        filelock.setLevel(logging.WARNING)


quiet_libraries()
