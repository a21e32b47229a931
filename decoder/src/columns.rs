//! Columns under construction. A column may lag behind its struct: nulls are filled in before its next value or at the
//! end, so that what does not occur costs nothing, and a row is taken back by cutting to the length before it.

use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::DataType;

use crate::plan::{Kind, Node, Struct};
use crate::scan::{BLOCK, Result, Stop, plain, stop_in};

/// Which of a column's values are there: a byte for each, from the first null on; they become bits at the end.
#[derive(Default)]
pub struct Validity {
    len: usize,
    valid: Vec<bool>,
}

impl Validity {
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn push_valid(&mut self) {
        if !self.valid.is_empty() {
            self.valid.push(true);
        }
        self.len += 1;
    }

    /// Null up to `len`.
    #[inline(always)]
    pub fn pad(&mut self, len: usize) {
        if len == self.len + 1 && !self.valid.is_empty() {
            self.valid.push(false);
            self.len = len;
        } else if len > self.len {
            self.pad_more(len);
        }
    }

    fn pad_more(&mut self, len: usize) {
        self.valid.resize(self.len, true);
        self.valid.resize(len, false);
        self.len = len;
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.valid.truncate(len);
    }

    fn is_valid(&self, at: usize) -> bool {
        at < self.len && self.valid.get(at).is_none_or(|&valid| valid)
    }

    fn take(&mut self) -> Option<Buffer> {
        self.len = 0;
        let valid = std::mem::take(&mut self.valid);
        (!valid.is_empty()).then(|| Buffer::from_vec(packed(&valid)))
    }
}

