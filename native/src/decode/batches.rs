//! A table's rows under construction, and batches of them: those whose container's `metaData` is not known yet wait.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::{DataType, Field, Fields};

use crate::decode::columns::leaves::Strings;
use crate::decode::columns::{Column, Payload, Structs};
use crate::decode::json::scan::Result;
use crate::decode::memo::fields::Hints;
use crate::decode::plan::{Plan, Struct};
use crate::decode::undocumented::Enum;

/// Rows in a row that have the same `metaData`: its row among all, and how many they are.
#[derive(Clone, Copy)]
pub struct Run {
    pub metadata: usize,
    pub rows: usize,
}

pub struct Rows {
    pub name: String,
    pub header: Structs,
    pub payload: Payload,
    pub numbers: Vec<i64>,
    pub rescued: Strings,
    pub runs: Vec<Run>,
    pub enums: Vec<Enum>,
    /// How the payload begins behind the header.
    pub hints: Hints,
    /// Bytes of source text that the rows came from.
    pub bytes: usize,
    /// The header's columns, the payload's, and those that every table ends with, apart.
    types: [DataType; 2],
    pub schema: Arc<Types>,
}

/// The columns that a table's batches have.
pub struct Types {
    pub fields: Fields,
    metadata: DataType,
    source: String,
}

/// Rows on their way out, all but their `metaData` and `source_file` as arrays.
pub struct Batch {
    pub table: usize,
    pub rows: usize,
    /// Counts of undocumented values by the index of their column among `Rows::enums`.
    pub undocumented: Vec<u64>,
    leading: Vec<ArrayData>,
    trailing: Vec<ArrayData>,
    runs: Vec<Run>,
    schema: Arc<Types>,
}

fn unrecognized() -> Fields {
    ["tag", "record"].into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect()
}

impl Rows {
    /// The rows of every table of the plan, and last those of `unrecognized`.
    pub fn all(plan: &Plan, source: &str) -> Vec<Self> {
        let known = plan.tables.iter().map(|table| {
            let DataType::Struct(fields) = table.payload.data_type() else { return Fields::empty() };
            fields
        });
        let names = plan.tables.iter().map(|table| table.name.as_str());
        let payloads = plan.tables.iter().map(Payload::new);
        let last = Payload::Raw { tag: Strings::default(), record: Strings::default() };
        names
            .chain(["unrecognized"])
            .zip(payloads.chain([last]))
            .zip(known.chain([unrecognized()]))
            .map(|((name, payload), fields)| Self::new(name, payload, fields, (plan, source)))
            .zip(plan.tables.iter().map(Enum::all).chain([Vec::new()]))
            .map(|(rows, enums)| Self { enums, ..rows })
            .collect()
    }

