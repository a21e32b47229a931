//! Writes Parquet files: collects the batches of a row group, writes the row group on request, and the footer on close.
//! The writer counts and hashes the bytes that it writes, and reports the facts of the finished file, so nothing has to
//! read the file again.

mod layout;
mod packed;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::ffi::from_ffi_and_data_type;
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_data::ffi::FFI_ArrowArray;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};
use zstd::bulk::Decompressor;

pub use self::layout::Layout;
use self::packed::{Packed, compressor, decompressor, leaf};

/// Facts about a finished file.
pub struct Facts {
    pub rows: i64,
    pub bytes: u64,
    /// The earliest and the latest timestamp of the table's own columns, in microseconds since 1970. `None` if these
    /// columns contain no timestamp.
    pub times: Option<(i64, i64)>,
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// How much memory and disk space an unfinished file takes.
pub struct Taken {
    /// The memory in bytes of the unfinished row group: of uncompressed rows, and of compressed rows.
    pub pending: usize,
    pub packed: usize,
    /// The number of finished row groups. The metadata of each row group stays in memory until the file is closed.
    pub row_groups: usize,
    /// The size in bytes of the finished row groups.
    pub bytes: u64,
}

/// A file that counts and hashes the bytes that are written to it. After `hold`, it keeps these bytes in memory, and
/// `release` writes them.
///
/// The file is created by the first write. Between row groups it is closed, so that any number of files can be written
/// at the same time, whatever number of files the process may open.
struct HashedFile {
    path: PathBuf,
    file: Option<File>,
    digest: Sha256,
    bytes: u64,
    held: Option<Vec<u8>>,
}

impl HashedFile {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None, digest: Sha256::new(), bytes: 0, held: None }
    }

    /// Opens the file, or creates it if nothing has been written yet. Creating fails if a file of this name exists.
    fn open(&self) -> io::Result<File> {
        if self.bytes == 0 { File::create_new(&self.path) } else { OpenOptions::new().append(true).open(&self.path) }
    }

    /// Closes the file until the next write.
    fn rest(&mut self) {
        self.file = None;
    }

    /// Holds the rest of the file, which ends with the footer.
    fn hold(&mut self) {
        self.held = Some(Vec::new());
    }

    /// Writes the held bytes, and states in the footer the column order that all readers know.
    fn release(&mut self, columns: usize) -> Result<()> {
        let mut end = self.held.take().unwrap_or_default();
        state_type_order(&mut end, columns)?;
        Ok(self.write_all(&end)?)
    }
}

/// States the order `TYPE_ORDER` for all columns, in a footer as the crate writes it.
///
/// The crate states `IEEE_754_TOTAL_ORDER` for doubles. Strict readers, such as Polars before 1.44, reject a file with
/// an order that they do not know. Both orders are true for the statistics here, since no value is NaN. The orders are
/// the last field of the footer. For each column, there are three bytes: the header of a union's only field, and the
/// ends of two structs.
fn state_type_order(end: &mut [u8], columns: usize) -> Result<()> {
    const TYPE_ORDER: [u8; 3] = [0x1C, 0, 0];
    const TOTAL_ORDER: [u8; 3] = [0x2C, 0, 0];
    // The end of the footer's struct, the footer's length, and "PAR1".
    const AFTER: usize = 9;
    let unexpected = || ParquetError::General("expected the orders of all columns at the end of the footer".to_owned());
    let last = end.len().checked_sub(AFTER).ok_or_else(unexpected)?;
    let first = last.checked_sub(TYPE_ORDER.len() * columns).ok_or_else(unexpected)?;
    for order in end[first..last].chunks_exact_mut(TYPE_ORDER.len()) {
        if order != TYPE_ORDER && order != TOTAL_ORDER {
            return Err(unexpected());
        }
        order.copy_from_slice(&TYPE_ORDER);
    }
    Ok(())
}

impl Write for HashedFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if let Some(held) = &mut self.held {
            held.extend_from_slice(data);
            return Ok(data.len());
        }
        if self.file.is_none() {
            self.file = Some(self.open()?);
        }
        let written = self.file.as_mut().map_or(Ok(0), |file| file.write(data))?;
        self.digest.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // files have no buffer
    }
}

