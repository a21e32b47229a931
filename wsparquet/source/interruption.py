"""Makes reading from remote file systems interruptible.

A thread that reads from fsspec cannot be interrupted, and fsspec waits for minutes for a server that does not answer. A
helper thread therefore does the reading. After an interruption, the calling thread stops waiting for the helper.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from queue import SimpleQueue
from typing import Any, BinaryIO, TypeVar, cast

from wsparquet.errors import SourceError

__all__ = ["interruptible", "open_interruptibly"]

Result = TypeVar("Result")
Interrupted = Callable[[], bool]
POLL_SECONDS = 0.1
PIECE = 1 << 20
"""How many bytes the helper reads at once. Handing over many small pieces would be slow."""

_current: ContextVar[Interrupted | None] = ContextVar("wsparquet_interrupted", default=None)


@contextmanager
def interruptible(interrupted: Interrupted) -> Iterator[None]:
    """Make remote files that this thread opens inside the context fail soon after ``interrupted`` returns True."""
    token = _current.set(interrupted)
    try:
        yield
    finally:
        _current.reset(token)


def open_interruptibly(label: str, opener: Callable[[], Any]) -> BinaryIO:
    """Return the file that ``opener`` opens. Inside ``interruptible``, opening and reading the file can be interrupted.

    Raises:
        SourceError: the reading was interrupted; the message begins with ``label``.

    """
    interrupted = _current.get()
    if interrupted is None:
        return cast("BinaryIO", opener())
    return cast("BinaryIO", _File(_Helper(label, interrupted), opener))


class _Helper:
    """A thread that makes calls for another thread.

    The thread is a daemon, so that it does not keep the process alive.
    """

    def __init__(self, label: str, interrupted: Interrupted) -> None:
        self._label = label
        self._interrupted = interrupted
        self._calls: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="wsparquet-read", daemon=True).start()

    def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        future = self._begin(function, arguments)
        while not wait([future], POLL_SECONDS).done:
            if self._interrupted():
                raise SourceError(f"{self._label}: interrupted; run again to convert it")
        return future.result()

    def end(self, function: Callable[[], object]) -> None:
        """Make a last call and end the thread, without waiting for either."""
        self._begin(function, ())
        self._calls.put(None)

    def _begin(self, function: Callable[..., Result], arguments: tuple[Any, ...]) -> Future[Result]:
        future: Future[Result] = Future()
        self._calls.put((future, function, arguments))
        return future

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            future, function, arguments = call
            try:
                future.set_result(function(*arguments))
            except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
                future.set_exception(error)


class _File:
    """A file that a helper thread opens and reads."""

    def __init__(self, helper: _Helper, opener: Callable[[], Any]) -> None:
        self._helper = helper
        self._file: Any = None
        self._buffer = memoryview(b"")
        try:
            helper.call(self._open, opener)
        except BaseException:
            self.close()
            raise

    def _open(self, opener: Callable[[], Any]) -> None:
        self._file = opener()

    def read(self, size: int, /) -> bytes:
        if not self._buffer:
            self._buffer = memoryview(self._helper.call(self._file.read, max(size, PIECE)))
        piece, self._buffer = self._buffer[:size], self._buffer[size:]
        return bytes(piece)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if whence == 1:
            offset -= len(self._buffer)
        self._buffer = memoryview(b"")
        return self._helper.call(self._file.seek, offset, whence)  # type: ignore[no-any-return]

    def close(self) -> None:
        self._helper.end(self._close)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
