"""Runs the command line in processes that are forked, because a start with all imports takes half a second.

``python -m tests.support.forked SOCKET`` imports what the commands need, and waits. For each connection it forks a
process that runs a command with the arguments, the folder, the environment and the standard streams of its client. The
process is one of its own in all that a command can see, but for what Python reads at its start: PYTHONUNBUFFERED and
the like are those of the server. Tests of starts, of signals and of memory run the installed program itself.
"""

from __future__ import annotations

import atexit
import importlib
import os
import pkgutil
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("wsparquet")
START_SECONDS = 120.0
NUMBER = 8
"""The bytes of each number in the protocol: the length of a request, a process's number, an exit code."""

# --- Server -----------------------------------------------------------------------------------------------------------


def load() -> None:
    """Import what commands import when they run. No module may start a thread, because a fork has only one."""
    import pyarrow.compute
    import pyarrow.dataset
    import pyarrow.parquet
    import rich.console
    import rich.progress

    import wsparquet

    assert all((pyarrow, rich))
    for module in pkgutil.walk_packages(wsparquet.__path__, "wsparquet.", onerror=lambda _: None):
        # Modules of these rooms need what is not always installed, and few commands need them.
        if not re.search(r"\.(spark|iceberg|__main__)\b", module.name):
            importlib.import_module(module.name)


def serve(path: str) -> None:
    """Fork a process for each connection, until standard input ends."""
    load()
    assert threading.active_count() == 1
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                supervise(connection)
            connection.close()


def supervise(connection: socket.socket) -> None:
    """Fork the command, and tell the client its number and later its exit code. This process ends here."""
    first, streams, _, _ = socket.recv_fds(connection, NUMBER, 3)
    if not first:
        os._exit(0)
    words = _exactly(connection, int.from_bytes(first)).split(b"\0")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    command = os.fork()
    if command == 0:
        connection.close()
        run(words, streams)
    for stream in streams:
        os.close(stream)
    with suppress(BrokenPipeError, ConnectionError):
        connection.sendall(command.to_bytes(NUMBER))
        code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
        connection.sendall(code.to_bytes(NUMBER, signed=True))
    os._exit(0)


def run(words: list[bytes], streams: list[int]) -> None:
    """Run a command in this process, and end it as Python ends."""
    from wsparquet.cli import main

    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    count = int(words[0])
    arguments, folder, variables = words[1 : count + 1], words[count + 1], words[count + 2 :]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(os.fsdecode(variable).split("=", 1) for variable in variables)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["wsparquet", *map(os.fsdecode, arguments)]
    code: object = 1
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:  # noqa: BLE001 - as Python prints it
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for output in (sys.stdout, sys.stderr):
        output.flush()
    os._exit(int(code or 0))  # type: ignore[call-overload]


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = connection.recv(size - len(found))
        if not piece:
            raise EOFError
        found += piece
    return found


# --- Clients ----------------------------------------------------------------------------------------------------------

CLIENT = """\
#!{python} -IS
import os, signal, socket, sys
if sys.argv[1:2] == ["serve"]:
    os.execv({program!r}, sys.argv)
words = [b"%d" % (len(sys.argv) - 1), *map(os.fsencode, sys.argv[1:]), os.getcwdb()]
request = b"\\0".join([*words, *(name + b"=" + value for name, value in os.environb.items())])
server = socket.socket(socket.AF_UNIX)
server.connect({path!r})
socket.send_fds(server, [len(request).to_bytes({number})], [0, 1, 2])
server.sendall(request)
command = int.from_bytes(server.recv({number}, socket.MSG_WAITALL))
for each in (signal.SIGINT, signal.SIGTERM):
    signal.signal(each, lambda number, _: os.kill(command, number))
code = int.from_bytes(server.recv({number}, socket.MSG_WAITALL), signed=True)
os._exit(code if code >= 0 else 128 - code)
"""


class Running:
    """A command that runs in a forked process, whose number is ``pid``."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.pid = int.from_bytes(_exactly(server, NUMBER))

    def wait(self, timeout: float) -> int:
        """Wait for the end of the command, and return its exit code, negative if a signal ended it."""
        with self._server:
            self._server.settimeout(timeout)
            try:
                return int.from_bytes(_exactly(self._server, NUMBER), signed=True)
            except TimeoutError:
                os.kill(self.pid, signal.SIGKILL)
                raise


def start(
    arguments: Iterable[object], streams: tuple[int, int, int], *, folder: object, variables: Mapping[str, str]
) -> Running:
    """Start a command of the program with these descriptors as standard input, output and error."""
    given = [os.fsencode(str(argument)) for argument in arguments]
    environment = [os.fsencode(f"{name}={value}") for name, value in variables.items()]
    request = b"\0".join([b"%d" % len(given), *given, os.fsencode(str(folder)), *environment])
    server = socket.socket(socket.AF_UNIX)
    server.connect(_path())
    socket.send_fds(server, [len(request).to_bytes(NUMBER)], streams)
    server.sendall(request)
    return Running(server)


def run_to_end(
    arguments: Iterable[object],
    *,
    stdin: bytes = b"",
    folder: object = ".",
    variables: Mapping[str, str] | None = None,
    timeout: float = 240,
) -> tuple[int, bytes, bytes]:
    """Run a command to its end, and return its exit code, standard output and standard error."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        streams = (given.fileno(), out.fileno(), err.fileno())
        environment = os.environ if variables is None else variables
        code = start(arguments, streams, folder=Path(str(folder)).absolute(), variables=environment).wait(timeout)
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()


@cache
def folder_for_path() -> Path:
    """A folder to put before others in PATH: its ``wsparquet`` is forked. A server, which runs on, is not."""
    folder = Path(_path()).parent / "bin"
    folder.mkdir()
    script = folder / "wsparquet"
    script.write_text(CLIENT.format(python=sys.executable, program=str(PROGRAM), path=_path(), number=NUMBER))
    script.chmod(0o755)
    return folder


@cache
def _path() -> str:
    """The socket of the server of this process, which is started at the first use."""
    folder = tempfile.TemporaryDirectory(prefix="forked-")
    path = str(Path(folder.name) / "socket")
    command = [sys.executable, "-m", "tests.support.forked", path]
    settings = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **settings}, **pipes)  # type: ignore[call-overload]

    def stop() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        folder.cleanup()

    atexit.register(stop)
    end = time.monotonic() + START_SECONDS
    while not _listens(path):
        assert process.poll() is None, "the server of forked commands did not start"
        assert time.monotonic() < end, "the server of forked commands does not answer"
        time.sleep(0.02)
    return path


def _listens(path: str) -> bool:
    """Whether a server listens at a socket."""
    with socket.socket(socket.AF_UNIX) as attempt:
        return attempt.connect_ex(path) == 0


if __name__ == "__main__":
    serve(sys.argv[1])
