//! Finds where containers, their values, and their records begin and end in a stream of bytes.
//!
//! A border is the start of a line that always starts a container. A state machine reads the text between two borders,
//! container by container and record by record. Reading a record normally also finds its end. The splitter counts
//! brackets only if reading fails, and then searches for the next undamaged record or container. Each state either
//! advances or reports that it needs more text. The rules are in docs/decoding.md, "Input", "Quarantine", and
//! "Resynchronizing".

mod array;
mod between;
mod damage;
mod elements;
mod found;
mod resync;

use std::sync::Arc;

use self::array::Array;
use self::found::{Found, invalid_utf8, is_number};
use self::resync::{Search, Start, Starts};
use crate::decode::brackets::{Element, MAX_DEPTH, element_end};
use crate::decode::buffer::Buffer;
use crate::decode::days::Days;
use crate::decode::json::scan::{self, Stop};
use crate::decode::masks::Masks;
use crate::decode::plan::Plan;
use crate::decode::records::Outcome;
use crate::decode::sink::{Failure, Limits, Sink, SourceResult, failed, too_deep};

/// The maximum size of one piece of a quarantined item, in bytes.
const PIECE: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Between,
    Record,
    ClosingTag,
    Tail,
    Skip,
    SkipLine,
    Resynchronize,
    Resume,
}

impl State {
    /// Whether the state quarantines text instead of reading it.
    fn is_damage(self) -> bool {
        matches!(self, Self::Skip | Self::SkipLine | Self::Resynchronize | Self::Resume)
    }
}

/// Whether a state advanced. A state that did not advance needs more text.
type Moved = SourceResult<bool>;

pub struct Splitter {
    pub sink: Sink,
    plan: Arc<Plan>,
    limits: Limits,
    buffer: Buffer,
    state: State,
    in_container: bool,
    tagged: bool,
    comma: Option<usize>,
    /// The brackets that closed the records, with their offsets. If records follow in damaged text, each bracket
    /// becomes an item.
    closers: Vec<(usize, u8)>,
    /// Whether damaged text of the open container was quarantined.
    damaged: bool,
    array: Array,
    search: Search,
    /// Where to go on after damaged text: the offset, and whether a record starts there instead of a container.
    resume_at: (usize, bool),
    awaited: usize,
    reason: String,
    skipped: usize,
}

impl Splitter {
    pub fn new(plan: Arc<Plan>, source: &str, limits: Limits) -> Self {
        Self {
            sink: Sink::new(Arc::clone(&plan), source, limits.clone()),
            plan,
            limits,
            buffer: Buffer::default(),
            state: State::Between,
            in_container: false,
            tagged: false,
            comma: None,
            closers: Vec::new(),
            damaged: false,
            array: Array::default(),
            search: Search::default(),
            resume_at: (0, false),
            awaited: 0,
            reason: String::new(),
            skipped: 0,
        }
    }

    /// Separates the rows of each table by their day, so that each batch has the rows of one day.
    pub fn by_day(mut self, days: Days) -> Self {
        self.sink.shares.days = Some(days);
        self
    }

    /// Masks all rows, and the values outside of records.
    pub fn masked(mut self, masks: Arc<Masks>) -> Self {
        self.sink.records.masks = Some(masks);
        self
    }

    /// Decodes the next bytes.
    pub fn feed(&mut self, data: &[u8]) -> SourceResult<()> {
        let new_border = self.buffer.append(data);
        // An incomplete record is read again only after the text has doubled, not after every chunk, so the total work
        // stays linear.
        if new_border || self.buffer.data.len() - self.buffer.position >= self.awaited {
            self.buffer.ready();
            self.run()?;
        }
        Ok(())
    }

    /// Decodes the rest of the text.
    pub fn finish(&mut self) -> SourceResult<()> {
        self.buffer.end();
        self.run()?;
        self.sink.flush_all()
    }

    fn run(&mut self) -> SourceResult<()> {
        self.awaited = 0;
        loop {
            if self.state == State::Between {
                self.buffer.position = self.buffer.skip_between(self.buffer.position);
            } else if !self.state.is_damage() {
                self.buffer.position = self.buffer.skip_space(self.buffer.position);
            }
            if self.buffer.position == self.buffer.limit {
                if !self.buffer.complete {
                    return self.await_more();
                }
                self.cut()?;
                if !self.buffer.cross() {
                    return Ok(());
                }
                continue;
            }
            if !self.step()? {
                return self.await_more();
            }
        }
    }

