//! Writes Parquet files: appends batches, flushes a row group on request, and writes the footer on close. The writer
//! counts and hashes the bytes that it writes, and tells what the finished file has; nothing reads the file again.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::ffi::from_ffi_and_data_type;
use arrow_array::{RecordBatch, StructArray};
use arrow_data::ffi::FFI_ArrowArray;
use arrow_schema::{DataType, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnPath;
use serde::Deserialize;
use sha2::{Digest, Sha256};

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
    /// The dotted paths of the table's own timestamps, whose range `Facts` tells. They need statistics.
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

/// What a finished file has.
pub struct Facts {
    pub rows: i64,
    pub bytes: u64,
    /// The earliest and the latest timestamp of the table's own columns, in microseconds since 1970. `None` if these
    /// columns contain no timestamp.
    pub times: Option<(i64, i64)>,
    /// The SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// A file that counts and hashes the bytes that are written to it. After `hold`, it keeps these bytes in memory, and
/// `release` writes them.
struct HashedFile {
    file: File,
    digest: Sha256,
    bytes: u64,
    held: Option<Vec<u8>>,
}

impl HashedFile {
    /// Holds the rest of the file, which ends with the footer.
    fn hold(&mut self) {
        self.held = Some(Vec::new());
    }

    /// Writes what was held, with the order of columns that all readers know.
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
        let written = self.file.write(data)?;
        self.digest.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A Parquet file that is being written.
pub struct Part {
    writer: ArrowWriter<HashedFile>,
    data_type: DataType,
    timestamps: HashSet<ColumnPath>,
}

impl Part {
    /// Creates the file. Fails if it already exists.
    pub fn create(path: &Path, schema: Schema, settings: &Settings) -> Result<Self> {
        let data_type = DataType::Struct(schema.fields.clone());
        let writer_options = ArrowWriterOptions::new()
            .with_properties(settings.properties()?)
            .with_skip_arrow_metadata(!settings.arrow_schema)
            .with_schema_root(settings.root.clone());
        let file = HashedFile { file: File::create_new(path)?, digest: Sha256::new(), bytes: 0, held: None };
        let writer = ArrowWriter::try_new_with_options(file, Arc::new(schema), writer_options)?;
        Ok(Self { writer, data_type, timestamps: settings.timestamps.iter().map(|name| column_path(name)).collect() })
    }

    /// Adds a batch to the current row group.
    ///
    /// # Safety
    ///
    /// The array must have the type of the file's schema. Nothing can check this, since the array does not carry its
    /// type.
    pub unsafe fn write(&mut self, array: FFI_ArrowArray) -> Result<()> {
        // SAFETY: the caller guarantees the type. `validate` then checks that lengths and buffers agree.
        let data = unsafe { from_ffi_and_data_type(array, self.data_type.clone()) }?;
        data.validate()?;
        self.writer.write(&RecordBatch::from(StructArray::from(data)))
    }

    /// Flushes the current row group to the file.
    pub fn end_row_group(&mut self) -> Result<()> {
        self.writer.flush()
    }

    /// Writes the footer, closes the file, and returns what the file has.
    pub fn close(mut self) -> Result<Facts> {
        // What is held then is the end of the file alone.
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

/// Returns the least and the greatest value of some columns of 64-bit integers, by their statistics.
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
            .set_max_row_group_row_count(Some(self.row_group_rows))
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
        // The crate makes a filter for as many values as a row group may have, and then as small as its values allow.
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
