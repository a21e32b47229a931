//! Collects the results of decoding: batches, quarantined text, and counts.

mod shares;

use std::sync::Arc;

use arrow_data::ArrayData;

use crate::decode::batches::{Counts, Metadata, PendingBatch};
use crate::decode::brackets::MAX_DEPTH;
use crate::decode::containers::Container;
use crate::decode::days::Shares;
use crate::decode::json::scan::Stop;
use crate::decode::json::timestamps::{ceiling_ms, floor_ms};
use crate::decode::masks::Action;
use crate::decode::plan::Plan;
use crate::decode::records::{Outcome, Records};
use crate::decode::rescue::numbered;

/// The source cannot be decoded. The message gives the reason.
#[derive(Debug)]
pub struct Failure(pub String);

pub type SourceResult<T> = std::result::Result<T, Failure>;

/// The maximum number of containers whose `metaData` is kept. At this number, the sink flushes all batches and drops
/// the `metaData`.
const MAX_METADATA: usize = 4096;

#[derive(Clone)]
pub struct Limits {
    pub max_record: usize,
    pub max_line: usize,
    pub max_held: usize,
    pub max_container_values: usize,
    /// The size of the source text of all unfinished rows together. At this size, the sink flushes the rows of the
    /// table with the most text.
    pub batch_bytes: usize,
}

/// Text that could not become a row; see `wsparquet.decode.model.Quarantined`.
pub struct Quarantined {
    pub start: usize,
    pub container: Option<i64>,
    /// The record's number; `None` for items.
    pub number: Option<i64>,
    pub path: Option<&'static str>,
    pub reason: String,
    pub data: Vec<u8>,
    pub continued: bool,
}

/// Consecutive containers with the same misfits, which are values with no matching column.
pub struct Misfits {
    pub first: i64,
    pub last: i64,
    pub values: Vec<(String, Vec<u8>)>,
}

#[derive(Default)]
pub struct Report {
    pub containers: i64,
    pub records: i64,
    pub quarantined: i64,
    pub items: i64,
    pub start_time: Option<i64>,
    pub end_time: Option<i64>,
    pub accounts: Counts,
    pub schema_versions: Counts,
    /// The numbers of rescued values by path, for each table.
    pub rescued: Vec<Counts>,
    /// The numbers of undocumented values by path, for each table.
    pub undocumented: Vec<Counts>,
    pub misfits: Vec<Misfits>,
    /// The number of entries of `misfits` that were returned to Python. These entries no longer change.
    pub settled: usize,
}

pub struct Sink {
    pub records: Records,
    pub report: Report,
    /// The table, the day in days since 1970 if rows are separated by day, and the rows of each finished batch.
    pub batches: Vec<(usize, Option<i32>, ArrayData)>,
    pub quarantined: Vec<Quarantined>,
    pub shares: Shares,
    limits: Limits,
    metadata: Metadata,
    container: Option<Container>,
    pending_batches: Vec<PendingBatch>,
    /// The size in bytes of the source text of all unfinished rows.
    unfinished_bytes: usize,
    misfit_bytes: usize,
}

/// Converts a `Stop`, the reason why decoding ended early, to a `Failure`. The text was already validated, so the cause
/// is an oversized column or a bug.
pub fn failed(stop: Stop) -> Failure {
    Failure(match stop {
        Stop::Overflow => "a column of one batch exceeds 2 GiB; lower the limit batch_bytes".to_owned(),
        other => {
            format!("the native decoder has a bug ({other:?}); please report this, and set `decoder` to reference")
        }
    })
}

impl Sink {
    pub fn new(plan: Arc<Plan>, source: &str, limits: Limits) -> Self {
        let records = Records::new(Arc::clone(&plan), source);
        let tables = records.rows.len();
        let by_table = || (0..tables).map(|_| Counts::default()).collect();
        Self {
            records,
            report: Report { rescued: by_table(), undocumented: by_table(), ..Report::default() },
            batches: Vec::new(),
            quarantined: Vec::new(),
            shares: Shares::new(tables),
            limits,
            metadata: Metadata::new(plan),
            container: None,
            pending_batches: Vec::new(),
            unfinished_bytes: 0,
            misfit_bytes: 0,
        }
    }

    // --- Containers -------------------------------------------------------------------------------------------------

    /// Opens a container. `values` has the container's values before its records: the decoded key, and the start and
    /// end in `data`.
    pub fn start(&mut self, data: &[u8], values: &[(Vec<u8>, usize, usize)]) -> SourceResult<()> {
        if self.metadata.rows >= MAX_METADATA {
            self.flush_all()?;
            self.metadata.forget();
        }
        self.container = Some(Container::new(self.report.containers, &mut self.metadata));
        self.report.containers += 1;
        values.iter().try_for_each(|(key, start, end)| self.value(key, &data[..*end], *start))
    }

    /// Adds a value to the open container: the text from `start` to the end of `data`.
    pub fn value(&mut self, key: &[u8], data: &[u8], start: usize) -> SourceResult<()> {
        let Some(container) = &mut self.container else { return Ok(()) };
        match container.take(key, data, start, &mut self.metadata).map_err(failed)? {
            Some(message) => Err(Failure(message)),
            None if container.known => {
                self.settle()?;
                self.release()
            }
            None => Ok(()),
        }
    }

