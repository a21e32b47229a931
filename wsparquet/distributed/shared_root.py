"""The root of a job, as every task opens it: by path and id, on the right machine, and without creating anything."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from wsparquet.dataset import Access, Root
from wsparquet.errors import DatasetError
from wsparquet.redaction import without_credentials
from wsparquet.urls import is_url

__all__ = ["SharedRoot", "check_machine", "this_machine"]

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""The file in which Linux has a random number for each start of the machine."""


def this_machine() -> str:
    """Return a text that identifies the machine of this process; each container counts as a machine."""
    try:
        boot = BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        boot = ""
    return f"{platform.node()} {boot}".strip()


def check_machine(folder: str, expected: str | None, found: str) -> None:
    """Refuse a folder that tasks on another machine would use, too. Raises DatasetError.

    ``expected`` is the driver's machine, or None for a place that all machines share.
    """
    if expected is not None and found != expected:
        raise DatasetError(
            f"{without_credentials(folder)}: expected all tasks on the driver's machine {expected}, because this is a "
            f"folder, found {found}, where the same path is another folder; use s3://BUCKET/PATH instead"
        )


@dataclass(frozen=True)
class SharedRoot:
    """A root that the driver has opened or created.

    ``root_id``: the id of the root, or None in a dry run without a root.

    ``machine``: the driver's machine if the root is a folder, which would be another folder on another machine.
    """

    path: str
    access: Access
    root_id: str | None
    machine: str | None = None
    replaying: bool = False

    @classmethod
    def of(cls, root: Root | None, path: str | os.PathLike[str], access: Access, *, replaying: bool = False) -> Self:
        """Return the shared form of a root that the driver has opened."""
        text = os.fspath(path)
        local = not is_url(text)
        root_id = root.version.root_id if root is not None and root.exists else None
        where = os.path.abspath(text) if local else text  # noqa: PTH100 - resolve() would follow links
        return cls(where, access, root_id, this_machine() if local else None, replaying)

    def open(self) -> Root | None:
        """Open the root; return None if the driver has no root.

        Raises:
            DatasetError: this process runs on another machine, or sees no root or another root at the path.

        """
        if self.root_id is None:
            return None
        self.check_machine(this_machine())
        open_root = Root.open_for_replay if self.replaying else _open_existing
        root = open_root(self.path, access=self.access)
        if (found := root.version.root_id) != self.root_id:
            raise DatasetError(
                f"{self._shown}: expected the root with id {self.root_id}, which the driver has opened, found the root "
                f"{found} on {this_machine()}; use a root in a bucket, which is the same for all machines"
            )
        return root

    def check_machine(self, found: str) -> None:
        """Refuse another machine if the root is a folder. Raises DatasetError."""
        check_machine(self.path, self.machine, found)

    @property
    def _shown(self) -> str:
        return without_credentials(self.path)


def _open_existing(path: str, *, access: Access) -> Root:
    return Root.open(path, create=False, access=access)
