//! What all files of a table have in common, prepared once: the schema, and the settings of each column.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::ArrowNativeType;
use arrow_schema::{DataType, Schema};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnPath, SchemaDescriptor, TypePtr};
use serde::Deserialize;

use super::packed::leaf_paths;

/// The share of absent values that a Bloom filter does not exclude.
const BLOOM_FALSE: f64 = 0.01;

/// The settings of a file, with the same members as Python's `wsparquet.parquet.settings.FileSettings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The dotted paths of the columns that get a dictionary.
    dictionary: HashSet<String>,
    /// The dotted paths of the columns that get statistics.
    statistics: HashSet<String>,
    /// The dotted paths of the table's own timestamps, whose range is in `Facts`. They need statistics.
    timestamps: HashSet<String>,
    row_group_rows: usize,
    /// The dotted paths of the columns that get a Bloom filter in each row group.
    bloom: HashSet<String>,
    compression: String,
    compression_level: i32,
    /// A column is written without compression and dictionary if its values take fewer bytes, all of them together.
    plain_bytes: usize,
    page_index: bool,
    arrow_schema: bool,
    root: String,
}

/// A Parquet column.
struct Column {
    path: ColumnPath,
    dictionary: bool,
    statistics: bool,
    bloom: bool,
}

/// The schema of files, and the settings of their columns.
pub struct Layout {
    pub schema: Arc<Schema>,
    /// The type of a batch as an array.
    pub data_type: DataType,
    /// The columns whose range is in `Facts`.
    pub timestamps: HashSet<ColumnPath>,
    /// The maximum number of rows of a row group.
    pub row_group_rows: usize,
    /// For each column of the schema, the paths of its leaves.
    pub leaves: Vec<Vec<Vec<usize>>>,
    /// The root of the Parquet schema.
    pub root: TypePtr,
    columns: Vec<Column>,
    compression: Compression,
    plain_bytes: usize,
    page_index: bool,
    arrow_schema: bool,
}

impl Layout {
    /// Prepares files with this schema. `settings` is the JSON text of `Settings`.
    pub fn new(schema: Schema, settings: &str) -> Result<Self> {
        let settings: Settings =
            serde_json::from_str(settings).map_err(|error| ParquetError::External(error.into()))?;
        let parquet = ArrowSchemaConverter::new().schema_root(&settings.root).convert(&schema)?;
        Ok(Self {
            data_type: DataType::Struct(schema.fields.clone()),
            leaves: schema.fields().iter().map(|field| leaf_paths(field.data_type())).collect(),
            schema: Arc::new(schema),
            columns: settings.columns(&parquet),
            timestamps: settings.timestamps(&parquet),
            root: parquet.root_schema_ptr(),
            row_group_rows: settings.row_group_rows.max(1),
            compression: settings.compression()?,
            plain_bytes: settings.plain_bytes,
            page_index: settings.page_index,
            arrow_schema: settings.arrow_schema,
        })
    }

    /// Returns the properties of a file. With `rows`, these are all rows of the file, in one row group.
    ///
    /// Most columns of a small file have few values, or none. For such a column, the crate's compressor and dictionary
    /// take more time than everything else, and save no space.
    pub fn properties(&self, rows: Option<&[&RecordBatch]>) -> Result<WriterProperties> {
        let plain = match rows {
            Some(rows) => self.plain_columns(rows)?,
            None => vec![false; self.columns.len()],
        };
        let statistics = if self.page_index { EnabledStatistics::Page } else { EnabledStatistics::Chunk };
        let mut builder = WriterProperties::builder()
            .set_compression(Compression::UNCOMPRESSED)
            .set_offset_index_disabled(!self.page_index)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            // Truncated bounds are not values of the column, but some readers treat them as such.
            .set_statistics_truncate_length(None);
        for (column, plain) in self.columns.iter().zip(plain) {
            if !plain {
                builder = builder.set_column_compression(column.path.clone(), self.compression);
            }
            if column.dictionary && !plain {
                builder = builder.set_column_dictionary_enabled(column.path.clone(), true);
            }
            if column.statistics {
                builder = builder.set_column_statistics_enabled(column.path.clone(), statistics);
            }
            if column.bloom {
                // The crate creates a filter for the maximum number of values, and then shrinks it to the size that its
                // actual values need.
                builder = builder
                    .set_column_bloom_filter_enabled(column.path.clone(), true)
                    .set_column_bloom_filter_fpp(column.path.clone(), BLOOM_FALSE)
                    .set_column_bloom_filter_max_ndv(column.path.clone(), self.row_group_rows as u64);
            }
        }
        let mut properties = builder.build();
        if self.arrow_schema {
            add_encoded_arrow_schema_to_metadata(&self.schema, &mut properties);
        }
        Ok(properties)
    }

    /// Returns for each Parquet column whether its values take fewer than `plain_bytes`.
    fn plain_columns(&self, rows: &[&RecordBatch]) -> Result<Vec<bool>> {
        let mut bytes = vec![0; self.columns.len()];
        for batch in rows {
            let mut sums = bytes.iter_mut();
            for column in batch.columns() {
                add_leaf_bytes(column, &mut sums)?;
            }
        }
        Ok(bytes.into_iter().map(|bytes| bytes < self.plain_bytes).collect())
    }
}

/// Adds the bytes that the values of each leaf of a column take to the next of `sums`. A leaf that is null takes none.
fn add_leaf_bytes<'a>(column: &ArrayRef, sums: &mut impl Iterator<Item = &'a mut usize>) -> Result<()> {
    match column.data_type() {
        DataType::Struct(_) => column.as_struct().columns().iter().try_for_each(|child| add_leaf_bytes(child, sums)),
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let (first, last) = (list.value_offsets()[0].as_usize(), list.value_offsets()[list.len()].as_usize());
            add_leaf_bytes(&list.values().slice(first, last - first), sums)
        }
        _ => {
            if let Some(sum) = sums.next()
                && column.null_count() < column.len()
            {
                *sum += column.to_data().get_slice_memory_size()?;
            }
            Ok(())
        }
    }
}

impl Settings {
    fn columns(&self, schema: &SchemaDescriptor) -> Vec<Column> {
        let columns = schema.columns().iter().map(|column| {
            let dotted = column.path().string();
            Column {
                path: column.path().clone(),
                dictionary: self.dictionary.contains(&dotted),
                statistics: self.statistics.contains(&dotted),
                bloom: self.bloom.contains(&dotted),
            }
        });
        columns.collect()
    }

    fn timestamps(&self, schema: &SchemaDescriptor) -> HashSet<ColumnPath> {
        let own = schema.columns().iter().filter(|column| self.timestamps.contains(&column.path().string()));
        own.map(|column| column.path().clone()).collect()
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
}
