"""The version of DuckDB that `make engines` installs with its extensions, for tests in a process of their own."""

from __future__ import annotations

import os
from pathlib import Path

OTHER_ENGINES = os.environ.get("WSPARQUET_TEST_ENGINES")


def with_extensions(folder: Path) -> dict[str, str]:
    """The variables of a process that imports the other environment's DuckDB, whose extensions are installed."""
    (packages,) = Path(str(OTHER_ENGINES)).parent.parent.glob("lib/python*/site-packages")
    modules = folder / "modules"
    modules.mkdir()
    for path in [packages / "duckdb", *packages.glob("_duckdb*.so")]:
        (modules / path.name).symlink_to(path)
    for path in packages.glob("duckdb_extension_*/extensions/*/*.duckdb_extension"):
        installed = folder / "home/.duckdb/extensions" / path.parent.name / "linux_amd64"
        installed.mkdir(parents=True, exist_ok=True)
        (installed / path.name).symlink_to(path)
    search = os.pathsep.join((str(modules), str(Path(__file__).parents[2])))
    return {**os.environ, "HOME": str(folder / "home"), "PYTHONPATH": search}