/// Booleans as bits, the first as the lowest.
fn packed(values: &[bool]) -> Vec<u8> {
    let (eights, rest) = values.as_chunks::<8>();
    let mut bits = Vec::with_capacity(eights.len() + 1);
    // The multiplication moves the low bit of every byte into the highest byte, each to its own place.
    bits.extend(eights.iter().map(|eight| {
        let word = u64::from_le_bytes(eight.map(u8::from));
        (word.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
    }));
    if !rest.is_empty() {
        bits.push(rest.iter().rev().fold(0, |bits, &value| bits << 1 | u8::from(value)));
    }
    bits
}

/// Room for a batch that is about as large as the last one.
fn roomy(last: usize) -> usize {
    last + last / 8 + 16
}

/// Numbers of one width.
#[derive(Default)]
pub struct Numbers<T> {
    pub validity: Validity,
    values: Vec<T>,
}

impl<T: Copy + Default> Numbers<T> {
    #[inline(always)]
    pub fn push(&mut self, row: usize, value: T) {
        if self.values.len() < row {
            self.pad(row);
        }
        self.values.push(value);
        self.validity.push_valid();
    }

    fn pad(&mut self, len: usize) {
        self.validity.pad(len);
        self.values.resize(self.validity.len(), T::default());
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.validity.truncate(len);
    }

    fn take(&mut self) -> Vec<T> {
        let room = roomy(self.values.len());
        std::mem::replace(&mut self.values, Vec::with_capacity(room))
    }
}

/// Strings, as UTF-8 by whoever pushes them.
pub struct Strings {
    pub validity: Validity,
    offsets: Vec<i32>,
    data: Vec<u8>,
}

impl Default for Strings {
    fn default() -> Self {
        Self { validity: Validity::default(), offsets: vec![0], data: Vec::new() }
    }
}

impl Strings {
    #[inline(always)]
    pub fn push(&mut self, row: usize, value: &[u8]) -> Result<()> {
        if self.validity.len() < row {
            self.pad(row)?;
        }
        self.data.extend_from_slice(value);
        self.end()
    }

    /// Pushes one value so many times.
    pub fn push_times(&mut self, value: &[u8], times: usize) -> Result<()> {
        self.data.extend_from_slice(&value.repeat(times));
        i32::try_from(self.data.len()).map_err(|_| Stop::Overflow)?;
        let before = self.data.len() - value.len() * times;
        self.offsets.extend((1..=times).map(|count| (before + count * value.len()) as i32));
        (0..times).for_each(|_| self.validity.push_valid());
        Ok(())
    }

    /// Pushes the string that starts behind a quote at `start`, if nothing in it is escaped; the index of its end, or of
    /// what else stopped it.
    #[inline(always)]
    pub fn push_plain(&mut self, row: usize, text: &[u8], start: usize) -> Result<usize> {
        if self.validity.len() < row {
            self.pad(row)?;
        }
        let before = self.data.len();
        let mut at = start;
        // Copied while it is searched, with bytes behind it that are cut off again.
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
            self.data.extend_from_slice(block);
            if let Some(stop) = stop_in(block) {
                at += stop;
                self.data.truncate(before + at - start);
                return self.end_plain(text, at, before);
            }
            at += BLOCK;
        }
        let end = plain(text, at);
        self.data.extend_from_slice(&text[at..end]);
        self.end_plain(text, end, before)
    }

    #[inline(always)]
    fn end_plain(&mut self, text: &[u8], end: usize, before: usize) -> Result<usize> {
        if text.get(end) == Some(&b'"') {
            self.end()?;
        } else {
            self.data.truncate(before);
        }
        Ok(end)
    }

    /// Ends the value whose bytes were added.
    #[inline(always)]
    fn end(&mut self) -> Result<()> {
        let end = i32::try_from(self.data.len()).map_err(|_| Stop::Overflow)?;
        self.offsets.push(end);
        self.validity.push_valid();
        Ok(())
    }

    /// Null up to `len`.
    pub fn pad(&mut self, len: usize) -> Result<()> {
        self.validity.pad(len);
        let end = i32::try_from(self.data.len()).map_err(|_| Stop::Overflow)?;
        self.offsets.resize(self.validity.len() + 1, end);
        Ok(())
    }

    pub fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.data.truncate(self.offsets.last().map_or(0, |&end| end as usize));
        self.validity.truncate(len);
    }

    /// The value at `row`, if it is there.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        let value = self.offsets.get(row).zip(self.offsets.get(row + 1));
        value.filter(|_| self.validity.is_valid(row)).map(|(&start, &end)| &self.data[start as usize..end as usize])
    }

    pub fn array(&mut self) -> ArrayData {
        let len = self.validity.len();
        let mut offsets = Vec::with_capacity(roomy(self.offsets.len()));
        offsets.push(0);
        let room = roomy(self.data.len());
        let buffers = [
            Buffer::from_vec(std::mem::replace(&mut self.offsets, offsets)),
            Buffer::from_vec(std::mem::replace(&mut self.data, Vec::with_capacity(room))),
        ];
        array(DataType::Utf8, len, self.validity.take(), buffers, [])
    }
}

/// Structs; a union's first child is its `type`.
pub struct Structs {
    pub validity: Validity,
    pub children: Vec<Column>,
    pub hints: Hints,
}

pub struct Lists {
    pub validity: Validity,
    offsets: Vec<i32>,
    pub element: Column,
}

impl Lists {
    /// Ends the next list, at `elements` elements, lists before this one's included.
    pub fn end(&mut self, elements: usize) -> Result<()> {
        self.offsets.push(i32::try_from(elements).map_err(|_| Stop::Overflow)?);
        self.validity.push_valid();
        Ok(())
    }

    /// The element index at which the next list begins.
    pub fn start(&self) -> usize {
        self.offsets.last().map_or(0, |&end| end as usize)
    }

