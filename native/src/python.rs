//! The Python module `wsparquet._native`, whose submodules `decoding`, `lookup` and `writing` do not depend on each
//! other.

mod decoding;
mod lookup;
mod writing;

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;

/// Runs `work` without the GIL. Returns `None` if `work` panicked; the caller must not use the state of `work` again.
fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> Option<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).ok()
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("CHECKED", cfg!(debug_assertions))?;
    decoding::add_to(module)?;
    lookup::add_to(module)?;
    writing::add_to(module)
}
