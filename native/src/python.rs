//! The Python module `wsparquet._native`. `decoding` and `writing` are its two independent halves.

mod decoding;
mod writing;

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;

/// Runs `work` without the GIL. Returns `None` if it panicked; do not reuse its state then.
fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> Option<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).ok()
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    decoding::add_to(module)?;
    writing::add_to(module)
}
