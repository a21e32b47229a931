//! The native decoder of wsparquet: the contract of docs/decoding.md, from bytes straight into Arrow columns.
//!
//! `splitter` finds records, `records` their tables, `reader` writes their values into `columns`; `sink` gathers what is
//! done. `python` is the only module that knows of Python.

mod borders;
mod brackets;
mod columns;
mod containers;
mod keys;
mod numbers;
pub mod plan;
mod reader;
mod records;
mod rescue;
mod scan;
pub mod sink;
pub mod splitter;
mod tables;
mod text;
mod timestamps;

#[cfg(feature = "python")]
mod python;
