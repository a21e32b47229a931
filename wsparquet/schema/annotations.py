"""Reads and writes the metadata of schema fields: the documentation that the Arrow type cannot express.

``wsparquet.schema.tables`` lists the keys. Only this module knows how Arrow stores the values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

__all__ = ["Annotations", "annotations_of"]

TEXTS = ("doc", "documented_type", "source_name", "struct", "kind", "correction")


@dataclass(frozen=True, slots=True)
class Annotations:
    """The metadata of a field.

    If a key is absent, its value is empty. ``values`` maps documented values to their meanings. ``kind`` is ``union``,
    ``inline``, or empty. ``correction`` is the right description, if ``doc`` is an evident mistake of the page.
    ``added`` says that an extension adds the field, or a field around it, to a documented struct. ``added_names`` are
    other keys of a documented field, or other tags of a documented branch, that an extension adds.
    """

    doc: str = ""
    documented_type: str = ""
    source_name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    struct: str = ""
    struct_aliases: tuple[str, ...] = ()
    kind: str = ""
    correction: str = ""
    added: bool = False
    added_names: tuple[str, ...] = ()

    @property
    def source_names(self) -> tuple[str, ...]:
        """The other keys that sources may use for the field: first the page's spelling, then the aliases."""
        return (*filter(None, (self.source_name,)), *self.aliases, *self.added_names)

    @property
    def struct_names(self) -> tuple[str, ...]:
        """The names of the field's struct or enum. The documented name comes first."""
        return (self.struct, *self.struct_aliases) if self.struct else ()

    def to_metadata(self) -> dict[str, str]:
        """Return the metadata of a field as a dict of text, without empty values."""
        members = {
            "doc": self.doc,
            "documented_type": self.documented_type,
            "source_name": self.source_name,
            "values": json.dumps(dict(self.values)) if self.values else "",
            "aliases": json.dumps(self.aliases) if self.aliases else "",
            "struct": self.struct,
            "struct_aliases": json.dumps(self.struct_aliases) if self.struct_aliases else "",
            "kind": self.kind,
            "correction": self.correction,
            "added": "true" if self.added else "",
            "added_names": json.dumps(self.added_names) if self.added_names else "",
        }
        return {key: text for key, text in members.items() if text}


def annotations_of(of: pa.Field) -> Annotations:
    """Return the annotations of a field."""
    metadata = {key.decode(): value.decode() for key, value in (of.metadata or {}).items()}
    texts = {key: metadata[key] for key in TEXTS if key in metadata}
    return Annotations(
        **texts,
        values=json.loads(metadata.get("values", "{}")),
        aliases=tuple(json.loads(metadata.get("aliases", "[]"))),
        struct_aliases=tuple(json.loads(metadata.get("struct_aliases", "[]"))),
        added="added" in metadata,
        added_names=tuple(json.loads(metadata.get("added_names", "[]"))),
    )