/// A batch of the unfinished row group, with uncompressed or compressed columns.
enum Pending {
    Plain(RecordBatch),
    Packed(Vec<Packed>),
}

impl Pending {
    /// Returns a column without its leaves, except one.
    fn leaf(&self, column: usize, path: &[usize], with: &mut Decompressor<'_>) -> Result<ArrayRef> {
        match self {
            Self::Plain(batch) => leaf(batch.column(column), path),
            Self::Packed(columns) => columns[column].leaf(path, with),
        }
    }
}

/// A Parquet file that is being written.
///
/// The rows of the unfinished row group are Arrow data. An unfinished column of the crate takes about 300 kB for its
/// dictionary and its compressor, which is more than the Arrow data of most columns; so columns are encoded one after
/// the other when the row group ends.
pub struct Part {
    layout: Arc<Layout>,
    path: PathBuf,
    begun: Option<Begun>,
    pending: Vec<Pending>,
    pending_rows: usize,
    plain_bytes: usize,
    packed_bytes: usize,
}

/// A file to which rows or a footer have been written.
struct Begun {
    writer: SerializedFileWriter<HashedFile>,
    columns: ArrowRowGroupWriterFactory,
}

impl Begun {
    /// Begins a file. With `rows`, these are all rows of the file.
    fn new(path: PathBuf, layout: &Layout, rows: Option<&[&RecordBatch]>) -> Result<Self> {
        let properties = Arc::new(layout.properties(rows)?);
        let writer = SerializedFileWriter::new(HashedFile::new(path), Arc::clone(&layout.root), properties)?;
        let columns = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&layout.schema));
        Ok(Self { writer, columns })
    }

    fn write_row_group(&mut self, batches: &[Pending], layout: &Layout) -> Result<()> {
        let mut with = decompressor()?;
        let mut writers = self.columns.create_column_writers(self.writer.flushed_row_groups().len())?.into_iter();
        let mut group = self.writer.next_row_group()?;
        for (column, (field, paths)) in layout.schema.fields().iter().zip(&layout.leaves).enumerate() {
            for (path, mut writer) in paths.iter().zip(&mut writers) {
                for batch in batches {
                    let column = batch.leaf(column, path, &mut with)?;
                    let field = field.as_ref().clone().with_data_type(column.data_type().clone());
                    compute_leaves(&field, &column)?.iter().try_for_each(|leaf| writer.write(leaf))?;
                }
                writer.close()?.append_to_row_group(&mut group)?;
            }
        }
        group.close()?;
        self.writer.flush()?;
        self.writer.inner_mut().rest();
        Ok(())
    }
}

impl Drop for Begun {
    /// Prevents a last write to a file that is not closed: when the crate's writer is dropped, it passes on its
    /// remaining bytes.
    fn drop(&mut self) {
        self.writer.inner_mut().hold();
    }
}

impl Part {
    /// Prepares a file, which is created when its first row group ends. Writing then fails if the file already exists.
    pub fn new(path: PathBuf, layout: Arc<Layout>) -> Self {
        Self { layout, path, begun: None, pending: Vec::new(), pending_rows: 0, plain_bytes: 0, packed_bytes: 0 }
    }

    /// Adds a batch to the unfinished row group. If the row group then has the maximum number of rows, it ends, and a
    /// new row group begins.
    ///
    /// # Safety
    ///
    /// The array must have the type of the file's schema. Nothing can check this, since the array does not carry its
    /// type.
    pub unsafe fn write(&mut self, array: FFI_ArrowArray) -> Result<()> {
        // SAFETY: the caller guarantees the type. `validate` then checks that lengths and buffers agree.
        let data = unsafe { from_ffi_and_data_type(array, self.layout.data_type.clone()) }?;
        data.validate()?;
        let mut rest = RecordBatch::from(StructArray::from(data));
        while self.pending_rows + rest.num_rows() >= self.layout.row_group_rows {
            let fitting = self.layout.row_group_rows - self.pending_rows;
            self.add(rest.slice(0, fitting));
            rest = rest.slice(fitting, rest.num_rows() - fitting);
            self.end_row_group()?;
        }
        self.add(rest);
        Ok(())
    }

