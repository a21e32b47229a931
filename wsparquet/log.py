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
    """Suppress messages of libraries, unless the application has set a level for their loggers.

    filelock reports every lock. oauthlib reports the credentials and the signature of every request.
    """
    for name in ("filelock", "oauthlib"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)


quiet_libraries()