    /// Null up to `len`.
    pub fn pad(&mut self, len: usize) -> Result<()> {
        self.validity.pad(len);
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets.resize(self.validity.len() + 1, end);
        Ok(())
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
    /// Timestamps too.
    Int64(Numbers<i64>),
    Float64(Numbers<f64>),
    Structs(Box<Structs>),
    Lists(Box<Lists>),
}

/// What stood between a struct's field and its next one: bytes that were understood once need only be compared.
#[derive(Clone)]
pub struct Hint {
    /// The first bytes as words, zeros behind them, and ones where there are bytes.
    head: [u64; WORDS],
    mask: [u64; WORDS],
    text: Vec<u8>,
    pub field: usize,
    /// Where in the text the value begins, its tag included.
    pub value: usize,
    pub tagged: bool,
}

const WORDS: usize = 5;
const HEAD: usize = 8 * WORDS;
const LONGEST_HINT: usize = 128;

#[inline(always)]
fn words(bytes: &[u8; HEAD]) -> [u64; WORDS] {
    let (chunks, _) = bytes.as_chunks::<8>();
    std::array::from_fn(
        #[inline(always)]
        |at| u64::from_le_bytes(chunks[at]),
    )
}

impl Hint {
    /// A hint that `text` means a field.
    fn new(text: &[u8], field: usize, value: usize, tagged: bool) -> Self {
        let (mut head, mut mask) = ([0; HEAD], [0; HEAD]);
        let length = text.len().min(HEAD);
        head[..length].copy_from_slice(&text[..length]);
        mask[..length].fill(0xff);
        Self { head: words(&head), mask: words(&mask), text: text.to_vec(), field, value, tagged }
    }

    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether `rest` begins with it.
    #[inline(always)]
    pub fn matches(&self, rest: &[u8]) -> bool {
        let Some(start) = rest.first_chunk::<HEAD>() else {
            return rest.starts_with(&self.text) && !self.text.is_empty();
        };
        let start = words(start);
        let mut differ = 0;
        for (word, (head, mask)) in start.iter().zip(self.head.iter().zip(&self.mask)) {
            differ |= (word ^ head) & mask;
        }
        differ == 0 && self.mask[0] != 0 && (self.text.len() <= HEAD || rest[HEAD..].starts_with(&self.text[HEAD..]))
    }
}

/// Two hints for each field that may have been last, the longer one first, as it may go on where the other ends; those of
/// field 0 are for the struct's start.
pub struct Hints {
    slots: Vec<[Hint; 2]>,
    learned: usize,
}

impl Hints {
    pub fn new(slots: usize) -> Self {
        let none = || Hint::new(&[], 0, 0, false);
        Self { slots: (0..slots).map(|_| [none(), none()]).collect(), learned: 0 }
    }

    #[inline(always)]
    pub fn find(&self, last: usize, rest: &[u8]) -> Option<&Hint> {
        let [first, second] = self.slots.get(last)?;
        match first.matches(rest) {
            true => Some(first),
            false => Some(second).filter(|second| second.matches(rest)),
        }
    }

    /// As `find`, whatever was last.
    pub fn find_any(&self, rest: &[u8]) -> Option<&Hint> {
        self.slots.iter().flatten().find(|hint| hint.matches(rest))
    }

    /// Leaves a hint that `text`, with the value from `value` on, means `field` behind `last`.
    pub fn learn(&mut self, last: usize, text: &[u8], (field, value, tagged): (usize, usize, bool)) {
        let Some(slot) = self.slots.get_mut(last) else { return };
        if text.len() <= LONGEST_HINT && slot.iter().all(|known| known.text != text) {
            // An empty one first, else one after the other.
            let old = if slot[1].text.is_empty() { 1 } else { self.learned % 2 };
            self.learned += 1;
            slot[old] = Hint::new(text, field, value, tagged);
            if slot[1].len() > slot[0].len() {
                slot.swap(0, 1);
            }
        }
    }
}

impl Structs {
    pub fn new(plan: &Struct) -> Self {
        Self::of(plan.fields.iter().map(|field| Column::new(&field.node)).collect())
    }

    fn of(children: Vec<Column>) -> Self {
        let hints = Hints::new(children.len() + 1);
        Self { validity: Validity::default(), children, hints }
    }

    /// The row that is next.
    pub fn row(&self) -> usize {
        self.validity.len()
    }

