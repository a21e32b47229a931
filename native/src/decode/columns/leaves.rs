//! Builders of columns of scalars. A column may be shorter than its struct: missing nulls are appended before the next
//! value or at the end, so an absent value costs nothing. To remove a row, truncate the column to its earlier length.

use arrow_buffer::{ArrowNativeType, Buffer};
use arrow_data::ArrayData;
use arrow_schema::DataType;

use crate::decode::json::scan::{BLOCK, Result, Stop, plain, stop_in};

/// Marks which values of a column are not null.
#[derive(Default)]
pub struct Validity {
    len: usize,
    /// Allocated at the first null. Boxed, so that a column without nulls stays small.
    nulls: Option<Box<Nulls>>,
}

/// One byte for each value. The bytes are packed into bits when the array is built.
#[derive(Default)]
struct Nulls {
    valid: Vec<bool>,
}

impl Validity {
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn push_valid(&mut self) {
        if let Some(nulls) = &mut self.nulls {
            nulls.valid.push(true);
        }
        self.len += 1;
    }

    /// Appends nulls up to `len` values.
    #[inline(always)]
    pub fn pad(&mut self, len: usize) {
        match &mut self.nulls {
            Some(nulls) if len == self.len + 1 => {
                nulls.valid.push(false);
                self.len = len;
            }
            _ if len > self.len => self.pad_more(len),
            _ => {}
        }
    }

    fn pad_more(&mut self, len: usize) {
        let nulls = self.nulls.get_or_insert_default();
        if nulls.valid.len() < self.len {
            nulls.valid.resize(self.len, true);
        }
        nulls.valid.resize(len, false);
        self.len = len;
    }

    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        if let Some(nulls) = &mut self.nulls {
            nulls.valid.truncate(len);
        }
    }

    pub fn is_valid(&self, at: usize) -> bool {
        at < self.len && self.nulls.as_ref().is_none_or(|nulls| nulls.valid[at])
    }

    pub fn take(&mut self) -> Option<Buffer> {
        self.len = 0;
        self.nulls.take().map(|nulls| Buffer::from_vec(packed(&nulls.valid)))
    }
}

/// Packs booleans into bits. The first boolean becomes the lowest bit.
pub fn packed(values: &[bool]) -> Vec<u8> {
    let (eights, rest) = values.as_chunks::<8>();
    let mut bits = Vec::with_capacity(eights.len() + 1);
    // The multiplication moves the low bit of each byte to its own bit of the highest byte.
    bits.extend(eights.iter().map(|eight| {
        let word = u64::from_le_bytes(eight.map(u8::from));
        (word.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
    }));
    if !rest.is_empty() {
        bits.push(rest.iter().rev().fold(0, |bits, &value| bits << 1 | u8::from(value)));
    }
    bits
}

/// Returns a capacity with some headroom over the last batch's size.
fn roomy(last: usize) -> usize {
    last + last / 8 + 16
}

/// Returns a buffer with the values. Room that is too much is given back: rows wait in memory until their row group is
/// written, and what they take is counted by their size.
pub fn buffer<T: ArrowNativeType>(mut values: Vec<T>) -> Buffer {
    if values.capacity() > roomy(values.len()) {
        values.shrink_to_fit();
    }
    Buffer::from_vec(values)
}

/// A column of numbers or booleans.
#[derive(Default)]
pub struct Numbers<T> {
    pub validity: Validity,
    pub values: Vec<T>,
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

    pub fn pad(&mut self, len: usize) {
        self.validity.pad(len);
        self.values.resize(self.validity.len(), T::default());
    }

    pub fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.validity.truncate(len);
    }

    pub fn take(&mut self) -> Vec<T> {
        let room = roomy(self.values.len());
        std::mem::replace(&mut self.values, Vec::with_capacity(room))
    }
}

