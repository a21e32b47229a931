"""Compares a published schema with wsparquet's field by field, according to the rules of decoding.

A published record is compared with the table that the decoder would choose for the record's body. A published field is
compared with the column that the decoder would choose for the field's key (docs/decoding.md, "Which table" and "Keys").
The path of a difference is the path under which the decoder would rescue such a value. The comparison ignores
nullability, because all columns of wsparquet are nullable. It also ignores deliberate differences: the server's type of
a timestamp is long or string; a list of strings may be a single string; every table has ``metaData``, ``source_file``,
``record_number``, and ``rescued``; and the fields of a product may be inline in its product container.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wsparquet.decode.plan import DecodePlan, FieldPlan, Leaf, ListOf, Node, StructOf, TablePlan, UnionOf, compiled
from wsparquet.decode.reference.rescue import Path, path_text
from wsparquet.json_values import JsonResult
from wsparquet.remote_schema.published import Field, Kind, PublishedSchema, Record
from wsparquet.remote_schema.tables import find_bodies, find_payload, find_tables
from wsparquet.schema import COMMON_SUFFIX, UNRECOGNIZED
from wsparquet.schema.keys import normalise

__all__ = ["Comparer", "Difference", "DifferenceKind", "SchemaComparison", "compare_schema"]

DifferenceKind = Literal["server_only", "ours_only", "type", "values", "unknown_record"]

ACCEPTED = {
    "string": {"string", "enum"},
    "boolean": {"boolean"},
    "int32": {"int"},
    "int64": {"long"},
    "float64": {"double"},
    "timestamp": {"long", "string"},
}
"""The Avro types that are equivalent to each kind of leaf."""

OURS = {"int32": "int", "int64": "long", "float64": "double"}
CONTAINER = frozenset({"datatype", "metadata", "recordcollection"})
ROW = frozenset(normalise(field.name) for field in COMMON_SUFFIX)
ANY_INDEX = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between the server's schema and wsparquet's.

    ``kind``: ``server_only`` or ``ours_only`` if only one schema has the field or union branch; ``type`` if the types
    of a field differ; ``values`` if the symbols of an enum differ; ``unknown_record`` if a published record matches no
    table and no struct. ``table``: None for a difference outside of tables. ``path``: a path as in ``rescued``, or the
    name of a record. ``server``, ``ours``: the types or values in each schema; None if that schema has none.
    """

    kind: DifferenceKind
    table: str | None
    path: str
    server: str | None
    ours: str | None


@dataclass(frozen=True, slots=True)
class SchemaComparison(JsonResult):
    """The result of a comparison. ``tables``: the published tables. ``fields``: the number of compared fields."""

    tables: tuple[str, ...]
    fields: int
    differences: tuple[Difference, ...]


def compare_schema(answer: Any) -> SchemaComparison:
    """Compare a published schema, given as JSON values, with wsparquet's.

    Raises:
        SchemaError: the schema contains no Avro record.

    """
    return Comparer(PublishedSchema(answer)).run()


