//! Builders of Arrow columns, nested to any depth.

pub mod leaves;

use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::DataType;

use crate::decode::columns::leaves::{Numbers, Strings, Validity, array, buffer, numbers, packed};
use crate::decode::json::scan::{Result, Stop};
use crate::decode::memo::fields::Hints;
use crate::decode::plan::{Kind, Node, Struct, Table};

/// A builder of structs. The first child of a union is its `type`.
pub struct Structs {
    pub validity: Validity,
    pub children: Vec<Column>,
    pub hints: Hints,
    /// The indices of the children that have timestamps at any depth, except those that an extension adds.
    timed: Vec<usize>,
}

pub struct Lists {
    pub validity: Validity,
    offsets: Vec<i32>,
    pub element: Column,
}

impl Lists {
    /// Finishes a list. `elements` is the number of elements of all lists so far, including this one.
    pub fn end(&mut self, elements: usize) -> Result<()> {
        self.offsets.push(i32::try_from(elements).map_err(|_| Stop::Overflow)?);
        self.validity.push_valid();
        Ok(())
    }

    /// Returns the index of the next list's first element.
    pub fn start(&self) -> usize {
        self.offsets.last().map_or(0, |&end| end as usize)
    }

    /// Appends nulls up to `len` values.
    pub fn pad(&mut self, len: usize) {
        self.validity.pad(len);
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets.resize(self.validity.len() + 1, end);
    }

    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.validity.truncate(len);
        self.element.truncate(self.start());
    }
}

pub enum Column {
    Strings(Strings),
    Booleans(Numbers<bool>),
    Int32(Numbers<i32>),
    Int64(Numbers<i64>),
    /// In microseconds since 1970.
    Timestamps(Numbers<i64>),
    Float64(Numbers<f64>),
    Structs(Box<Structs>),
    Lists(Box<Lists>),
}

impl Structs {
    pub fn new(plan: &Struct) -> Self {
        let children = plan.fields.iter().map(|field| Column::new(&field.node)).collect();
        Self::of(children, |child| plan.fields[child].added)
    }

    /// Timestamps in the children for which `added` returns true do not count.
    fn of(children: Vec<Column>, added: impl Fn(usize) -> bool) -> Self {
        let hints = Hints::new(children.len() + 1);
        let timed = (0..children.len()).filter(|&child| !added(child) && children[child].has_timestamps()).collect();
        Self { validity: Validity::default(), children, hints, timed }
    }

    /// Returns the index of the next row.
    pub fn row(&self) -> usize {
        self.validity.len()
    }

    /// Returns the earliest timestamp in a row's children.
    fn earliest(&self, row: usize) -> Option<i64> {
        self.timed.iter().filter_map(|&child| self.children[child].earliest(row)).min()
    }

    /// Copies the children at `row` of `from` to row `at`.
    fn copy(&mut self, at: usize, from: &Self, row: usize) -> Result<()> {
        self.children.iter_mut().zip(&from.children).try_for_each(|(child, from)| child.copy(at, from, row))
    }

    /// Removes all rows from index `len` on, including those of the children.
    pub fn truncate(&mut self, len: usize) {
        self.validity.truncate(len);
        self.children.iter_mut().for_each(|child| child.truncate(len));
    }

    pub fn array(&mut self, len: usize, data_type: DataType) -> Result<ArrayData> {
        self.validity.pad(len);
        let children = self.arrays(len, &data_type)?;
        Ok(array(data_type, len, self.validity.take(), [], children))
    }

    /// Returns the children's arrays, each `len` long.
    pub fn columns(&mut self, len: usize, data_type: &DataType) -> Result<Vec<ArrayData>> {
        self.validity.take();
        self.arrays(len, data_type)
    }

    fn arrays(&mut self, len: usize, data_type: &DataType) -> Result<Vec<ArrayData>> {
        let DataType::Struct(fields) = data_type else { return Ok(Vec::new()) };
        let typed = self.children.iter_mut().zip(fields);
        typed.map(|(child, field)| child.array(len, field.data_type())).collect()
    }
}

