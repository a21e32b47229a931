//! The crate as Python sees it: `decoding` and `writing` are its two halves, and know nothing of each other.

mod decoding;
mod writing;

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;

/// Does `work` without the GIL; nothing where it panics, and what it worked on is broken then.
fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> Option<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).ok()
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    decoding::add_to(module)?;
    writing::add_to(module)
}
