//! The native decoder: the contract of docs/decoding.md, from bytes straight into Arrow columns.
//!
//! `splitter` finds records, `records` their tables, `readers` write their values into `columns`; `batches` gathers a
//! table's rows and `sink` those of all tables. `memo` remembers what repeats from record to record.

pub(crate) mod batches;
mod brackets;
mod buffer;
mod columns;
mod containers;
mod json;
mod keys;
mod memo;
pub mod plan;
mod readers;
mod records;
mod rescue;
pub mod sink;
pub mod splitter;
mod undocumented;