    /// Closes the open container.
    pub fn end(&mut self) -> SourceResult<()> {
        self.settle()?;
        self.release()?;
        let Some(container) = self.container.take() else { return Ok(()) };
        for (counts, name) in
            [(&mut self.report.accounts, "accountId"), (&mut self.report.schema_versions, "schemaVersion")]
        {
            let text = self.metadata.child(name).and_then(|column| column.string(container.row));
            if let Some(text) = text {
                counts.add(&String::from_utf8_lossy(text), 1);
            }
        }
        for name in ["startTime", "endTime"] {
            if let Some(time) = self.metadata.child(name).and_then(|column| column.int64(container.row)) {
                let (first, last) = (floor_ms(time), ceiling_ms(time));
                let report = &mut self.report;
                report.start_time = Some(report.start_time.map_or(first, |start| start.min(first)));
                report.end_time = Some(report.end_time.map_or(last, |end| end.max(last)));
            }
        }
        if container.misfits.is_empty() { Ok(()) } else { self.misfits(container) }
    }

    fn misfits(&mut self, container: Container) -> SourceResult<()> {
        let mut values = numbered(container.misfits);
        if self.records.masks.as_ref().is_some_and(|masks| masks.container_values == Action::Drop) {
            values.iter_mut().for_each(|(_, text)| *text = b"null".to_vec());
        }
        if let Some(last) = self.report.misfits.last_mut()
            && last.last == container.number - 1
            && same(&last.values, &values)
        {
            last.last = container.number;
            return Ok(());
        }
        let characters = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().count();
        self.misfit_bytes += values.iter().map(|(path, text)| path.len() + characters(text)).sum::<usize>();
        if self.misfit_bytes > self.limits.max_container_values {
            return Err(Failure(format!(
                "containers have more than {} bytes of undocumented values, up to container {}; \
                 check that this is a Web Session file",
                self.limits.max_container_values, container.number
            )));
        }
        self.report.misfits.push(Misfits { first: container.number, last: container.number, values });
        Ok(())
    }

    // --- Records ----------------------------------------------------------------------------------------------------

    /// Adds the record with the text `raw` at byte `start` of the source: finishes its row, or quarantines the record.
    pub fn record(&mut self, outcome: Outcome, raw: &[u8], start: usize) -> SourceResult<()> {
        match outcome {
            Outcome::Row { table, rescued } => {
                let number = self.report.records;
                self.report.records += 1;
                for one in rescued {
                    self.report.rescued[table].add(&one.starred, 1);
                }
                self.row(table, number, raw.len())
            }
            Outcome::Unreadable(reason) => {
                self.bad_record(raw, start, reason, Some("$record.body"));
                Ok(())
            }
            Outcome::TooDeep => {
                self.bad_record(raw, start, too_deep(), None);
                Ok(())
            }
        }
    }

    fn row(&mut self, table: usize, number: i64, size: usize) -> SourceResult<()> {
        let mut row = 0;
        if let Some(container) = &mut self.container {
            row = container.row;
            container.held_bytes += size;
            if !container.known && container.held_bytes > self.limits.max_held {
                return Err(Failure(format!(
                    "container {} has more than {} bytes of records before its metaData; \
                     expected metaData before recordCollection",
                    container.number, self.limits.max_held
                )));
            }
        }
        self.separate(table, row)?;
        self.end_row(table, number, row, size)
    }

    /// Finishes the unfinished row of a table. `container` is the row of its container in `Metadata`.
    fn end_row(&mut self, table: usize, number: i64, container: usize, size: usize) -> SourceResult<()> {
        self.records.rows[table].end(number, container, size);
        self.unfinished_bytes += size;
        if self.unfinished_bytes >= self.limits.batch_bytes { self.flush_largest() } else { Ok(()) }
    }

    /// Completes the batches that were waiting for the `metaData` of their container.
    fn release(&mut self) -> SourceResult<()> {
        for batch in self.pending_batches.drain(..) {
            let table = batch.table;
            for (column, &count) in self.records.rows[table].enums.iter().zip(&batch.undocumented) {
                self.report.undocumented[table].add(&column.path, count);
            }
            self.batches.push((table, batch.day, batch.into_array(&self.metadata).map_err(failed)?));
        }
        Ok(())
    }

    // --- Quarantine -------------------------------------------------------------------------------------------------

    pub fn bad_record(&mut self, raw: &[u8], start: usize, reason: String, path: Option<&'static str>) {
        let number = Some(self.report.records);
        self.report.records += 1;
        self.report.quarantined += 1;
        self.quarantine(Quarantined { number, path, ..item(raw, start, reason) });
    }

    pub fn item(&mut self, raw: &[u8], start: usize, reason: &str, continued: bool) {
        self.report.items += i64::from(!continued);
        self.quarantine(Quarantined { continued, ..item(raw, start, reason.to_owned()) });
    }

    fn quarantine(&mut self, one: Quarantined) {
        let container = self.container.as_ref().map(|container| container.number);
        self.quarantined.push(Quarantined { container, ..one });
    }
}

fn item(raw: &[u8], start: usize, reason: String) -> Quarantined {
    Quarantined { start, container: None, number: None, path: None, reason, data: raw.to_vec(), continued: false }
}

pub fn too_deep() -> String {
    format!("nested deeper than {MAX_DEPTH} levels")
}

/// Whether both lists have the same values for the same paths, in any order.
fn same(one: &[(String, Vec<u8>)], other: &[(String, Vec<u8>)]) -> bool {
    one.len() == other.len() && one.iter().all(|entry| other.contains(entry))
}