    fn step(&mut self) -> Moved {
        match self.state {
            State::Between => self.between(),
            State::Record => self.record(),
            State::ClosingTag => self.closing_tag(),
            State::Tail => self.tail(),
            State::Skip => self.skip(),
            State::SkipLine => self.skip_line(),
            State::Resynchronize => self.resynchronize(),
            State::Resume => self.resume(),
        }
    }

    fn await_more(&mut self) -> SourceResult<()> {
        let pending = self.buffer.data.len() - self.buffer.position;
        let most = self.limits.max_record;
        // A candidate in damaged text may be as long as a record, and up to one piece of text may precede it.
        let allowed = if self.state.is_damage() { most.saturating_add(2 * PIECE) } else { most.max(PIECE) };
        if pending > allowed {
            self.within_record_limit(pending)?;
        }
        self.awaited = 2 * pending;
        Ok(())
    }

    fn within_record_limit(&self, size: usize) -> SourceResult<()> {
        if size > self.limits.max_record {
            return Err(self.too_long("record or container value", self.limits.max_record, "max_record"));
        }
        Ok(())
    }

    fn too_long(&self, what: &str, limit: usize, parameter: &str) -> Failure {
        let offset = self.buffer.base + self.buffer.position;
        Failure(format!(
            "a {what} at byte {offset} is longer than {limit} bytes; \
             if the file is a valid Web Session file, raise the limit with `{parameter}`"
        ))
    }

    /// Closes the container that is open at a border, or everything that is open at the end of the text.
    fn cut(&mut self) -> SourceResult<()> {
        let end = self.buffer.position;
        if self.in_container {
            if !self.state.is_damage() {
                self.item(end, end, "the container is incomplete");
            }
            self.sink.end()?;
        } else if self.array.is_open && self.buffer.at_end() && self.state == State::Between {
            self.item(end, end, "the array of containers is incomplete");
        }
        self.in_container = false;
        self.state = State::Between;
        Ok(())
    }

    fn item(&mut self, start: usize, end: usize, reason: &str) {
        self.sink.item(&self.buffer.data[start..end], self.buffer.base + start, reason, false);
    }

    fn first(&self, at: usize) -> Option<u8> {
        self.buffer.text().get(at).copied()
    }

    // --- Inside a container -----------------------------------------------------------------------------------------

    fn record(&mut self) -> Moved {
        let start = self.buffer.position;
        match self.first(start) {
            Some(b']') => return self.end_of_records(),
            Some(b',') => {
                self.buffer.position += 1;
                self.item(start, start + 1, "a comma without a record before the comma");
                return Ok(true);
            }
            _ => {}
        }
        match self.sink.records.read(self.buffer.text(), start) {
            Ok((outcome, end)) => self.read_record(outcome, start, end),
            Err(Stop::Overflow) => Err(failed(Stop::Overflow)),
            Err(stop) => match self.bad_value(start, stop)? {
                Some(reason) => self.bad_record(reason),
                None => Ok(false),
            },
        }
    }

    /// Accepts a record that was read, or quarantines it if one of the remaining checks fails.
    fn read_record(&mut self, outcome: Outcome, start: usize, end: usize) -> Moved {
        self.within_record_limit(end - start)?;
        let text = self.buffer.text();
        let after = scan::space(text, end);
        let trouble = if self.may_go_on(start, end) {
            None
        } else if simdutf8::basic::from_utf8(&text[start..end]).is_err() {
            Some(invalid_utf8(&text[start..end]))
        } else {
            match text.get(after) {
                Some(b',' | b']') => return self.take_record(outcome, end, after),
                None if is_number(text, start) => {
                    Some("a number that may be incomplete, since the text ends after it".to_owned())
                }
                None => return self.take_record(outcome, end, after),
                Some(_) => Some("expected a comma or ] after the record".to_owned()),
            }
        };
        if let Outcome::Row { table, .. } = outcome {
            self.sink.records.rows[table].roll_back();
        }
        trouble.map_or(Ok(false), |reason| self.bad_record(reason))
    }

