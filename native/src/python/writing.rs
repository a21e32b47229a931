//! The Parquet writer's Python classes. These classes import arrays through the Arrow C data interface and write them
//! to a file.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arrow_data::ffi::FFI_ArrowArray;
use arrow_schema::Schema;
use arrow_schema::ffi::FFI_ArrowSchema;
use parquet::errors::{ParquetError, Result};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::parquet::{Layout, Part};

/// Memory for an array that Python exports through the Arrow C data interface: the exporter writes it to `address`.
/// If Rust does not take the array, dropping this object releases it.
#[pyclass(frozen)]
struct Imported(Mutex<Box<FFI_ArrowArray>>); // boxed, so that its address does not change

#[pymethods]
impl Imported {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(Box::new(FFI_ArrowArray::empty())))
    }

    #[getter]
    fn address(&self) -> PyResult<usize> {
        let array = self.0.lock().map_err(|_| broken())?;
        Ok(std::ptr::from_ref(&**array).expose_provenance())
    }
}

impl Imported {
    fn take(&self) -> PyResult<FFI_ArrowArray> {
        let mut array = self.0.lock().map_err(|_| broken())?;
        Ok(std::mem::replace(&mut **array, FFI_ArrowArray::empty()))
    }
}

type TakenByFile = (usize, usize, usize, u64);
type FileFacts = (i64, u64, Option<(i64, i64)>, [u8; 32]);

/// What all files of a table have in common; see `wsparquet.parquet.file`.
#[pyclass(frozen)]
struct ParquetLayout(Arc<Layout>);

#[pymethods]
impl ParquetLayout {
    /// `schema` is the capsule that `__arrow_c_schema__` returns. `settings` is the JSON text of all settings.
    #[new]
    fn new(schema: &Bound<'_, PyCapsule>, settings: &str) -> PyResult<Self> {
        let schema = schema.pointer_checked(Some(c"arrow_schema"))?.cast::<FFI_ArrowSchema>();
        // SAFETY: a capsule with that name contains an `FFI_ArrowSchema`, which is valid for the lifetime of the
        // capsule.
        let schema = Schema::try_from(unsafe { schema.as_ref() });
        let schema = schema.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let layout = Layout::new(schema, settings).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Self(Arc::new(layout)))
    }
}

/// An open Parquet file; see `wsparquet.parquet.file`.
#[pyclass(frozen)]
struct ParquetFile(Mutex<Option<Part>>);

#[pymethods]
impl ParquetFile {
    /// Prepares the file.
    #[new]
    fn new(path: PathBuf, layout: &Bound<'_, ParquetLayout>) -> Self {
        Self(Mutex::new(Some(Part::new(path, Arc::clone(&layout.get().0)))))
    }

    /// Adds a batch of the file's schema to the unfinished row group. Returns the memory in bytes of its uncompressed
    /// rows, and of its compressed rows; the number of finished row groups, and their size in bytes.
    fn write(&self, py: Python<'_>, batch: &Bound<'_, Imported>) -> PyResult<TakenByFile> {
        let array = batch.get().take()?;
        self.on_open(py, |part| {
            // SAFETY: Python has already checked that the batch has the file's schema, so the array has the file's
            // type.
            unsafe { part.write(array) }
        })
    }

    /// Compresses the rows of the unfinished row group. Returns the same as `write`.
    fn pack(&self, py: Python<'_>) -> PyResult<TakenByFile> {
        self.on_open(py, Part::pack)
    }

    /// Ends the row group, if it has rows. Returns the same as `write`.
    fn end_row_group(&self, py: Python<'_>) -> PyResult<TakenByFile> {
        self.on_open(py, Part::end_row_group)
    }

    /// Writes the footer, closes the file, and returns its rows, its size in bytes, the range of its own timestamps in
    /// microseconds since 1970, and its SHA-256. Returns `None` if the file is already closed.
    fn close(&self, py: Python<'_>) -> PyResult<Option<FileFacts>> {
        let facts = self.locked(py, |open| open.take().map(Part::close).transpose())?;
        Ok(facts.map(|facts| (facts.rows, facts.bytes, facts.times, facts.sha256)))
    }
}

impl ParquetFile {
    /// Runs `work` on the file without the GIL, and returns how much memory and disk space the file then takes. Fails
    /// if the file is closed.
    fn on_open(&self, py: Python<'_>, work: impl FnOnce(&mut Part) -> Result<()> + Send) -> PyResult<TakenByFile> {
        let taken = self.locked(py, |open| {
            let part = open.as_mut().ok_or_else(|| ParquetError::General("the file is closed".to_owned()))?;
            work(part)?;
            Ok(part.taken())
        })?;
        Ok((taken.pending, taken.packed, taken.row_groups, taken.bytes))
    }

    /// Runs `work` on the file without the GIL. Fails if this or an earlier call panicked.
    fn locked<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut Option<Part>) -> Result<T> + Send) -> PyResult<T> {
        let done = super::detached(py, || self.0.lock().map(|mut open| work(&mut open)).ok());
        done.flatten().ok_or_else(broken)?.map_err(raised)
    }
}

fn broken() -> PyErr {
    PyOSError::new_err("the native Parquet writer failed; please report this as a bug")
}

/// Converts an error to a Python OSError. An I/O error keeps its errno, so that Python raises the right subclass; any
/// other error keeps only its message.
fn raised(error: ParquetError) -> PyErr {
    let number = |inner: &(dyn Error + Send + Sync + 'static)| inner.downcast_ref::<std::io::Error>()?.raw_os_error();
    match &error {
        ParquetError::External(inner) => match number(&**inner) {
            Some(number) => PyOSError::new_err((number, inner.to_string())),
            None => PyOSError::new_err(inner.to_string()),
        },
        other => PyOSError::new_err(other.to_string()),
    }
}

pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Imported>()?;
    module.add_class::<ParquetLayout>()?;
    module.add_class::<ParquetFile>()
}
