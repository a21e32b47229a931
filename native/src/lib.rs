//! The hot loops of wsparquet. Its native decoder: the contract of docs/decoding.md, from bytes straight into Arrow
//! columns. And its native Parquet writer, from Arrow columns into files.
//!
//! `splitter` finds records, `records` their tables, `reader` writes their values into `columns`; `sink` gathers what is
//! done. `parts` writes files. `python` is the only module that knows of Python.

mod borders;
mod brackets;
mod columns;
mod containers;
mod hints;
mod keys;
mod leaves;
mod nested;
mod numbers;
mod openings;
pub mod plan;
mod reader;
mod records;
mod rescue;
mod scan;
pub mod sink;
pub mod splitter;
mod structs;
mod tables;
mod text;
mod timestamps;
mod vocabulary;

#[cfg(feature = "python")]
mod parts;
#[cfg(feature = "python")]
mod python;
