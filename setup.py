"""What pyproject.toml cannot say: a build begins with an empty folder.

Everything in that folder goes into the wheel, so the native crate of an earlier build would, too, where there is no
cargo to build the current one.
"""

from __future__ import annotations

import shutil

from setuptools import setup
from setuptools.command.build import build


class FreshBuild(build):
    """A build without what an earlier one left."""

    def run(self) -> None:
        """Build."""
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build": FreshBuild})
