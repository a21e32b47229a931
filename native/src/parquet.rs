//! Writes Parquet files: appends batches, flushes a row group on request, and writes the footer on close.

use std::fs::File;
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
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::Deserialize;

/// The settings of a file, with the same members as Python's `wsparquet.parquet.settings.FileSettings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The dotted paths of the columns that get a dictionary.
    dictionary: Vec<String>,
    /// The dotted paths of the columns that get statistics.
    statistics: Vec<String>,
    row_group_rows: usize,
    compression: String,
    compression_level: i32,
    page_index: bool,
    arrow_schema: bool,
    root: String,
}

/// A Parquet file that is being written.
pub struct Part {
    writer: ArrowWriter<File>,
    data_type: DataType,
}

impl Part {
    /// Creates the file. Fails if it already exists.
    pub fn create(path: &Path, schema: Schema, settings: &Settings) -> Result<Self> {
        let data_type = DataType::Struct(schema.fields.clone());
        let writer_options = ArrowWriterOptions::new()
            .with_properties(settings.properties()?)
            .with_skip_arrow_metadata(!settings.arrow_schema)
            .with_schema_root(settings.root.clone());
        let file = File::create_new(path)?;
        let writer = ArrowWriter::try_new_with_options(file, Arc::new(schema), writer_options)?;
        Ok(Self { writer, data_type })
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

    /// Writes the footer and closes the file.
    pub fn close(self) -> Result<()> {
        self.writer.close().map(drop)
    }
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
        let path = |column: &String| ColumnPath::new(column.split('.').map(str::to_owned).collect());
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
            .fold(general, |builder, column| builder.set_column_dictionary_enabled(path(column), true));
        let with_statistics = self
            .statistics
            .iter()
            .fold(with_dictionary, |builder, column| builder.set_column_statistics_enabled(path(column), level));
        Ok(with_statistics.build())
    }
}
