//! The hot loops of wsparquet. `decode` turns bytes into Arrow columns; `parquet` writes Arrow columns to files.
//!
//! These two modules do not depend on each other. Only the module `python` depends on Python.

pub mod decode;

#[cfg(feature = "python")]
mod parquet;
#[cfg(feature = "python")]
mod python;
