"""Renders the query for the rows of a flat view, which makes a row of each element of a list.

Queries of the form ``select`` filter on the length of a list before they unnest it. Without the filter, Polars would
add a row of nulls for each empty or missing list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from wsparquet.render.views.dialects import Dialect
from wsparquet.schema.flat_views import KEYS, FlatView, Rows, element_of
from wsparquet.schema.tables import PARTITION

__all__ = ["rows_query"]


def rows_query(view: FlatView, rows: Rows, dialect: Dialect) -> str:
    """Return the query for the rows of a view that come from ``rows``, with the columns of the view in order."""
    return _selected(view, rows, dialect) if dialect.unnesting == "select" else _joined(view, rows, dialect)


# --- Lists unnested in the list of columns ----------------------------------------------------------------------------


def _selected(view: FlatView, rows: Rows, dialect: Dialect) -> str:
    source, carried = dialect.relation(rows.table), [*_keys(dialect)]
    for number, (alias, path) in enumerate(rows.lists.items()):
        unnested = f"{dialect.unnest}({dialect.path(path)}) AS {dialect.name(alias)}"
        query = (
            f"SELECT {', '.join([*carried, unnested])}\nFROM {source}\nWHERE {dialect.length}({dialect.path(path)}) > 0"
        )
        source = f"({_indented(query)}) AS {dialect.name(f'level_{number}')}"
        carried = [*map(dialect.name, KEYS), *map(dialect.name, _aliases_until(rows, alias))]
    columns = [dialect.name(key) for key in KEYS]
    columns += [f"'{text}' AS {dialect.name(name)}" for name, text in rows.constants.items()]
    columns += [f"{_value(view, name, path, dialect)} AS {dialect.name(name)}" for name, path in rows.columns.items()]
    return f"SELECT {', '.join(columns)}\nFROM {source}{_where(rows, dialect.path)}"


def _keys(dialect: Dialect) -> Iterator[str]:
    for name, path in KEYS.items():
        yield dialect.name(name) if name == path else f"{dialect.path(path)} AS {dialect.name(name)}"


def _aliases_until(rows: Rows, last: str) -> list[str]:
    names = [*rows.lists]
    return names[: names.index(last) + 1]


def _value(view: FlatView, name: str, path: str, dialect: Dialect) -> str:
    return dialect.path(path) if path else dialect.null(_type(view, name))


def _type(view: FlatView, name: str) -> pa.DataType:
    return next(column.type for column in view.columns if column.name == name)


def _indented(query: str) -> str:
    return query.replace("\n", "\n  ")


# --- The table joined with its lists ----------------------------------------------------------------------------------


def _joined(view: FlatView, rows: Rows, dialect: Dialect) -> str:
    columns = [f"{_reference(rows, path, dialect)} AS {dialect.name(name)}" for name, path in KEYS.items()]
    columns += [f"'{text}' AS {dialect.name(name)}" for name, text in rows.constants.items()]
    columns += [
        f"{_reference(rows, path, dialect) if path else dialect.null(_type(view, name))} AS {dialect.name(name)}"
        for name, path in rows.columns.items()
    ]
    joins = "".join(f"{_join(rows, alias, path, dialect)}" for alias, path in rows.lists.items())

    def only(path: str) -> str:
        return _reference(rows, path, dialect)

    return f"SELECT {', '.join(columns)}\nFROM {dialect.relation(rows.table)} AS r{joins}{_where(rows, only)}"


def _join(rows: Rows, alias: str, path: str, dialect: Dialect) -> str:
    listed = _raw(rows, path, dialect)
    if dialect.unnesting == "flatten":
        return f",\nLATERAL FLATTEN(INPUT => {listed}) AS {dialect.name(alias)}"
    fields = element_of(rows.field_of(path)).type.fields
    names = f" ({', '.join(dialect.name(field.name) for field in fields)})" if dialect.expanded else ""
    return f"\nCROSS JOIN UNNEST({listed}) AS {dialect.name(alias)}{names}"


def _raw(rows: Rows, path: str, dialect: Dialect) -> str:
    """Return a path in the form that the join needs, without a type."""
    first, *rest = path.split(".")
    aliased = first in rows.lists
    if dialect.unnesting != "flatten":
        return dialect.name(first, *rest) if aliased else f"r.{dialect.name(first, *rest)}"
    start = f"{dialect.name(first)}.VALUE" if aliased else f"r.{dialect.name(first)}"
    return f"{start}:{dialect.name(*rest)}" if rest else start


def _reference(rows: Rows, path: str, dialect: Dialect) -> str:
    """Return a path in the form that the join needs, with a type if a value within a list has no type."""
    raw = _raw(rows, path, dialect)
    if dialect.unnesting != "flatten" or path == PARTITION.name:
        return raw
    data_type = rows.field_of(path).type
    if pa.types.is_nested(data_type):
        return f"{raw}::{'ARRAY' if pa.types.is_list(data_type) else 'OBJECT'}"
    return f"{raw}::{dialect.types[data_type]}"


def _where(rows: Rows, rendered: Callable[[str], str]) -> str:
    # If an inner list has an element, the value around the list is not null.
    if rows.only is None or len(rows.lists) > 1:
        return ""
    return f"\nWHERE {rendered(rows.only)} IS NOT NULL"