    /// Cuts rows, and whatever children have beyond them.
    pub fn truncate(&mut self, len: usize) {
        self.validity.truncate(len);
        self.children.iter_mut().for_each(|child| child.truncate(len));
    }

    pub fn array(&mut self, len: usize, data_type: DataType) -> Result<ArrayData> {
        self.validity.pad(len);
        let children = self.arrays(len, &data_type)?;
        Ok(array(data_type, len, self.validity.take(), [], children))
    }

    /// The children alone, each `len` long.
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
                Kind::Int64 | Kind::Timestamp => Self::Int64(Numbers::default()),
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
                Self::Structs(Box::new(Structs::of(std::iter::once(tag).chain(branches).collect())))
            }
        }
    }

    fn validity(&self) -> &Validity {
        match self {
            Self::Strings(column) => &column.validity,
            Self::Booleans(column) => &column.validity,
            Self::Int32(column) => &column.validity,
            Self::Int64(column) => &column.validity,
            Self::Float64(column) => &column.validity,
            Self::Structs(column) => &column.validity,
            Self::Lists(column) => &column.validity,
        }
    }

    /// How many values it has; nulls behind the last value that was set are not counted.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.validity().len()
    }

    /// Null up to `len`.
    pub fn pad(&mut self, len: usize) -> Result<()> {
        match self {
            Self::Strings(column) => column.pad(len)?,
            Self::Booleans(column) => column.pad(len),
            Self::Int32(column) => column.pad(len),
            Self::Int64(column) => column.pad(len),
            Self::Float64(column) => column.pad(len),
            Self::Structs(column) => column.validity.pad(len),
            Self::Lists(column) => column.pad(len)?,
        }
        Ok(())
    }

    pub fn truncate(&mut self, len: usize) {
        match self {
            Self::Strings(column) => column.truncate(len),
            Self::Booleans(column) => column.truncate(len),
            Self::Int32(column) => column.truncate(len),
            Self::Int64(column) => column.truncate(len),
            Self::Float64(column) => column.truncate(len),
            Self::Structs(column) => column.truncate(len),
            Self::Lists(column) => column.truncate(len),
        }
    }

    /// Adds `times` copies of what `from` has at `row`; for scalars, as `metaData` is made of.
    pub fn repeat(&mut self, from: &Self, row: usize, times: usize) -> Result<()> {
        let start = self.len();
        if !from.validity().is_valid(row) {
            return self.pad(start + times);
        }
        match (self, from) {
            (Self::Strings(to), Self::Strings(from)) => {
                to.push_times(from.get(row).unwrap_or_default(), times)?;
            }
            (Self::Booleans(to), Self::Booleans(from)) => {
                (start..start + times).for_each(|at| to.push(at, from.values[row]));
            }
            (Self::Int32(to), Self::Int32(from)) => (start..start + times).for_each(|at| to.push(at, from.values[row])),
            (Self::Int64(to), Self::Int64(from)) => (start..start + times).for_each(|at| to.push(at, from.values[row])),
            (Self::Float64(to), Self::Float64(from)) => {
                (start..start + times).for_each(|at| to.push(at, from.values[row]));
            }
            (Self::Structs(to), Self::Structs(from)) => {
                for (child, from) in to.children.iter_mut().zip(&from.children) {
                    child.pad(start)?;
                    child.repeat(from, row, times)?;
                }
                (0..times).for_each(|_| to.validity.push_valid());
            }
            (Self::Lists(to), Self::Lists(from)) => {
                let (first, last) = (from.offsets[row] as usize, from.offsets[row + 1] as usize);
                for _ in 0..times {
                    for element in first..last {
                        to.element.repeat(&from.element, element, 1)?;
                    }
                    let end = to.start() + last - first;
                    to.element.pad(end)?;
                    to.end(end)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// All of it as an array of `len` values, which leaves the column empty.
    pub fn array(&mut self, len: usize, data_type: &DataType) -> Result<ArrayData> {
        self.pad(len)?;
        let kind = data_type.clone();
        Ok(match self {
            Self::Strings(column) => column.array(),
            Self::Booleans(column) => {
                let bits = Buffer::from_vec(packed(&column.take()));
                array(kind, len, column.validity.take(), [bits], [])
            }
            Self::Int32(column) => numbers(kind, column),
            Self::Int64(column) => numbers(kind, column),
            Self::Float64(column) => numbers(kind, column),
            Self::Structs(column) => column.array(len, kind)?,
            Self::Lists(column) => {
                let end = column.start();
                let DataType::List(element) = data_type else { return Err(Stop::Overflow) };
                let elements = column.element.array(end, element.data_type())?;
                let offsets = Buffer::from_vec(std::mem::replace(&mut column.offsets, vec![0]));
                array(kind, len, column.validity.take(), [offsets], [elements])
            }
        })
    }

    pub fn int64(&self, row: usize) -> Option<i64> {
        match self {
            Self::Int64(column) if column.validity.is_valid(row) => column.values.get(row).copied(),
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

fn numbers<T: Copy + Default + arrow_buffer::ArrowNativeType>(kind: DataType, column: &mut Numbers<T>) -> ArrayData {
    let len = column.validity.len();
    let values = Buffer::from_vec(column.take());
    array(kind, len, column.validity.take(), [values], [])
}

fn array(
    kind: DataType,
    len: usize,
    validity: Option<Buffer>,
    buffers: impl IntoIterator<Item = Buffer>,
    children: impl IntoIterator<Item = ArrayData>,
) -> ArrayData {
    let builder = ArrayData::builder(kind)
        .len(len)
        .null_bit_buffer(validity)
        .buffers(buffers.into_iter().collect())
        .child_data(children.into_iter().collect());
    // SAFETY: every column keeps as many values, offsets and bits as its length, offsets only grow and stay within the
    // data, and every record was checked to be UTF-8 before its row was kept. Tests validate all batches in full.
    unsafe { builder.build_unchecked() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_is_packed_bit_by_bit() {
        for len in 0..40_usize {
            let values: Vec<bool> = (0..len).map(|at| at % 3 == 0 || at % 7 == 1).collect();
            let bits = packed(&values);
            assert_eq!(bits.len(), len.div_ceil(8));
            assert!(values.iter().enumerate().all(|(at, &value)| (bits[at / 8] >> (at % 8) & 1 == 1) == value));
        }
    }

    #[test]
    fn a_column_lags_behind_and_is_cut_back() {
        let mut numbers = Numbers::<i32>::default();
        numbers.push(0, 1);
        numbers.push(3, 2);
        assert_eq!((numbers.validity.len(), &numbers.validity.valid[..]), (4, &[true, false, false, true][..]));
        numbers.truncate(2);
        numbers.push(2, 5);
        numbers.pad(4);
        assert_eq!(
            (&numbers.values[..], &numbers.validity.valid[..]),
            (&[1, 0, 5, 0][..], &[true, false, true, false][..])
        );
        numbers.truncate(0);
        numbers.push(1, 7);
        assert_eq!((&numbers.values[..], &numbers.validity.valid[..]), (&[0, 7][..], &[false, true][..]));
    }

    #[test]
    fn hints_match_what_begins_as_they_do() {
        for length in [1, 7, 8, 39, 40, 41, 100] {
            let text: Vec<u8> = (0..length).map(|at| b'a' + (at % 20) as u8).collect();
            let mut hints = Hints::new(1);
            hints.learn(0, &text, (3, 0, true));
            let mut longer = text.clone();
            longer.extend([b'x'; 64]);
            assert!(hints.find(0, &text).is_some() && hints.find(0, &longer).is_some());
            for at in 0..length {
                let mut other = longer.clone();
                other[at] ^= 1;
                assert!(hints.find(0, &other).is_none() && hints.find(0, &other[..length]).is_none());
            }
            assert!(hints.find(0, &text[..length - 1]).is_none());
        }
    }
}