    fn take_record(&mut self, outcome: Outcome, end: usize, after: usize) -> Moved {
        let start = self.buffer.position;
        self.sink.record(outcome, &self.buffer.data[start..end], self.buffer.base + start)?;
        self.pass_comma(after);
        Ok(true)
    }

    fn pass_comma(&mut self, after: usize) {
        let comma = self.first(after) == Some(b',');
        self.comma = comma.then_some(self.buffer.base + after);
        self.buffer.position = after + usize::from(comma);
    }

    /// Quarantines an unreadable record alone if its brackets balance and no other record starts inside it. In all
    /// other cases, quarantines the text up to the next undamaged record or container.
    fn bad_record(&mut self, reason: String) -> Moved {
        let start = self.buffer.position;
        let reach = self.limits.max_record.saturating_add(1);
        let stop = self.buffer.limit.min(start.saturating_add(reach));
        let complete = self.buffer.complete || stop - start == reach;
        let text = &self.buffer.data[..stop];
        let mut starts = Starts { text, at: start + 1, after_comma: false, reach, plan: &self.plan };
        let inner = starts.find(|&(kind, _)| kind == Start::Record || (kind == Start::Begun && !complete));
        match element_end(text, start) {
            Element::Found { end, depth } if inner.is_none_or(|(_, at)| end <= at) => {
                let raw = trimmed(&text[start..end]);
                let reason = if depth > MAX_DEPTH { too_deep() } else { reason };
                self.sink.bad_record(raw, self.buffer.base + start, reason, None);
                self.pass_comma(end);
                Ok(true)
            }
            Element::Found { .. } | Element::Open
                if !complete && inner.is_none_or(|(kind, _)| kind == Start::Begun) =>
            {
                Ok(false)
            }
            _ => self.resynchronize_from(format!("unreadable record: {reason}"), start + 1),
        }
    }

    fn end_of_records(&mut self) -> Moved {
        self.closers.clear();
        self.pass_closer(b']');
        self.state = if self.tagged { State::ClosingTag } else { State::Tail };
        if let Some(comma) = self.comma {
            self.sink.item(b",", comma, "a comma without a record after the comma", false);
        }
        Ok(true)
    }

    fn pass_closer(&mut self, bracket: u8) {
        self.closers.push((self.buffer.base + self.buffer.position, bracket));
        self.buffer.position += 1;
    }

    fn closing_tag(&mut self) -> Moved {
        let position = self.buffer.position;
        if self.first(position) != Some(b'}') {
            return self.resynchronize_from("expected } after the tagged list of records".to_owned(), position);
        }
        self.pass_closer(b'}');
        self.state = State::Tail;
        Ok(true)
    }

    /// Reads the text after the records: another value of the container, or the end of the container.
    fn tail(&mut self) -> Moved {
        let position = self.buffer.position;
        match self.first(position) {
            Some(b'}') => return self.end_of_container(),
            Some(b',') => {}
            _ => return self.resynchronize_from("expected a comma or } after the value".to_owned(), position),
        }
        let found = match self.key(self.buffer.skip_space(position + 1)) {
            Found::It((key, value)) => match self.container_value(value)? {
                Found::It(end) => Found::It((key, value, end)),
                Found::NeedsMore => Found::NeedsMore,
                Found::Bad(reason) => Found::Bad(reason),
            },
            Found::NeedsMore => Found::NeedsMore,
            Found::Bad(reason) => Found::Bad(reason),
        };
        match found {
            Found::NeedsMore => Ok(false),
            Found::Bad(reason) => self.resynchronize_from(format!("unreadable container: {reason}"), position),
            Found::It((key, value, end)) => {
                self.buffer.position = end;
                self.sink.value(&key, &self.buffer.data[..end], value)?;
                Ok(true)
            }
        }
    }
    fn end_of_container(&mut self) -> Moved {
        let position = self.buffer.position;
        match if self.damaged { self.continues_after(position + 1) } else { Some(false) } {
            None => Ok(false),
            Some(true) => self.resynchronize_from("a closing bracket before the container's end".to_owned(), position),
            Some(false) => {
                self.buffer.position += 1;
                (self.in_container, self.state) = (false, State::Between);
                self.sink.end()?;
                Ok(true)
            }
        }
    }
}

/// Returns text without its trailing white space.
fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    &text[..end.map_or(0, |end| end + 1)]
}