impl Column {
    pub fn new(node: &Node) -> Self {
        match node {
            Node::Leaf(leaf) => match leaf.kind {
                Kind::String => Self::Strings(Strings::default()),
                Kind::Boolean => Self::Booleans(Numbers::default()),
                Kind::Int32 => Self::Int32(Numbers::default()),
                Kind::Int64 => Self::Int64(Numbers::default()),
                Kind::Timestamp => Self::Timestamps(Numbers::default()),
                Kind::Float64 => Self::Float64(Numbers::default()),
            },
            Node::Struct(plan) => Self::Structs(Box::new(Structs::new(plan))),
            Node::List(plan) => Self::Lists(Box::new(Lists {
                validity: Validity::default(),
                offsets: vec![0],
                element: Self::new(&plan.element),
            })),
            Node::Union(plan) => {
                let branches = plan.branches.iter();
                let branches = branches.map(|branch| Self::Structs(Box::new(Structs::new(&branch.fields))));
                let tag = Self::Strings(Strings::default());
                let children = std::iter::once(tag).chain(branches).collect();
                let added = |child: usize| child > 0 && plan.branches[child - 1].added;
                Self::Structs(Box::new(Structs::of(children, added)))
            }
        }
    }

    fn validity(&self) -> &Validity {
        match self {
            Self::Strings(column) => &column.validity,
            Self::Booleans(column) => &column.validity,
            Self::Int32(column) => &column.validity,
            Self::Int64(column) | Self::Timestamps(column) => &column.validity,
            Self::Float64(column) => &column.validity,
            Self::Structs(column) => &column.validity,
            Self::Lists(column) => &column.validity,
        }
    }