    fn new(name: &str, payload: Payload, fields: Fields, (plan, source): (&Plan, &str)) -> Self {
        let header = plan.header.data_type();
        let metadata = plan.metadata.data_type();
        let DataType::Struct(leading) = &header else { unreachable!("a struct's type is a struct") };
        let common = [
            Field::new("metaData", metadata.clone(), true),
            Field::new("source_file", DataType::Utf8, true),
            Field::new("record_number", DataType::Int64, true),
            Field::new("rescued", DataType::Utf8, true),
        ];
        let all = leading.iter().chain(&fields).cloned().chain(common.map(Arc::new)).collect();
        Self {
            name: name.to_owned(),
            header: Structs::new(&plan.header),
            payload,
            numbers: Vec::new(),
            rescued: Strings::default(),
            runs: Vec::new(),
            enums: Vec::new(),
            hints: Hints::new(1),
            bytes: 0,
            types: [header, DataType::Struct(fields)],
            schema: Arc::new(Types { fields: all, metadata, source: source.to_owned() }),
        }
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Takes back whatever was written of a row that is not ended.
    pub fn roll_back(&mut self) {
        let len = self.len();
        self.header.truncate(len);
        self.rescued.truncate(len);
        match &mut self.payload {
            Payload::Flat(columns) => columns.truncate(len),
            Payload::List(column) => column.truncate(len),
            Payload::Raw { tag, record } => {
                tag.truncate(len);
                record.truncate(len);
            }
        }
    }

    /// Ends the row that came from `bytes` of text.
    pub fn end(&mut self, number: i64, metadata: usize, bytes: usize) {
        self.numbers.push(number);
        self.bytes += bytes;
        match self.runs.last_mut() {
            Some(run) if run.metadata == metadata => run.rows += 1,
            _ => self.runs.push(Run { metadata, rows: 1 }),
        }
    }

    /// All rows so far, which leaves none.
    pub fn batch(&mut self, table: usize) -> Result<Batch> {
        let len = self.len();
        let undocumented = self.enums.iter().map(|column| column.count(&self.payload)).collect();
        let mut leading = self.header.columns(len, &self.types[0])?;
        match &mut self.payload {
            Payload::Flat(columns) => leading.extend(columns.columns(len, &self.types[1])?),
            Payload::List(column) => {
                if let DataType::Struct(fields) = &self.types[1] {
                    leading.push(column.array(len, fields[0].data_type())?);
                }
            }
            Payload::Raw { tag, record } => {
                for column in [tag, record] {
                    column.pad(len);
                    leading.push(column.array()?);
                }
            }
        }
        self.rescued.pad(len);
        let numbers = Buffer::from_vec(std::mem::replace(&mut self.numbers, Vec::with_capacity(len)));
        let numbers = ArrayData::builder(DataType::Int64).len(len).buffers(vec![numbers]);
        // SAFETY: one buffer of as many 64-bit integers as the array is long.
        let numbers = unsafe { numbers.build_unchecked() };
        self.bytes = 0;
        Ok(Batch {
            table,
            rows: len,
            undocumented,
            leading,
            trailing: vec![numbers, self.rescued.array()?],
            runs: std::mem::take(&mut self.runs),
            schema: Arc::clone(&self.schema),
        })
    }
}

impl Batch {
    /// The batch as one struct array, given the `metaData` of all containers.
    pub fn into_array(self, metadata: &Metadata) -> Result<ArrayData> {
        let mut children = self.leading;
        let mut column = Column::Structs(Box::new(Structs::new(metadata.plan())));
        for run in &self.runs {
            column.repeat(&metadata.column, run.metadata, run.rows)?;
        }
        children.push(column.array(self.rows, &self.schema.metadata)?);
        let mut source = Strings::default();
        source.push_times(self.schema.source.as_bytes(), self.rows);
        children.push(source.array()?);
        children.extend(self.trailing);
        let whole = ArrayData::builder(DataType::Struct(self.schema.fields.clone())).len(self.rows);
        // SAFETY: the children are in the order of the schema's fields, each as long as the batch.
        Ok(unsafe { whole.child_data(children).build_unchecked() })
    }
}

/// The `metaData` of containers, one row each; row 0 is that of containers that have none.
pub struct Metadata {
    pub plan: Arc<Plan>,
    pub column: Column,
    pub rows: usize,
}

impl Metadata {
    pub fn new(plan: Arc<Plan>) -> Self {
        let mut metadata = Self { column: Column::Structs(Box::new(Structs::new(&plan.metadata))), plan, rows: 0 };
        metadata.forget();
        metadata
    }

    pub fn plan(&self) -> &Struct {
        &self.plan.metadata
    }

    /// Drops all rows but the first.
    pub fn forget(&mut self) {
        self.column = Column::Structs(Box::new(Structs::new(&self.plan.metadata)));
        self.rows = 0;
    }

    /// The scalar in a row under a name.
    pub fn child(&self, name: &str) -> Option<&Column> {
        let index = self.plan.metadata.fields.iter().position(|field| field.name == name)?;
        match &self.column {
            Column::Structs(column) => column.children.get(index),
            _ => None,
        }
    }
}

/// Counts by name in order of first appearance.
#[derive(Default)]
pub struct Counts {
    pub order: Vec<(String, u64)>,
    index: HashMap<String, usize>,
}

impl Counts {
    pub fn add(&mut self, name: &str, count: u64) {
        match self.index.get(name) {
            Some(&at) => self.order[at].1 += count,
            None if count > 0 => {
                self.index.insert(name.to_owned(), self.order.len());
                self.order.push((name.to_owned(), count));
            }
            None => {}
        }
    }

    pub fn take(&mut self) -> Vec<(String, u64)> {
        self.index.clear();
        std::mem::take(&mut self.order)
    }
}
