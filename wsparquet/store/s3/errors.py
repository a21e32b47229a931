"""Translates errors of s3fs, botocore and S3 into DatasetErrors that suggest a remedy and contain no secrets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    UnauthorizedSSOTokenError,
)

from wsparquet.errors import DatasetError
from wsparquet.store.s3.bucket import code_of, is_redirected, reason_of, status_of
from wsparquet.store.s3.options import StorageOptions
from wsparquet.store.s3.pages import OddAnswer
from wsparquet.store.store import Refused

__all__ = ["translated"]

CREDENTIALS = "check the credentials (`storage_options`, AWS_…, or a profile)"
EXPIRED = "get new credentials (`storage_options`, AWS_…, or a profile), and run again"
REMEDIES = {
    401: CREDENTIALS,
    404: "check the bucket's name, and the endpoint",
    501: "the store does not support this request",
    503: "the store receives too many requests: run fewer jobs, or try again later",
}
EXPIRED_CODES = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
CREDENTIAL_CODES = {"InvalidAccessKeyId", "InvalidToken", "InvalidClientTokenId", "SignatureDoesNotMatch"}
CREDENTIAL_ERRORS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    UnauthorizedSSOTokenError,
)
RIGHTS = {
    "read": "s3:GetObject and s3:ListBucket",
    "list": "s3:ListBucket",
    "list uploads of": "s3:ListBucketMultipartUploads",
    "write": "s3:PutObject",
    "upload parts to": "s3:PutObject",
    "delete objects of": "s3:DeleteObject",
    "end an upload of": "s3:AbortMultipartUpload",
}
"""The permissions that each action needs."""

OF_OPTIONS = (TypeError, AttributeError, KeyError)
"""Until the server's first answer, s3fs and botocore raise these errors for options that they cannot use.

After the first answer, they raise the same errors for an answer that lacks a field.
"""

ELSEWHERE = "the bucket is at another address: check the endpoint, and the region of the bucket"
ANOTHER_STORE = "check that the endpoint is an S3 store; update the store or use another store"


@contextmanager
def translated(action: str, place: str, options: StorageOptions, *, reached: bool) -> Iterator[None]:
    """Translate s3fs's errors inside the context into a DatasetError with the location and the server's message.

    The message contains no secrets. ``reached``: whether the server has answered a request. Before the first answer, a
    TypeError, AttributeError or KeyError means that one of the ``options`` is wrong; afterwards, it means that an
    answer of the server is malformed.
    """
    try:
        yield
    except Refused as error:
        raise Refused(options.hide(str(error))) from _chained(error, options)
    except (OSError, BotoCoreError, ValueError, ImportError) as error:
        raise _error(error, action, place, options, _remedy(error, action)) from _chained(error, options)
    except OddAnswer as error:
        raise _error(error, action, place, options, ANOTHER_STORE) from _chained(error, options)
    except OF_OPTIONS as error:
        if not reached:
            raise _error(error, action, place, options, options.remedy) from _chained(error, options)
        odd = OddAnswer(f"expected an answer with the fields that S3 sends, found one that s3fs cannot use ({error!r})")
        raise _error(odd, action, place, options, ANOTHER_STORE) from _chained(error, options)


def _error(error: BaseException, action: str, place: str, options: StorageOptions, remedy: str) -> DatasetError:
    return DatasetError(f"cannot {action} {place}: {options.hide(reason_of(error))}; {remedy}")


def _chained(error: BaseException, options: StorageOptions) -> BaseException | None:
    """Return the error to chain as the cause, or None if its text has a secret, because tracebacks print causes."""
    said = (str(error), str(error.__cause__), reason_of(error))
    return error if all(options.hide(text) == text for text in said) else None


def _remedy(error: BaseException, action: str) -> str:
    """Return the remedy for an error."""
    status, code = status_of(error), code_of(error)
    if code in EXPIRED_CODES:
        return EXPIRED
    if isinstance(error, CREDENTIAL_ERRORS) or code in CREDENTIAL_CODES:
        return CREDENTIALS
    if is_redirected(error):
        return ELSEWHERE
    if status == 403:
        return f"{CREDENTIALS}, and their permissions for this bucket (this needs {RIGHTS.get(action, 'more')})"
    return REMEDIES.get(status or 0, "check the endpoint and the connection, and run again")