    /// Returns the number of values so far. Trailing nulls that were not yet appended do not count.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.validity().len()
    }

    /// Appends nulls up to `len` values.
    pub fn pad(&mut self, len: usize) {
        match self {
            Self::Strings(column) => column.pad(len),
            Self::Booleans(column) => column.pad(len),
            Self::Int32(column) => column.pad(len),
            Self::Int64(column) | Self::Timestamps(column) => column.pad(len),
            Self::Float64(column) => column.pad(len),
            Self::Structs(column) => column.validity.pad(len),
            Self::Lists(column) => column.pad(len),
        }
    }

    pub fn truncate(&mut self, len: usize) {
        match self {
            Self::Strings(column) => column.truncate(len),
            Self::Booleans(column) => column.truncate(len),
            Self::Int32(column) => column.truncate(len),
            Self::Int64(column) | Self::Timestamps(column) => column.truncate(len),
            Self::Float64(column) => column.truncate(len),
            Self::Structs(column) => column.truncate(len),
            Self::Lists(column) => column.truncate(len),
        }
    }

    /// Appends `times` copies of the value at `row` of `from`, a column of the same type.
    pub fn repeat(&mut self, from: &Self, row: usize, times: usize) -> Result<()> {
        let start = self.len();
        if !from.validity().is_valid(row) {
            self.pad(start + times);
            return Ok(());
        }
        match (self, from) {
            (Self::Strings(to), Self::Strings(from)) if times == 1 => to.push(start, from.get(row).unwrap_or_default()),
            (Self::Strings(to), Self::Strings(from)) => {
                to.push_times(from.get(row).unwrap_or_default(), times);
            }
            (Self::Booleans(to), Self::Booleans(from)) => {
                (start..start + times).for_each(|at| to.push(at, from.values[row]));
            }
            (Self::Int32(to), Self::Int32(from)) => (start..start + times).for_each(|at| to.push(at, from.values[row])),
            (Self::Int64(to), Self::Int64(from)) | (Self::Timestamps(to), Self::Timestamps(from)) => {
                (start..start + times).for_each(|at| to.push(at, from.values[row]))
            }
            (Self::Float64(to), Self::Float64(from)) => {
                (start..start + times).for_each(|at| to.push(at, from.values[row]));
            }
            (Self::Structs(to), Self::Structs(from)) => {
                for (child, from) in to.children.iter_mut().zip(&from.children) {
                    child.pad(start);
                    child.repeat(from, row, times)?;
                }
                (0..times).for_each(|_| to.validity.push_valid());
            }
            (Self::Lists(to), Self::Lists(from)) => {
                let (first, last) = (from.offsets[row] as usize, from.offsets[row + 1] as usize);
                for _ in 0..times {
                    let before = to.start();
                    to.element.pad(before);
                    for element in first..last {
                        to.element.repeat(&from.element, element, 1)?;
                    }
                    let end = to.start() + last - first;
                    to.element.pad(end);
                    to.end(end)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Removes all values and returns them as an array of `len` values.
    pub fn array(&mut self, len: usize, data_type: &DataType) -> Result<ArrayData> {
        self.pad(len);
        let kind = data_type.clone();
        Ok(match self {
            Self::Strings(column) => column.array()?,
            Self::Booleans(column) => {
                let bits = Buffer::from_vec(packed(&column.take()));
                array(kind, len, column.validity.take(), [bits], [])
            }
            Self::Int32(column) => numbers(kind, column),
            Self::Int64(column) | Self::Timestamps(column) => numbers(kind, column),
            Self::Float64(column) => numbers(kind, column),
            Self::Structs(column) => column.array(len, kind)?,
            Self::Lists(column) => {
                let end = column.start();
                let DataType::List(element) = data_type else { return Err(Stop::Overflow) };
                let elements = column.element.array(end, element.data_type())?;
                let offsets = buffer(std::mem::replace(&mut column.offsets, vec![0]));
                array(kind, len, column.validity.take(), [offsets], [elements])
            }
        })
    }

    /// Copies the value at `row` of `from`, a column of the same type, to row `at`. A null is left out, as nulls at the
    /// end of a column are.
    pub fn copy(&mut self, at: usize, from: &Self, row: usize) -> Result<()> {
        if !from.validity().is_valid(row) {
            return Ok(());
        }
        self.pad(at);
        self.repeat(from, row, 1)
    }

    /// Returns the earliest timestamp in the value at `row`.
    fn earliest(&self, row: usize) -> Option<i64> {
        match self {
            Self::Timestamps(_) => self.int64(row),
            Self::Structs(column) if column.validity.is_valid(row) => column.earliest(row),
            Self::Lists(column) if column.validity.is_valid(row) => {
                let elements = column.offsets[row] as usize..column.offsets[row + 1] as usize;
                elements.filter_map(|element| column.element.earliest(element)).min()
            }
            _ => None,
        }
    }

    /// Whether the column has timestamps at any depth.
    fn has_timestamps(&self) -> bool {
        match self {
            Self::Timestamps(_) => true,
            Self::Structs(column) => !column.timed.is_empty(),
            Self::Lists(column) => column.element.has_timestamps(),
            _ => false,
        }
    }

    pub fn int64(&self, row: usize) -> Option<i64> {
        match self {
            Self::Int64(column) | Self::Timestamps(column) if column.validity.is_valid(row) => {
                column.values.get(row).copied()
            }
            _ => None,
        }
    }

    pub fn string(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Strings(column) => column.get(row),
            _ => None,
        }
    }
}

/// The columns between a table's header and its common columns.
pub enum Payload {
    /// Columns of scalars and structs.
    Flat(Structs),
    /// One column of lists.
    List(Column),
    /// The body tag and the JSON text of records that belong to no table.
    Raw { tag: Strings, record: Strings },
}

impl Payload {
    pub fn new(table: &Table) -> Self {
        match table.payload.fields.first().map(|field| Column::new(&field.node)) {
            Some(column) if !table.flat => Self::List(column),
            _ => Self::Flat(Structs::new(&table.payload)),
        }
    }

    /// Returns the earliest timestamp in a row.
    fn earliest(&self, row: usize) -> Option<i64> {
        match self {
            Self::Flat(columns) => columns.earliest(row),
            Self::List(column) => column.earliest(row),
            Self::Raw { .. } => None,
        }
    }

    /// Copies the row at `row` of `from`, the payload of the same table, to row `at`.
    fn copy(&mut self, at: usize, from: &Self, row: usize) -> Result<()> {
        match (self, from) {
            (Self::Flat(to), Self::Flat(from)) => {
                to.validity.pad(at);
                to.copy(at, from, row)?;
                to.validity.push_valid();
            }
            (Self::List(to), Self::List(from)) => to.copy(at, from, row)?,
            (Self::Raw { tag, record }, Self::Raw { tag: from_tag, record: from_record }) => {
                tag.copy(at, from_tag, row);
                record.copy(at, from_record, row);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Returns the earliest timestamp of a row in its header and payload, in microseconds since 1970.
pub fn earliest(header: &Structs, payload: &Payload, row: usize) -> Option<i64> {
    header.earliest(row).into_iter().chain(payload.earliest(row)).min()
}

/// Copies a row of a header and a payload to row `at` of another header and payload of the same table.
pub fn copy_row(to: (&mut Structs, &mut Payload), at: usize, from: (&Structs, &Payload), row: usize) -> Result<()> {
    to.0.validity.pad(at);
    to.0.copy(at, from.0, row)?;
    to.0.validity.push_valid();
    to.1.copy(at, from.1, row)
}
