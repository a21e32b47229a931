"""Starts the command line: the program ``wsparquet``, and ``python -m wsparquet``."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line, and end the process with the exit code of the command."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        # Until the command line can print a message, Ctrl-C ends the process by the signal, without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from wsparquet.cli import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
