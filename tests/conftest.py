"""What holds for all tests: Ctrl-C reaches the processes that they start."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Handle SIGINT again if this run was started with SIGINT ignored, as `nohup` and `&` in a script do.

    Processes inherit an ignored signal, and Python then installs no handler: tests of Ctrl-C would wait forever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
