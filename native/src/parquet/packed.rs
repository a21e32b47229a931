//! Rows of an unfinished row group in compressed form. Columns of a batch are mostly null, so compressed they take
//! about a sixth of the memory. Packing and unpacking take less time than writing does.

use std::io;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, StructArray, make_array};
use arrow_buffer::{BooleanBuffer, Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_data::ArrayData;
use arrow_schema::{DataType, FieldRef, Fields};
use parquet::errors::Result;
use zstd::bulk::{Compressor, Decompressor};

/// The lowest level that compresses repeated texts well. Higher levels take more time and save little memory.
const LEVEL: i32 = 1;

/// Returns a compressor for `Packed::of`.
pub fn compressor() -> io::Result<Compressor<'static>> {
    Compressor::new(LEVEL)
}

/// Returns a decompressor for `Packed::leaf`.
pub fn decompressor() -> io::Result<Decompressor<'static>> {
    Decompressor::new()
}

/// A column in compressed form.
pub struct Packed {
    len: usize,
    nulls: Option<Nulls>,
    kind: Kind,
}

enum Kind {
    Struct(Fields, Vec<Packed>),
    List(FieldRef, Bytes, Box<Packed>),
    Leaf { data_type: DataType, offset: usize, buffers: Vec<Bytes> },
}

struct Nulls {
    bits: Bytes,
    offset: usize,
}

struct Bytes {
    compressed: Vec<u8>,
    /// The size in bytes before the compression.
    size: usize,
}

impl Bytes {
    fn of(data: &[u8], with: &mut Compressor<'_>) -> io::Result<Self> {
        let mut compressed = with.compress(data)?;
        compressed.shrink_to_fit();
        Ok(Self { compressed, size: data.len() })
    }

    /// Returns the bytes in a buffer that is aligned for all types.
    fn unpacked(&self, with: &mut Decompressor<'_>) -> io::Result<Buffer> {
        let mut buffer = MutableBuffer::from_len_zeroed(self.size);
        let size = with.decompress_to_buffer(&self.compressed, buffer.as_slice_mut())?;
        if size == self.size { Ok(buffer.into()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    fn memory(&self) -> usize {
        size_of::<Self>() + self.compressed.len()
    }
}

impl Packed {
    /// Compresses a column.
    pub fn of(column: &dyn Array, with: &mut Compressor<'_>) -> io::Result<Self> {
        let nulls = match column.nulls() {
            Some(nulls) => Some(Nulls { bits: Bytes::of(nulls.buffer(), with)?, offset: nulls.offset() }),
            None => None,
        };
        let kind = match column.data_type() {
            DataType::Struct(fields) => {
                let children = column.as_struct().columns().iter().map(|child| Self::of(child, with));
                Kind::Struct(fields.clone(), children.collect::<io::Result<_>>()?)
            }
            DataType::List(field) => {
                let list = column.as_list::<i32>();
                let offsets = Bytes::of(list.offsets().inner().inner(), with)?;
                Kind::List(Arc::clone(field), offsets, Box::new(Self::of(list.values(), with)?))
            }
            data_type => {
                let (data_type, data) = (data_type.clone(), column.to_data());
                let buffers = data.buffers().iter().map(|buffer| Bytes::of(buffer, with));
                Kind::Leaf { data_type, offset: data.offset(), buffers: buffers.collect::<io::Result<_>>()? }
            }
        };
        Ok(Self { len: column.len(), nulls, kind })
    }

    /// Returns the memory in bytes that the column takes.
    pub fn memory(&self) -> usize {
        let nulls = self.nulls.as_ref().map_or(0, |nulls| nulls.bits.memory());
        let content = match &self.kind {
            Kind::Struct(_, children) => children.iter().map(Self::memory).sum(),
            Kind::List(_, offsets, values) => offsets.memory() + values.memory(),
            Kind::Leaf { buffers, .. } => buffers.iter().map(Bytes::memory).sum(),
        };
        size_of::<Self>() + nulls + content
    }

    /// Returns the column without its leaves, except one. `path` has the index of each child on the way to the leaf.
    pub fn leaf(&self, path: &[usize], with: &mut Decompressor<'_>) -> Result<ArrayRef> {
        let nulls = match &self.nulls {
            Some(nulls) => {
                Some(NullBuffer::new(BooleanBuffer::new(nulls.bits.unpacked(with)?, nulls.offset, self.len)))
            }
            None => None,
        };
        match (&self.kind, path) {
            (Kind::Struct(fields, children), [index, rest @ ..]) => {
                one_child(&fields[*index], children[*index].leaf(rest, with)?, nulls)
            }
            (Kind::List(field, offsets, values), [_, rest @ ..]) => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets.unpacked(with)?));
                list(field, offsets, values.leaf(rest, with)?, nulls)
            }
            (Kind::Leaf { data_type, offset, buffers }, _) => {
                let buffers = buffers.iter().map(|bytes| bytes.unpacked(with)).collect::<io::Result<_>>()?;
                let data = ArrayData::builder(data_type.clone()).len(self.len).offset(*offset).nulls(nulls);
                // SAFETY: these are the length, the offset and, byte by byte, the buffers of a valid array.
                Ok(make_array(unsafe { data.buffers(buffers).build_unchecked() }))
            }
            _ => Err(no_leaf()),
        }
    }
}

/// Returns a column without its leaves, except one, like `Packed::leaf`.
pub fn leaf(column: &ArrayRef, path: &[usize]) -> Result<ArrayRef> {
    match (column.data_type(), path) {
        (DataType::Struct(fields), [index, rest @ ..]) => {
            let nested = column.as_struct();
            one_child(&fields[*index], leaf(nested.column(*index), rest)?, nested.nulls().cloned())
        }
        (DataType::List(field), [_, rest @ ..]) => {
            let nested = column.as_list::<i32>();
            list(field, nested.offsets().clone(), leaf(nested.values(), rest)?, nested.nulls().cloned())
        }
        (_, []) => Ok(Arc::clone(column)),
        _ => Err(no_leaf()),
    }
}

/// Returns the path of each leaf of a type, in the order of a file's columns.
pub fn leaf_paths(data_type: &DataType) -> Vec<Vec<usize>> {
    let below = |index: usize, field: &FieldRef| {
        leaf_paths(field.data_type()).into_iter().map(move |path| [&[index], path.as_slice()].concat())
    };
    match data_type {
        DataType::Struct(fields) => fields.iter().enumerate().flat_map(|(index, field)| below(index, field)).collect(),
        DataType::List(field) => below(0, field).collect(),
        _ => vec![Vec::new()],
    }
}

fn one_child(field: &FieldRef, child: ArrayRef, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let field = Arc::new(field.as_ref().clone().with_data_type(child.data_type().clone()));
    Ok(Arc::new(StructArray::try_new(Fields::from(vec![field]), vec![child], nulls)?))
}

fn list(field: &FieldRef, offsets: OffsetBuffer<i32>, values: ArrayRef, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let field = Arc::new(field.as_ref().clone().with_data_type(values.data_type().clone()));
    Ok(Arc::new(ListArray::try_new(field, offsets, values, nulls)?))
}

fn no_leaf() -> parquet::errors::ParquetError {
    parquet::errors::ParquetError::General("expected the path of a leaf of the column".to_owned())
}
