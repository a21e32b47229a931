"""Promotes values of a row out of ``rescued``, and rows out of ``unrecognized``, into the fields of an extension.

By definition, converting with an extension is converting without it, then promoting. So the reference decoder does just
that, and ``extend`` does the same with the rows of a root. Source of the rules: docs/decoding.md, "Extensions".
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from wsparquet.decode.plan import PLANS, DecodePlan, FieldPlan, Leaf, ListOf, Node, StructOf, UnionOf, compiled
from wsparquet.decode.reference.readers import LeafReader, Reader, StructReader, leaf_reader, reader, struct_reader
from wsparquet.decode.reference.records import RecordReader, Row
from wsparquet.decode.reference.rescue import Path, Rescue
from wsparquet.decode.reference.values import MISFIT, LoneSurrogates
from wsparquet.schema import DOCUMENTED, Schema
from wsparquet.schema.keys import last_part, normalise

__all__ = ["Promoter", "promoter"]


class _Rescued(NamedTuple):
    """A rescued value. ``fresh``: a reader of the documented schema has just rescued it, during the promotion."""

    path: Path
    value: Any
    fresh: bool = False


@dataclass
class _State:
    """The promotion of one row.

    ``starts`` counts the rescued values by path, ``taken`` are the fields that got a value from an extension's key,
    even if it was null, and ``seen`` are the paths so far. ``kept`` becomes the row's rescued values.
    """

    row: Row
    queue: deque[_Rescued]
    starts: Counter[Path]
    taken: set[Path] = field(default_factory=set)
    seen: set[Path] = field(default_factory=set)
    kept: Rescue = field(default_factory=list)

    def read_as_documented(self, rescue: Rescue) -> None:
        """Continue with what a documented reader has rescued, before all other values."""
        self.starts.update(path for path, _ in rescue)
        self.queue.extendleft(_Rescued(*each, fresh=True) for each in reversed(rescue))


class _Plans:
    """The plan of a schema by position: the header, and the payload of each table."""

    def __init__(self, plan: DecodePlan) -> None:
        self.header = plan.header
        self.tables = {table.name: table for table in plan.tables}

    def struct(self, table: str, path: Path) -> StructOf | None:
        """Return the struct whose unknown keys have ``path`` as the path before the key, or None."""
        if path == "$header":
            return self.header
        known = self.tables.get(table)
        if known is None or path == "$":
            return None
        if path == "$body":
            # The unknown keys beside the payload of a flat table have this root, too.
            return known.payload if known.flat else None
        node = self.node(table, path)
        return node if isinstance(node, StructOf) else None

    def node(self, table: str, path: Path) -> Node | None:
        """Return the node of a column's path, or None if there is none."""
        if path == "$":
            return self.tables[table].payload if table in self.tables else None
        if not isinstance(path, tuple):
            return None
        if path[0] == "$" and (column := _child(self.header, path[1])) is not None:
            return column
        above = self.node(table, path[0])
        return None if above is None else _child(above, path[1])


@lru_cache(maxsize=PLANS)
def promoter(schema: Schema, before: Schema = DOCUMENTED) -> Promoter:
    """Return the promoter of an extended schema. It has no state, so all decoders share it."""
    return Promoter(schema, before)


