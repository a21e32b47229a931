"""Appends the fields that have no id yet to the registry of field ids: ``python -m tools.field_ids``.

Existing lines of the registry keep their content and their order.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsparquet.schema import SCHEMA_VERSION, TABLES
from wsparquet.schema.field_ids import FIRST_EXTENSION_ID, REGISTRY_FILE, FieldId, field_paths, registry

HEAD = "table,id,path,since"
PATH = Path(__file__).parents[1] / "wsparquet" / "schema" / REGISTRY_FILE


def missing(known: tuple[FieldId, ...]) -> list[FieldId]:
    """Return a line for each field without an id. New ids of a table follow the table's greatest id."""
    found = []
    for table in TABLES:
        of_table = [line for line in known if line.table == table]
        paths, last = {line.path for line in of_table}, max((line.id for line in of_table), default=0)
        new = [path for path in field_paths(table) if path not in paths]
        found += [FieldId(table, last + number, path, SCHEMA_VERSION) for number, path in enumerate(new, 1)]
    if any(line.id >= FIRST_EXTENSION_ID for line in found):
        raise ValueError(f"expected ids below {FIRST_EXTENSION_ID}, found {max(line.id for line in found)}")
    return found


def main() -> int:
    """Append the lines, and print how many there are. Return the exit code."""
    new = missing(registry())
    if not PATH.read_text(encoding="utf-8").startswith(HEAD):
        raise ValueError(f"{PATH}: expected the first line {HEAD}")
    with PATH.open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{','.join(map(str, line))}\n" for line in new)
    sys.stdout.write(f"{len(new)} fields appended to {PATH.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
