//! The native decoder, which implements docs/decoding.md and writes values directly into Arrow columns.
//!
//! `splitter` finds records, `records` finds their tables, and `readers` writes their values into `columns`. `batches`
//! collects the rows of one table, and `sink` the rows of all tables; `masks` masks them. `memo` caches text that
//! repeats from record to record.

pub(crate) mod batches;
mod brackets;
mod buffer;
mod columns;
mod containers;
pub mod days;
mod json;
mod keys;
pub mod masks;
mod memo;
pub mod plan;
mod readers;
mod records;
mod rescue;
pub mod sink;
pub mod splitter;
mod undocumented;
