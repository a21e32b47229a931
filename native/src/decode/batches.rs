//! Collects a table's rows and builds batches from them. A batch waits until the `metaData` of its container is known.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_data::ArrayData;
use arrow_schema::{DataType, Fields};

use crate::decode::columns::leaves::{Strings, buffer};
use crate::decode::columns::{Column, Payload, Structs, copy_row, earliest};
use crate::decode::json::scan::{Result, Stop};
use crate::decode::json::timestamps::day_of;
use crate::decode::masks::Masks;
use crate::decode::memo::fields::Hints;
use crate::decode::plan::{Common, Plan};
use crate::decode::undocumented::Enum;

/// Consecutive rows with the same `metaData`. `metadata` is the row of the `metaData` in `Metadata`; `rows` is the
/// number of consecutive rows.
#[derive(Clone, Copy)]
pub struct Run {
    pub metadata: usize,
    pub rows: usize,
}

/// Which rows a `Rows` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// The rows of one UTC day, in days since 1970, or the rows without a day. If rows are not separated by day, all
    /// rows.
    Day(Option<i32>),
    /// The rows of a container whose `metaData` is not known yet, so that the days of some rows are not known, either.
    Held,
}

/// The rows of a table, or its share of them.
pub struct Rows {
    pub name: String,
    pub share: Share,
    /// The size of the source text of each row, if `share` is `Held`.
    pub sizes: Vec<usize>,
    pub header: Structs,
    pub payload: Payload,
    pub numbers: Vec<i64>,
    pub rescued: Strings,
    pub runs: Vec<Run>,
    pub enums: Vec<Enum>,
    /// Cache of the text between the header and the payload.
    pub hints: Hints,
    /// The size in bytes of the source text of the rows.
    pub bytes: usize,
    /// The type of the header and the type of the payload, each as a struct of its columns.
    types: [DataType; 2],
    pub schema: Arc<Types>,
}

/// The columns of a table's batches, and the name of the source.
pub struct Types {
    pub fields: Fields,
    /// The content and the type of each common column. The common columns are the last columns in `fields`.
    common: Vec<(Common, DataType)>,
    source: String,
}

/// A batch without its columns `metaData` and `source_file`, which are added later.
pub struct PendingBatch {
    pub table: usize,
    pub day: Option<i32>,
    pub rows: usize,
    /// The number of undocumented values in each enum column, in the order of `Rows::enums`.
    pub undocumented: Vec<u64>,
    /// The columns of the header and the payload.
    own: Vec<ArrayData>,
    numbers: ArrayData,
    rescued: ArrayData,
    runs: Vec<Run>,
    schema: Arc<Types>,
}

impl Rows {
    /// Returns an empty `Rows` for a table.
    pub fn of(plan: &Plan, source: &str, table: usize, share: Share) -> Self {
        let (name, payload, fields, enums) = match plan.tables.get(table) {
            Some(known) => (&known.name, Payload::new(known), known.payload.data_fields(), Enum::all(known)),
            None => {
                let payload = Payload::Raw { tag: Strings::default(), record: Strings::default() };
                (&plan.unrecognized.name, payload, plan.unrecognized.data_fields(), Vec::new())
            }
        };
        Self { enums, share, ..Self::new(name, payload, fields, (plan, source)) }
    }

    /// Returns an empty `Rows` for each table of the plan, and a last one for the table of unrecognized records.
    pub fn all(plan: &Plan, source: &str) -> Vec<Self> {
        (0..=plan.tables.len()).map(|table| Self::of(plan, source, table, Share::Day(None))).collect()
    }

    fn new(name: &str, payload: Payload, fields: Fields, (plan, source): (&Plan, &str)) -> Self {
        let header = plan.header.data_fields();
        let common = plan.common_fields();
        let holds = plan.common.iter().map(|column| column.holds);
        let types = holds.zip(&common).map(|(holds, field)| (holds, field.data_type().clone())).collect();
        let all = header.iter().chain(&fields).cloned().chain(common.into_iter().map(Arc::new)).collect();
        Self {
            name: name.to_owned(),
            share: Share::Day(None),
            sizes: Vec::new(),
            header: Structs::new(&plan.header),
            payload,
            numbers: Vec::new(),
            rescued: Strings::default(),
            runs: Vec::new(),
            enums: Vec::new(),
            hints: Hints::new(1),
            bytes: 0,
            types: [DataType::Struct(header), DataType::Struct(fields)],
            schema: Arc::new(Types { fields: all, common: types, source: source.to_owned() }),
        }
    }

    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Returns the day of a row's earliest timestamp, in days since 1970. The timestamps of `metaData` do not count.
    pub fn day(&self, row: usize) -> Option<i32> {
        earliest(&self.header, &self.payload, row).map(day_of)
    }

