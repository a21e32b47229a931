//! What the decoder keeps if it separates rows by their UTC day. `sink/shares.rs` has the rules.

use crate::decode::batches::Rows;

/// How to separate rows by day.
#[derive(Clone, Copy)]
pub struct Days {
    /// The day of the source, in days since 1970. Rows without a timestamp get this day if their container has no
    /// start.
    pub fallback: Option<i32>,
}

/// The shares of rows that are not current.
pub struct Shares {
    pub days: Option<Days>,
    /// The shares of each table. The share that was used last is at the end.
    pub parked: Vec<Vec<Rows>>,
    /// Held rows that took too much memory for one batch, each with the index of its table.
    pub full: Vec<(usize, Rows)>,
}

impl Shares {
    pub fn new(tables: usize) -> Self {
        Self { days: None, parked: (0..tables).map(|_| Vec::new()).collect(), full: Vec::new() }
    }
}