    fn add(&mut self, batch: RecordBatch) {
        if batch.num_rows() > 0 {
            self.pending_rows += batch.num_rows();
            // The decoder leaves an eighth of room at the end of its buffers.
            self.plain_bytes += batch.get_array_memory_size() * 9 / 8;
            self.pending.push(Pending::Plain(batch));
        }
    }

    /// Compresses the rows of the unfinished row group that are not compressed yet.
    pub fn pack(&mut self) -> Result<()> {
        let mut with = compressor()?;
        for pending in &mut self.pending {
            if let Pending::Plain(batch) = pending {
                let columns = batch.columns().iter().map(|column| Packed::of(column, &mut with));
                let columns = columns.collect::<io::Result<Vec<_>>>()?;
                self.packed_bytes += columns.iter().map(Packed::memory).sum::<usize>();
                *pending = Pending::Packed(columns);
            }
        }
        self.plain_bytes = 0;
        Ok(())
    }

    /// Writes the unfinished row group to the file, if it has rows. Between row groups, the file is closed.
    pub fn end_row_group(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            self.write_pending(false)?;
        }
        Ok(())
    }

    /// Writes the unfinished row group, if it has rows, to the file, which begins now unless it has begun before.
    /// `last`: whether no rows follow.
    fn write_pending(&mut self, last: bool) -> Result<&mut Begun> {
        let begun = match &mut self.begun {
            Some(begun) => begun,
            none => {
                let rows = if last { unpacked(&self.pending) } else { None };
                none.insert(Begun::new(self.path.clone(), &self.layout, rows.as_deref())?)
            }
        };
        let batches = std::mem::take(&mut self.pending);
        (self.pending_rows, self.plain_bytes, self.packed_bytes) = (0, 0, 0);
        if !batches.is_empty() {
            begun.write_row_group(&batches, &self.layout)?;
        }
        Ok(begun)
    }

    /// Returns how much memory and disk space the unfinished file takes.
    pub fn taken(&self) -> Taken {
        let writer = self.begun.as_ref().map(|begun| &begun.writer);
        Taken {
            pending: self.plain_bytes,
            packed: self.packed_bytes,
            row_groups: writer.map_or(0, |writer| writer.flushed_row_groups().len()),
            bytes: writer.map_or(0, |writer| writer.inner().bytes),
        }
    }

    /// Writes the footer, closes the file, and returns the facts about the file.
    pub fn close(mut self) -> Result<Facts> {
        let layout = Arc::clone(&self.layout);
        let writer = &mut self.write_pending(true)?.writer;
        // Write everything before the footer first, so that only the end of the file is held.
        writer.flush()?;
        writer.inner_mut().hold();
        let footer = writer.finish()?;
        let file = writer.inner_mut();
        file.release(footer.file_metadata().schema_descr().num_columns())?;
        Ok(Facts {
            rows: footer.file_metadata().num_rows(),
            bytes: file.bytes,
            times: range(&footer, &layout.timestamps),
            sha256: file.digest.clone().finalize().into(),
        })
    }
}

/// Returns all batches of a row group, unless one of them is compressed.
fn unpacked(pending: &[Pending]) -> Option<Vec<&RecordBatch>> {
    let batches = pending.iter().map(|each| match each {
        Pending::Plain(batch) => Some(batch),
        Pending::Packed(_) => None,
    });
    batches.collect()
}

/// Returns the minimum and the maximum of some columns of 64-bit integers, from the statistics of the columns.
fn range(footer: &ParquetMetaData, columns: &HashSet<ColumnPath>) -> Option<(i64, i64)> {
    let chunks = footer.row_groups().iter().flat_map(|group| group.columns());
    let bounds = chunks.filter(|chunk| columns.contains(chunk.column_path())).filter_map(|chunk| {
        let Some(Statistics::Int64(found)) = chunk.statistics() else { return None };
        found.min_opt().copied().zip(found.max_opt().copied())
    });
    bounds.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}