    /// Copies the columns of the row at `row` of `from` to the unfinished row.
    pub fn copy(&mut self, from: &Self, row: usize) -> Result<()> {
        let at = self.len();
        self.rescued.copy(at, &from.rescued, row);
        copy_row((&mut self.header, &mut self.payload), at, (&from.header, &from.payload), row)
    }

    /// Returns empty rows of the same table, whose index is `table`.
    pub fn sibling(&self, plan: &Plan, table: usize, share: Share) -> Self {
        Self::of(plan, &self.schema.source, table, share)
    }

    /// Removes the values of an unfinished row.
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

    /// Finishes a row that was read from `bytes` bytes of text.
    pub fn end(&mut self, number: i64, metadata: usize, bytes: usize) {
        self.numbers.push(number);
        self.bytes += bytes;
        if self.share == Share::Held {
            self.sizes.push(bytes);
        }
        match self.runs.last_mut() {
            Some(run) if run.metadata == metadata => run.rows += 1,
            _ => self.runs.push(Run { metadata, rows: 1 }),
        }
    }

    /// Removes all rows and returns them as a batch with masked columns.
    pub fn batch(&mut self, table: usize, masks: Option<&Masks>) -> Result<PendingBatch> {
        let len = self.len();
        let undocumented = self.enums.iter().map(|column| column.count(&self.payload)).collect();
        if let Some(masks) = masks {
            masks.columns(table, &mut self.header, &mut self.payload, &mut self.rescued);
        }
        let mut own = self.header.columns(len, &self.types[0])?;
        match &mut self.payload {
            Payload::Flat(columns) => own.extend(columns.columns(len, &self.types[1])?),
            Payload::List(column) => {
                if let DataType::Struct(fields) = &self.types[1] {
                    own.push(column.array(len, fields[0].data_type())?);
                }
            }
            Payload::Raw { tag, record } => {
                for column in [tag, record] {
                    column.pad(len);
                    own.push(column.array()?);
                }
            }
        }
        self.rescued.pad(len);
        let numbers = buffer(std::mem::replace(&mut self.numbers, Vec::with_capacity(len)));
        let numbers = ArrayData::builder(DataType::Int64).len(len).buffers(vec![numbers]);
        // SAFETY: the one buffer has `len` 64-bit integers.
        let numbers = unsafe { numbers.build_unchecked() };
        self.bytes = 0;
        let Share::Day(day) = self.share else { return Err(Stop::NeedsCareful) };
        Ok(PendingBatch {
            table,
            day,
            rows: len,
            undocumented,
            own,
            numbers,
            rescued: self.rescued.array()?,
            runs: std::mem::take(&mut self.runs),
            schema: Arc::clone(&self.schema),
        })
    }
}

impl PendingBatch {
    /// Given the `metaData` of all containers, returns the batch as one struct array.
    pub fn into_array(self, metadata: &Metadata) -> Result<ArrayData> {
        let schema = Arc::clone(&self.schema);
        let mut children = self.own;
        let (mut numbers, mut rescued) = (Some(self.numbers), Some(self.rescued));
        for (holds, data_type) in &schema.common {
            children.extend(match holds {
                Common::Metadata => Some(metadata.repeated(&self.runs, self.rows, data_type)?),
                Common::Source => Some(repeated(&schema.source, self.rows)?),
                Common::Number => numbers.take(),
                Common::Rescued => rescued.take(),
            });
        }
        let whole = ArrayData::builder(DataType::Struct(schema.fields.clone())).len(self.rows);
        // SAFETY: the children are in the order of the schema's fields, and the length of each is the number of rows.
        Ok(unsafe { whole.child_data(children).build_unchecked() })
    }
}

/// Returns a column with the same text in every row.
fn repeated(text: &str, rows: usize) -> Result<ArrayData> {
    let mut column = Strings::default();
    column.push_times(text.as_bytes(), rows);
    column.array()
}

/// The `metaData` of containers, one row for each container.
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

    /// Returns the `metaData` column of a batch whose rows belong to `runs`.
    fn repeated(&self, runs: &[Run], rows: usize, data_type: &DataType) -> Result<ArrayData> {
        let mut column = Column::Structs(Box::new(Structs::new(&self.plan.metadata)));
        for run in runs {
            column.repeat(&self.column, run.metadata, run.rows)?;
        }
        column.array(rows, data_type)
    }

    /// Removes all rows.
    pub fn forget(&mut self) {
        self.column = Column::Structs(Box::new(Structs::new(&self.plan.metadata)));
        self.rows = 0;
    }

    /// Returns the column of the field with this name.
    pub fn child(&self, name: &str) -> Option<&Column> {
        let index = self.plan.metadata.fields.iter().position(|field| field.name == name)?;
        match &self.column {
            Column::Structs(column) => column.children.get(index),
            _ => None,
        }
    }
}

/// Counts by name, in order of first appearance.
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