class Promoter:
    """Promotes the values and rows of one extension.

    ``before`` is the schema with which the rows were converted or last promoted. Keys and tags that it knows are left
    alone: their values have been read, and do not fit.
    """

    def __init__(self, schema: Schema, before: Schema = DOCUMENTED) -> None:
        plan = compiled(schema)
        self._after, self._before = _Plans(plan), _Plans(compiled(before))
        self._documented = _Plans(compiled())
        self._records = RecordReader(replace(plan, header=self._documented.header), added=True)

    def apply(self, row: Row, record: Any) -> Row:
        """Return the row of a parsed record after promotion. ``row`` is the row without the extension."""
        if not row.raw:
            self.promote(row)
            return row
        found = self._records.read(record)
        if found.raw:
            # Only the columns of the header matter: all else stays in the text of the record.
            self._promote(Row(row.table, row.columns, found.header_rescue), fresh=True)
            return row
        self._promote(found, fresh=True)
        return found

    def may_promote(self, table: str, path: Path, value: Any) -> bool:
        """Return whether a rescued value might be promoted; this is cheap, and needs no row."""
        if not isinstance(path, tuple):
            return False
        parent, key = path
        struct, known = self._after.struct(table, parent), self._before.struct(table, parent)
        if struct is not None and known is not None and type(key) is str and _field_of(known, key) is None:
            return _field_of(struct, key) is not None
        return isinstance(value, tuple) and isinstance(self._after.node(table, path), UnionOf)

    def promote(self, row: Row) -> None:
        """Promote the rescued values of a row in place."""
        self._promote(row, fresh=False)

    def _promote(self, row: Row, *, fresh: bool) -> None:
        if not row.rescue:
            return
        queue = deque(_Rescued(*each, fresh=fresh) for each in row.rescue)
        state = _State(row, queue, Counter(path for path, _ in row.rescue))
        while state.queue:
            rescued = state.queue.popleft()
            if not self._key(state, rescued) and not self._branch(state, rescued):
                state.kept.append((rescued.path, rescued.value))
            state.seen.add(rescued.path)
        row.rescue[:] = state.kept

    # --- Unknown keys -------------------------------------------------------------------------------------------------

    def _key(self, state: _State, rescued: _Rescued) -> bool:
        """Promote the value of an unknown key. Return false if there is no new field for it."""
        if not isinstance(rescued.path, tuple) or type(rescued.path[1]) is not str:
            return False
        (parent, key), table = rescued.path, state.row.table
        known = self._known(rescued).struct(table, parent)
        struct = self._after.struct(table, parent)
        if struct is None or known is None or _field_of(known, key) is not None:
            return False
        found, values = _field_of(struct, key), _values(state.row.columns, parent)
        if found is None or values is None:
            return False
        where: Path = ("$" if parent in {"$header", "$body"} else parent, found.name)
        is_old = any(each.name == found.name for each in known.fields)
        if where in state.taken or (is_old and (values.get(found.name) is not None or state.starts[where])):
            state.kept.append((where, rescued.value))
            return True
        state.taken.add(where)
        values[found.name] = self._read(state, found.node, where, rescued.value)
        return True

    def _known(self, rescued: _Rescued) -> _Plans:
        """Return the plans that have already read a value and its neighbors."""
        return self._documented if rescued.fresh else self._before

    def _read(self, state: _State, node: Node, where: Path, value: Any) -> Any:
        """Read a value. What a documented reader rescues is promoted next; other misfits stay rescued."""
        documented = self._documented.node(state.row.table, where)
        rescue: Rescue = []
        leaf, other = _reader_of(node if documented is None else documented)
        if leaf is not None:
            column = leaf(value)
            if column is MISFIT:
                column = None
                rescue.append((where, value))
        else:
            column = None if other is None or value is None else other.read(value, where, rescue)
        if documented is None or column is None:
            state.kept += rescue
        else:
            state.read_as_documented(rescue)
        return column

    # --- Unknown branches ---------------------------------------------------------------------------------------------

    def _branch(self, state: _State, rescued: _Rescued) -> bool:
        """Promote the value of an unknown branch of a union. Return false if no new branch has its tag."""
        path, value, table = rescued.path, rescued.value, state.row.table
        if not isinstance(path, tuple) or path in state.seen or type(value) is not tuple or len(value) != 1:
            return False
        union, known = self._after.node(table, path), self._known(rescued).node(table, path)
        if not isinstance(union, UnionOf) or not isinstance(known, UnionOf):
            return False
        ((key, inner),), values = value, _values(state.row.columns, path)
        if values is None or isinstance(key, LoneSurrogates) or values.get("type") != last_part(key):
            return False
        name = normalise(last_part(key))
        branch = next((each for each in union.branches if name in each.names), None)
        if branch is None or any(name in each.names for each in known.branches):
            return False
        where, rescue = (path, branch.name), Rescue()
        documented = self._documented.node(table, where)
        struct = documented if isinstance(documented, StructOf) else branch.struct
        if type(inner) is tuple:
            values[branch.name] = _struct_reader(struct).fields(inner, where, rescue)
        elif inner is not None:
            state.kept.append((where, inner))
        if documented is None:
            state.kept += rescue
        else:
            state.read_as_documented(rescue)
        return True


def _field_of(struct: StructOf, key: str) -> FieldPlan | None:
    plain = normalise(key)
    return next((each for each in struct.fields if plain in each.keys), None)


def _values(columns: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """Return the struct at a path of a row, or None if the row has none there."""
    found = _value(columns, path)
    return found if type(found) is dict else None


def _value(columns: dict[str, Any], path: Path) -> Any:
    if not isinstance(path, tuple):
        return columns
    above, step = _value(columns, path[0]), path[1]
    if isinstance(step, int):
        return above[step] if type(above) is list and step < len(above) else None
    return above.get(step) if type(above) is dict else None


def _child(node: Node, step: str | int) -> Node | None:
    match node:
        case StructOf():
            return next((each.node for each in node.fields if each.name == step), None)
        case UnionOf():
            return next((each.struct for each in node.branches if each.name == step), None)
        case ListOf():
            return node.element if isinstance(step, int) else None
        case _:
            return None


@lru_cache(maxsize=1024)
def _reader_of(node: Node) -> tuple[LeafReader | None, Reader | None]:
    return (leaf_reader(node), None) if isinstance(node, Leaf) else (None, reader(node))


@lru_cache(maxsize=1024)
def _struct_reader(node: StructOf) -> StructReader:
    return struct_reader(node)
