//! The plan, which defines what to expect at each position of a record. Python's `wsparquet.decode.plan` passes the
//! plan as JSON.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};
use serde::Deserialize;

use crate::decode::keys::{Names, normalise};

/// A node of the plan as it appears in the JSON, with the same members as Python's data classes.
#[derive(Deserialize)]
#[serde(tag = "node", rename_all = "lowercase")]
enum Given {
    Leaf { kind: Kind, names: Vec<String>, values: Vec<String> },
    Struct(GivenStruct),
    List { element: Box<Given>, or_one: bool },
    Union { branches: Vec<GivenBranch> },
}

#[derive(Deserialize)]
struct GivenStruct {
    fields: Vec<GivenField>,
    names: Vec<String>,
    inline: Option<String>,
}

#[derive(Deserialize)]
struct GivenField {
    name: String,
    keys: Vec<String>,
    node: Given,
    /// Those of the keys that an extension adds.
    #[serde(default)]
    added: Vec<String>,
}

#[derive(Deserialize)]
struct GivenBranch {
    name: String,
    names: Vec<String>,
    #[serde(rename = "struct")]
    fields: GivenStruct,
    /// Those of the names that an extension adds.
    #[serde(default)]
    added: Vec<String>,
}

#[derive(Deserialize)]
struct GivenTable {
    name: String,
    tags: Vec<String>,
    payload_names: Vec<String>,
    payload: GivenStruct,
    flat: bool,
    #[serde(default)]
    added: bool,
}

#[derive(Deserialize)]
struct GivenPlan {
    header: GivenStruct,
    metadata: GivenStruct,
    tables: Vec<GivenTable>,
    unrecognized: Raw,
    common: Vec<CommonColumn>,
}

/// A column that every table has after its payload.
#[derive(Deserialize)]
pub struct CommonColumn {
    pub name: String,
    pub holds: Common,
}

/// What the decoder writes to a common column.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Common {
    /// The `metaData` of the record's container.
    Metadata,
    /// The source's name.
    Source,
    /// The record's number within its source.
    Number,
    /// Values with no matching column, as a JSON object.
    Rescued,
}

/// The type of a leaf's column.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    String,
    Boolean,
    Int32,
    Int64,
    Float64,
    Timestamp,
}

pub enum Node {
    Leaf(Leaf),
    Struct(Struct),
    List(List),
    Union(Union),
}

pub struct Leaf {
    pub kind: Kind,
    pub names: Names,
    /// The documented values of an enum; empty for other leaves.
    pub values: Vec<Box<[u8]>>,
}

pub struct List {
    names: Names,
    pub element: Box<Node>,
    pub or_one: bool,
}

pub struct Struct {
    pub fields: Vec<StructField>,
    pub names: Names,
    /// The field of kind `inline`: a struct whose own fields may appear directly in this struct.
    pub inline: Option<usize>,
    /// The root for the paths of unknown fields, such as `$header`; set only if the struct itself is not a column.
    pub stray: Option<&'static str>,
    by_key: HashMap<Box<[u8]>, usize>,
    /// The keys that an extension adds, which never choose a table, a payload, or a branch.
    added: Names,
    /// Those of the added keys that belong to documented fields.
    aliases: Names,
}

pub struct StructField {
    pub name: String,
    pub node: Node,
    /// Whether an extension adds the field to a documented struct. Its timestamps then do not determine days.
    pub added: bool,
}

pub struct Union {
    names: Names,
    pub branches: Vec<Branch>,
    by_name: HashMap<Box<[u8]>, usize>,
    by_added_name: HashMap<Box<[u8]>, usize>,
}

pub struct Branch {
    pub name: String,
    pub fields: Struct,
    /// Whether an extension adds the branch.
    pub added: bool,
}

pub struct Table {
    pub name: String,
    pub payload_names: Names,
    pub payload: Struct,
    pub flat: bool,
    /// Whether an extension adds the table. It then gets only records that would otherwise be unrecognized.
    pub added: bool,
    /// Whether an added table has keys of documented flat tables, so that the keys of a record may choose one of these.
    pub ambiguous: bool,
}

/// A table that stores complete records: its name, the name of its column of body tags, and the name of its column of
/// JSON text.
#[derive(Deserialize)]
pub struct Raw {
    pub name: String,
    pub tag: String,
    pub record: String,
}