/// A column of strings. The caller ensures that the strings are valid UTF-8.
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
    pub fn push(&mut self, row: usize, value: &[u8]) {
        if self.validity.len() < row {
            self.pad(row);
        }
        self.data.extend_from_slice(value);
        self.end();
    }

    /// Copies the value at `row` of another column to row `at`. Does nothing for a null, which is added later.
    pub fn copy(&mut self, at: usize, from: &Self, row: usize) {
        if let Some(value) = from.get(row) {
            self.push(at, value);
        }
    }

    /// Appends a value `times` times.
    pub fn push_times(&mut self, value: &[u8], times: usize) {
        self.data.extend_from_slice(&value.repeat(times));
        let before = self.data.len() - value.len() * times;
        self.offsets.extend((1..=times).map(|count| (before + count * value.len()) as i32));
        (0..times).for_each(|_| self.validity.push_valid());
    }

    /// Appends the string whose first byte is at `start`, if it has no escapes. Returns the index of the first quote,
    /// backslash, or control character. The string was appended only if that byte is a quote.
    #[inline(always)]
    pub fn push_plain(&mut self, row: usize, text: &[u8], start: usize) -> usize {
        if self.validity.len() < row {
            self.pad(row);
        }
        let before = self.data.len();
        let mut at = start;
        // Copies each block while searching it. Bytes after the end of the string are dropped.
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
            let stop = stop_in(block);
            self.push_part(block, stop.unwrap_or(BLOCK));
            at += stop.unwrap_or(BLOCK);
            if stop.is_some() {
                return self.end_plain(text, at, before);
            }
        }
        let end = plain(text, at);
        self.data.extend_from_slice(&text[at..end]);
        self.end_plain(text, end, before)
    }

    /// Appends the first `length` bytes of a block.
    #[inline(always)]
    fn push_part(&mut self, block: &[u8; BLOCK], length: usize) {
        let end = self.data.len();
        if self.data.capacity() - end < BLOCK {
            self.data.reserve(BLOCK);
        }
        // SAFETY: the capacity suffices for the whole block, and the new length covers only copied bytes. Copying a
        // constant number of bytes takes a few instructions; copying a variable number would need a call.
        unsafe {
            self.data.as_mut_ptr().add(end).copy_from_nonoverlapping(block.as_ptr(), BLOCK);
            self.data.set_len(end + length.min(BLOCK));
        }
    }

    #[inline(always)]
    fn end_plain(&mut self, text: &[u8], end: usize, before: usize) -> usize {
        if text.get(end) == Some(&b'"') {
            self.end();
        } else {
            self.data.truncate(before);
        }
        end
    }

    /// Finishes the value whose bytes were appended.
    #[inline(always)]
    fn end(&mut self) {
        // No check here: `array` checks once that all offsets fit.
        self.offsets.push(self.data.len() as i32);
        self.validity.push_valid();
    }

    /// Appends nulls up to `len` values.
    pub fn pad(&mut self, len: usize) {
        self.validity.pad(len);
        self.offsets.resize(self.validity.len() + 1, self.data.len() as i32);
    }

    /// Replaces each value that is not null by the bytes that `replace` appends, or by null if it returns false.
    pub fn replace(&mut self, mut replace: impl FnMut(&[u8], &mut Vec<u8>) -> bool) {
        let mut new = Self::default();
        new.data.reserve(self.data.len());
        for row in 0..self.validity.len() {
            let Some(value) = self.get(row) else { continue };
            if new.validity.len() < row {
                new.pad(row);
            }
            if replace(value, &mut new.data) {
                new.end();
            }
        }
        *self = new;
    }

    pub fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.data.truncate(self.offsets.last().map_or(0, |&end| end as usize));
        self.validity.truncate(len);
    }

    /// Returns the value at `row`, if it is not null.
    pub fn get(&self, row: usize) -> Option<&[u8]> {
        let value = self.offsets.get(row).zip(self.offsets.get(row + 1));
        value.filter(|_| self.validity.is_valid(row)).map(|(&start, &end)| &self.data[start as usize..end as usize])
    }

    /// Iterates over all values that are not null.
    pub fn values(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.validity.len()).filter_map(|row| self.get(row))
    }

    /// Removes all values and returns them as an array. Fails with `Overflow` if the text exceeds 32-bit offsets.
    pub fn array(&mut self) -> Result<ArrayData> {
        i32::try_from(self.data.len()).map_err(|_| Stop::Overflow)?;
        let len = self.validity.len();
        let mut offsets = Vec::with_capacity(roomy(self.offsets.len()));
        offsets.push(0);
        let room = roomy(self.data.len());
        let buffers = [
            buffer(std::mem::replace(&mut self.offsets, offsets)),
            buffer(std::mem::replace(&mut self.data, Vec::with_capacity(room))),
        ];
        Ok(array(DataType::Utf8, len, self.validity.take(), buffers, []))
    }
}

/// Removes all values of a column of numbers and returns them as an array.
pub fn numbers<T: Copy + Default + ArrowNativeType>(kind: DataType, column: &mut Numbers<T>) -> ArrayData {
    let len = column.validity.len();
    let values = buffer(column.take());
    array(kind, len, column.validity.take(), [values], [])
}

/// Builds an array without checking that its buffers and children are consistent.
pub fn array(
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
    // SAFETY: the number of values, offsets, and bits of every column matches its length. Offsets never decrease and
    // stay within the data. A row is kept only if its record is valid UTF-8. Tests fully validate every batch.
    unsafe { builder.build_unchecked() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(numbers: &Numbers<i32>) -> Vec<bool> {
        (0..numbers.validity.len()).map(|at| numbers.validity.is_valid(at)).collect()
    }

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
    fn a_column_is_padded_and_truncated() {
        let mut numbers = Numbers::<i32>::default();
        numbers.push(0, 1);
        numbers.push(3, 2);
        assert_eq!((numbers.validity.len(), &valid(&numbers)[..]), (4, &[true, false, false, true][..]));
        numbers.truncate(2);
        numbers.push(2, 5);
        numbers.pad(4);
        assert_eq!((&numbers.values[..], &valid(&numbers)[..]), (&[1, 0, 5, 0][..], &[true, false, true, false][..]));
        numbers.truncate(0);
        numbers.push(1, 7);
        assert_eq!((&numbers.values[..], &valid(&numbers)[..]), (&[0, 7][..], &[false, true][..]));
    }
}
