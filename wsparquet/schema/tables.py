"""Every documented table of Web Session, as an Arrow schema.

The source is LivePerson's page "Web Session" of the Data Access API. Tables and fields have the order and the
descriptions of this page. The metadata of a field contains the documentation that its Arrow type cannot express:

``doc``              the page's description
``documented_type``  the page's "Type / Value" (absent if the field appears only in an example on the page)
``source_name``      the page's spelling, if the column's name differs
``values``           a JSON object that maps each documented value to its meaning ("" if the page has none)
``aliases``          a JSON list of other keys that the source uses for this field
``struct``           the name of the struct or enum, which a tag may contain; ``struct_aliases`` has its other names
``correction``       the right description, if the page's description is an evident mistake
``kind``             ``union``: a struct of ``type`` and one nullable child for each branch;
                     ``inline``: a struct that may contain the fields of its only struct child directly

To add a documented field, add one line to ``wsparquet.schema.structs``. Decoders, datasets, and exported definitions
are derived from this line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as member
from functools import cached_property

import pyarrow as pa

from wsparquet.schema.fields import Struct, field, list_of, struct, text
from wsparquet.schema.structs import (
    ELIGIBILITY_DATA,
    ENGAGEMENT_ATTRIBUTES,
    GEO,
    GOAL_ACHIEVED,
    HEADER,
    IMPRESSION,
    METADATA,
    NAVIGATION,
    SESSION_INFO,
)

__all__ = [
    "COMMON_SUFFIX",
    "DOCUMENTED",
    "HEADER",
    "METADATA",
    "SCHEMA_VERSION",
    "TABLES",
    "UNRECOGNIZED",
    "AnyTable",
    "Schema",
    "Table",
    "table_of",
]

SCHEMA_VERSION = 2
"""Incremented whenever the columns of a table change. All files of a root have the same schema version."""

# --- Tables -----------------------------------------------------------------------------------------------------------

METADATA_COLUMN = struct("metaData", METADATA, "The metaData of the record's container.", None)
SOURCE_COLUMN = text("source_file", "The name of the source that contains the record.", None)
NUMBER_COLUMN = field("record_number", pa.int64(), "The record's number among all records of its source, from 0.", None)
RESCUED_COLUMN = text(
    "rescued",
    "The record's values that have no column, as a JSON object from path to value; null if every value has one.",
    None,
)

COMMON_SUFFIX = (METADATA_COLUMN, SOURCE_COLUMN, NUMBER_COLUMN, RESCUED_COLUMN)
"""The columns that every table has after its payload."""


PARTITION = field(
    "date",
    pa.date32(),
    "The UTC day of the record's earliest timestamp; if it has none, the day of its container, or else of its source. "
    "Null if no day is known.",
    None,
)
"""The partition column of every table. Files do not contain it."""


# Tables and schemas are compared by identity: both are keys of caches, and a table has hundreds of fields to hash.
@dataclass(frozen=True, eq=False)
class Table:
    """One record type.

    ``tags``: the table's body tags, in the form that ``wsparquet.schema.keys.short_tag`` returns. ``payload``: the
    columns between those of the header and the common columns. ``payload_names``: the keys, in lower case, under which
    the payload may appear in the body. ``flat``: the struct of the payload, if the fields of this struct are columns of
    the table. ``header``: the struct of the first columns. ``ids``: the ids, by path, of fields that an extension adds.
    ``added``: whether an extension adds the table.
    """

    name: str
    doc: str
    tags: tuple[str, ...]
    payload: tuple[pa.Field, ...]
    payload_names: tuple[str, ...]
    flat: Struct | None = None
    header: Struct = HEADER
    ids: Mapping[str, int] = member(default_factory=dict)
    added: bool = False

    @cached_property
    def schema(self) -> pa.Schema:
        """The table's complete Arrow schema, without the partition columns."""
        return pa.schema([*self.header.fields, *self.payload, *COMMON_SUFFIX], metadata={"doc": self.doc})


def _list_table(name: str, doc: str, tags: tuple[str, ...], payload: pa.Field) -> Table:
    return Table(name, doc, tags, (payload,), (payload.name.lower(),))


TAG_COLUMN = text("tag", "The tag of the body, as the source wrote it.", None)
RECORD_COLUMN = text("record", "The complete JSON text of the record.", None)

UNRECOGNIZED = Table(
    "unrecognized",
    "Records that belong to no other table; each is kept as complete JSON text.",
    (),
    (TAG_COLUMN, RECORD_COLUMN),
    (),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "geo",
            "Information about visitor geolocation.",
            (
                "geo",
                "geolocation",
                "location",
                "visitorgeo",
                "visitorgeolocation",
                "visitorlocation",
                "geoinfo",
                "geoip",
            ),
            GEO.fields,
            ("geo", "geodata", "geolocation", "location", "geoinfo", "geolocationdata", "locationdata"),
            flat=GEO,
        ),
        _list_table(
            "navigation",
            "Information about the navigated pages by the visitor on the brand’s website.",
            ("navigation", "navigations", "visitornavigation"),
            list_of("navigationData", NAVIGATION, "The pages that the visitor navigated.", None),
        ),
        Table(
            "session_info",
            "Information about the visitor’s browsing session.",
            ("session", "info", "sessioninfo", "visitorsessioninfo", "visitorsession"),
            SESSION_INFO.fields,
            (
                "sessioninfo",
                "sessioninfodata",
                "session",
                "sessiondata",
                "info",
                "visitorsessioninfo",
                "visitorsession",
            ),
            flat=SESSION_INFO,
        ),
        _list_table(
            "eligibility",
            "Information about the campaigns that are eligible for the visitor during his session.",
            ("eligibility", "eligiblecampaigns", "campaigneligibility"),
            list_of("eligibilityData", ELIGIBILITY_DATA, "The assessments of eligible campaigns.", None),
        ),
        _list_table(
            "impression",
            "Information about impressions that the visitor was exposed to during their session.",
            ("impression", "impressions"),
            list_of("impressions", IMPRESSION, "The impressions that the visitor was exposed to.", None),
        ),
        _list_table(
            "goal_achieved",
            "Information about the goals that were achieved during the visitor session.",
            ("goalachieved", "goalsachieved", "achievedgoal", "achievedgoals"),
            list_of("achievedGoals", GOAL_ACHIEVED, "The goals that were achieved.", None),
        ),
        _list_table(
            "engagement_attributes",
            "Standardized attributes that give more specific information about visitors.",
            ("engattrs", "engattr", "engagementattributes", "engagementattribute"),
            list_of("engagementAttributes", ENGAGEMENT_ATTRIBUTES, "The engagement attributes.", None),
        ),
        UNRECOGNIZED,
    )
}
"""Every table by name, in the page's order."""

AnyTable = str | Table
"""A table of any schema, or the name of a documented one."""


def table_of(table: AnyTable) -> Table:
    """Return the table itself, or the documented table of that name. Raises KeyError if there is none."""
    return TABLES[table] if isinstance(table, str) else table


@dataclass(frozen=True, eq=False)
class Schema:
    """All tables of a root: the documented ones, and what the root's extension adds to them.

    ``header`` is the struct of each table's first columns. ``hash`` identifies the extension, and ``text`` is its file;
    both are None if there is no extension.
    """

    tables: Mapping[str, Table]
    header: Struct = HEADER
    hash: str | None = None
    text: str | None = None


DOCUMENTED = Schema(TABLES)
"""The documented schema, without an extension."""
