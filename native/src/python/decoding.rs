//! The decoder's Python classes. These classes take bytes and return plain values and arrays of the Arrow C data
//! interface.

use std::sync::Arc;

use arrow_data::ffi::FFI_ArrowArray;
use arrow_schema::{Schema, ffi::FFI_ArrowSchema};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};

use crate::decode::batches::Rows;
use crate::decode::days::Days;
use crate::decode::masks::Masks;
use crate::decode::plan::Plan;
use crate::decode::sink::{Failure, Limits, Quarantined, Sink, SourceResult};
use crate::decode::splitter::Splitter;

create_exception!(_native, Refused, PyException, "The source cannot be decoded; the message gives the reason.");

/// A compiled plan. The decoders of many sources can share one plan.
#[pyclass(frozen)]
struct CompiledPlan(Arc<Plan>);

#[pymethods]
impl CompiledPlan {
    /// Compiles the plan from JSON text.
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        let plan = Plan::read(text).map_err(|error| Refused::new_err(error.to_string()))?;
        Ok(Self(Arc::new(plan)))
    }

    /// Returns, for each table, its name and a capsule with the Arrow schema of its batches.
    fn schemas<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyCapsule>)>> {
        let capsule = |rows: Rows| {
            let schema = FFI_ArrowSchema::try_from(&Schema::new(rows.schema.fields.clone()));
            let schema = schema.map_err(|error| Refused::new_err(error.to_string()))?;
            Ok((rows.name, PyCapsule::new_with_value(py, schema, c"arrow_schema")?))
        };
        Rows::all(&self.0, "").into_iter().map(capsule).collect()
    }
}

/// Masks that were compiled for a plan. The decoders of many sources can share them.
#[pyclass(frozen)]
struct CompiledMasks(Arc<Masks>);

#[pymethods]
impl CompiledMasks {
    /// Compiles masks from JSON text. `key` is the secret key of hashes.
    #[new]
    fn new(plan: &CompiledPlan, text: &str, key: Option<&[u8]>) -> PyResult<Self> {
        Masks::read(text, key, &plan.0).map(|masks| Self(Arc::new(masks))).map_err(Refused::new_err)
    }
}

/// An array that Python imports through the Arrow C data interface. The importer moves the array out and marks it as
/// released. If the array was not imported, dropping this object releases it.
#[pyclass(frozen)]
struct Exported(Box<FFI_ArrowArray>); // boxed, so that its address does not change

#[pymethods]
impl Exported {
    #[getter]
    fn address(&self) -> usize {
        std::ptr::from_ref(&*self.0).expose_provenance()
    }
}

/// A push decoder of one source.
#[pyclass]
struct Machine {
    splitter: Splitter,
    broken: bool,
}

#[pymethods]
impl Machine {
    /// `limits` maps each member of Python's `wsparquet.decode.model.Limits`, by name, to its value. If `by_day`, each
    /// batch has the rows of one day; `fallback` is the day of the source, in days since 1970.
    #[new]
    #[pyo3(signature = (plan, source_file, limits, by_day, fallback, masks=None))]
    fn new(
        plan: &CompiledPlan,
        source_file: &str,
        limits: &Bound<'_, PyDict>,
        by_day: bool,
        fallback: Option<i32>,
        masks: Option<&CompiledMasks>,
    ) -> PyResult<Self> {
        let limit = |name: &str| -> PyResult<usize> {
            let value = limits.get_item(name)?;
            value.map_or_else(|| Err(Refused::new_err(format!("no limit {name}"))), |value| value.extract())
        };
        let limits = Limits {
            max_record: limit("max_record")?,
            max_line: limit("max_line")?,
            max_held: limit("max_held")?,
            max_container_values: limit("max_container_values")?,
            batch_bytes: limit("batch_bytes")?,
        };
        let splitter = Splitter::new(Arc::clone(&plan.0), source_file, limits);
        let splitter = if by_day { splitter.by_day(Days { fallback }) } else { splitter };
        let splitter = match masks {
            Some(masks) => splitter.masked(Arc::clone(&masks.0)),
            None => splitter,
        };
        Ok(Self { splitter, broken: false })
    }

