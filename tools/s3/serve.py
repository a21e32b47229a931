"""Runs moto's servers for S3 and AWS Glue in this process: ``python -m tools.s3.serve PORT``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import run_simple

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def one_put_at_a_time(application: Application) -> Application:
    """Return an application that processes one PUT at a time.

    S3 checks the condition of a PUT and writes the object atomically. moto does not, so the conditions of two
    concurrent writers could both hold.
    """
    lock = threading.Lock()

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "PUT":
            return application(environ, start_response)
        with lock:
            return application(environ, start_response)

    return call


def with_glue(application: Application) -> Application:
    """Return an application that passes on all requests but those to AWS Glue, which name their service in a header.

    moto's own dispatcher looks up the service of each request on the disk, which takes longer than a small GET of S3.
    """

    @cache
    def glue() -> Application:
        return create_backend_app("glue")

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        of_glue = environ.get("HTTP_X_AMZ_TARGET", "").startswith("AWSGlue.")
        return (glue() if of_glue else application)(environ, start_response)

    return call


if __name__ == "__main__":
    application = with_glue(one_put_at_a_time(create_backend_app("s3")))
    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True)
