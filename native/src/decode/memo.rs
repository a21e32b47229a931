//! Caches of text that repeats from record to record. Text that is already known is compared instead of parsed.

pub mod fields;
pub mod records;
