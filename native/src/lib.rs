//! The hot loops of wsparquet: `decode` turns bytes into Arrow columns, `parquet` writes Arrow columns into files.
//!
//! They know nothing of each other. `python` is the only module that knows of Python.

pub mod decode;

#[cfg(feature = "python")]
mod parquet;
#[cfg(feature = "python")]
mod python;