pub struct Plan {
    pub header: Struct,
    pub metadata: Struct,
    /// The tables: first the documented ones, whose number is `documented`, then those that an extension adds.
    pub tables: Vec<Table>,
    pub documented: usize,
    /// The table of records that belong to no other table.
    pub unrecognized: Raw,
    pub common: Vec<CommonColumn>,
    /// The documented tables by tag.
    pub by_tag: HashMap<Box<[u8]>, usize>,
    pub by_added_tag: HashMap<Box<[u8]>, usize>,
}

fn names(given: &[String]) -> Names {
    given.iter().map(|name| name.as_bytes().into()).collect()
}

impl Plan {
    /// Parses and compiles the plan from JSON text.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        let given: GivenPlan = serde_json::from_str(text)?;
        let by_tag = |added: bool| {
            let tables = given.tables.iter().enumerate().filter(move |(_, table)| table.added == added);
            tables.flat_map(|(index, table)| table.tags.iter().map(move |tag| (tag.as_bytes().into(), index)))
        };
        let (by_documented_tag, by_added_tag) = (by_tag(false).collect(), by_tag(true).collect());
        let mut tables: Vec<Table> = given.tables.into_iter().map(Table::new).collect();
        let documented = tables.iter().take_while(|table| !table.added).count();
        let (known, added) = tables.split_at_mut(documented);
        for table in added {
            let flat = known.iter().filter(|known| known.flat);
            table.ambiguous = table.flat && flat.into_iter().any(|known| known.payload.shares_a_key(&table.payload));
        }
        Ok(Self {
            by_tag: by_documented_tag,
            by_added_tag,
            header: Struct::new(given.header, Some("$header")),
            metadata: Struct::new(given.metadata, Some("$metaData")),
            tables,
            documented,
            unrecognized: given.unrecognized,
            common: given.common,
        })
    }

    /// Returns the common fields, which every table has after its payload.
    pub fn common_fields(&self) -> Vec<Field> {
        let field = |column: &CommonColumn| Field::new(&column.name, self.common_type(column.holds), true);
        self.common.iter().map(field).collect()
    }

    fn common_type(&self, holds: Common) -> DataType {
        match holds {
            Common::Metadata => self.metadata.data_type(),
            Common::Source | Common::Rescued => DataType::Utf8,
            Common::Number => DataType::Int64,
        }
    }

    /// Returns the name of the column with the container's `metaData`, or an empty name if the tables have no such
    /// column.
    pub fn metadata_column(&self) -> &str {
        self.common.iter().find(|column| column.holds == Common::Metadata).map_or("", |column| &column.name)
    }
}

impl Raw {
    /// Returns the columns in order: the tags, then the records.
    pub fn data_fields(&self) -> arrow_schema::Fields {
        [&self.tag, &self.record].into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect()
    }
}

impl Table {
    fn new(given: GivenTable) -> Self {
        Self {
            name: given.name,
            payload_names: names(&given.payload_names),
            payload: Struct::new(given.payload, Some("$body")),
            flat: given.flat,
            added: given.added,
            ambiguous: false,
        }
    }
}

impl Struct {
    fn new(given: GivenStruct, stray: Option<&'static str>) -> Self {
        let mut by_key = HashMap::new();
        let (mut added, mut aliases) = (Names::new(), Names::new());
        for (index, field) in given.fields.iter().enumerate() {
            for key in &field.keys {
                by_key.insert(key.as_bytes().into(), index);
            }
            added.extend(names(&field.added));
            if !field.is_added() {
                aliases.extend(names(&field.added));
            }
        }
        let inline = given.inline.and_then(|name| given.fields.iter().position(|field| field.name == name));
        let field =
            |given: GivenField| StructField { added: given.is_added(), name: given.name, node: Node::new(given.node) };
        let fields = given.fields.into_iter().map(field).collect();
        Self { fields, names: names(&given.names), inline, stray, by_key, added, aliases }
    }

    /// Returns the index of the field with this key, unless an extension adds the key.
    pub fn find_documented(&self, key: &[u8]) -> Option<usize> {
        self.find(key).filter(|_| !self.is_added(key))
    }

    /// Whether an extension adds the key.
    pub fn is_added(&self, key: &[u8]) -> bool {
        !self.added.is_empty() && self.added.contains(normalise(key).as_slice())
    }

