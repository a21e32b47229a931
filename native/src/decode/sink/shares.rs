//! Separates the rows of each table by their UTC day, if the caller wants that.
//!
//! Each table has a current share of its rows, to which the decoder adds the next row, and parked shares. Most rows
//! have the same day as the previous row; any other row is copied from the end of the current share to the share of its
//! day, which then becomes the current share. Rows of a container whose `metaData` is not known yet are held together,
//! in order, since the days of some of them depend on its start.

use super::{Sink, SourceResult, failed};
use crate::decode::batches::{Rows, Share};
use crate::decode::json::timestamps::day_of;

/// The maximum number of parked shares of a table. At this number, the least recently used share becomes a batch.
const MOST_PARKED: usize = 16;

impl Sink {
    /// Moves the unfinished row of a table to its share. `container` is the row of its container in `Metadata`.
    pub fn separate(&mut self, table: usize, container: usize) -> SourceResult<()> {
        if self.shares.days.is_none() {
            return Ok(());
        }
        let rows = &self.records.rows[table];
        let known = self.container.as_ref().is_none_or(|container| container.known);
        let share = if known { self.share_of(rows, rows.len(), container) } else { Share::Held };
        if self.select(table, share)?
            && let Some(before) = self.shares.parked[table].last_mut()
        {
            self.records.rows[table].copy(before, before.len()).map_err(failed)?;
            before.roll_back();
        }
        Ok(())
    }

    /// Returns the share of a row whose container's `metaData` is final.
    fn share_of(&self, rows: &Rows, row: usize, container: usize) -> Share {
        let start = || self.metadata.child("startTime")?.int64(container).map(day_of);
        let fallback = || self.shares.days.and_then(|days| days.fallback);
        Share::Day(rows.day(row).or_else(start).or_else(fallback))
    }

    /// Makes a share the current share of its table. Returns whether another share was current; that share is now the
    /// last parked share.
    fn select(&mut self, table: usize, share: Share) -> SourceResult<bool> {
        let (current, parked) = (&mut self.records.rows[table], &self.shares.parked[table]);
        if current.share == share {
            return Ok(false);
        }
        let found = parked.iter().position(|rows| rows.share == share);
        if found.is_none() && current.len() == 0 {
            current.share = share;
            return Ok(false);
        }
        let next = match found {
            Some(at) => self.shares.parked[table].remove(at),
            None => self.unused(table, share)?,
        };
        let before = std::mem::replace(&mut self.records.rows[table], next);
        self.shares.parked[table].push(before);
        Ok(true)
    }

    /// Returns an empty share of a table: an empty parked share, a new share, or the least recently used share after
    /// its rows became a batch.
    fn unused(&mut self, table: usize, share: Share) -> SourceResult<Rows> {
        let parked = &self.shares.parked[table];
        let mut at = parked.iter().position(|rows| rows.len() == 0);
        if at.is_none() && parked.len() >= MOST_PARKED {
            at = parked.iter().position(|rows| rows.share != Share::Held);
        }
        let Some(at) = at else {
            return Ok(self.records.rows[table].sibling(&self.records.plan, table, share));
        };
        if self.shares.parked[table][at].len() > 0 {
            self.flush(table, Some(at))?;
        }
        let mut rows = self.shares.parked[table].remove(at);
        rows.share = share;
        Ok(rows)
    }

    /// Moves all held rows to the shares of their days. The `metaData` of the open container must be final.
    pub fn settle(&mut self) -> SourceResult<()> {
        let Some(container) = self.container.as_ref().map(|container| container.row) else { return Ok(()) };
        let mut held = std::mem::take(&mut self.shares.full);
        if self.shares.days.is_some() {
            for table in 0..self.records.rows.len() {
                held.extend(self.held(table).map(|rows| (table, rows)));
            }
        }
        for (table, rows) in held {
            for row in 0..rows.len() {
                self.select(table, self.share_of(&rows, row, container))?;
                self.records.rows[table].copy(&rows, row).map_err(failed)?;
                self.end_row(table, rows.numbers[row], container, rows.sizes[row])?;
            }
        }
        Ok(())
    }

    /// Takes the held rows of a table, if there are any.
    fn held(&mut self, table: usize) -> Option<Rows> {
        let all = std::iter::once(&mut self.records.rows[table]).chain(&mut self.shares.parked[table]);
        let found = all.into_iter().find(|rows| rows.share == Share::Held && rows.len() > 0)?;
        self.unfinished_bytes -= found.bytes;
        let empty = found.sibling(&self.records.plan, table, Share::Held);
        Some(std::mem::replace(found, empty))
    }

    /// Flushes the rows of the share with the most text, so that frequent tables get large batches.
    pub fn flush_largest(&mut self) -> SourceResult<()> {
        let largest = self.all_shares().max_by_key(|(_, _, rows)| rows.bytes).map(|(table, at, _)| (table, at));
        largest.map_or(Ok(()), |(table, at)| self.flush(table, at))
    }

    /// Makes batches of all remaining rows. Call this function only while no container is open.
    pub fn flush_all(&mut self) -> SourceResult<()> {
        let used: Vec<_> =
            self.all_shares().filter(|(_, _, rows)| rows.len() > 0).map(|(table, at, _)| (table, at)).collect();
        used.into_iter().try_for_each(|(table, at)| self.flush(table, at))
    }

    /// Iterates over the rows of all tables: the index of the table, the index of the share if it is parked, the rows.
    fn all_shares(&self) -> impl Iterator<Item = (usize, Option<usize>, &Rows)> {
        let current = self.records.rows.iter().enumerate().map(|(table, rows)| (table, None, rows));
        let parked = self.shares.parked.iter().enumerate();
        current.chain(
            parked.flat_map(|(table, parked)| parked.iter().enumerate().map(move |(at, rows)| (table, Some(at), rows))),
        )
    }

    fn flush(&mut self, table: usize, parked: Option<usize>) -> SourceResult<()> {
        let rows = match parked {
            None => &mut self.records.rows[table],
            Some(at) => &mut self.shares.parked[table][at],
        };
        self.unfinished_bytes -= rows.bytes;
        if rows.share == Share::Held {
            let empty = rows.sibling(&self.records.plan, table, Share::Held);
            self.shares.full.push((table, std::mem::replace(rows, empty)));
            return Ok(());
        }
        let batch = rows.batch(table, self.records.masks.as_deref()).map_err(failed)?;
        self.pending_batches.push(batch);
        let known = self.container.as_ref().is_none_or(|container| container.known);
        if known || self.shares.days.is_some() { self.release() } else { Ok(()) }
    }
}
