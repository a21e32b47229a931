//! Reads the Bloom filters of Parquet files.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::errors::Result;
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// Returns the row groups that may have one of the values in a column of text, by the column's Bloom filters. `column`
/// counts Parquet columns from 0. A row group without a Bloom filter may have any value.
#[pyfunction]
fn row_groups_with_bloom(py: Python<'_>, path: PathBuf, column: usize, values: Vec<String>) -> PyResult<Vec<usize>> {
    let found = super::detached(py, move || find(&path, column, &values));
    let found = found.ok_or_else(|| PyOSError::new_err("reading a Bloom filter failed"))?;
    found.map_err(|error| PyOSError::new_err(error.to_string()))
}

fn find(path: &Path, column: usize, values: &[String]) -> Result<Vec<usize>> {
    let properties = ReaderProperties::builder().set_read_bloom_filter(true).build();
    let options = ReadOptionsBuilder::new().with_reader_properties(properties).build();
    let reader = SerializedFileReader::new_with_options(File::open(path)?, options)?;
    let mut found = Vec::new();
    for index in 0..reader.metadata().num_row_groups() {
        let group = reader.get_row_group(index)?;
        let filter = group.get_column_bloom_filter(column);
        if filter.is_none_or(|filter| values.iter().any(|value| filter.check(&value.as_str()))) {
            found.push(index);
        }
    }
    Ok(found)
}

pub(super) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(row_groups_with_bloom, module)?)
}