    /// Decodes the next bytes and returns the batches and quarantined texts that are now complete.
    fn feed<'py>(&mut self, py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyDict>> {
        self.run(py, |splitter| splitter.feed(data))
    }

    /// Decodes what is left at the end of the text. Returns the remaining batches and quarantined texts, and the
    /// report.
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.run(py, Splitter::finish)
    }
}

impl Machine {
    fn run<'py>(
        &mut self,
        py: Python<'py>,
        work: impl FnOnce(&mut Splitter) -> SourceResult<()> + Send,
    ) -> PyResult<Bound<'py, PyDict>> {
        if self.broken {
            return Err(Refused::new_err("the decoder has already failed on this source"));
        }
        let splitter = &mut self.splitter;
        // The state may be inconsistent after a panic, so `broken` makes every later call fail.
        let done = super::detached(py, || work(splitter)).unwrap_or_else(|| {
            Err(Failure("the native decoder failed; please report this, and set `decoder` to reference".to_owned()))
        });
        if let Err(Failure(message)) = done {
            self.broken = true;
            return Err(Refused::new_err(message));
        }
        taken(py, &mut self.splitter.sink)
    }
}

/// Moves the finished batches, the quarantined texts, and the counts out of the sink.
fn taken<'py>(py: Python<'py>, sink: &mut Sink) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    let mut batches = Vec::new();
    for (table, day, array) in sink.batches.drain(..) {
        let array = Exported(Box::new(FFI_ArrowArray::new(&array)));
        batches.push((sink.records.rows[table].name.as_str(), day, Bound::new(py, array)?));
    }
    out.set_item("batches", batches)?;
    let quarantined: Vec<_> = sink.quarantined.drain(..).map(|one| quarantined(py, one)).collect();
    out.set_item("quarantined", quarantined)?;
    let report = &mut sink.report;
    out.set_item("containers", report.containers)?;
    out.set_item("records", report.records)?;
    out.set_item("quarantined_records", report.quarantined)?;
    out.set_item("items", report.items)?;
    out.set_item("start_time", report.start_time)?;
    out.set_item("end_time", report.end_time)?;
    out.set_item("accounts", report.accounts.take())?;
    out.set_item("schema_versions", report.schema_versions.take())?;
    for (what, by_table) in [("rescued", &mut report.rescued), ("undocumented", &mut report.undocumented)] {
        let names = sink.records.rows.iter().map(|rows| rows.name.as_str());
        let counts = names.zip(by_table).map(|(name, counts)| (name, counts.take()));
        out.set_item(what, counts.filter(|(_, counts)| !counts.is_empty()).collect::<Vec<_>>())?;
    }
    let settled = report.settled;
    report.settled = report.misfits.len().saturating_sub(1);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let misfits = report.misfits[settled..].iter().map(|one| {
        let values: Vec<_> = one.values.iter().map(|(path, value)| (path.as_str(), text(value))).collect();
        (one.first, one.last, values)
    });
    out.set_item("container_values", (settled, misfits.collect::<Vec<_>>()))?;
    Ok(out)
}

type Entry<'py> = (usize, Option<i64>, Option<i64>, Option<&'static str>, String, Bound<'py, PyBytes>, bool);

fn quarantined(py: Python<'_>, one: Quarantined) -> Entry<'_> {
    let data = PyBytes::new(py, &one.data);
    (one.start, one.container, one.number, one.path, one.reason, data, one.continued)
}

pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("Refused", module.py().get_type::<Refused>())?;
    module.add_class::<CompiledPlan>()?;
    module.add_class::<CompiledMasks>()?;
    module.add_class::<Exported>()?;
    module.add_class::<Machine>()
}