    /// Whether an extension adds the key to a documented field.
    pub fn is_alias(&self, key: &[u8]) -> bool {
        !self.aliases.is_empty() && self.aliases.contains(normalise(key).as_slice())
    }

    /// Whether a documented key of this struct is also a key of another struct.
    fn shares_a_key(&self, other: &Self) -> bool {
        other.by_key.keys().any(|key| self.find_documented(key).is_some())
    }

    /// Returns the index of the field with this key.
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        self.by_key.get(key).or_else(|| self.by_key.get(normalise(key).as_slice())).copied()
    }

    /// Returns the index of the inline field, if `key` is the documented key of one of its own fields.
    pub fn find_inline(&self, key: &[u8]) -> Option<usize> {
        let inline = self.inline?;
        match &self.fields[inline].node {
            Node::Struct(inner) if inner.find_documented(key).is_some() => Some(inline),
            _ => None,
        }
    }

    pub fn data_fields(&self) -> arrow_schema::Fields {
        self.fields.iter().map(|field| Field::new(&field.name, field.node.data_type(), true)).collect()
    }

    pub fn data_type(&self) -> DataType {
        DataType::Struct(self.data_fields())
    }
}

impl Union {
    /// Returns the index of the branch with this documented name. `name` is the last part of a tag.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(normalise(name).as_slice()).copied()
    }

    /// Returns the index of the branch to which an extension gives this name. `name` is the last part of a tag.
    pub fn find_added(&self, name: &[u8]) -> Option<usize> {
        if self.by_added_name.is_empty() { None } else { self.by_added_name.get(normalise(name).as_slice()).copied() }
    }
}

impl Branch {
    fn new(given: GivenBranch) -> Self {
        let added = given.names.len() == given.added.len();
        Self { name: given.name, fields: Struct::new(given.fields, None), added }
    }
}

impl GivenField {
    /// Whether an extension adds the field itself: all its keys are added ones.
    fn is_added(&self) -> bool {
        self.keys.len() == self.added.len()
    }
}

impl Node {
    fn new(given: Given) -> Self {
        match given {
            Given::Leaf { kind, names: given, values } => {
                let values = values.into_iter().map(|value| value.into_bytes().into()).collect();
                Self::Leaf(Leaf { kind, names: names(&given), values })
            }
            Given::Struct(given) => Self::Struct(Struct::new(given, None)),
            Given::List { element, or_one } => {
                Self::List(List { names: Names::new(), element: Box::new(Self::new(*element)), or_one })
            }
            Given::Union { branches } => {
                let by_name = |added: bool| {
                    let named = branches.iter().enumerate().flat_map(|(index, branch)| {
                        let names = branch.names.iter().filter(move |name| branch.added.contains(name) == added);
                        names.map(move |name| (name.as_bytes().into(), index))
                    });
                    named.collect()
                };
                let (by_name, by_added_name) = (by_name(false), by_name(true));
                Self::Union(Union {
                    names: Names::new(),
                    by_name,
                    by_added_name,
                    branches: branches.into_iter().map(Branch::new).collect(),
                })
            }
        }
    }

    /// Returns the names that a tag around this node's value may have, besides the names that are always tags.
    pub fn names(&self) -> &Names {
        match self {
            Self::Leaf(leaf) => &leaf.names,
            Self::Struct(plan) => &plan.names,
            Self::List(plan) => &plan.names,
            Self::Union(plan) => &plan.names,
        }
    }

    /// Returns the Arrow type of the node's column, with names and nullability as in `wsparquet.schema.fields`.
    pub fn data_type(&self) -> DataType {
        match self {
            Self::Leaf(leaf) => leaf.kind.data_type(),
            Self::Struct(fields) => fields.data_type(),
            Self::List(list) => DataType::List(Arc::new(Field::new("element", list.element.data_type(), true))),
            Self::Union(union) => {
                let tag = Field::new("type", DataType::Utf8, true);
                let branches = union.branches.iter();
                let branches = branches.map(|branch| Field::new(&branch.name, branch.fields.data_type(), true));
                DataType::Struct(std::iter::once(tag).chain(branches).collect())
            }
        }
    }
}

impl Kind {
    pub fn data_type(self) -> DataType {
        match self {
            Self::String => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}
