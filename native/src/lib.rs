//! The hot loops of wsparquet: `decode` turns bytes into Arrow columns, `parquet` writes Arrow columns to files.
//!
//! The two modules are independent of each other. Only `python` depends on Python.

pub mod decode;

#[cfg(feature = "python")]
mod parquet;
#[cfg(feature = "python")]
mod python;
