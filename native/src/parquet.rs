//! Writes Parquet files: collects the batches of a row group, writes the row group on request, and the footer on close.
//! The writer counts and hashes the bytes that it writes, and reports the facts of the finished file, so nothing has to
//! read the file again.

mod packed;

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::ffi::from_ffi_and_data_type;
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_data::ffi::FFI_ArrowArray;
use arrow_schema::{DataType, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, ArrowWriterOptions, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zstd::bulk::Decompressor;

use self::packed::{Packed, compressor, decompressor, leaf, leaf_paths};

/// The share of absent values that a Bloom filter does not exclude.
const BLOOM_FALSE: f64 = 0.01;

/// The settings of a file, with the same members as Python's `wsparquet.parquet.settings.FileSettings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The dotted paths of the columns that get a dictionary.
    dictionary: Vec<String>,
    /// The dotted paths of the columns that get statistics.
    statistics: Vec<String>,
    /// The dotted paths of the table's own timestamps, whose range is in `Facts`. They need statistics.
    timestamps: Vec<String>,
    row_group_rows: usize,
    /// The dotted paths of the columns that get a Bloom filter in each row group.
    bloom: Vec<String>,
    compression: String,
    compression_level: i32,
    page_index: bool,
    arrow_schema: bool,
    root: String,
}

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
    writer: SerializedFileWriter<HashedFile>,
    columns: ArrowRowGroupWriterFactory,
    schema: Arc<Schema>,
    data_type: DataType,
    timestamps: HashSet<ColumnPath>,
    row_group_rows: usize,
    pending: Vec<Pending>,
    pending_rows: usize,
    plain_bytes: usize,
    packed_bytes: usize,
}

impl Part {
    /// Prepares a file, which is created when its first row group ends. Writing then fails if the file already exists.
    pub fn new(path: PathBuf, schema: Schema, settings: &Settings) -> Result<Self> {
        let schema = Arc::new(schema);
        let writer_options = ArrowWriterOptions::new()
            .with_properties(settings.properties()?)
            .with_skip_arrow_metadata(!settings.arrow_schema)
            .with_schema_root(settings.root.clone());
        let file = HashedFile::new(path);
        let writer = ArrowWriter::try_new_with_options(file, Arc::clone(&schema), writer_options)?;
        let (writer, columns) = writer.into_serialized_writer()?;
        Ok(Self {
            writer,
            columns,
            data_type: DataType::Struct(schema.fields.clone()),
            schema,
            timestamps: settings.timestamps.iter().map(|name| column_path(name)).collect(),
            row_group_rows: settings.row_group_rows.max(1),
            pending: Vec::new(),
            pending_rows: 0,
            plain_bytes: 0,
            packed_bytes: 0,
        })
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
        let data = unsafe { from_ffi_and_data_type(array, self.data_type.clone()) }?;
        data.validate()?;
        let mut rest = RecordBatch::from(StructArray::from(data));
        while self.pending_rows + rest.num_rows() >= self.row_group_rows {
            let fitting = self.row_group_rows - self.pending_rows;
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
        if self.pending.is_empty() {
            return Ok(());
        }
        let batches = std::mem::take(&mut self.pending);
        (self.pending_rows, self.plain_bytes, self.packed_bytes) = (0, 0, 0);
        let mut with = decompressor()?;
        let mut writers = self.columns.create_column_writers(self.writer.flushed_row_groups().len())?.into_iter();
        let mut group = self.writer.next_row_group()?;
        for (column, field) in self.schema.fields().iter().enumerate() {
            for (path, mut writer) in leaf_paths(field.data_type()).iter().zip(&mut writers) {
                for batch in &batches {
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

    /// Returns how much memory and disk space the unfinished file takes.
    pub fn taken(&self) -> Taken {
        Taken {
            pending: self.plain_bytes,
            packed: self.packed_bytes,
            row_groups: self.writer.flushed_row_groups().len(),
            bytes: self.writer.inner().bytes,
        }
    }

    /// Writes the footer, closes the file, and returns the facts about the file.
    pub fn close(mut self) -> Result<Facts> {
        // Write everything before the footer first, so that only the end of the file is held.
        self.end_row_group()?;
        self.writer.flush()?;
        self.writer.inner_mut().hold();
        let footer = self.writer.finish()?;
        let file = self.writer.inner_mut();
        file.release(footer.file_metadata().schema_descr().num_columns())?;
        Ok(Facts {
            rows: footer.file_metadata().num_rows(),
            bytes: file.bytes,
            times: range(&footer, &self.timestamps),
            sha256: file.digest.clone().finalize().into(),
        })
    }
}

impl Drop for Part {
    /// Prevents a last write to a file that is not closed: when the crate's writer is dropped, it passes on its
    /// remaining bytes.
    fn drop(&mut self) {
        self.writer.inner_mut().hold();
    }
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

fn column_path(dotted: &str) -> ColumnPath {
    ColumnPath::new(dotted.split('.').map(str::to_owned).collect())
}

impl Settings {
    /// Parses the settings from JSON text.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    fn compression(&self) -> Result<Compression> {
        match self.compression.as_str() {
            "zstd" => ZstdLevel::try_new(self.compression_level).map(Compression::ZSTD),
            "none" => Ok(Compression::UNCOMPRESSED),
            other => {
                Err(ParquetError::NYI(format!("the native writer has no compression {other}, only zstd and none")))
            }
        }
    }

    fn properties(&self) -> Result<WriterProperties> {
        let level = if self.page_index { EnabledStatistics::Page } else { EnabledStatistics::Chunk };
        let general = WriterProperties::builder()
            .set_compression(self.compression()?)
            .set_offset_index_disabled(!self.page_index)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            // Truncated bounds are not values of the column, but some readers treat them as such.
            .set_statistics_truncate_length(None);
        let with_dictionary = self
            .dictionary
            .iter()
            .fold(general, |builder, column| builder.set_column_dictionary_enabled(column_path(column), true));
        let with_statistics = self
            .statistics
            .iter()
            .fold(with_dictionary, |builder, column| builder.set_column_statistics_enabled(column_path(column), level));
        // The crate creates a filter for the maximum number of values, and then shrinks it to the size that its actual
        // values need.
        let with_bloom =
            self.bloom.iter().map(|column| column_path(column)).fold(with_statistics, |builder, column| {
                builder
                    .set_column_bloom_filter_enabled(column.clone(), true)
                    .set_column_bloom_filter_fpp(column.clone(), BLOOM_FALSE)
                    .set_column_bloom_filter_max_ndv(column, self.row_group_rows as u64)
            });
        Ok(with_bloom.build())
    }
}