class Comparer:
    """A traversal of wsparquet's decode plan that collects differences from the published fields.

    ``strays``, ``branches`` and ``symbols`` have the published fields, branches and values of enums that the plan
    lacks, by table and path, and ``bodies`` the published bodies that belong to no table.
    """

    def __init__(self, published: PublishedSchema) -> None:
        self.published = published
        self.plan = compiled()
        self.strays: list[tuple[str | None, Path, Field]] = []
        self.branches: list[tuple[str | None, Path, str, tuple[Field, ...]]] = []
        self.symbols: list[tuple[str | None, Path, tuple[str, ...]]] = []
        self.bodies: list[Record] = []
        self.table: str | None = None
        self.fields = 0
        self.differences: dict[Difference, None] = {}
        self.seen: set[Record] = set()

    def run(self) -> SchemaComparison:
        """Compare all tables in the order of the plan, then the published records that belong to no table."""
        for record in self.published.records:
            self._wrapping(record)
        found = find_tables(self.published)
        known = {record for records in found.values() for record in records}
        self.bodies = [record for record in find_bodies(self.published) if record not in known]
        for table in self.plan.tables:
            self.table = table.name
            for record in found.get(table.name, ()):
                self._record(record, table)
            if table.name not in found:
                self._say("ours_only", "$", ours="record type")
        self.table = None
        self._others()
        tables = tuple(table.name for table in self.plan.tables if table.name in found)
        return SchemaComparison(tables, self.fields, tuple(self.differences))

    # --- Records ------------------------------------------------------------------------------------------------------

    def _wrapping(self, record: Record) -> None:
        """Compare a record that is a container or has a body: its ``metaData``, and its fields next to ``body``."""
        fields = {normalise(field.name): field for field in record.fields}
        if "recordcollection" in fields:
            self._enter(record)
            if "metadata" in fields:
                self._struct(self.plan.metadata, fields["metadata"], ("$", "metaData"), "$metaData")
            self._strays((field for key, field in fields.items() if key not in CONTAINER), "$container")
        elif "body" in fields:
            self._enter(record)
            self._strays((field for key, field in fields.items() if key != "body"), "$record")
            if not self.published.records_of(fields["body"].type):
                self._differ(fields["body"], ("$record", "body"), "record")

    def _record(self, record: Record, table: TablePlan) -> None:
        self._enter(record)
        rest = self._header(record)
        payload = find_payload(self.published, rest, table)
        if payload is None and table.flat:
            self._fields(table.payload, rest, "$", "$body")
            return
        self._strays((field for field in rest if field is not payload), "$body")
        if payload is not None and table.flat:
            self._struct(table.payload, payload, "$", "$body", at=("$body", payload.name))
        else:
            column = table.payload.fields[0]
            self._field(column, [payload] if payload else [], ("$", column.name))

    def _header(self, record: Record) -> list[Field]:
        """Compare the header, and return the fields next to it."""
        own = {key for field in self.plan.header.fields for key in field.keys}
        header = [field for field in record.fields if normalise(field.name) == "header"]
        for field in header:
            self._struct(self.plan.header, field, "$", "$header", at=("$body", field.name))
        rest = [field for field in record.fields if normalise(field.name) != "header"]
        if not header:
            self._fields(self.plan.header, [field for field in rest if normalise(field.name) in own], "$")
            rest = [field for field in rest if normalise(field.name) not in own]
        for field in rest:
            if normalise(field.name) in ROW:
                self._enter_all([field])
        return [field for field in rest if normalise(field.name) not in ROW]

    def _others(self) -> None:
        """Compare unreached records that match a struct of wsparquet by name, and report the others as unknown."""
        structs = _named_structs(self.plan)
        for record in self._unseen():
            self._enter(record)
            struct = structs.get(normalise(record.name))
            if struct is not None:
                self._fields(struct, record.fields, record.name)
            elif normalise(record.name) != UNRECOGNIZED.name:  # a table of wsparquet only
                self._say("unknown_record", record.full_name or "(without a name)", server="record")
            self._enter_all(record.fields)

    def _unseen(self) -> Iterator[Record]:
        """Yield the records that the traversal has not reached yet, outermost first."""
        left = [record for record in self.published.records if record not in self.seen]
        inner = set(self.published.within(field.type for record in left for field in record.fields))
        for record in [*(each for each in left if each not in inner), *left]:  # some may contain each other
            if record not in self.seen:
                yield record

    def _enter(self, record: Record) -> None:
        self.seen.add(record)

    def _enter_all(self, fields: Iterable[Field]) -> None:
        self.seen.update(self.published.within(field.type for field in fields))

    # --- Fields -------------------------------------------------------------------------------------------------------

    def _fields(self, node: StructOf, fields: Sequence[Field], path: Path, stray: Path = None) -> None:
        """Compare fields with a struct's. ``stray``: the path of unknown fields, if it is not the struct's path."""
        own = _by_key(node)
        found: dict[str, list[Field]] = {}
        strays: list[Field] = []
        for field in fields:
            plan = own.get(normalise(field.name))
            (strays if plan is None else found.setdefault(plan.name, [])).append(field)
        inlined = self._inlined(node, strays, path) if node.inline and node.inline.name not in found else set()
        for plan in node.fields:
            if plan is not node.inline or not inlined:
                self._field(plan, found.get(plan.name, []), (path, plan.name))
        self._strays((field for field in strays if field not in inlined), stray or path)

    def _inlined(self, node: StructOf, fields: Sequence[Field], path: Path) -> set[Field]:
        """Compare the fields that are inline instead of in their own struct, and return these fields."""
        if node.inline is None or not isinstance(node.inline.node, StructOf):
            return set()
        own = _by_key(node.inline.node)
        inside = [field for field in fields if normalise(field.name) in own]
        if inside:
            self._fields(node.inline.node, inside, (path, node.inline.name))
        return set(inside)

    def _field(self, plan: FieldPlan, found: Sequence[Field], path: Path) -> None:
        if not found:
            self._say("ours_only", path, ours=_text(plan.node))
            return
        self.fields += 1
        for field in found:
            self._node(plan.node, field, path)

    def _node(self, node: Node, field: Field, path: Path) -> None:
        match node:
            case Leaf():
                self._leaf(node, field, path)
            case ListOf():
                self._list(node, field, path)
            case StructOf():
                self._struct(node, field, path)
            case UnionOf():
                self._union(node, field, path)

    def _leaf(self, node: Leaf, field: Field, path: Path) -> None:
        kinds = self.published.kinds(field.type)
        if not kinds or any(kind.name not in ACCEPTED[node.kind] for kind in kinds):
            self._differ(field, path, _text(node))
        symbols = {symbol for kind in kinds for symbol in kind.symbols}
        if symbols and node.kind == "string" and symbols != node.values:
            self._say("values", path, server=_listed(symbols), ours=_listed(node.values) or None)
            if node.values and (new := symbols - node.values):
                self.symbols.append((self.table, path, tuple(sorted(new))))

    def _list(self, node: ListOf, field: Field, path: Path) -> None:
        kinds = self.published.kinds(field.type)
        accepted = {"array", "string"} if node.or_one else {"array"}
        if not kinds or any(kind.name not in accepted for kind in kinds):
            self._differ(field, path, _text(node))
        for kind in kinds:
            if kind.name == "array" and kind.inner is not None:
                self._node(node.element, Field(field.name, kind.inner), (path, ANY_INDEX))

    def _struct(self, node: StructOf, field: Field, path: Path, stray: Path = None, *, at: Path = None) -> None:
        """Compare a field that should contain a struct.

        ``at``: the path to report if the published type is not as expected.
        """
        kinds = self.published.kinds(field.type)
        records = [kind.record for kind in kinds if kind.record is not None]
        if len(records) != 1 or len(kinds) != 1:
            self._differ(field, at or path, "record")
        self.seen.update(records)
        if records:
            self._fields(node, [each for record in records for each in record.fields], path, stray)

    def _union(self, node: UnionOf, field: Field, path: Path) -> None:
        kinds = self.published.kinds(field.type)
        if not kinds or any(kind.record is None for kind in kinds):
            self._differ(field, path, _text(node))
        owners = {name: branch.name for branch in node.branches for name in branch.names}
        found: dict[str, list[Field]] = {}
        for name, text, fields in self._branches(kinds, owners):
            if (owner := owners.get(normalise(name))) is not None:
                found.setdefault(owner, []).extend(fields)
            else:
                self._say("server_only", (path, name), server=text)
                self.branches.append((self.table, path, name, tuple(fields)))
                self._enter_all(fields)
        for branch in node.branches:
            if branch.name in found:
                self.fields += 1
                self._fields(branch.struct, found[branch.name], (path, branch.name))
            else:
                self._say("ours_only", (path, branch.name), ours="record")

    def _branches(self, kinds: Iterable[Kind], owners: Iterable[str]) -> list[tuple[str, str, Sequence[Field]]]:
        """Return the name, type and fields of each branch in the published schema."""
        records = [kind.record for kind in kinds if kind.record is not None]
        self.seen.update(records)
        columns = {normalise(field.name) for record in records for field in record.fields}
        if len(records) != 1 or "type" not in columns or columns.isdisjoint(owners):
            return [(record.name, f"record {record.name}", record.fields) for record in records]
        # A union as in wsparquet's own rows: a struct with ``type``, the branch's name, and a field for each branch.
        found: list[tuple[str, str, Sequence[Field]]] = []
        for field in records[0].fields:
            if normalise(field.name) != "type":
                inner = self.published.records_of(field.type)
                self.seen.update(inner)
                fields = [each for record in inner for each in record.fields]
                found.append((field.name, self.published.text(field.type), fields))
        return found

    # --- Reporting ----------------------------------------------------------------------------------------------------

    def _strays(self, fields: Iterable[Field], path: Path) -> None:
        for field in fields:
            self._say("server_only", (path, field.name), server=self.published.text(field.type))
            self.strays.append((self.table, (path, field.name), field))
            self._enter_all([field])

    def _differ(self, field: Field, path: Path, ours: str) -> None:
        self._say("type", path, server=self.published.text(field.type), ours=ours)
        self._enter_all([field])

    def _say(self, kind: DifferenceKind, path: Path, *, server: str | None = None, ours: str | None = None) -> None:
        self.differences[Difference(kind, self.table, path_text(path, starred=True), server, ours)] = None


def _by_key(node: StructOf) -> dict[str, FieldPlan]:
    return {key: plan for plan in node.fields for key in plan.keys}


def _text(node: Node) -> str:
    match node:
        case Leaf():
            return OURS.get(node.kind, node.kind)
        case ListOf():
            return f"array of {_text(node.element)}"
        case StructOf():
            return "record"
        case UnionOf():
            return "union of records"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


def _named_structs(plan: DecodePlan) -> dict[str, StructOf]:
    """Return all structs of the plan, keyed by each of their normalized names."""
    found: dict[str, StructOf] = {}
    waiting: list[Node] = [plan.header, plan.metadata, *(table.payload for table in plan.tables)]
    while waiting:
        match waiting.pop():
            case ListOf() as node:
                waiting.append(node.element)
            case StructOf() as node:
                found.update(dict.fromkeys(node.names, node))
                waiting.extend(field.node for field in node.fields)
            case UnionOf() as node:
                for branch in node.branches:
                    found.update(dict.fromkeys(branch.names, branch.struct))
                    waiting.append(branch.struct)
    return found
